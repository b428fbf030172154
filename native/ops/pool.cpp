// Max and average pooling; over the whole map, global pooling.
#include "op.h"
#include "window.h"

namespace bitpath {

namespace {

class Pool final : public BandedOp {
 public:
  Pool(ProgramReader& r, const KernelTable& kernels, bool max)
      : BandedOp(max ? "maxPool" : "avgPool", kernels), max_(max) {
    source_ = r.floatMap();
    output_ = window_.readPool(r, source_.extent);
    if (!max) countIncludePad_ = r.flag("countIncludePad");
    finishLoad(r);
  }

  OpInfo info() const override {
    OpInfo info = BandedOp::info();
    info.mapBytes += source_.extent.pixels() * source_.extent.channels * 4;
    info.kernel = max_ ? "max_pool" : "avg_pool";
    return info;
  }

 protected:
  void compute(const Band& band, const Pass& pass, const Epilogue& epilogue, uint8_t*, int, int) const override {
    const float* image = source_.at(pass.arena) + band.image * source_.extent.pixels() * source_.pixelStride;
    PoolArgs args = window_.poolArgs(image, source_.extent, source_.pixelStride, output_, band);
    args.countIncludePad = countIncludePad_;
    args.firstPixel = firstPixel(band);
    args.epilogue = epilogue;
    (max_ ? kernels_.maxPool : kernels_.avgPool)(args);
  }

 private:
  bool max_;
  bool countIncludePad_ = false;
  FloatMap source_;
  WindowShape window_;
};

}  // namespace

std::unique_ptr<Op> loadPool(ProgramReader& reader, const KernelTable& kernels, bool max) {
  return std::make_unique<Pool>(reader, kernels, max);
}

}  // namespace bitpath
