// AVX-512 with VPOPCNTDQ and VNNI: Ice Lake, Sapphire Rapids, Zen 4 and later.
//
// 1-bit convolution: lanes are 16 output channels of u32; an activation word is broadcast from memory into the xor.
//   vpxord zmm, zmm, m32{1to16} · vpopcntd zmm · vpaddd zmm — 512 products in 3 operations: 1.5 cycles with two vector ports
//   (Zen 4, Intel), 0.75 with four (Zen 5).
// The picture stem: vpdpwssd multiplies two int16 pairs and adds both to int32, 32 products an instruction; with 8-bit weights
// vpdpbusd does 64.
#include "target.h"

#ifdef BITPATH_X86
#include <immintrin.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

#include "table.h"

// g++ 12 sees an uninitialised value in its own _mm512_max_ps, which passes an undefined vector on purpose.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif

BITPATH_TARGET_BEGIN(BITPATH_AVX512_TARGET)
namespace bitpath {
namespace {

constexpr int kLanes = 16;
constexpr int kBconvLanes = 16, kBconvUnitBytes = 4, kBconvPixels = 14, kBconvBlocks = 1;
constexpr int kGemmPixels = 7, kGemmBlocks = 2;
constexpr int kPoolPixels = 8;

struct AllLanes {
  int count() const { return kLanes; }
  unsigned bits() const { return 0xffff; }
};
struct FirstLanes {
  explicit FirstLanes(int count) : mask(static_cast<__mmask16>((1u << count) - 1)), count_(count) {}
  int count() const { return count_; }
  unsigned bits() const { return mask; }
  __mmask16 mask;
  int count_;
};

struct Floats {
  __m512 v;
  static Floats zero() { return {_mm512_setzero_ps()}; }
  static Floats load(const float* from) { return {_mm512_loadu_ps(from)}; }
  static Floats load(const float* from, AllLanes) { return {_mm512_loadu_ps(from)}; }
  static Floats load(const float* from, FirstLanes lanes) { return {_mm512_maskz_loadu_ps(lanes.mask, from)}; }
  static Floats broadcast(float value) { return {_mm512_set1_ps(value)}; }
  void store(float* to, AllLanes) const { _mm512_storeu_ps(to, v); }
  void store(float* to, FirstLanes lanes) const { _mm512_mask_storeu_ps(to, lanes.mask, v); }
};
inline Floats add(Floats a, Floats b) { return {_mm512_add_ps(a.v, b.v)}; }
inline Floats mul(Floats a, Floats b) { return {_mm512_mul_ps(a.v, b.v)}; }
inline Floats divide(Floats a, Floats b) { return {_mm512_div_ps(a.v, b.v)}; }
inline Floats fma(Floats a, Floats b, Floats c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
inline Floats whereNegative(Floats a, Floats other) {
  return {_mm512_mask_blend_ps(_mm512_cmp_ps_mask(a.v, _mm512_setzero_ps(), _CMP_LT_OQ), a.v, other.v)};
}
// vmaxps and vminps return their second operand where one is NaN or both are zeros: a stays.
inline Floats clamp(Floats a, Floats low, Floats high) { return {_mm512_min_ps(high.v, _mm512_max_ps(low.v, a.v))}; }
inline Floats maximum(Floats so_far, Floats tap) {
  const __mmask16 nan = _mm512_cmp_ps_mask(tap.v, tap.v, _CMP_UNORD_Q);
  return {_mm512_mask_mov_ps(_mm512_max_ps(tap.v, so_far.v), nan, tap.v)};
}
inline unsigned atLeast(Floats a, Floats flip, Floats threshold) {
  return _mm512_cmp_ps_mask(_mm512_xor_ps(a.v, flip.v), threshold.v, _CMP_GE_OQ);
}

struct Ints {
  __m512i v;
  static Ints load(const int32_t* from) { return {_mm512_loadu_si512(from)}; }
};
inline Floats toFloat(Ints a) { return {_mm512_cvtepi32_ps(a.v)}; }

struct PairSums {
  __m512i v;
  static PairSums zero() { return {_mm512_setzero_si512()}; }
  static PairSums load(const int16_t* from) { return {_mm512_loadu_si512(from)}; }
  static PairSums broadcast(const int16_t* from) {
    int32_t pair;
    std::memcpy(&pair, from, sizeof pair);
    return {_mm512_set1_epi32(pair)};
  }
  Ints ints() const { return {v}; }
};
inline PairSums addProducts(PairSums sums, PairSums a, PairSums b) { return {_mm512_dpwssd_epi32(sums.v, a.v, b.v)}; }

// g++ would regroup the sum of a few words as a tree, run out of registers and spill: keep the order.
inline __m512i inOrder(__m512i sum) {
#if defined(__GNUC__)
  __asm__("" : "+v"(sum));
#endif
  return sum;
}

// Four uint8 · int8 products in a lane, for the stem with 8-bit weights.
struct QuadSums {
  __m512i v;
  static QuadSums zero() { return {_mm512_setzero_si512()}; }
  static QuadSums load(const int8_t* from) { return {_mm512_loadu_si512(from)}; }
  static QuadSums broadcast(const uint8_t* from) {
    int32_t quad;
    std::memcpy(&quad, from, sizeof quad);
    return {_mm512_set1_epi32(quad)};
  }
  Ints ints() const { return {v}; }
};
inline QuadSums addProducts(QuadSums sums, QuadSums a, QuadSums b) { return {_mm512_dpbusd_epi32(sums.v, a.v, b.v)}; }

// RunWords is the number of words of a run where it is known (a short loop's counter costs), else 0.
template <int P, int V, int RunWords>
inline void countBits(const BitWindows& w, const uint32_t* const* pointers, ptrdiff_t offset, const uint8_t* weights,
                      Ints (&counts)[V][P]) {
  const int runWords = RunWords > 0 ? RunWords : w.runWords;
  const ptrdiff_t stride = w.pixelStride, block = w.words();
  const __m512i* weight = reinterpret_cast<const __m512i*>(weights);
  __m512i sums[V][P];
  for (auto& row : sums) {
    for (__m512i& sum : row) sum = _mm512_setzero_si512();
  }
  const auto addWord = [&](const uint32_t* window) {
    for (int p = 0; p < P; ++p) {
      const __m512i activation = _mm512_set1_epi32(static_cast<int>(window[p * stride]));
      for (int i = 0; i < V; ++i) {
        const __m512i differ = _mm512_xor_si512(_mm512_load_si512(weight + i * block), activation);
        sums[i][p] = inOrder(_mm512_add_epi32(sums[i][p], _mm512_popcnt_epi32(differ)));
      }
    }
    ++weight;
  };
  for (int r = 0; r < w.runCount; ++r) {
    const uint32_t* run = *pointers++ + offset;
#pragma GCC unroll 4
    for (int k = 0; k < runWords; ++k) addWord(run + k);
  }
  for (int i = 0; i < w.wordCount; ++i) addWord(*pointers++ + offset);
  for (int i = 0; i < V; ++i) {
    for (int p = 0; p < P; ++p) counts[i][p] = {sums[i][p]};
  }
}

template <int P, int V>
inline void wholeTile(const BitWindows& w, const uint32_t* const* pointers, ptrdiff_t offset, const uint8_t* weights,
                      Ints (&counts)[V][P]) {
  if (w.runWords == 3) return countBits<P, V, 3>(w, pointers, offset, weights, counts);
  countBits<P, V, 0>(w, pointers, offset, weights, counts);
}

// The first 8 of a block's lanes alone take half the time where vectors of 256 bits have twice the throughput (Zen 4). g++ would take
// the short form of a 256-bit xor, which has no broadcast from memory in it.
inline __m256i xorBroadcast(__m256i a, const uint32_t& b) {
#if defined(__GNUC__)
  __asm__("vpxord %2%{1to8%}, %1, %0" : "=v"(a) : "v"(a), "m"(b));
  return a;
#else
  return _mm256_xor_si256(a, _mm256_set1_epi32(static_cast<int>(b)));
#endif
}

template <int P, int RunWords>
inline void countHalf(const BitWindows& w, const uint32_t* const* pointers, ptrdiff_t offset, const uint8_t* weights,
                      Ints (&counts)[1][P]) {
  const int runWords = RunWords > 0 ? RunWords : w.runWords;
  const ptrdiff_t stride = w.pixelStride;
  const __m512i* weight = reinterpret_cast<const __m512i*>(weights);
  __m256i sums[P];
  for (__m256i& sum : sums) sum = _mm256_setzero_si256();
  const auto addWord = [&](const uint32_t* window) {
    const __m256i half = _mm256_load_si256(reinterpret_cast<const __m256i*>(weight++));
    for (int p = 0; p < P; ++p) {
      sums[p] = _mm256_add_epi32(sums[p], _mm256_popcnt_epi32(xorBroadcast(half, window[p * stride])));
    }
  };
  for (int r = 0; r < w.runCount; ++r) {
    const uint32_t* run = *pointers++ + offset;
#pragma GCC unroll 4
    for (int k = 0; k < runWords; ++k) addWord(run + k);
  }
  for (int i = 0; i < w.wordCount; ++i) addWord(*pointers++ + offset);
  for (int p = 0; p < P; ++p) counts[0][p] = {_mm512_zextsi256_si512(sums[p])};
}

template <int P>
BITPATH_NOINLINE void halfTile(const BitWindows& w, const uint32_t* const* pointers, ptrdiff_t offset,
                               const uint8_t* weights, Ints (&counts)[1][P]) {
  if (w.runWords == 3) return countHalf<P, 3>(w, pointers, offset, weights, counts);
  countHalf<P, 0>(w, pointers, offset, weights, counts);
}

template <int P, int V>
BITPATH_INLINE void bconvTile(const BitWindows& w, const uint32_t* const* pointers, ptrdiff_t offset,
                              const uint8_t* weights, int channelsLeft, Ints (&counts)[V][P]) {
  if (channelsLeft > kBconvLanes / 2) return wholeTile<P, V>(w, pointers, offset, weights, counts);
  halfTile<P>(w, pointers, offset, weights, counts);
}

inline void opaque(__m512i& a) {
#if defined(__GNUC__)
  __asm__ volatile("" : "+v"(a));
#endif
}
inline void opaque(Floats& a) {
#if defined(__GNUC__)
  __asm__ volatile("" : "+v"(a.v));
#endif
}
inline void opaque(PairSums& a) { opaque(a.v); }
inline void opaque(QuadSums& a) { opaque(a.v); }

inline void binaryPeak(int64_t iterations) {
  __m512i sums[kBconvPixels], block = _mm512_setzero_si512(), activation = block;
  for (__m512i& sum : sums) sum = block;
  for (int64_t i = 0; i < iterations; ++i) {
    for (__m512i& sum : sums) {
      opaque(block);
      opaque(activation);
      sum = _mm512_add_epi32(sum, _mm512_popcnt_epi32(_mm512_xor_si512(block, activation)));
    }
  }
  for (__m512i& sum : sums) opaque(sum);
}

#include "nests.inl"
#include "peak.inl"
#include "pixels8.inl"

}  // namespace

extern const KernelTable avx512_table;
const KernelTable avx512_table = {"avx512",
                                  "bconv_vpopcntd_14x16",
                                  "gemm_7x32",
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
                                  {binaryPeak, kBconvPixels * 512},
                                  {realPeak, kGemmSums},
                                  {pixelPeak, 2 * kGemmSums},
                                  {pixel8Peak, 4 * kGemmSums}};

}  // namespace bitpath
BITPATH_TARGET_END
#endif
