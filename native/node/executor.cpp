#include "executor.h"

#include <cstring>
#include <deque>

#include "../kernels/detect.h"
#include "../kernels/select.h"
#include "guards.h"

namespace bitpath {

// An interpreter and the runs that wait for it: one at a time, in order. Shared by the executor object and its jobs, so that an
// executor may be collected while a run is under way.
struct Lane {
  Lane(std::shared_ptr<const Program> program, int threads) : interpreter(std::move(program), threads) {}

  Interpreter interpreter;
  std::mutex arena;  // held while the interpreter runs
  std::mutex mutex;  // guards what follows
  std::deque<Job*> queue;
  bool busy = false;  // a pool thread works through the queue
};

// One asynchronous run. Made and destroyed on the JavaScript thread; between start() and complete() a pool thread has it.
struct Job {
  std::shared_ptr<Lane> lane;
  AlignedBuffer input;
  bool uint8Input = false;
  int64_t images = 0;
  std::vector<AlignedBuffer> outputs;
  std::atomic<bool> cancelled{false};
  bool disposed = false;  // cancelled because its executor is gone
  uint32_t id = 0;
  std::shared_ptr<Environment> environment;
  Napi::FunctionReference callback;
  bool failed = false;
  ErrorCode code = ErrorCode::Internal;
  std::string message;
};

namespace {

int64_t outputFloats(const FloatMap& map, int64_t images) { return images * map.extent.pixels() * map.extent.channels; }

std::vector<AlignedBuffer> makeOutputs(const Program& program, int64_t images) {
  std::vector<AlignedBuffer> outputs;
  for (const FloatMap& map : program.outputs()) outputs.emplace_back(static_cast<size_t>(outputFloats(map, images)) * 4);
  return outputs;
}

// Called on a pool thread: nothing may escape.
void runJob(Job& job, ThreadPool& pool) noexcept {
  try {
    Lane& lane = *job.lane;
    const std::lock_guard<std::mutex> lock(lane.arena);
    std::vector<float*> to;
    for (const AlignedBuffer& output : job.outputs) to.push_back(output.as<float>());
    lane.interpreter.run(job.input.data(), job.uint8Input, job.images, to.data(), pool, job.cancelled);
  } catch (const Error& error) {
    job.failed = true;
    job.code = error.code;
    try {
      job.message = error.what();
    } catch (...) {
    }
  } catch (const std::bad_alloc&) {
    job.failed = true;
    job.code = ErrorCode::Memory;
  } catch (...) {
    job.failed = true;
    job.code = ErrorCode::Internal;
  }
}

// Works through a lane's queue. The environment outlives this: tearDown() waits for its running jobs.
void drain(const std::shared_ptr<Lane>& lane, ThreadPool& pool) {
  while (true) {
    Job* job;
    {
      const std::lock_guard<std::mutex> lock(lane->mutex);
      if (lane->queue.empty()) {
        lane->busy = false;
        return;
      }
      job = lane->queue.front();
      lane->queue.pop_front();
    }
    runJob(*job, pool);
    const std::shared_ptr<Environment> environment = job->environment;
    environment->complete(job->id);  // `job` may be gone from here on
  }
}

struct InputArgument {
  Bytes bytes;
  bool uint8Input;
  int64_t images;
};

InputArgument inputArgument(const Napi::CallbackInfo& info, const Program& program) {
  const int64_t images = integerArgument(info[1], "images", 1, INT32_MAX);
  const Bytes bytes = typedArrayArgument(info[0], "input");
  if (bytes.type != napi_float32_array && bytes.type != napi_uint8_array && bytes.type != napi_uint8_clamped_array) {
    badArgument("input", "a Float32Array or Uint8Array");
  }
  const bool uint8Input = bytes.type != napi_float32_array;
  const int64_t elements = program.input().pixels() * program.input().channels;
  const uint64_t expected = static_cast<uint64_t>(images) * static_cast<uint64_t>(elements) * (uint8Input ? 1 : 4);
  if (bytes.length != expected) {
    badArgument("input", std::to_string(expected) + " bytes for " + std::to_string(images) + " images, not " +
                             std::to_string(bytes.length) + ",");
  }
  for (const FloatMap& map : program.outputs()) {
    if (outputFloats(map, images) > (int64_t{1} << 31)) badArgument("images", "fewer images: the outputs would not fit an array");
  }
  return {bytes, uint8Input, images};
}

Napi::Value outputsToJs(Napi::Env env, const std::vector<AlignedBuffer>& outputs) {
  Napi::Array array = Napi::Array::New(env, outputs.size());
  for (size_t i = 0; i < outputs.size(); ++i) {
    Napi::Float32Array values = Napi::Float32Array::New(env, outputs[i].bytes() / 4);
    if (outputs[i].bytes() > 0) std::memcpy(values.Data(), outputs[i].data(), outputs[i].bytes());
    array.Set(static_cast<uint32_t>(i), values);
  }
  return array;
}

}  // namespace

// ---- Environment ----

Environment::Environment(Napi::Env env) : env_(env) {
  pool = ThreadPool::shared();
  // Only to call back onto this thread: the function itself is never used.
  wakeUp_ = Napi::ThreadSafeFunction::New(env, Napi::Function::New(env, [](const Napi::CallbackInfo&) {}), "bitpath", 0, 1);
  wakeUp_.Unref(env);  // an idle engine must not keep the process alive
}

Environment::~Environment() = default;

uint32_t Environment::start(std::unique_ptr<Job> job) {
  // 0 is no id, and an id may come round again after 2³² runs.
  while (nextId_ == 0 || jobs_.count(nextId_) != 0) ++nextId_;
  const uint32_t id = nextId_++;
  job->id = id;
  Lane& lane = *job->lane;
  Job* raw = job.get();
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (closing_) throw Error(ErrorCode::Disposed, "The environment is shutting down");
  }
  jobs_.emplace(id, std::move(job));
  try {
    bool submit;
    {
      const std::lock_guard<std::mutex> lock(lane.mutex);
      lane.queue.push_back(raw);
      submit = !lane.busy;
      lane.busy = true;
    }
    if (submit) {
      try {
        pool->submit([lane = raw->lane, pool = pool.get()] { drain(lane, *pool); });
      } catch (...) {
        const std::lock_guard<std::mutex> lock(lane.mutex);
        lane.busy = false;
        lane.queue.pop_back();
        throw;
      }
    }
  } catch (...) {
    jobs_.erase(id);
    throw;
  }
  if (jobs_.size() == 1) wakeUp_.Ref(env_);
  return id;
}

