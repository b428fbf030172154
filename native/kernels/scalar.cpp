// The reference: no intrinsics, the meaning of every kernel to be read off. Lanes are plain loops.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include "../base/bits.h"
#include "table.h"

namespace bitpath {
namespace {

constexpr int kBconvLanes = 8, kBconvUnitBytes = 8, kBconvPixels = 1, kBconvBlocks = 1;
constexpr int kGemmLanes = 8, kGemmPixels = 2, kGemmBlocks = 1;
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

struct F8 {
  float lane[8];
  static F8 load(const float* from) { return load(from, AllLanes{}); }
  template <typename L>
  static F8 load(const float* from, L lanes) {
    F8 v = {};
    for (int i = 0; i < lanes.count(); ++i) v.lane[i] = from[i];
    return v;
  }
  static F8 broadcast(float value) {
    F8 v;
    for (float& lane : v.lane) lane = value;
    return v;
  }
  static F8 zero() { return broadcast(0.0f); }
  template <typename L>
  void store(float* to, L lanes) const {
    for (int i = 0; i < lanes.count(); ++i) to[i] = lane[i];
  }
  F8 eight(int) const { return *this; }
};
using FW = F8;

template <typename Op>
inline F8 each(Op op) {
  F8 v;
  for (int i = 0; i < 8; ++i) v.lane[i] = op(i);
  return v;
}
inline F8 add(F8 a, F8 b) {
  return each([&](int i) { return a.lane[i] + b.lane[i]; });
}
inline F8 mul(F8 a, F8 b) {
  return each([&](int i) { return a.lane[i] * b.lane[i]; });
}
inline F8 divide(F8 a, F8 b) {
  return each([&](int i) { return a.lane[i] / b.lane[i]; });
}
inline F8 fma(F8 a, F8 b, F8 c) {
  return each([&](int i) { return std::fma(a.lane[i], b.lane[i], c.lane[i]); });
}
inline F8 whereNegative(F8 a, F8 other) {
  return each([&](int i) { return a.lane[i] < 0 ? other.lane[i] : a.lane[i]; });
}
inline F8 clamp(F8 a, F8 low, F8 high) {
  return each([&](int i) {
    return a.lane[i] < low.lane[i] ? low.lane[i] : a.lane[i] > high.lane[i] ? high.lane[i] : a.lane[i];
  });
}
inline F8 maximum(F8 so_far, F8 tap) {
  return each(
      [&](int i) { return tap.lane[i] > so_far.lane[i] || tap.lane[i] != tap.lane[i] ? tap.lane[i] : so_far.lane[i]; });
}
inline unsigned atLeast(F8 a, F8 flip, F8 threshold) {
  unsigned bits = 0;
  for (int i = 0; i < 8; ++i) {
    const float flipped = std::signbit(flip.lane[i]) ? -a.lane[i] : a.lane[i];
    if (flipped >= threshold.lane[i]) bits |= 1u << i;
  }
  return bits;
}

struct I8 {
  int32_t lane[8];
  static I8 load(const int32_t* from) {
    I8 v;
    std::memcpy(v.lane, from, sizeof v.lane);
    return v;
  }
};
inline F8 toFloat(I8 a) {
  return each([&](int i) { return static_cast<float>(a.lane[i]); });
}
inline F8 dotProduct(I8 base, I8 counts) {
  return each([&](int i) { return static_cast<float>(base.lane[i] - 2 * counts.lane[i]); });
}

// Pairs of int16 in eight lanes, or eight int32 sums.
struct IW {
  int16_t pair[8][2];
  int32_t sum[8];
  static IW zero() { return {}; }
  static IW load(const int16_t* from) {
    IW v = {};
    std::memcpy(v.pair, from, sizeof v.pair);
    return v;
  }
  static IW broadcastPair(const int16_t* from) {
    IW v = {};
    for (auto& pair : v.pair) std::memcpy(pair, from, sizeof pair);
    return v;
  }
  I8 eight(int) const { return I8::load(sum); }
};
inline IW dotPairs(IW sums, const IW& a, const IW& b) {
  for (int i = 0; i < 8; ++i) sums.sum[i] += a.pair[i][0] * b.pair[i][0] + a.pair[i][1] * b.pair[i][1];
  return sums;
}

template <int P, int V>
inline void bconvTile(const Windows<uint64_t>& w, const uint64_t* const* segments, ptrdiff_t offset,
                      const uint8_t* weights, I8 (&counts)[1][P]) {
  const int words = (w.segmentLength + 63) / 64;
  for (int p = 0; p < P; ++p) {
    const uint8_t* weight = weights;
    int32_t sums[8] = {};
    for (int s = 0; s < w.segmentCount; ++s) {
      for (int k = 0; k < words; ++k, weight += 64) {
        uint64_t block[8];
        std::memcpy(block, weight, sizeof block);
        for (int lane = 0; lane < 8; ++lane)
          sums[lane] += popcount(segments[s][offset + p * w.pixelStride + k] ^ block[lane]);
      }
    }
    counts[0][p] = I8::load(sums);
  }
}

#include "nests.inl"

}  // namespace

extern const KernelTable scalar_table;
const KernelTable scalar_table = {"scalar",   "bconv_u64x8", "gemm_2x8", {kBconvLanes, kBconvUnitBytes},
                                  kGemmLanes, bconv,         gemm,       pixelGemm,
                                  maxPool,    avgPool,       map};

}  // namespace bitpath
