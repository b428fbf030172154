// A picture on its way through resizeBilinear, as a JavaScript object: it is copied part by part, so that a large one does not hold
// the JavaScript thread up, and resized on libuv's pool.
#pragma once

#include <napi.h>

#include <memory>

#include "../images/resize.h"

namespace bitpath {

class ResizerWrap : public Napi::ObjectWrap<ResizerWrap> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit ResizerWrap(const Napi::CallbackInfo& info);

 private:
  void append(const Napi::CallbackInfo& info);
  void run(const Napi::CallbackInfo& info);

  Resize resize_{};
  std::unique_ptr<uint8_t[]> pixels_;  // a copy: the caller's array may be detached at any time
  size_t bytes_ = 0;
  size_t written_ = 0;
};

}  // namespace bitpath
