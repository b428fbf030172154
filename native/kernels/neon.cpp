// NEON, the baseline of AArch64: Graviton, Ampere, Apple silicon.
//
// 1-bit convolution: lanes are 16 output channels of a byte; an activation byte is duplicated into the xor, and vcntq counts the
// bits of each byte: 128 products in eor · cnt · add. A byte counts at most 8 a step, so it is widened every 28 steps.
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

constexpr int kLanes = 8;
constexpr int kBconvLanes = 16, kBconvUnitBytes = 1, kBconvPixels = 4, kBconvBlocks = 2;
constexpr int kGemmPixels = 4, kGemmBlocks = 2;
constexpr int kPoolPixels = 4;

struct AllLanes {
  int count() const { return kLanes; }
  unsigned bits() const { return 0xff; }
};
struct FirstLanes {
  explicit FirstLanes(int count) : count_(count) {}
  int count() const { return count_; }
  unsigned bits() const { return (1u << count_) - 1; }
  int count_;
};

struct Floats {
  float32x4_t low, high;
  static Floats zero() { return broadcast(0.0f); }
  static Floats load(const float* from) { return {vld1q_f32(from), vld1q_f32(from + 4)}; }
  static Floats load(const float* from, AllLanes) { return load(from); }
  static Floats load(const float* from, FirstLanes lanes) {
    float values[8] = {};
    for (int i = 0; i < lanes.count(); ++i) values[i] = from[i];
    return load(values);
  }
  static Floats broadcast(float value) { return {vdupq_n_f32(value), vdupq_n_f32(value)}; }
  void store(float* to, AllLanes) const {
    vst1q_f32(to, low);
    vst1q_f32(to + 4, high);
  }
  void store(float* to, FirstLanes lanes) const {
    float values[8];
    store(values, AllLanes{});
    for (int i = 0; i < lanes.count(); ++i) to[i] = values[i];
  }
};
inline Floats add(Floats a, Floats b) { return {vaddq_f32(a.low, b.low), vaddq_f32(a.high, b.high)}; }
inline Floats mul(Floats a, Floats b) { return {vmulq_f32(a.low, b.low), vmulq_f32(a.high, b.high)}; }
inline Floats divide(Floats a, Floats b) { return {vdivq_f32(a.low, b.low), vdivq_f32(a.high, b.high)}; }
inline Floats fma(Floats a, Floats b, Floats c) {
  return {vfmaq_f32(c.low, a.low, b.low), vfmaq_f32(c.high, a.high, b.high)};
}
inline Floats whereNegative(Floats a, Floats other) {
  return {vbslq_f32(vcltzq_f32(a.low), other.low, a.low), vbslq_f32(vcltzq_f32(a.high), other.high, a.high)};
}
inline Floats relu(Floats a) { return whereNegative(a, Floats::broadcast(0.0f)); }
inline float32x4_t clamp(float32x4_t a, float32x4_t low, float32x4_t high) {
  return vbslq_f32(vcltq_f32(a, low), low, vbslq_f32(vcgtq_f32(a, high), high, a));
}
inline Floats clamp(Floats a, Floats low, Floats high) {
  return {clamp(a.low, low.low, high.low), clamp(a.high, low.high, high.high)};
}
inline float32x4_t maximum(float32x4_t so_far, float32x4_t tap) {
  const uint32x4_t number = vceqq_f32(tap, tap);
  return vbslq_f32(vorrq_u32(vcgtq_f32(tap, so_far), vmvnq_u32(number)), tap, so_far);
}
inline Floats maximum(Floats so_far, Floats tap) {
  return {maximum(so_far.low, tap.low), maximum(so_far.high, tap.high)};
}
inline unsigned atLeast(float32x4_t a, float32x4_t flip, float32x4_t threshold) {
  static const uint32_t kBits[4] = {1, 2, 4, 8};
  const float32x4_t flipped = vreinterpretq_f32_u32(veorq_u32(vreinterpretq_u32_f32(a), vreinterpretq_u32_f32(flip)));
  return vaddvq_u32(vandq_u32(vcgeq_f32(flipped, threshold), vld1q_u32(kBits)));
}
inline unsigned atLeast(Floats a, Floats flip, Floats threshold) {
  return atLeast(a.low, flip.low, threshold.low) | atLeast(a.high, flip.high, threshold.high) << 4;
}

struct Ints {
  int32x4_t low, high;
  static Ints load(const int32_t* from) { return {vld1q_s32(from), vld1q_s32(from + 4)}; }
};
inline Floats toFloat(Ints a) { return {vcvtq_f32_s32(a.low), vcvtq_f32_s32(a.high)}; }

// Pairs of int16 in eight lanes; sums are two vectors of four int32.
struct PairSums {
  int16x8_t pairs[2];
  int32x4_t low, high;
  static PairSums zero() { return {{vdupq_n_s16(0), vdupq_n_s16(0)}, vdupq_n_s32(0), vdupq_n_s32(0)}; }
  static PairSums load(const int16_t* from) {
    PairSums v = zero();
    v.pairs[0] = vld1q_s16(from);
    v.pairs[1] = vld1q_s16(from + 8);
    return v;
  }
  static PairSums broadcast(const int16_t* from) {
    int32_t pair;
    std::memcpy(&pair, from, sizeof pair);
    PairSums v = zero();
    v.pairs[0] = v.pairs[1] = vreinterpretq_s16_s32(vdupq_n_s32(pair));
    return v;
  }
  Ints ints() const { return {low, high}; }
};
inline int32x4_t addProducts(int32x4_t sums, int16x8_t a, int16x8_t b) {
  return vaddq_s32(sums, vpaddq_s32(vmull_s16(vget_low_s16(a), vget_low_s16(b)), vmull_high_s16(a, b)));
}
inline PairSums addProducts(PairSums sums, const PairSums& a, const PairSums& b) {
  sums.low = addProducts(sums.low, a.pairs[0], b.pairs[0]);
  sums.high = addProducts(sums.high, a.pairs[1], b.pairs[1]);
  return sums;
}

