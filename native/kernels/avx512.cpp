// AVX-512 with VPOPCNTDQ and VNNI: Ice Lake, Sapphire Rapids, Zen 4 and later.
//
// 1-bit convolution: lanes are 8 output channels of u64; an activation word is broadcast from memory into the xor.
//   vpxorq zmm, zmm, m64{1to8} · vpopcntq zmm · vpaddq zmm — 3 operations on 2 vector ports: 1.5 cycles for 512 products.
// The picture stem: vpdpwssd multiplies two int16 pairs and adds both to int32, 32 products an instruction.
#include "target.h"

#ifdef BITPATH_X86
#include <immintrin.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "table.h"

// g++ 12 sees an uninitialised value in its own _mm512_cvtepi64_epi32, which passes an undefined vector on purpose.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif

BITPATH_TARGET_BEGIN(BITPATH_AVX512_TARGET)
namespace bitpath {
namespace {

constexpr int kBconvLanes = 8, kBconvUnitBytes = 8, kBconvPixels = 8, kBconvBlocks = 1;
constexpr int kGemmLanes = 16, kGemmPixels = 7, kGemmBlocks = 2;
constexpr int kPoolPixels = 8;

struct AllLanes {
  unsigned bits() const { return 0xff; }
};
struct FirstLanes {
  explicit FirstLanes(int count) : mask(static_cast<__mmask8>((1u << count) - 1)) {}
  unsigned bits() const { return mask; }
  __mmask8 mask;
};

struct F8 {
  __m256 v;
  static F8 load(const float* from) { return {_mm256_loadu_ps(from)}; }
  static F8 load(const float* from, AllLanes) { return {_mm256_loadu_ps(from)}; }
  static F8 load(const float* from, FirstLanes lanes) { return {_mm256_maskz_loadu_ps(lanes.mask, from)}; }
  static F8 broadcast(float value) { return {_mm256_set1_ps(value)}; }
  void store(float* to, AllLanes) const { _mm256_storeu_ps(to, v); }
  void store(float* to, FirstLanes lanes) const { _mm256_mask_storeu_ps(to, lanes.mask, v); }
};
inline F8 add(F8 a, F8 b) { return {_mm256_add_ps(a.v, b.v)}; }
inline F8 mul(F8 a, F8 b) { return {_mm256_mul_ps(a.v, b.v)}; }
inline F8 divide(F8 a, F8 b) { return {_mm256_div_ps(a.v, b.v)}; }
inline F8 fma(F8 a, F8 b, F8 c) { return {_mm256_fmadd_ps(a.v, b.v, c.v)}; }
inline F8 whereNegative(F8 a, F8 other) {
  return {_mm256_mask_blend_ps(_mm256_cmp_ps_mask(a.v, _mm256_setzero_ps(), _CMP_LT_OQ), a.v, other.v)};
}
// Both return their second operand where one is NaN or both are zeros: a stays.
inline F8 clamp(F8 a, F8 low, F8 high) { return {_mm256_min_ps(high.v, _mm256_max_ps(low.v, a.v))}; }
inline F8 maximum(F8 so_far, F8 tap) {
  const __mmask8 greater = _mm256_cmp_ps_mask(tap.v, so_far.v, _CMP_GT_OQ);
  const __mmask8 nan = _mm256_cmp_ps_mask(tap.v, tap.v, _CMP_UNORD_Q);
  return {_mm256_mask_blend_ps(static_cast<__mmask8>(greater | nan), so_far.v, tap.v)};
}
inline unsigned atLeast(F8 a, F8 flip, F8 threshold) {
  return _mm256_cmp_ps_mask(_mm256_xor_ps(a.v, flip.v), threshold.v, _CMP_GE_OQ);
}

struct I8 {
  __m256i v;
  static I8 load(const int32_t* from) { return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from))}; }
};
inline F8 toFloat(I8 a) { return {_mm256_cvtepi32_ps(a.v)}; }
inline F8 dotProduct(I8 base, I8 counts) {
  return {_mm256_cvtepi32_ps(_mm256_sub_epi32(base.v, _mm256_add_epi32(counts.v, counts.v)))};
}

struct FW {
  __m512 v;
  static FW zero() { return {_mm512_setzero_ps()}; }
  static FW load(const float* from) { return {_mm512_loadu_ps(from)}; }
  static FW broadcast(float value) { return {_mm512_set1_ps(value)}; }
  F8 eight(int half) const { return {half == 0 ? _mm512_castps512_ps256(v) : _mm512_extractf32x8_ps(v, 1)}; }
};
inline FW fma(FW a, FW b, FW c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }

struct IW {
  __m512i v;
  static IW zero() { return {_mm512_setzero_si512()}; }
  static IW load(const int16_t* from) { return {_mm512_loadu_si512(from)}; }
  static IW broadcastPair(const int16_t* from) {
    int32_t pair;
    __builtin_memcpy(&pair, from, sizeof pair);
    return {_mm512_set1_epi32(pair)};
  }
  I8 eight(int half) const { return {half == 0 ? _mm512_castsi512_si256(v) : _mm512_extracti32x8_epi32(v, 1)}; }
};
inline IW dotPairs(IW sums, IW a, IW b) { return {_mm512_dpwssd_epi32(sums.v, a.v, b.v)}; }

// Words is the number of words of a segment where it is known (short loops cost their counter otherwise), else 0.
template <int P, int Words>
inline void countBits(const Windows<uint64_t>& w, const uint64_t* const* segments, ptrdiff_t offset,
                      const uint8_t* weights, I8 (&counts)[1][P]) {
  const int words = Words > 0 ? Words : (w.segmentLength + 63) / 64;
  const ptrdiff_t stride = w.pixelStride;
  const __m512i* weight = reinterpret_cast<const __m512i*>(weights);
  __m512i sums[P];
  for (int p = 0; p < P; ++p) sums[p] = _mm512_setzero_si512();
  for (int s = 0; s < w.segmentCount; ++s) {
    const uint64_t* window = segments[s] + offset;
#pragma GCC unroll 4
    for (int k = 0; k < words; ++k, ++weight, ++window) {
      const __m512i block = _mm512_load_si512(weight);
      for (int p = 0; p < P; ++p) {
        const __m512i activation = _mm512_set1_epi64(static_cast<long long>(window[p * stride]));
        sums[p] = _mm512_add_epi64(sums[p], _mm512_popcnt_epi64(_mm512_xor_si512(block, activation)));
      }
    }
  }
  for (int p = 0; p < P; ++p) counts[0][p] = {_mm512_cvtepi64_epi32(sums[p])};
}

template <int P, int V>
inline void bconvTile(const Windows<uint64_t>& w, const uint64_t* const* segments, ptrdiff_t offset,
                      const uint8_t* weights, I8 (&counts)[1][P]) {
  static_assert(V == 1, "one block of 8 channels fills the registers with 8 pixels");
  switch ((w.segmentLength + 63) / 64) {
    case 2:
      return countBits<P, 2>(w, segments, offset, weights, counts);
    case 3:
      return countBits<P, 3>(w, segments, offset, weights, counts);
    default:
      return countBits<P, 0>(w, segments, offset, weights, counts);
  }
}

#include "nests.inl"

}  // namespace

extern const KernelTable avx512_table;
const KernelTable avx512_table = {"avx512",    "bconv_vpopcntq_8x8",
                                  "gemm_7x32", {kBconvLanes, kBconvUnitBytes},
                                  kGemmLanes,  bconv,
                                  gemm,        pixelGemm,
                                  maxPool,     avgPool,
                                  map};

}  // namespace bitpath
BITPATH_TARGET_END
#endif
