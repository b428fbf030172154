// Resizing off the JavaScript thread, on libuv's pool as sharp's decoding is: it belongs to the picture, not to the run.
#include "resize.h"

#include <cstring>

#include "../images/resize.h"
#include "guards.h"

namespace bitpath {

namespace {

class ResizeWorker : public Napi::AsyncWorker {
 public:
  ResizeWorker(const Napi::Function& callback, const Bytes& pixels, const Resize& resize)
      : Napi::AsyncWorker(callback, "bitpath:resize"),
        pixels_(pixels.data, pixels.data + pixels.length),
        resize_(resize) {}

  void Execute() override {
    try {
      result_ = resizeBilinear(pixels_.data(), resize_);
    } catch (const std::bad_alloc&) {
      code_ = ErrorCode::Memory;
      SetError("Out of memory: resizing a picture");
    } catch (const std::exception& error) {
      SetError(error.what());
    }
  }

  void OnOK() override {
    Napi::Float32Array values = Napi::Float32Array::New(Env(), result_.size());
    if (!result_.empty()) std::memcpy(values.Data(), result_.data(), result_.size() * sizeof(float));
    Callback().Call({Env().Null(), values});
  }

  void OnError(const Napi::Error& error) override {
    Callback().Call({toJs(Env(), code_, error.Message()).Value(), Env().Null()});
  }

 private:
  std::vector<uint8_t> pixels_;  // the caller's array may be detached at any time
  Resize resize_;
  std::vector<float> result_;
  ErrorCode code_ = ErrorCode::Internal;
};

}  // namespace

Napi::Value resizeBilinearJs(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const Bytes pixels = typedArrayArgument(info[0], "pixels");
    if (pixels.type != napi_uint8_array) badArgument("pixels", "a Uint8Array");
    if (!info[3].IsObject()) badArgument("options", "an object");
    if (!info[4].IsFunction()) badArgument("callback", "a function");
    const Napi::Object options = info[3].As<Napi::Object>();
    const auto side = [&](const char* name, int32_t min) {
      return int64_t{integerArgument(options.Get(name), name, min, static_cast<int32_t>(kMaxImageSide))};
    };
    Resize resize;
    resize.height = integerArgument(info[1], "height", 1, static_cast<int32_t>(kMaxImageSide));
    resize.width = integerArgument(info[2], "width", 1, static_cast<int32_t>(kMaxImageSide));
    resize.resizedHeight = side("resizedHeight", 1);
    resize.resizedWidth = side("resizedWidth", 1);
    resize.cropTop = side("cropTop", 0);
    resize.cropLeft = side("cropLeft", 0);
    resize.cropHeight = side("cropHeight", 1);
    resize.cropWidth = side("cropWidth", 1);
    resize.antialias = options.Get("antialias").ToBoolean();
    // options.Get may run JavaScript (a getter), which may detach the array: look at it again.
    const Bytes now = typedArrayArgument(info[0], "pixels");
    const char* wrong = checkResize(resize, now.length);
    if (wrong != nullptr) throw Error(ErrorCode::Argument, std::string("Cannot resize: ") + wrong);
    auto* worker = new ResizeWorker(info[4].As<Napi::Function>(), now, resize);  // deletes itself
    worker->Queue();
    return info.Env().Undefined();
  });
}

}  // namespace bitpath
