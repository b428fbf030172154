#include "executor.h"

#include <cstring>

#include "guards.h"
#include "program.h"

namespace bitpath {

namespace {

int64_t outputFloats(const FloatMap& map, int64_t images) { return images * map.extent.pixels() * map.extent.channels; }

std::vector<AlignedBuffer> makeOutputs(const Program& program, int64_t images) {
  std::vector<AlignedBuffer> outputs;
  for (const FloatMap& map : program.outputs())
    outputs.emplace_back(static_cast<size_t>(outputFloats(map, images)) * 4);
  return outputs;
}

struct InputArgument {
  std::vector<Bytes> parts;
  uint64_t bytes;
  bool uint8Input;
  int64_t images;
};

// An array, or a list of arrays of one type whose images follow each other.
InputArgument inputArgument(const Napi::CallbackInfo& info, const Program& program) {
  const int64_t images = integerArgument(info[1], "images", 1, INT32_MAX);
  std::vector<Napi::Value> values;
  if (info[0].IsArray()) {
    const Napi::Array list = info[0].As<Napi::Array>();
    for (uint32_t i = 0, length = list.Length(); i < length; ++i) values.push_back(list.Get(i));
    if (values.empty()) badArgument("input", "at least one array");
  } else {
    values.push_back(info[0]);
  }
  // Fetching an element may run JavaScript, which may detach any of them; from here on none runs.
  InputArgument input{{}, 0, false, images};
  for (const Napi::Value& value : values) {
    const Bytes bytes = typedArrayArgument(value, "input");
    if (bytes.type != napi_float32_array && bytes.type != napi_uint8_array && bytes.type != napi_uint8_clamped_array) {
      badArgument("input", "a Float32Array or Uint8Array");
    }
    const bool uint8Input = bytes.type != napi_float32_array;
    if (!input.parts.empty() && uint8Input != input.uint8Input) badArgument("input", "arrays of one type");
    input.uint8Input = uint8Input;
    input.bytes += bytes.length;
    input.parts.push_back(bytes);
  }
  const int64_t elements = program.input().pixels() * program.input().channels;
  const uint64_t expected =
      static_cast<uint64_t>(images) * static_cast<uint64_t>(elements) * (input.uint8Input ? 1 : 4);
  if (input.bytes != expected) {
    badArgument("input", std::to_string(expected) + " bytes for " + std::to_string(images) + " images, not " +
                             std::to_string(input.bytes) + ",");
  }
  for (const FloatMap& map : program.outputs()) {
    if (outputFloats(map, images) > (int64_t{1} << 31))
      badArgument("images", "fewer images: the outputs would not fit an array");
  }
  return input;
}

// What runs on the JavaScript thread itself reads its one array in place.
const uint8_t* inPlace(const InputArgument& input) {
  if (input.parts.size() != 1) badArgument("input", "one array");
  return input.parts[0].data;
}

}  // namespace

Napi::Function ExecutorWrap::define(Napi::Env env) {
  return DefineClass(
      env, "Executor",
      {InstanceMethod<&ExecutorWrap::run>("run"), InstanceMethod<&ExecutorWrap::runSync>("runSync"),
       InstanceMethod<&ExecutorWrap::profile>("profile"), InstanceMethod<&ExecutorWrap::cancel>("cancel"),
       InstanceMethod<&ExecutorWrap::dispose>("dispose")});
}

ExecutorWrap::ExecutorWrap(const Napi::CallbackInfo& info) : Napi::ObjectWrap<ExecutorWrap>(info) {
  guarded(info.Env(), [&] {
    // A program is known by its tag: anything may have its prototype.
    if (!info[0].IsObject() || !info[0].As<Napi::Object>().CheckTypeTag(&ProgramWrap::kTag))
      badArgument("program", "a Program");
    const ProgramWrap* program = ProgramWrap::Unwrap(info[0].As<Napi::Object>());
    const int threads = integerArgument(info[1], "threads", 1, 1024);
    environment_ = *info.Env().GetInstanceData<std::shared_ptr<Environment>>();
    environment_->pool->grow(threads);
    lane_ = std::make_shared<Lane>(program->program, threads);
    arena_ = program->program->arenaBytes();
    Napi::MemoryManagement::AdjustExternalMemory(info.Env(), arena_);
  });
}

ExecutorWrap::~ExecutorWrap() { Napi::MemoryManagement::AdjustExternalMemory(Env(), -arena_); }

Lane& ExecutorWrap::lane() {
  if (!lane_) throw Error(ErrorCode::Disposed, "The executor has been disposed");
  return *lane_;
}

Napi::Value ExecutorWrap::run(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const std::shared_ptr<Lane> held = lane_;
    const Program& program = this->lane().interpreter.program();
    const InputArgument input = inputArgument(info, program);
    this->lane();  // still there, whatever the list did
    const int threads = integerArgument(info[2], "threads", 1, lane_->interpreter.threads());
    if (!info[3].IsFunction()) badArgument("callback", "a function");
    auto job = std::make_unique<Job>();
    job->lane = lane_;
    job->environment = environment_;
    job->uint8Input = input.uint8Input;
    job->images = input.images;
    job->threads = threads;
    job->input = lane_->takeInput(input.bytes);
    uint8_t* to = job->input.data();
    for (const Bytes& part : input.parts) {
      if (part.length > 0) std::memcpy(to, part.data, part.length);
      to += part.length;
    }
    job->outputs = makeOutputs(program, input.images);
    job->callback = Napi::Persistent(info[3].As<Napi::Function>());
    return Napi::Number::New(info.Env(), environment_->start(std::move(job)));
  });
}

