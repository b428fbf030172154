// What JavaScript sees. lib/native.ts has the types.
#include <napi.h>

#include "../base/build_id.h"
#include "../kernels/detect.h"
#include "../kernels/peak.h"
#include "../kernels/select.h"
#include "executor.h"
#include "guards.h"
#include "program.h"
#include "resize.h"

namespace bitpath {

namespace {

Napi::Value selectIsa(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return guarded(env, [&]() -> Napi::Value {
    const uint32_t features = detectFeatures();
    if (info[0].IsNull() || info[0].IsUndefined()) return Napi::String::New(env, bestIsa(features).name);
    if (!info[0].IsString()) badArgument("isa", "a string or null");
    return Napi::String::New(env, isaByName(info[0].As<Napi::String>().Utf8Value(), features).name);
  });
}

Napi::Value availableThreadsJs(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value { return Napi::Number::New(info.Env(), availableThreads()); });
}

Napi::Value clockGHzJs(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value { return Napi::Number::New(info.Env(), clockGHz()); });
}

Napi::Value peaksJs(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return guarded(env, [&]() -> Napi::Value {
    if (!info[0].IsString()) badArgument("isa", "a string");
    const Peaks peaks = measurePeaks(*isaByName(info[0].As<Napi::String>().Utf8Value(), detectFeatures()).table);
    Napi::Object object = Napi::Object::New(env);
    object.Set("binaryMacsPerCycle", peaks.binary);
    object.Set("floatMacsPerCycle", peaks.real);
    object.Set("pixelMacsPerCycle", peaks.pixel);
    object.Set("pixel8MacsPerCycle", peaks.pixel8);
    return object;
  });
}

Napi::Array isas(Napi::Env env) {
  const uint32_t features = detectFeatures();
  Napi::Array array = Napi::Array::New(env);
  for (const IsaEntry& entry : isaEntries()) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("name", entry.name);
    object.Set("supported", Napi::Boolean::New(env, (entry.required & ~features) == 0));
    array.Set(array.Length(), object);
  }
  return array;
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  return guarded(env, [&] {
    auto* environment = new std::shared_ptr<Environment>(std::make_shared<Environment>(env));
    env.SetInstanceData(environment);  // deleted with the environment
    // Hooks run in reverse order of registration: this one before Node closes the thread-safe function made above.
    env.AddCleanupHook([kept = *environment] { kept->tearDown(); });
    exports.Set("buildId", build_id());
    exports.Set("isas", isas(env));
    exports.Set("selectIsa", Napi::Function::New(env, selectIsa, "selectIsa"));
    exports.Set("availableThreads", Napi::Function::New(env, availableThreadsJs, "availableThreads"));
    exports.Set("clockGHz", Napi::Function::New(env, clockGHzJs, "clockGHz"));
    exports.Set("peaks", Napi::Function::New(env, peaksJs, "peaks"));
    exports.Set("Resizer", ResizerWrap::define(env));
    exports.Set("Program", ProgramWrap::define(env));
    exports.Set("Executor", ExecutorWrap::define(env));
    return exports;
  });
}

}  // namespace
}  // namespace bitpath

static Napi::Object Init(Napi::Env env, Napi::Object exports) { return bitpath::init(env, exports); }

NODE_API_MODULE(bitpath, Init)
