// Bits of a map. Bit 1 is +1, bit 0 is −1; channel c of a pixel is bit c % 32 of the pixel's word in plane c / 32; bits past the
// last channel are zero. Kernels that take a word byte by byte count on little-endian machines.
#pragma once

#include <cstdint>
#include <cstring>

namespace bitpath {

constexpr int64_t kWordBits = 32;

constexpr int64_t divideUp(int64_t a, int64_t b) { return (a + b - 1) / b; }
constexpr int64_t roundUp(int64_t a, int64_t b) { return divideUp(a, b) * b; }

constexpr int64_t planesOf(int64_t channels) { return divideUp(channels, kWordBits); }

inline uint64_t loadBits(const void* from) {
  uint64_t bits;
  std::memcpy(&bits, from, sizeof bits);
  return bits;
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

}  // namespace bitpath
