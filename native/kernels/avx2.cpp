// AVX2 with FMA: Haswell and Zen 1 on.
//
// 1-bit convolution: there is no vector popcount, but vpshufb looks up 32 table entries at once. Lanes are 32 output channels
// of a byte; for an activation nibble a, row a of a 16 × 16 table holds popcount(a xor w) of every weight nibble w:
//   vpshufb (row of the low nibble, low weight nibbles) + vpshufb (row of the high one, high nibbles) — 256 products in two
// look-ups and two adds. A byte counts at most 8 a step, so it is widened every 28 steps.
#include "target.h"

#ifdef BITPATH_X86
#include <immintrin.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

#include "table.h"

namespace bitpath {
namespace {

// Rows of the look-up for both nibbles of each activation byte: popcount(a xor w) for w = 0 … 15. One entry a byte (8 kB in
// all) spares four scalar instructions a pixel against splitting the byte into nibbles.
struct NibbleRows {
  struct Entry {
    uint8_t low[16], high[16];
  };
  alignas(64) Entry of[256];
  constexpr NibbleRows() : of() {
    for (int a = 0; a < 256; ++a) {
      for (int w = 0; w < 16; ++w) {
        of[a].low[w] = count((a & 15) ^ w);
        of[a].high[w] = count((a >> 4) ^ w);
      }
    }
  }
  static constexpr uint8_t count(int nibble) {
    return static_cast<uint8_t>((nibble & 1) + (nibble >> 1 & 1) + (nibble >> 2 & 1) + (nibble >> 3));
  }
};
constexpr NibbleRows kNibbles;

struct TailMask {
  alignas(32) int32_t lane[16];
  constexpr TailMask() : lane() {
    for (int i = 0; i < 8; ++i) lane[i] = -1;
  }
};
constexpr TailMask kTail;

}  // namespace
}  // namespace bitpath

BITPATH_TARGET_BEGIN(BITPATH_AVX2_TARGET)
namespace bitpath {
namespace {

constexpr int kLanes = 8;
constexpr int kBconvLanes = 32, kBconvUnitBytes = 1, kBconvPixels = 4, kBconvBlocks = 2;
constexpr int kGemmPixels = 4, kGemmBlocks = 2;
constexpr int kPoolPixels = 4;

struct AllLanes {
  int count() const { return kLanes; }
  unsigned bits() const { return 0xff; }
};
struct FirstLanes {
  explicit FirstLanes(int count)
      : mask(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(kTail.lane + 8 - count))), count_(count) {}
  int count() const { return count_; }
  unsigned bits() const { return (1u << count_) - 1; }
  __m256i mask;
  int count_;
};

struct Floats {
  __m256 v;
  static Floats zero() { return {_mm256_setzero_ps()}; }
  static Floats load(const float* from) { return {_mm256_loadu_ps(from)}; }
  static Floats load(const float* from, AllLanes) { return {_mm256_loadu_ps(from)}; }
  static Floats load(const float* from, const FirstLanes& lanes) { return {_mm256_maskload_ps(from, lanes.mask)}; }
  static Floats broadcast(float value) { return {_mm256_set1_ps(value)}; }
  void store(float* to, AllLanes) const { _mm256_storeu_ps(to, v); }
  void store(float* to, const FirstLanes& lanes) const { _mm256_maskstore_ps(to, lanes.mask, v); }
};
inline Floats add(Floats a, Floats b) { return {_mm256_add_ps(a.v, b.v)}; }
inline Floats mul(Floats a, Floats b) { return {_mm256_mul_ps(a.v, b.v)}; }
inline Floats divide(Floats a, Floats b) { return {_mm256_div_ps(a.v, b.v)}; }
inline Floats fma(Floats a, Floats b, Floats c) { return {_mm256_fmadd_ps(a.v, b.v, c.v)}; }
inline Floats whereNegative(Floats a, Floats other) {
  return {_mm256_blendv_ps(a.v, other.v, _mm256_cmp_ps(a.v, _mm256_setzero_ps(), _CMP_LT_OQ))};
}
// vmaxps and vminps return their second operand where one is NaN or both are zeros: a stays.
inline Floats relu(Floats a) { return {_mm256_max_ps(_mm256_setzero_ps(), a.v)}; }
inline Floats clamp(Floats a, Floats low, Floats high) { return {_mm256_min_ps(high.v, _mm256_max_ps(low.v, a.v))}; }
inline Floats maximum(Floats so_far, Floats tap) {
  const __m256 nan = _mm256_cmp_ps(tap.v, tap.v, _CMP_UNORD_Q);
  return {_mm256_blendv_ps(_mm256_max_ps(tap.v, so_far.v), tap.v, nan)};
}
inline unsigned atLeast(Floats a, Floats flip, Floats threshold) {
  return static_cast<unsigned>(_mm256_movemask_ps(_mm256_cmp_ps(_mm256_xor_ps(a.v, flip.v), threshold.v, _CMP_GE_OQ)));
}

struct Ints {
  __m256i v;
  static Ints load(const int32_t* from) { return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from))}; }
};
inline Floats toFloat(Ints a) { return {_mm256_cvtepi32_ps(a.v)}; }

