// What each instruction set needs, said twice on neighbouring lines: to the detector and to the compiler. Everything outside
// BITPATH_TARGET_BEGIN … END is built with baseline flags; standard headers stay outside, so that no template of theirs is
// ever compiled with instructions that the machine may lack.
#pragma once

#include "detect.h"

#define BITPATH_AVX512_FEATURES \
  (kSse42 | kAvx2 | kFma | kAvx512F | kAvx512Bw | kAvx512Dq | kAvx512Vl | kAvx512Vpopcntdq | kAvx512Vnni)
#define BITPATH_AVX512_TARGET "sse4.2,popcnt,avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512vpopcntdq,avx512vnni"

#define BITPATH_AVX2_FEATURES (kSse42 | kAvx2 | kFma)
#define BITPATH_AVX2_TARGET "sse4.2,popcnt,avx2,fma"

#define BITPATH_NEON_FEATURES (kNeon)

#define BITPATH_PRAGMA(text) _Pragma(#text)
#if defined(__clang__)
#define BITPATH_TARGET_BEGIN(target_string) \
  BITPATH_PRAGMA(clang attribute push(__attribute__((target(target_string))), apply_to = function))
#define BITPATH_TARGET_END BITPATH_PRAGMA(clang attribute pop)
#elif defined(__GNUC__)
#define BITPATH_TARGET_BEGIN(target_string) \
  BITPATH_PRAGMA(GCC push_options)          \
  BITPATH_PRAGMA(GCC target(target_string))
#define BITPATH_TARGET_END BITPATH_PRAGMA(GCC pop_options)
#else  // MSVC compiles every intrinsic anywhere
#define BITPATH_TARGET_BEGIN(target_string)
#define BITPATH_TARGET_END
#endif

// For what must not become a call: an array of vectors passed to a function lives in memory. And for what must.
#if defined(__GNUC__)
#define BITPATH_INLINE __attribute__((always_inline)) inline
#define BITPATH_NOINLINE __attribute__((noinline))
#else
#define BITPATH_INLINE __forceinline
#define BITPATH_NOINLINE __declspec(noinline)
#endif

// Before a loop over the vectors of a tile: one that is not unrolled indexes its array, which then lies in memory. clang goes by the
// size of what it unrolls, and g++ by its own counsel.
// (BITPATH_LOOPS: not where sanitizers put code around every access, which takes minutes to compile as it is.)
#if defined(BITPATH_LOOPS)
#define BITPATH_UNROLL
#elif defined(__clang__)
#define BITPATH_UNROLL _Pragma("clang loop unroll(full)")
#define BITPATH_UNROLL_CLANG BITPATH_UNROLL
#elif defined(__GNUC__)
#define BITPATH_UNROLL _Pragma("GCC unroll 32")
#else
#define BITPATH_UNROLL
#endif
#ifndef BITPATH_UNROLL_CLANG  // where g++'s counsel is the better one
#define BITPATH_UNROLL_CLANG
#endif