void Environment::complete(uint32_t id) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!closing_) {
    // The queue is unbounded; a failure means that the environment is closing, where tearDown() takes care of the job.
    wakeUp_.NonBlockingCall([this, id](Napi::Env env, Napi::Function) {
      if (env != nullptr) deliver(env, id);
    });
  }
  ++completed_;
  idle_.notify_all();
}

void Environment::deliver(Napi::Env env, uint32_t id) {
  const auto found = jobs_.find(id);
  if (found == jobs_.end()) return;
  const std::unique_ptr<Job> job = std::move(found->second);
  jobs_.erase(found);
  if (jobs_.empty()) wakeUp_.Unref(env);
  ++delivered_;
  const Napi::HandleScope scope(env);
  Napi::Value error = env.Null(), outputs = env.Null();
  if (!job->failed) {
    try {
      outputs = outputsToJs(env, job->outputs);
    } catch (const Napi::Error& failure) {  // no memory for the arrays
      error = failure.Value();
      outputs = env.Null();
    }
  } else {
    if (job->code == ErrorCode::Aborted && job->disposed) {
      job->code = ErrorCode::Disposed;
      job->message = "The executor has been disposed";
    }
    error = toJs(env, job->code, job->message.empty() ? "The run failed" : job->message).Value();
  }
  // What the callback throws becomes an uncaught exception, as from any callback.
  job->callback.Call({error, outputs});
}

void Environment::cancel(uint32_t id, const Lane* lane) {
  const auto found = jobs_.find(id);
  if (found != jobs_.end() && found->second->lane.get() == lane) found->second->cancelled.store(true);
}

void Environment::disposeAll(const Lane* lane) {
  for (auto& entry : jobs_) {
    Job& job = *entry.second;
    if (lane != nullptr && job.lane.get() != lane) continue;
    job.disposed = true;
    job.cancelled.store(true);
  }
}

void Environment::tearDown() {
  disposeAll(nullptr);
  {
    std::unique_lock<std::mutex> lock(mutex_);
    closing_ = true;
    // Jobs of jobs_ that are completed but not delivered count too: completed_ − delivered_ of them.
    idle_.wait(lock, [this] { return completed_ - delivered_ == jobs_.size(); });
  }
  jobs_.clear();
  wakeUp_.Abort();
  pool.reset();
}

// ---- Program ----

const napi_type_tag ProgramWrap::kTag = {0x6269747061746850ull, 0x726f6772616d0001ull};

Napi::Function ProgramWrap::define(Napi::Env env) {
  return DefineClass(env, "Program",
                     {InstanceAccessor<&ProgramWrap::isa>("isa"), InstanceAccessor<&ProgramWrap::arenaBytes>("arenaBytes"),
                      InstanceAccessor<&ProgramWrap::weightBytes>("weightBytes"),
                      InstanceMethod<&ProgramWrap::describe>("describe")});
}

