// The instructions of each inner loop on registers alone, with as many independent sums as the kernels have. Included by each
// ISA's file inside its target region, after its vocabulary, which brings opaque(): the compiler may assume nothing about the
// register's value, so that no product is computed once for all sums.

inline void realPeak(int64_t iterations) {
  Floats sums[kGemmBlocks][kGemmPixels];
  for (auto& block : sums) {
    for (Floats& sum : block) sum = Floats::zero();
  }
  Floats a = Floats::broadcast(1.0f), b = a;
  opaque(b);
  for (int64_t i = 0; i < iterations; ++i) {
    for (auto& block : sums) {
      for (Floats& sum : block) {
        opaque(a);
        sum = fma(a, b, sum);
      }
    }
  }
  for (auto& block : sums) {
    for (Floats& sum : block) opaque(sum);
  }
}

template <typename Sums>
inline void productsPeak(int64_t iterations) {
  Sums sums[kGemmBlocks][kGemmPixels];
  for (auto& block : sums) {
    for (Sums& sum : block) sum = Sums::zero();
  }
  Sums a = Sums::zero(), b = a;
  opaque(b);
  for (int64_t i = 0; i < iterations; ++i) {
    for (auto& block : sums) {
      for (Sums& sum : block) {
        opaque(a);
        sum = addProducts(sum, a, b);
      }
    }
  }
  for (auto& block : sums) {
    for (Sums& sum : block) opaque(sum);
  }
}
inline void pixelPeak(int64_t iterations) { productsPeak<PairSums>(iterations); }

constexpr int kGemmSums = kGemmBlocks * kGemmPixels * kLanes;
