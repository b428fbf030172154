// The reference: no intrinsics, the meaning of every kernel to be read off. Lanes are plain loops.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include "../base/bits.h"
#include "table.h"
#include "target.h"

namespace bitpath {
namespace {

constexpr int kLanes = 8;
constexpr int kBconvLanes = 8, kBconvUnitBytes = 4, kBconvPixels = 1, kBconvBlocks = 1;
constexpr int kGemmPixels = 2, kGemmBlocks = 1;
constexpr int kPoolPixels = 1;

struct AllLanes {
  int count() const { return 8; }
  unsigned bits() const { return 0xff; }
};
struct FirstLanes {
  explicit FirstLanes(int count) : count_(count) {}
  int count() const { return count_; }
  unsigned bits() const { return (1u << count_) - 1; }
  int count_;
};

struct Floats {
  float lane[8];
  static Floats load(const float* from) { return load(from, AllLanes{}); }
  template <typename L>
  static Floats load(const float* from, L lanes) {
    Floats v = {};
    for (int i = 0; i < lanes.count(); ++i) v.lane[i] = from[i];
    return v;
  }
  static Floats broadcast(float value) {
    Floats v;
    for (float& lane : v.lane) lane = value;
    return v;
  }
  static Floats zero() { return broadcast(0.0f); }
  template <typename L>
  void store(float* to, L lanes) const {
    for (int i = 0; i < lanes.count(); ++i) to[i] = lane[i];
  }
};

template <typename Op>
inline Floats each(Op op) {
  Floats v;
  for (int i = 0; i < 8; ++i) v.lane[i] = op(i);
  return v;
}
inline Floats add(Floats a, Floats b) {
  return each([&](int i) { return a.lane[i] + b.lane[i]; });
}
inline Floats mul(Floats a, Floats b) {
  return each([&](int i) { return a.lane[i] * b.lane[i]; });
}
inline Floats divide(Floats a, Floats b) {
  return each([&](int i) { return a.lane[i] / b.lane[i]; });
}
inline Floats fma(Floats a, Floats b, Floats c) {
  return each([&](int i) { return std::fma(a.lane[i], b.lane[i], c.lane[i]); });
}
inline Floats whereNegative(Floats a, Floats other) {
  return each([&](int i) { return a.lane[i] < 0 ? other.lane[i] : a.lane[i]; });
}
inline Floats relu(Floats a) { return whereNegative(a, Floats::zero()); }
inline Floats clamp(Floats a, Floats low, Floats high) {
  return each([&](int i) {
    return a.lane[i] < low.lane[i] ? low.lane[i] : a.lane[i] > high.lane[i] ? high.lane[i] : a.lane[i];
  });
}
inline Floats maximum(Floats so_far, Floats tap) {
  return each(
      [&](int i) { return tap.lane[i] > so_far.lane[i] || tap.lane[i] != tap.lane[i] ? tap.lane[i] : so_far.lane[i]; });
}
inline unsigned atLeast(Floats a, Floats flip, Floats threshold) {
  unsigned bits = 0;
  for (int i = 0; i < 8; ++i) {
    const float flipped = std::signbit(flip.lane[i]) ? -a.lane[i] : a.lane[i];
    if (flipped >= threshold.lane[i]) bits |= 1u << i;
  }
  return bits;
}

struct Ints {
  int32_t lane[8];
  static Ints load(const int32_t* from) {
    Ints v;
    std::memcpy(v.lane, from, sizeof v.lane);
    return v;
  }
};
inline Floats toFloat(Ints a) {
  return each([&](int i) { return static_cast<float>(a.lane[i]); });
}

// Pairs of int16 in eight lanes, or eight int32 sums.
struct PairSums {
  int16_t pair[8][2];
  int32_t sum[8];
  static PairSums zero() { return {}; }
  static PairSums load(const int16_t* from) {
    PairSums v = {};
    std::memcpy(v.pair, from, sizeof v.pair);
    return v;
  }
  static PairSums broadcast(const int16_t* from) {
    PairSums v = {};
    for (auto& pair : v.pair) std::memcpy(pair, from, sizeof pair);
    return v;
  }
  Ints ints() const { return Ints::load(sum); }
};
inline PairSums addProducts(PairSums sums, const PairSums& a, const PairSums& b) {
  for (int i = 0; i < 8; ++i) sums.sum[i] += a.pair[i][0] * b.pair[i][0] + a.pair[i][1] * b.pair[i][1];
  return sums;
}

// Four uint8 or int8 in eight lanes, or eight int32 sums.
struct QuadSums {
  int quad[8][4];
  int32_t sum[8];
  static QuadSums zero() { return {}; }
  static QuadSums load(const int8_t* from) {
    QuadSums v = {};
    for (int i = 0; i < 32; ++i) v.quad[i / 4][i % 4] = from[i];
    return v;
  }
  static QuadSums broadcast(const uint8_t* from) {
    QuadSums v = {};
    for (int i = 0; i < 32; ++i) v.quad[i / 4][i % 4] = from[i % 4];
    return v;
  }
  Ints ints() const { return Ints::load(sum); }
};
inline QuadSums addProducts(QuadSums sums, const QuadSums& a, const QuadSums& b) {
  for (int i = 0; i < 32; ++i) sums.sum[i / 4] += a.quad[i / 4][i % 4] * b.quad[i / 4][i % 4];
  return sums;
}

template <int P, int V>
inline void bconvTile(const BitWindows& w, const uint32_t* const* pointers, ptrdiff_t offset, const uint8_t* weights,
                      int, Ints (&counts)[1][P]) {
  for (int p = 0; p < P; ++p) {
    const uint8_t* weight = weights;
    int32_t sums[8] = {};
    for (ptrdiff_t s = 0; s < w.pointersPerRow(); ++s) {
      const int words = s < w.runCount ? w.runWords : 1;
      for (int k = 0; k < words; ++k, weight += 32) {
        uint32_t block[8];
        std::memcpy(block, weight, sizeof block);
        for (int lane = 0; lane < 8; ++lane)
          sums[lane] += popcount(pointers[s][offset + p * w.pixelStride + k] ^ block[lane]);
      }
    }
    counts[0][p] = Ints::load(sums);
  }
}

template <typename T>
inline void opaque(T& a) {
#if defined(__GNUC__)
  __asm__ volatile("" : "+m"(a));
#else
  static_cast<void>(a);
#endif
}

inline void binaryPeak(int64_t iterations) {
  int32_t sums[8] = {};
  uint32_t block = 0;
  for (int64_t i = 0; i < iterations; ++i) {
    opaque(block);
    for (int32_t& sum : sums) sum += popcount(block ^ static_cast<uint32_t>(sum));
  }
  opaque(sums);
}

#include "nests.inl"
#include "peak.inl"
#include "pixels8.inl"

}  // namespace

extern const KernelTable scalar_table;
const KernelTable scalar_table = {"scalar",
                                  "bconv_u32x8",
                                  "gemm_2x8",
                                  {kBconvLanes, kBconvUnitBytes},
                                  kLanes,
                                  bconv,
                                  gemm,
                                  pixelGemm,
                                  pixelGemm8,
                                  maxPool,
                                  avgPool,
                                  map,
                                  channelMean,
                                  {binaryPeak, 8 * 32},
                                  {realPeak, kGemmSums},
                                  {pixelPeak, 2 * kGemmSums},
                                  {pixel8Peak, 4 * kGemmSums}};

}  // namespace bitpath
