#include "program.h"

#include "../kernels/detect.h"
#include "../kernels/select.h"
#include "guards.h"

namespace bitpath {

const napi_type_tag ProgramWrap::kTag = {0x6269747061746850ull, 0x726f6772616d0001ull};

Napi::Function ProgramWrap::define(Napi::Env env) {
  return DefineClass(
      env, "Program",
      {InstanceAccessor<&ProgramWrap::isa>("isa"), InstanceAccessor<&ProgramWrap::arenaBytes>("arenaBytes"),
       InstanceAccessor<&ProgramWrap::weightBytes>("weightBytes"), InstanceMethod<&ProgramWrap::describe>("describe")});
}

ProgramWrap::ProgramWrap(const Napi::CallbackInfo& info) : Napi::ObjectWrap<ProgramWrap>(info) {
  guarded(info.Env(), [&] {
    const Bytes code = typedArrayArgument(info[0], "code");
    if (code.type != napi_int32_array) badArgument("code", "an Int32Array");
    const Bytes constants = typedArrayArgument(info[1], "constants");
    if (constants.type != napi_uint8_array) badArgument("constants", "a Uint8Array");
    if (!info[2].IsString()) badArgument("isa", "a string");
    const IsaEntry& isa = isaByName(info[2].As<Napi::String>().Utf8Value(), detectFeatures());
    program = std::make_shared<const Program>(reinterpret_cast<const int32_t*>(code.data), code.length / 4,
                                              constants.data, constants.length, *isa.table);
    for (const OpInfo& op : program->describe()) weights_ += op.weightBytes;
    info.This().As<Napi::Object>().TypeTag(&kTag);
    // The collector sees a small object: tell it what hangs on it.
    Napi::MemoryManagement::AdjustExternalMemory(info.Env(), weights_);
  });
}

ProgramWrap::~ProgramWrap() {
  if (program) Napi::MemoryManagement::AdjustExternalMemory(Env(), -weights_);
}

Napi::Value ProgramWrap::isa(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), program->kernels().isa);
}

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
      object.Set("mapBytes", static_cast<double>(op.mapBytes));
      object.Set("macs", static_cast<double>(op.macs));
      Napi::Array steps = Napi::Array::New(env, op.steps.size());
      for (size_t s = 0; s < op.steps.size(); ++s) steps.Set(static_cast<uint32_t>(s), op.steps[s]);
      object.Set("steps", steps);
      array.Set(static_cast<uint32_t>(i), object);
    }
    return array;
  });
}

}  // namespace bitpath
