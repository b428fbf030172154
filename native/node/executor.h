// An arena for a Program, and runs in it, as a JavaScript object.
#pragma once

#include <napi.h>

#include <memory>

#include "environment.h"

namespace bitpath {

class ExecutorWrap : public Napi::ObjectWrap<ExecutorWrap> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit ExecutorWrap(const Napi::CallbackInfo& info);
  ~ExecutorWrap() override;

 private:
  Napi::Value run(const Napi::CallbackInfo& info);
  Napi::Value runSync(const Napi::CallbackInfo& info);
  Napi::Value profile(const Napi::CallbackInfo& info);
  void cancel(const Napi::CallbackInfo& info);
  void dispose(const Napi::CallbackInfo& info);
  Lane& lane();

  std::shared_ptr<Environment> environment_;
  std::shared_ptr<Lane> lane_;
  int64_t arena_ = 0;
};

}  // namespace bitpath
