#include "peak.h"

#include <algorithm>
#include <chrono>

namespace bitpath {

namespace {

constexpr int kRounds = 5;

// The least of a few times, in nanoseconds: what disturbs a loop only ever makes it longer.
template <typename Loop>
double leastNanoseconds(Loop loop) {
  double least = 0;
  for (int round = 0; round < kRounds; ++round) {
    const auto start = std::chrono::steady_clock::now();
    loop();
    const std::chrono::duration<double, std::nano> elapsed = std::chrono::steady_clock::now() - start;
    if (round == 0 || elapsed.count() < least) least = elapsed.count();
  }
  return least;
}

// `steps` additions, each of which needs the one before it: a cycle each. Both operands are registers, because some cores add
// constants without executing anything.
void dependentAdditions(int64_t steps) {
  uint64_t sum = 1, addend = 3;
#if defined(__GNUC__) && (defined(__x86_64__) || defined(__aarch64__))
  for (int64_t i = 0; i < steps; i += 8) {
    for (int k = 0; k < 8; ++k) {
#if defined(__x86_64__)
      __asm__ volatile("add %1, %0" : "+r"(sum) : "r"(addend) : "cc");
#else
      __asm__ volatile("add %0, %0, %1" : "+r"(sum) : "r"(addend));
#endif
    }
  }
#else
  volatile uint64_t step = addend;
  addend = step;
  for (int64_t i = 0; i < steps; ++i) sum = (sum + addend) ^ addend, i += 1;
  step = sum;
#endif
}

}  // namespace

double clockGHz() {
  constexpr int64_t kSteps = 8'000'000;
  return static_cast<double>(kSteps) / leastNanoseconds([] { dependentAdditions(kSteps); });
}

Peaks measurePeaks(const KernelTable& kernels) {
  constexpr int64_t kIterations = 400'000;
  const auto macsPerCycle = [&](const PeakLoop& loop) {
    const double clock = clockGHz();
    const double nanoseconds = leastNanoseconds([&] { loop.run(kIterations); });
    return static_cast<double>(loop.macs) * kIterations / (nanoseconds * clock);
  };
  const double pixel = macsPerCycle(kernels.pixelPeak);
  return {macsPerCycle(kernels.binaryPeak), macsPerCycle(kernels.realPeak), pixel,
          kernels.pixel8Peak.run == nullptr ? pixel : macsPerCycle(kernels.pixel8Peak)};
}

}  // namespace bitpath
