// Bits of a map. Bit 1 is +1, bit 0 is −1; bit b of a run of words is bit b % 32 of its word b / 32 (little-endian, so also bit
// b % 8 of byte b / 8); bits past the end are zero. This file is the only one that knows.
#pragma once

#include <cstdint>
#include <cstring>

namespace bitpath {

constexpr int64_t kWordBits = 32;

constexpr int64_t divideUp(int64_t a, int64_t b) { return (a + b - 1) / b; }
constexpr int64_t roundUp(int64_t a, int64_t b) { return divideUp(a, b) * b; }

// Words of a pixel: each begins at a word, so that a pixel's bits are written without its neighbours'.
constexpr int64_t pixelWords(int64_t channels) { return divideUp(channels, kWordBits); }

// Words of a row of pixels: two more than they need, because bits are read eight bytes at a time; even, so that rows begin at
// eight bytes.
constexpr int64_t rowWords(int64_t pixels, int64_t channels) { return roundUp(pixels * pixelWords(channels), 2) + 2; }

inline uint64_t loadBits(const void* from) {
  uint64_t bits;
  std::memcpy(&bits, from, sizeof bits);
  return bits;
}
inline void storeBits(void* to, uint64_t bits) { std::memcpy(to, &bits, sizeof bits); }

// The 32 bits from bit `bit` on. Reads the word bit / 32 and the one after it.
inline uint32_t readWord(const uint32_t* words, int64_t bit) {
  return static_cast<uint32_t>(loadBits(words + bit / kWordBits) >> (bit % kWordBits));
}

// The lowest `count` bits set, 0 ≤ count ≤ 64.
inline uint64_t lowBits(int64_t count) { return count >= 64 ? ~uint64_t{0} : (uint64_t{1} << count) - 1; }

// Set bits, without the POPCNT instruction, which baseline x86-64 lacks.
inline int popcount(uint64_t word) {
  word -= (word >> 1) & 0x5555555555555555u;
  word = (word & 0x3333333333333333u) + ((word >> 2) & 0x3333333333333333u);
  word = (word + (word >> 4)) & 0x0f0f0f0f0f0f0f0fu;
  return static_cast<int>((word * 0x0101010101010101u) >> 56);
}

// Sets the bits of `pixels` pixels.
inline void fillPixels(uint32_t* words, int64_t pixels, int64_t channels) {
  const int64_t count = pixelWords(channels);
  for (int64_t pixel = 0; pixel < pixels; ++pixel) {
    for (int64_t w = 0; w < count; ++w) *words++ = static_cast<uint32_t>(lowBits(channels - w * kWordBits));
  }
}

}  // namespace bitpath
