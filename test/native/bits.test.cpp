// The bit word: reading at any offset, appending at any offset, tails.
#include "base/bits.h"

#include "check.h"

using namespace bitpath;

TEST("bits: popcount and lowBits") {
  check::Random random(1);
  for (int i = 0; i < 2000; ++i) {
    const uint64_t word = random.bits() & random.bits();
    int expected = 0;
    for (int b = 0; b < 64; ++b) expected += static_cast<int>((word >> b) & 1);
    CHECK_EQ(popcount(word), expected);
  }
  CHECK_EQ(popcount(0), 0);
  CHECK_EQ(popcount(~uint64_t{0}), 64);
  for (int count = 0; count <= 64; ++count) CHECK_EQ(popcount(lowBits(count)), count);
  CHECK_EQ(lowBits(1), 1u);
}

TEST("bits: readWord is bit by bit") {
  check::Random random(2);
  uint32_t words[9];
  for (uint32_t& word : words) word = static_cast<uint32_t>(random.bits());
  for (int from = 0; from < 8 * 32; ++from) {
    uint32_t expected = 0;
    for (int b = 0; b < 32; ++b) expected |= ((words[(from + b) / 32] >> ((from + b) % 32)) & 1) << b;
    if (from / 32 + 1 < 9) CHECK_EQ(readWord(words, from), expected);
  }
}

TEST("bits: filled pixels have their channels set and nothing else") {
  for (int channels = 1; channels <= 130; ++channels) {
    for (int pixels = 0; pixels <= 3; ++pixels) {
      uint32_t words[20] = {};
      fillPixels(words, pixels, channels);
      const int64_t stride = pixelWords(channels);
      CHECK_EQ(stride, (channels + 31) / 32);
      bool same = true;
      for (int64_t b = 0; b < 20 * 32; ++b) {
        const bool expected = b / (stride * 32) < pixels && b % (stride * 32) < channels;
        same = same && ((words[b / 32] >> (b % 32)) & 1) == expected;
      }
      CHECK(same);
    }
  }
}

TEST("bits: rows are even and have room for a read of eight bytes after their last pixel") {
  for (int channels : {1, 31, 32, 33, 41, 64, 65, 328}) {
    for (int pixels : {1, 2, 7, 58}) {
      const int64_t words = rowWords(pixels, channels);
      CHECK_EQ(words % 2, 0);
      CHECK(words >= pixels * pixelWords(channels) + 2);
    }
  }
}