template <int P, int V>
inline void bconvTile(const BitWindows& w, const uint32_t* const* pointers, ptrdiff_t offset, const uint8_t* weights,
                      int, Ints (&counts)[2 * V][P]) {
  constexpr int kSteps = 7;                // words until bytes are widened: 7 · 32 = 224 ≤ 255
  constexpr int kWidenings = 65535 / 224;  // that 16 bits hold
  const ptrdiff_t blockBytes = w.words() * 4 * kBconvLanes;

  uint16x8_t wide[V][P][2];
  BITPATH_UNROLL_CLANG for (int i = 0; i < V; ++i) {
    BITPATH_UNROLL_CLANG for (int p = 0; p < P; ++p) {
      wide[i][p][0] = wide[i][p][1] = vdupq_n_u16(0);
      BITPATH_UNROLL_CLANG for (int g = 0; g < 2; ++g) counts[2 * i + g][p] = {vdupq_n_s32(0), vdupq_n_s32(0)};
    }
  }
  const auto flush = [&] {
    BITPATH_UNROLL_CLANG for (int i = 0; i < V; ++i) {
      BITPATH_UNROLL_CLANG for (int p = 0; p < P; ++p) {
        BITPATH_UNROLL_CLANG for (int g = 0; g < 2; ++g) {
          Ints& count = counts[2 * i + g][p];
          count.low = vaddq_s32(count.low, vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(wide[i][p][g]))));
          count.high = vaddq_s32(count.high, vreinterpretq_s32_u32(vmovl_high_u16(wide[i][p][g])));
          wide[i][p][g] = vdupq_n_u16(0);
        }
      }
    }
  };
  uint8x16_t sums[V][P];
  const auto widen = [&] {
    BITPATH_UNROLL_CLANG for (int i = 0; i < V; ++i) {
      BITPATH_UNROLL_CLANG for (int p = 0; p < P; ++p) {
        wide[i][p][0] = vaddw_u8(wide[i][p][0], vget_low_u8(sums[i][p]));
        wide[i][p][1] = vaddw_high_u8(wide[i][p][1], sums[i][p]);
        sums[i][p] = vdupq_n_u8(0);
      }
    }
  };
  BITPATH_UNROLL_CLANG for (int i = 0; i < V; ++i) {
    BITPATH_UNROLL for (int p = 0; p < P; ++p) sums[i][p] = vdupq_n_u8(0);
  }
  int left = kSteps, widenings = 0;
  const uint8_t* weight = weights;
  for (ptrdiff_t s = 0; s < w.pointersPerRow(); ++s) {
    const uint8_t* window = reinterpret_cast<const uint8_t*>(pointers[s] + offset);
    for (int words = s < w.runCount ? w.runWords : 1; words > 0; --words, window += 4) {
      BITPATH_UNROLL_CLANG for (int k = 0; k < 4; ++k, weight += kBconvLanes) {
        uint8x16_t block[V];
        BITPATH_UNROLL_CLANG for (int i = 0; i < V; ++i) block[i] = vld1q_u8(weight + i * blockBytes);
        BITPATH_UNROLL_CLANG for (int p = 0; p < P; ++p) {
          const uint8x16_t activation = vld1q_dup_u8(window + p * w.pixelStride * 4 + k);
          BITPATH_UNROLL_CLANG for (int i = 0; i < V; ++i) sums[i][p] =
              vaddq_u8(sums[i][p], vcntq_u8(veorq_u8(block[i], activation)));
        }
      }
      if (--left > 0) continue;
      left = kSteps;
      widen();
      if (++widenings < kWidenings - 1) continue;  // one more may follow the loop
      widenings = 0;
      flush();
    }
  }
  widen();
  flush();
}

inline void opaque(Floats& a) {
#if defined(__GNUC__)
  __asm__ volatile("" : "+w"(a.low), "+w"(a.high));
#endif
}
inline void opaque(PairSums& a) {
#if defined(__GNUC__)
  __asm__ volatile("" : "+w"(a.low), "+w"(a.high), "+w"(a.pairs[0]), "+w"(a.pairs[1]));
#endif
}

inline void opaque(uint8x16_t& a) {
#if defined(__GNUC__)
  __asm__ volatile("" : "+w"(a));
#endif
}

inline void binaryPeak(int64_t iterations) {
  uint8x16_t sums[8], block = vdupq_n_u8(0), activation = block;
  for (uint8x16_t& sum : sums) sum = block;
  for (int64_t i = 0; i < iterations; ++i) {
    for (uint8x16_t& sum : sums) {
      opaque(block);
      opaque(activation);
      sum = vaddq_u8(sum, vcntq_u8(veorq_u8(block, activation)));
    }
  }
  for (uint8x16_t& sum : sums) opaque(sum);
}

#include "nests.inl"
#include "peak.inl"

}  // namespace

extern const KernelTable neon_table;
const KernelTable neon_table = {"neon",
                                "bconv_vcnt_4x32",
                                "gemm_4x16",
                                {kBconvLanes, kBconvUnitBytes},
                                kLanes,
                                bconv,
                                gemm,
                                pixelGemm,
                                nullptr,
                                maxPool,
                                avgPool,
                                map,
                                channelMean,
                                {binaryPeak, 8 * 128},
                                {realPeak, kGemmSums},
                                {pixelPeak, 2 * kGemmSums},
                                {nullptr, 0}};

}  // namespace bitpath
#endif
