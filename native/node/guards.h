// Between JavaScript and C++: every entry catches every exception and throws it on as a JavaScript error with a code, and no
// argument is believed before it is looked at.
#pragma once

#include <napi.h>

#include <new>
#include <string>

#include "../base/error.h"

namespace bitpath {

inline Napi::Error toJs(Napi::Env env, ErrorCode code, const std::string& message) {
  Napi::Error error = Napi::Error::New(env, message);
  error.Set("code", Napi::String::New(env, codeName(code)));
  return error;
}

// Runs `body`, turning C++ exceptions into JavaScript ones. Napi::Error passes through.
template <typename Body>
auto guarded(Napi::Env env, Body body) -> decltype(body()) {
  try {
    return body();
  } catch (const Napi::Error&) {
    throw;
  } catch (const Error& error) {
    throw toJs(env, error.code, error.what());
  } catch (const std::bad_alloc&) {
    throw toJs(env, ErrorCode::Memory, "Out of memory: an allocation in native code failed");
  } catch (const std::exception& error) {
    throw toJs(env, ErrorCode::Internal, std::string("Internal error, please report it: ") + error.what());
  }
}

[[noreturn]] inline void badArgument(const std::string& name, const std::string& expected) {
  throw Error(ErrorCode::Argument, "Expected " + expected + " for " + name);
}

inline int32_t integerArgument(const Napi::Value& value, const char* name, int32_t min, int32_t max) {
  const std::string expected = "an integer from " + std::to_string(min) + " to " + std::to_string(max);
  if (!value.IsNumber()) badArgument(name, expected);
  const double number = value.As<Napi::Number>().DoubleValue();
  if (!(number >= min && number <= max) || number != static_cast<double>(static_cast<int32_t>(number)))
    badArgument(name, expected);
  return static_cast<int32_t>(number);
}

// A typed array's bytes at this moment: a detached one has none. Not to be kept beyond the call.
struct Bytes {
  const uint8_t* data;
  size_t length;
  napi_typedarray_type type;
};

inline Bytes typedArrayArgument(const Napi::Value& value, const char* name) {
  if (!value.IsTypedArray()) badArgument(name, "a typed array");
  napi_typedarray_type type;
  size_t elements = 0;
  void* data = nullptr;
  const napi_status status = napi_get_typedarray_info(value.Env(), value, &type, &elements, &data, nullptr, nullptr);
  if (status != napi_ok) badArgument(name, "a typed array over an ArrayBuffer");
  return {static_cast<const uint8_t*>(data), elements * value.As<Napi::TypedArray>().ElementSize(), type};
}

}  // namespace bitpath