struct PairSums {
  __m256i v;
  static PairSums zero() { return {_mm256_setzero_si256()}; }
  static PairSums load(const int16_t* from) { return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from))}; }
  static PairSums broadcast(const int16_t* from) {
    int32_t pair;
    std::memcpy(&pair, from, sizeof pair);
    return {_mm256_set1_epi32(pair)};
  }
  Ints ints() const { return {v}; }
};
// vpmaddwd adds two products: 2·255·32767 < 2³¹.
inline PairSums addProducts(PairSums sums, PairSums a, PairSums b) {
  return {_mm256_add_epi32(sums.v, _mm256_madd_epi16(a.v, b.v))};
}

// g++ would regroup sum + low + high as sum + (low + high), run out of registers and spill the sums: keep the order.
inline __m256i inOrder(__m256i sum) {
#if defined(__GNUC__)
  __asm__("" : "+x"(sum));
#endif
  return sum;
}

// Adds the bytes of `sums` to 16 + 16 counters. The lanes come out as 0–7, 16–23 | 8–15, 24–31.
inline void widen(__m256i sums, __m256i (&wide)[2]) {
  const __m256i zero = _mm256_setzero_si256();
  wide[0] = _mm256_add_epi16(wide[0], _mm256_unpacklo_epi8(sums, zero));
  wide[1] = _mm256_add_epi16(wide[1], _mm256_unpackhi_epi8(sums, zero));
}

// The 16-bit counters of the four groups of 8 lanes, in lane order.
inline __m256i widened(const __m256i (&wide)[2], int group) {
  const __m256i half = wide[group % 2];
  return _mm256_cvtepu16_epi32(group < 2 ? _mm256_castsi256_si128(half) : _mm256_extracti128_si256(half, 1));
}