ProgramWrap::ProgramWrap(const Napi::CallbackInfo& info) : Napi::ObjectWrap<ProgramWrap>(info) {
  guarded(info.Env(), [&] {
    const Bytes code = typedArrayArgument(info[0], "code");
    if (code.type != napi_int32_array) badArgument("code", "an Int32Array");
    const Bytes constants = typedArrayArgument(info[1], "constants");
    if (constants.type != napi_uint8_array) badArgument("constants", "a Uint8Array");
    if (!info[2].IsString()) badArgument("isa", "a string");
    const IsaEntry& isa = isaByName(info[2].As<Napi::String>().Utf8Value(), detectFeatures());
    program = std::make_shared<const Program>(reinterpret_cast<const int32_t*>(code.data), code.length / 4, constants.data,
                                              constants.length, *isa.table);
    for (const OpInfo& op : program->describe()) weights_ += op.weightBytes;
    info.This().As<Napi::Object>().TypeTag(&kTag);
    // The collector sees a small object: tell it what hangs on it.
    Napi::MemoryManagement::AdjustExternalMemory(info.Env(), weights_);
  });
}

ProgramWrap::~ProgramWrap() {
  if (program) Napi::MemoryManagement::AdjustExternalMemory(Env(), -weights_);
}

Napi::Value ProgramWrap::isa(const Napi::CallbackInfo& info) { return Napi::String::New(info.Env(), program->kernels().isa); }

Napi::Value ProgramWrap::arenaBytes(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(program->arenaBytes()));
}

Napi::Value ProgramWrap::weightBytes(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(weights_));
}

Napi::Value ProgramWrap::describe(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return guarded(env, [&]() -> Napi::Value {
    const std::vector<OpInfo> ops = program->describe();
    Napi::Array array = Napi::Array::New(env, ops.size());
    for (size_t i = 0; i < ops.size(); ++i) {
      const OpInfo& op = ops[i];
      Napi::Object object = Napi::Object::New(env);
      object.Set("op", op.op);
      object.Set("kernel", op.kernel);
      object.Set("height", op.output.height);
      object.Set("width", op.output.width);
      object.Set("channels", op.output.channels);
      object.Set("weightBytes", static_cast<double>(op.weightBytes));
      object.Set("macs", static_cast<double>(op.macs));
      Napi::Array steps = Napi::Array::New(env, op.steps.size());
      for (size_t s = 0; s < op.steps.size(); ++s) steps.Set(static_cast<uint32_t>(s), op.steps[s]);
      object.Set("steps", steps);
      array.Set(static_cast<uint32_t>(i), object);
    }
    return array;
  });
}

// ---- Executor ----

Napi::Function ExecutorWrap::define(Napi::Env env) {
  return DefineClass(env, "Executor",
                     {InstanceMethod<&ExecutorWrap::run>("run"), InstanceMethod<&ExecutorWrap::runSync>("runSync"),
                      InstanceMethod<&ExecutorWrap::cancel>("cancel"), InstanceMethod<&ExecutorWrap::dispose>("dispose")});
}

ExecutorWrap::ExecutorWrap(const Napi::CallbackInfo& info) : Napi::ObjectWrap<ExecutorWrap>(info) {
  guarded(info.Env(), [&] {
    // A program is known by its tag: anything may have its prototype.
    if (!info[0].IsObject() || !info[0].As<Napi::Object>().CheckTypeTag(&ProgramWrap::kTag)) badArgument("program", "a Program");
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
    const Program& program = lane().interpreter.program();
    const InputArgument input = inputArgument(info, program);
    if (!info[2].IsFunction()) badArgument("callback", "a function");
    auto job = std::make_unique<Job>();
    job->lane = lane_;
    job->environment = environment_;
    job->uint8Input = input.uint8Input;
    job->images = input.images;
    job->input = AlignedBuffer(input.bytes.length);
    std::memcpy(job->input.data(), input.bytes.data, input.bytes.length);
    job->outputs = makeOutputs(program, input.images);
    job->callback = Napi::Persistent(info[2].As<Napi::Function>());
    return Napi::Number::New(info.Env(), environment_->start(std::move(job)));
  });
}

Napi::Value ExecutorWrap::runSync(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const std::shared_ptr<Lane> held = lane_;
    Lane& lane = this->lane();
    const InputArgument input = inputArgument(info, lane.interpreter.program());
    const std::vector<AlignedBuffer> outputs = makeOutputs(lane.interpreter.program(), input.images);
    std::vector<float*> to;
    for (const AlignedBuffer& output : outputs) to.push_back(output.as<float>());
    const std::atomic<bool> never{false};
    {
      const std::lock_guard<std::mutex> lock(lane.arena);
      lane.interpreter.run(input.bytes.data, input.uint8Input, input.images, to.data(), *environment_->pool, never);
    }
    return outputsToJs(info.Env(), outputs);
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
