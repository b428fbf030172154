// A loaded Program as a JavaScript object.
#pragma once

#include <napi.h>

#include <memory>

#include "../exec/program.h"

namespace bitpath {

class ProgramWrap : public Napi::ObjectWrap<ProgramWrap> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit ProgramWrap(const Napi::CallbackInfo& info);
  ~ProgramWrap() override;
  std::shared_ptr<const Program> program;
  static const napi_type_tag kTag;

 private:
  int64_t weights_ = 0;
  Napi::Value isa(const Napi::CallbackInfo& info);
  Napi::Value arenaBytes(const Napi::CallbackInfo& info);
  Napi::Value weightBytes(const Napi::CallbackInfo& info);
  Napi::Value describe(const Napi::CallbackInfo& info);
};

}  // namespace bitpath
