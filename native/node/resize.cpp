// Resizing off the JavaScript thread, on libuv's pool as sharp's decoding is: it belongs to the picture, not to the run.
#include "resize.h"

#include <cstring>

#include "guards.h"

namespace bitpath {

namespace {

class ResizeWorker : public Napi::AsyncWorker {
 public:
  ResizeWorker(const Napi::Function& callback, std::unique_ptr<uint8_t[]> pixels, const Resize& resize)
      : Napi::AsyncWorker(callback, "bitpath:resize"), pixels_(std::move(pixels)), resize_(resize) {}

  void Execute() override {
    try {
      result_ = resizeBilinear(pixels_.get(), resize_);
    } catch (const std::bad_alloc&) {
      code_ = ErrorCode::Memory;
      SetError("Out of memory: resizing a picture");
    } catch (const std::exception& error) {
      SetError(error.what());
    }
    pixels_.reset();
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
  std::unique_ptr<uint8_t[]> pixels_;
  Resize resize_;
  std::vector<float> result_;
  ErrorCode code_ = ErrorCode::Internal;
};

}  // namespace

Napi::Function ResizerWrap::define(Napi::Env env) {
  return DefineClass(env, "Resizer",
                     {InstanceMethod<&ResizerWrap::append>("append"), InstanceMethod<&ResizerWrap::run>("run")});
}

ResizerWrap::ResizerWrap(const Napi::CallbackInfo& info) : Napi::ObjectWrap<ResizerWrap>(info) {
  guarded(info.Env(), [&] {
    if (!info[2].IsObject()) badArgument("options", "an object");
    const Napi::Object options = info[2].As<Napi::Object>();
    const auto side = [&](const char* name, int32_t min) {
      return int64_t{integerArgument(options.Get(name), name, min, static_cast<int32_t>(kMaxImageSide))};
    };
    resize_.height = integerArgument(info[0], "height", 1, static_cast<int32_t>(kMaxImageSide));
    resize_.width = integerArgument(info[1], "width", 1, static_cast<int32_t>(kMaxImageSide));
    resize_.resizedHeight = side("resizedHeight", 1);
    resize_.resizedWidth = side("resizedWidth", 1);
    resize_.cropTop = side("cropTop", 0);
    resize_.cropLeft = side("cropLeft", 0);
    resize_.cropHeight = side("cropHeight", 1);
    resize_.cropWidth = side("cropWidth", 1);
    resize_.antialias = options.Get("antialias").ToBoolean();
    bytes_ = static_cast<size_t>(resize_.height * resize_.width * kImageChannels);
    const char* wrong = checkResize(resize_, bytes_);
    if (wrong != nullptr) throw Error(ErrorCode::Argument, std::string("Cannot resize: ") + wrong);
    pixels_.reset(new uint8_t[bytes_]);  // every byte is written before any is read
  });
}

void ResizerWrap::append(const Napi::CallbackInfo& info) {
  guarded(info.Env(), [&] {
    const Bytes part = typedArrayArgument(info[0], "pixels");
    if (part.type != napi_uint8_array) badArgument("pixels", "a Uint8Array");
    if (!pixels_ || part.length > bytes_ - written_) badArgument("pixels", "no more than the picture's bytes");
    if (part.length > 0) std::memcpy(pixels_.get() + written_, part.data, part.length);
    written_ += part.length;
  });
}

void ResizerWrap::run(const Napi::CallbackInfo& info) {
  guarded(info.Env(), [&] {
    if (!info[0].IsFunction()) badArgument("callback", "a function");
    if (!pixels_ || written_ != bytes_) badArgument("pixels", "all of the picture's bytes, once");
    auto* worker = new ResizeWorker(info[0].As<Napi::Function>(), std::move(pixels_), resize_);  // deletes itself
    worker->Queue();
  });
}

}  // namespace bitpath
