// The instructions of each inner loop on registers alone, with as many independent sums as the kernels have. Included by each
// ISA's file inside its target region, after its vocabulary, which brings opaque(): the compiler may assume nothing about the
// register's value.

inline void realPeak(int64_t iterations) {
  Floats sums[kGemmBlocks][kGemmPixels];
  for (auto& block : sums) {
    for (Floats& sum : block) sum = Floats::zero();
  }
  Floats a = Floats::broadcast(1.0f), b = Floats::broadcast(1.0f);
  for (int64_t i = 0; i < iterations; ++i) {
    opaque(a);
    opaque(b);
    for (auto& block : sums) {
      for (Floats& sum : block) sum = fma(a, b, sum);
    }
  }
  for (auto& block : sums) {
    for (Floats& sum : block) opaque(sum);
  }
}

inline void pixelPeak(int64_t iterations) {
  PairSums sums[kGemmBlocks][kGemmPixels];
  for (auto& block : sums) {
    for (PairSums& sum : block) sum = PairSums::zero();
  }
  PairSums a = PairSums::zero(), b = PairSums::zero();
  for (int64_t i = 0; i < iterations; ++i) {
    opaque(a);
    opaque(b);
    for (auto& block : sums) {
      for (PairSums& sum : block) sum = dotPairs(sum, a, b);
    }
  }
  for (auto& block : sums) {
    for (PairSums& sum : block) opaque(sum);
  }
}

constexpr int kGemmSums = kGemmBlocks * kGemmPixels * kLanes;
