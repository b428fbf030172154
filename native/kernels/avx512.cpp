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
inline Floats relu(Floats a) { return {_mm512_max_ps(_mm512_setzero_ps(), a.v)}; }
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

// sum + popcount(block xor activation), lane by lane. As one statement, because compilers know too much: they take sums of
// neighbouring words together, share what they should not, or keep it in memory.
inline __m512i addDiffering(__m512i sum, __m512i block, __m512i activation) {
#if defined(__GNUC__)
  __m512i differ;
  __asm__("vpxord %3, %2, %1\n\tvpopcntd %1, %1\n\tvpaddd %1, %0, %0"
          : "+v"(sum), "=&v"(differ)
          : "v"(block), "v"(activation));
  return sum;
#else
  return _mm512_add_epi32(sum, _mm512_popcnt_epi32(_mm512_xor_si512(block, activation)));
#endif
}

// g++ would add up each word's distance from the window before the loops, for more registers than there are: one address in a
// register makes them displacements.
inline const uint32_t* inRegister(const uint32_t* address) {
#if defined(__GNUC__)
  __asm__("" : "+r"(address));
#endif
  return address;
}
// A block that several operations read, not an operand in memory of each.
inline __m512i inRegister(__m512i value) { return inOrder(value); }

// clang would take the instruction for floats, whose result integer operations wait for a cycle longer.
inline __m512i broadcast(const uint32_t* word) {
#if defined(__GNUC__)
  __m512i lanes;
  __asm__("vpbroadcastd %1, %0" : "=v"(lanes) : "m"(*word));
  return lanes;
#else
  return _mm512_set1_epi32(static_cast<int>(*word));
#endif
}

// RunWords and Stride are the number of words of a run and the words between pixels where they are known, else 0: a short loop's
// counter costs, and so do addresses.
template <int P, int V, int RunWords, int Stride>
inline void countBits(const BitWindows& w, const uint32_t* const* pointers, ptrdiff_t offset, const uint8_t* weights,
                      Ints (&counts)[V][P]) {
  const int runWords = RunWords > 0 ? RunWords : w.runWords;
  const ptrdiff_t stride = Stride > 0 ? Stride : w.pixelStride, block = w.words();
  const __m512i* weight = reinterpret_cast<const __m512i*>(weights);
  __m512i sums[V][P];
  BITPATH_UNROLL for (auto& row : sums) { BITPATH_UNROLL for (__m512i& sum : row) sum = _mm512_setzero_si512(); }
  const auto addWord = [&](const uint32_t* window) {
    BITPATH_UNROLL for (int p = 0; p < P; ++p) {
      const __m512i activation = _mm512_set1_epi32(static_cast<int>(window[p * stride]));
      BITPATH_UNROLL for (int i = 0; i < V; ++i) {
        const __m512i differ = _mm512_xor_si512(_mm512_load_si512(weight + i * block), activation);
        sums[i][p] = inOrder(_mm512_add_epi32(sums[i][p], _mm512_popcnt_epi32(differ)));
      }
    }
    ++weight;
  };
  for (int r = 0; r < w.runCount; ++r) {
    const uint32_t* run = inRegister(*pointers++ + offset);
    if constexpr (RunWords > 1 && Stride == 1) {
      // Neighbouring windows share all but a word: each word is broadcast once, for all pixels that have it.
      __m512i blocks[V][RunWords];
      BITPATH_UNROLL for (int i = 0; i < V; ++i) {
        BITPATH_UNROLL for (int k = 0; k < RunWords; ++k) blocks[i][k] =
            inRegister(_mm512_load_si512(weight + i * block + k));
      }
      weight += RunWords;
      BITPATH_UNROLL for (int j = 0; j < P + RunWords - 1; ++j) {
        const __m512i activation = broadcast(run + j);
        BITPATH_UNROLL for (int k = 0; k < RunWords; ++k) {
          const int p = j - k;
          if (p < 0 || p >= P) continue;
          BITPATH_UNROLL for (int i = 0; i < V; ++i) {
            sums[i][p] = addDiffering(sums[i][p], blocks[i][k], activation);
          }
        }
      }
    } else {
#pragma GCC unroll 4
      for (int k = 0; k < runWords; ++k) addWord(run + k);
    }
  }
  for (int i = 0; i < w.wordCount; ++i) addWord(inRegister(*pointers++ + offset));
  BITPATH_UNROLL for (int i = 0; i < V; ++i) { BITPATH_UNROLL for (int p = 0; p < P; ++p) counts[i][p] = {sums[i][p]}; }
}

template <int P, int V>
inline void wholeTile(const BitWindows& w, const uint32_t* const* pointers, ptrdiff_t offset, const uint8_t* weights,
                      Ints (&counts)[V][P]) {
  if (w.runWords == 3 && w.pixelStride == 1) return countBits<P, V, 3, 1>(w, pointers, offset, weights, counts);
  countBits<P, V, 0, 0>(w, pointers, offset, weights, counts);
}

