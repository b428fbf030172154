#pragma once

#include <napi.h>

namespace bitpath {

// resizeBilinear of lib/native.ts.
Napi::Value resizeBilinearJs(const Napi::CallbackInfo& info);

}  // namespace bitpath
