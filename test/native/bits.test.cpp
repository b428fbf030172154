// The bit word.
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
