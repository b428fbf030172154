// NEON, the baseline of AArch64: Graviton, Ampere, Apple silicon.
//
// 1-bit convolution: lanes are 16 output channels of a byte; an activation byte is duplicated into the xor, and vcntq counts the
// bits of each byte: 128 products in eor · cnt · add. A byte counts at most 8 a step, so it is widened every 31 steps.
#include "target.h"

#ifdef BITPATH_ARM
#include <arm_neon.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

#include "table.h"

namespace bitpath {
namespace {

constexpr int kBconvLanes = 16, kBconvUnitBytes = 1, kBconvPixels = 4, kBconvBlocks = 2;
constexpr int kGemmLanes = 8, kGemmPixels = 4, kGemmBlocks = 2;
constexpr int kPoolPixels = 4;

struct AllLanes {
  unsigned bits() const { return 0xff; }
};
struct FirstLanes {
  explicit FirstLanes(int count) : count(count) {}
  unsigned bits() const { return (1u << count) - 1; }
  int count;
};

struct F8 {
  float32x4_t low, high;
  static F8 zero() { return broadcast(0.0f); }
  static F8 load(const float* from) { return {vld1q_f32(from), vld1q_f32(from + 4)}; }
  static F8 load(const float* from, AllLanes) { return load(from); }
  static F8 load(const float* from, FirstLanes lanes) {
    float values[8] = {};
    for (int i = 0; i < lanes.count; ++i) values[i] = from[i];
    return load(values);
  }
  static F8 broadcast(float value) { return {vdupq_n_f32(value), vdupq_n_f32(value)}; }
  void store(float* to, AllLanes) const {
    vst1q_f32(to, low);
    vst1q_f32(to + 4, high);
  }
  void store(float* to, FirstLanes lanes) const {
    float values[8];
    store(values, AllLanes{});
    for (int i = 0; i < lanes.count; ++i) to[i] = values[i];
  }
  F8 eight(int) const { return *this; }
};
using FW = F8;
inline F8 add(F8 a, F8 b) { return {vaddq_f32(a.low, b.low), vaddq_f32(a.high, b.high)}; }
inline F8 mul(F8 a, F8 b) { return {vmulq_f32(a.low, b.low), vmulq_f32(a.high, b.high)}; }
inline F8 divide(F8 a, F8 b) { return {vdivq_f32(a.low, b.low), vdivq_f32(a.high, b.high)}; }
inline F8 fma(F8 a, F8 b, F8 c) { return {vfmaq_f32(c.low, a.low, b.low), vfmaq_f32(c.high, a.high, b.high)}; }
inline F8 whereNegative(F8 a, F8 other) {
  return {vbslq_f32(vcltzq_f32(a.low), other.low, a.low), vbslq_f32(vcltzq_f32(a.high), other.high, a.high)};
}
inline float32x4_t clamp(float32x4_t a, float32x4_t low, float32x4_t high) {
  return vbslq_f32(vcltq_f32(a, low), low, vbslq_f32(vcgtq_f32(a, high), high, a));
}
inline F8 clamp(F8 a, F8 low, F8 high) { return {clamp(a.low, low.low, high.low), clamp(a.high, low.high, high.high)}; }
inline float32x4_t maximum(float32x4_t so_far, float32x4_t tap) {
  const uint32x4_t number = vceqq_f32(tap, tap);
  return vbslq_f32(vorrq_u32(vcgtq_f32(tap, so_far), vmvnq_u32(number)), tap, so_far);
}
inline F8 maximum(F8 so_far, F8 tap) { return {maximum(so_far.low, tap.low), maximum(so_far.high, tap.high)}; }
inline unsigned atLeast(float32x4_t a, float32x4_t flip, float32x4_t threshold) {
  static const uint32_t kBits[4] = {1, 2, 4, 8};
  const float32x4_t flipped = vreinterpretq_f32_u32(veorq_u32(vreinterpretq_u32_f32(a), vreinterpretq_u32_f32(flip)));
  return vaddvq_u32(vandq_u32(vcgeq_f32(flipped, threshold), vld1q_u32(kBits)));
}
inline unsigned atLeast(F8 a, F8 flip, F8 threshold) {
  return atLeast(a.low, flip.low, threshold.low) | atLeast(a.high, flip.high, threshold.high) << 4;
}

struct I8 {
  int32x4_t low, high;
  static I8 load(const int32_t* from) { return {vld1q_s32(from), vld1q_s32(from + 4)}; }
};
inline F8 toFloat(I8 a) { return {vcvtq_f32_s32(a.low), vcvtq_f32_s32(a.high)}; }
inline F8 dotProduct(I8 base, I8 counts) {
  return {vcvtq_f32_s32(vsubq_s32(base.low, vshlq_n_s32(counts.low, 1))),
          vcvtq_f32_s32(vsubq_s32(base.high, vshlq_n_s32(counts.high, 1)))};
}

// Pairs of int16 in eight lanes; sums are two vectors of four int32.
struct IW {
  int16x8_t pairs[2];
  int32x4_t low, high;
  static IW zero() { return {{vdupq_n_s16(0), vdupq_n_s16(0)}, vdupq_n_s32(0), vdupq_n_s32(0)}; }
  static IW load(const int16_t* from) {
    IW v = zero();
    v.pairs[0] = vld1q_s16(from);
    v.pairs[1] = vld1q_s16(from + 8);
    return v;
  }
  static IW broadcastPair(const int16_t* from) {
    int32_t pair;
    std::memcpy(&pair, from, sizeof pair);
    IW v = zero();
    v.pairs[0] = v.pairs[1] = vreinterpretq_s16_s32(vdupq_n_s32(pair));
    return v;
  }
  I8 eight(int) const { return {low, high}; }
};
inline int32x4_t dotPairs(int32x4_t sums, int16x8_t a, int16x8_t b) {
  return vaddq_s32(sums, vpaddq_s32(vmull_s16(vget_low_s16(a), vget_low_s16(b)), vmull_high_s16(a, b)));
}
inline IW dotPairs(IW sums, const IW& a, const IW& b) {
  sums.low = dotPairs(sums.low, a.pairs[0], b.pairs[0]);
  sums.high = dotPairs(sums.high, a.pairs[1], b.pairs[1]);
  return sums;
}

template <int P, int V>
inline void bconvTile(const Windows<uint64_t>& w, const uint64_t* const* segments, ptrdiff_t offset,
                      const uint8_t* weights, I8 (&counts)[2 * V][P]) {
  constexpr int kByteSteps = 31;           // 31 · 8 = 248 ≤ 255
  constexpr int kWordSteps = 65535 / 248;  // widenings that 16 bits hold
  const int bytes = (w.segmentLength + 7) / 8;
  const ptrdiff_t blockBytes = static_cast<ptrdiff_t>(w.segmentCount) * bytes * kBconvLanes;

  uint16x8_t wide[V][P][2];
  for (int i = 0; i < V; ++i) {
    for (int p = 0; p < P; ++p) {
      wide[i][p][0] = wide[i][p][1] = vdupq_n_u16(0);
      for (int g = 0; g < 2; ++g) counts[2 * i + g][p] = {vdupq_n_s32(0), vdupq_n_s32(0)};
    }
  }
  const auto flush = [&] {
    for (int i = 0; i < V; ++i) {
      for (int p = 0; p < P; ++p) {
        for (int g = 0; g < 2; ++g) {
          I8& count = counts[2 * i + g][p];
          count.low = vaddq_s32(count.low, vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(wide[i][p][g]))));
          count.high = vaddq_s32(count.high, vreinterpretq_s32_u32(vmovl_high_u16(wide[i][p][g])));
          wide[i][p][g] = vdupq_n_u16(0);
        }
      }
    }
  };
  int widenings = 0;
  const uint8_t* weight = weights;
  for (int s = 0; s < w.segmentCount; ++s) {
    const uint8_t* window = reinterpret_cast<const uint8_t*>(segments[s] + offset);
    for (int k = 0; k < bytes;) {
      const int end = std::min(bytes, k + kByteSteps);
      uint8x16_t sums[V][P];
      for (int i = 0; i < V; ++i) {
        for (int p = 0; p < P; ++p) sums[i][p] = vdupq_n_u8(0);
      }
      for (; k < end; ++k, weight += kBconvLanes) {
        uint8x16_t block[V];
        for (int i = 0; i < V; ++i) block[i] = vld1q_u8(weight + i * blockBytes);
        for (int p = 0; p < P; ++p) {
          const uint8x16_t activation = vld1q_dup_u8(window + p * w.pixelStride * 8 + k);
          for (int i = 0; i < V; ++i) sums[i][p] = vaddq_u8(sums[i][p], vcntq_u8(veorq_u8(block[i], activation)));
        }
      }
      for (int i = 0; i < V; ++i) {
        for (int p = 0; p < P; ++p) {
          wide[i][p][0] = vaddw_u8(wide[i][p][0], vget_low_u8(sums[i][p]));
          wide[i][p][1] = vaddw_high_u8(wide[i][p][1], sums[i][p]);
        }
      }
      if (++widenings == kWordSteps) {
        widenings = 0;
        flush();
      }
    }
  }
  flush();
}

#include "nests.inl"

}  // namespace

extern const KernelTable neon_table;
const KernelTable neon_table = {
    "neon",  "bconv_vcnt_4x32", "gemm_4x16", {kBconvLanes, kBconvUnitBytes}, kGemmLanes, bconv, gemm, pixelGemm,
    maxPool, avgPool,           map};

}  // namespace bitpath
#endif