template <int P, int V>
inline void bconvTile(const BitWindows& w, const uint32_t* const* pointers, ptrdiff_t offset, const uint8_t* weights,
                      int, Ints (&counts)[4 * V][P]) {
  constexpr int kSteps = 7;                // words until bytes are widened: 7 · 32 = 224 ≤ 255
  constexpr int kWidenings = 65535 / 224;  // that 16 bits hold
  const ptrdiff_t blockBytes = w.words() * 4 * kBconvLanes;
  const ptrdiff_t stride = w.pixelStride * 4;
  const __m256i low = _mm256_set1_epi8(15);

  __m256i wide[V][P][2], sums[V][P];
  BITPATH_UNROLL_CLANG for (int i = 0; i < V; ++i) {
    BITPATH_UNROLL_CLANG for (int p = 0; p < P; ++p) wide[i][p][0] = wide[i][p][1] = sums[i][p] =
        _mm256_setzero_si256();
  }
  bool flushed = false;
  int left = kSteps, widenings = 0;
  const uint8_t* weight = weights;
  for (ptrdiff_t s = 0; s < w.pointersPerRow(); ++s) {
    const uint8_t* window = reinterpret_cast<const uint8_t*>(pointers[s] + offset);
    for (int words = s < w.runCount ? w.runWords : 1; words > 0; --words, window += 4) {
#if !defined(__clang__)
#pragma GCC unroll 4
#endif
      BITPATH_UNROLL_CLANG for (int k = 0; k < 4; ++k, weight += kBconvLanes) {
        __m256i lows[V], highs[V];
        BITPATH_UNROLL_CLANG for (int i = 0; i < V; ++i) {
          const __m256i block = _mm256_load_si256(reinterpret_cast<const __m256i*>(weight + i * blockBytes));
          lows[i] = _mm256_and_si256(block, low);
          highs[i] = _mm256_and_si256(_mm256_srli_epi16(block, 4), low);
        }
        BITPATH_UNROLL_CLANG for (int p = 0; p < P; ++p) {
          const NibbleRows::Entry& rows = kNibbles.of[window[p * stride + k]];
          const __m256i lowRow =
              _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(rows.low)));
          const __m256i highRow =
              _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(rows.high)));
          BITPATH_UNROLL_CLANG for (int i = 0; i < V; ++i) {
            sums[i][p] = inOrder(_mm256_add_epi8(sums[i][p], _mm256_shuffle_epi8(lowRow, lows[i])));
            sums[i][p] = inOrder(_mm256_add_epi8(sums[i][p], _mm256_shuffle_epi8(highRow, highs[i])));
          }
        }
      }
      if (--left > 0) continue;
      left = kSteps;
      BITPATH_UNROLL_CLANG for (int i = 0; i < V; ++i) {
        BITPATH_UNROLL_CLANG for (int p = 0; p < P; ++p) {
          widen(sums[i][p], wide[i][p]);
          sums[i][p] = _mm256_setzero_si256();
        }
      }
      if (++widenings < kWidenings - 1) continue;  // one more may follow the loop
      widenings = 0;
      BITPATH_UNROLL_CLANG for (int i = 0; i < V; ++i) {
        BITPATH_UNROLL_CLANG for (int p = 0; p < P; ++p) {
          BITPATH_UNROLL_CLANG for (int g = 0; g < 4; ++g) {
            __m256i& count = counts[4 * i + g][p].v;
            count = flushed ? _mm256_add_epi32(count, widened(wide[i][p], g)) : widened(wide[i][p], g);
          }
          wide[i][p][0] = wide[i][p][1] = _mm256_setzero_si256();
        }
      }
      flushed = true;
    }
  }
  BITPATH_UNROLL_CLANG for (int i = 0; i < V; ++i) {
    BITPATH_UNROLL_CLANG for (int p = 0; p < P; ++p) {
      widen(sums[i][p], wide[i][p]);
      BITPATH_UNROLL_CLANG for (int g = 0; g < 4; ++g) {
        __m256i& count = counts[4 * i + g][p].v;
        count = flushed ? _mm256_add_epi32(count, widened(wide[i][p], g)) : widened(wide[i][p], g);
      }
    }
  }
}

inline void opaque(__m256i& a) {
#if defined(__GNUC__)
  __asm__ volatile("" : "+x"(a));
#endif
}
inline void opaque(Floats& a) {
#if defined(__GNUC__)
  __asm__ volatile("" : "+x"(a.v));
#endif
}
inline void opaque(PairSums& a) { opaque(a.v); }

inline void binaryPeak(int64_t iterations) {
  __m256i sums[8], row = _mm256_setzero_si256(), nibbles = row;
  for (__m256i& sum : sums) sum = row;
  for (int64_t i = 0; i < iterations; ++i) {
    for (__m256i& sum : sums) {
      opaque(row);
      opaque(nibbles);
      sum = _mm256_add_epi8(sum, _mm256_shuffle_epi8(row, nibbles));
    }
  }
  for (__m256i& sum : sums) opaque(sum);
}

#include "nests.inl"
#include "peak.inl"

}  // namespace

extern const KernelTable avx2_table;
const KernelTable avx2_table = {"avx2",
                                "bconv_vpshufb_4x64",
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
BITPATH_TARGET_END
#endif