// ---- few output channels left ----
// Of a block with N channels only, 16 − N lanes would count for nothing. With 16 pixels in the lanes instead, whose words of a plane
// are neighbours, each channel costs a vector: N·1.5 cycles a word, where P pixels cost P·1.5. The counts are then turned, in 16 bits.
constexpr unsigned kFew = 8;
constexpr int64_t kFewWords = 65535 / 32;

// The counts of kFew channels of 16 pixels.
struct FewCounts {
  alignas(64) uint16_t channels[16][kFew];
  // Turning puts pixels 4·l + i of all l beside each other.
  __m512i at(int pixel) const {
    const uint16_t* from = channels[pixel % 4 * 4 + pixel / 4];
    return _mm512_zextsi256_si512(_mm256_cvtepu16_epi32(_mm_load_si128(reinterpret_cast<const __m128i*>(from))));
  }
};

template <int N>
BITPATH_NOINLINE void countFew(const BitWindows& w, const uint32_t* const* pointers, ptrdiff_t offset,
                               const uint8_t* weights, __mmask16 lanes, FewCounts& counts) {
  // Every loop over the sums is unrolled, or they lie in memory.
  __m512i sums[kFew];
  BITPATH_UNROLL for (unsigned i = 0; i < kFew; ++i) sums[i] = _mm512_setzero_si512();
  const int32_t* weight = reinterpret_cast<const int32_t*>(weights);
  const auto addWord = [&](const uint32_t* window) {
    const __m512i activations = _mm512_maskz_loadu_epi32(lanes, window);
    BITPATH_UNROLL for (int i = 0; i < N; ++i) {
      const __m512i differ = _mm512_xor_si512(activations, _mm512_set1_epi32(weight[i]));
      sums[i] = inOrder(_mm512_add_epi32(sums[i], _mm512_popcnt_epi32(differ)));
    }
    weight += kBconvLanes;
  };
  for (int r = 0; r < w.runCount; ++r) {
    const uint32_t* run = *pointers++ + offset;
    for (int k = 0; k < w.runWords; ++k) addWord(run + k);
  }
  for (int i = 0; i < w.wordCount; ++i) addWord(*pointers++ + offset);

  __m512i pairs[kFew / 2];
  BITPATH_UNROLL for (unsigned i = 0; i < kFew / 2; ++i) {
    pairs[i] = _mm512_or_si512(sums[2 * i], _mm512_slli_epi32(sums[2 * i + 1], 16));
  }
  const __m512i low0 = _mm512_unpacklo_epi32(pairs[0], pairs[1]), high0 = _mm512_unpackhi_epi32(pairs[0], pairs[1]);
  const __m512i low1 = _mm512_unpacklo_epi32(pairs[2], pairs[3]), high1 = _mm512_unpackhi_epi32(pairs[2], pairs[3]);
  _mm512_store_si512(counts.channels[0], _mm512_unpacklo_epi64(low0, low1));
  _mm512_store_si512(counts.channels[4], _mm512_unpackhi_epi64(low0, low1));
  _mm512_store_si512(counts.channels[8], _mm512_unpacklo_epi64(high0, high1));
  _mm512_store_si512(counts.channels[12], _mm512_unpackhi_epi64(high0, high1));
}

using CountFew = void (*)(const BitWindows&, const uint32_t* const*, ptrdiff_t, const uint8_t*, __mmask16, FewCounts&);
constexpr CountFew kCountFew[kFew] = {countFew<1>, countFew<2>, countFew<3>, countFew<4>,
                                      countFew<5>, countFew<6>, countFew<7>, countFew<8>};

template <int P, int V>
BITPATH_INLINE void bconvTile(const BitWindows& w, const uint32_t* const* pointers, ptrdiff_t offset,
                              const uint8_t* weights, int channelsLeft, Ints (&counts)[V][P]) {
  const unsigned last = static_cast<unsigned>(channelsLeft) - 1;
  if (P > 2 && last < std::min<unsigned>(kFew, P - 2) && w.pixelStride == 1 && w.words() <= kFewWords) {
    FewCounts few;
    kCountFew[last](w, pointers, offset, weights, static_cast<__mmask16>((1u << P) - 1), few);
    BITPATH_UNROLL for (int p = 0; p < P; ++p) counts[0][p] = {few.at(p)};
  } else {
    wholeTile<P, V>(w, pointers, offset, weights, counts);
  }
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
  BITPATH_UNROLL for (__m512i& sum : sums) sum = block;
  for (int64_t i = 0; i < iterations; ++i) {
    BITPATH_UNROLL for (__m512i& sum : sums) {
      opaque(block);
      opaque(activation);
      sum = _mm512_add_epi32(sum, _mm512_popcnt_epi32(_mm512_xor_si512(block, activation)));
    }
  }
  BITPATH_UNROLL for (__m512i& sum : sums) opaque(sum);
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
