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

TEST("bits: readBits is bit by bit") {
  check::Random random(2);
  uint64_t row[5];
  for (uint64_t& word : row) word = random.bits();
  for (int from = 0; from < 4 * 64; ++from) {
    uint64_t expected = 0;
    for (int b = 0; b < 64; ++b) expected |= ((row[(from + b) / 64] >> ((from + b) % 64)) & 1) << b;
    CHECK_EQ(readBits(row, from), expected);
  }
}

TEST("bits: BitWriter appends at any offset") {
  check::Random random(3);
  for (int round = 0; round < 500; ++round) {
    std::vector<bool> bits;
    uint64_t row[40];
    std::memset(row, 0xa5, sizeof row);
    BitWriter writer(row);
    const int pieces = random.between(0, 20);
    for (int i = 0; i < pieces; ++i) {
      const int count = random.chance(20) ? 64 : random.between(0, 64);
      if (random.chance(30)) {
        const bool bit = random.chance(50);
        const int length = random.between(0, 70);
        writer.fill(bit, length);
        bits.insert(bits.end(), static_cast<size_t>(length), bit);
      } else {
        const uint64_t word = random.bits();
        writer.append(word, count);
        for (int b = 0; b < count; ++b) bits.push_back(((word >> b) & 1) != 0);
      }
    }
    const int64_t words = rowWords(static_cast<int64_t>(bits.size()));
    writer.finish(row + words);
    bool same = true;
    for (int64_t b = 0; b < words * 64; ++b) {
      const bool expected = b < static_cast<int64_t>(bits.size()) && bits[static_cast<size_t>(b)];
      same = same && ((row[b / 64] >> (b % 64)) & 1) == expected;
    }
    CHECK(same);
    CHECK_EQ(row[words], 0xa5a5a5a5a5a5a5a5u);
  }
}