Napi::Value ExecutorWrap::runSync(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const std::shared_ptr<Lane> held = lane_;
    Lane& lane = this->lane();
    const InputArgument input = inputArgument(info, lane.interpreter.program());
    const uint8_t* data = inPlace(input);
    const std::vector<AlignedBuffer> outputs = makeOutputs(lane.interpreter.program(), input.images);
    std::vector<float*> to;
    for (const AlignedBuffer& output : outputs) to.push_back(output.as<float>());
    const std::atomic<bool> never{false};
    {
      const std::lock_guard<std::mutex> lock(lane.arena);
      lane.interpreter.run(data, input.uint8Input, input.images, to.data(), lane.interpreter.threads(),
                           *environment_->pool, never);
    }
    return outputsToJs(info.Env(), outputs);
  });
}

// Runs `runs` times on this thread and returns the nanoseconds of each instruction in each run, run by run.
Napi::Value ExecutorWrap::profile(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const std::shared_ptr<Lane> held = lane_;
    Lane& lane = this->lane();
    const InputArgument input = inputArgument(info, lane.interpreter.program());
    const uint8_t* data = inPlace(input);
    const int runs = integerArgument(info[2], "runs", 1, 1 << 16);
    const std::vector<AlignedBuffer> outputs = makeOutputs(lane.interpreter.program(), input.images);
    std::vector<float*> to;
    for (const AlignedBuffer& output : outputs) to.push_back(output.as<float>());
    const size_t instructions = lane.interpreter.program().ops().size();
    Napi::Float64Array all = Napi::Float64Array::New(info.Env(), instructions * static_cast<size_t>(runs));
    const std::atomic<bool> never{false};
    const std::lock_guard<std::mutex> lock(lane.arena);
    for (int run = 0; run < runs; ++run) {
      std::vector<Interpreter::Nanoseconds> times(instructions);
      lane.interpreter.run(data, input.uint8Input, input.images, to.data(), lane.interpreter.threads(),
                           *environment_->pool, never, times.data());
      for (size_t i = 0; i < instructions; ++i) all[run * instructions + i] = static_cast<double>(times[i].count());
    }
    return all;
  });
}

void ExecutorWrap::cancel(const Napi::CallbackInfo& info) {
  guarded(info.Env(), [&] {
    if (!info[0].IsNumber()) badArgument("id", "a number");
    environment_->cancel(info[0].As<Napi::Number>().Uint32Value(), lane_.get());
  });
}

void ExecutorWrap::dispose(const Napi::CallbackInfo& info) {
  if (!lane_) return;
  environment_->disposeAll(lane_.get());
  lane_.reset();
  Napi::MemoryManagement::AdjustExternalMemory(info.Env(), -arena_);
  arena_ = 0;
}

}  // namespace bitpath
