// The bit word. Bit 1 is +1, bit 0 is −1; bit b of a row is bit b % 64 of its word b / 64; bits past the end are zero.
// This file is the only one that knows.
#pragma once

#include <cstdint>
#include <cstring>

namespace bitpath {

constexpr int64_t kWordBits = 64;

constexpr int64_t divideUp(int64_t a, int64_t b) { return (a + b - 1) / b; }
constexpr int64_t roundUp(int64_t a, int64_t b) { return divideUp(a, b) * b; }

// Words of a bit map's row of `bits` bits: one more than they need, because readBits() looks at two.
constexpr int64_t rowWords(int64_t bits) { return divideUp(bits, kWordBits) + 1; }

// The 64 bits from bit `bit` of `row` on. Reads word bit / 64 and the one after it.
inline uint64_t readBits(const uint64_t* row, int64_t bit) {
  const uint64_t* word = row + bit / kWordBits;
  const int shift = static_cast<int>(bit % kWordBits);
  // A shift by 64 is undefined, so the upper word moves in two steps.
  return (word[0] >> shift) | ((word[1] << 1) << (63 - shift));
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

// Appends bits to a row, lowest first.
class BitWriter {
 public:
  explicit BitWriter(uint64_t* row) : word_(row) {}
  // The lowest `count` bits of `bits`, 0 ≤ count ≤ 64; higher bits of `bits` are ignored.
  void append(uint64_t bits, int64_t count) {
    bits &= lowBits(count);
    pending_ |= bits << used_;
    if (used_ + count >= kWordBits) {
      *word_++ = pending_;
      const int64_t written = kWordBits - used_;
      pending_ = written >= 64 ? 0 : bits >> written;
      used_ += count - kWordBits;
    } else {
      used_ += count;
    }
  }
  void fill(bool bit, int64_t count) {
    const uint64_t bits = bit ? ~uint64_t{0} : 0;
    for (; count >= kWordBits; count -= kWordBits) append(bits, kWordBits);
    append(bits, count);
  }
  // Writes what is pending, then zero words up to `end`.
  void finish(uint64_t* end) {
    if (used_ > 0) *word_++ = pending_;
    while (word_ < end) *word_++ = 0;
  }

 private:
  uint64_t* word_;
  uint64_t pending_ = 0;
  int64_t used_ = 0;
};

}  // namespace bitpath
