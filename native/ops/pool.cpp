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
    output_.height = r.integer("outHeight", 1, ProgramReader::kMaxExtent);
    output_.width = r.integer("outWidth", 1, ProgramReader::kMaxExtent);
    output_.channels = source_.extent.channels;
    window_.readKernelAndStride(r);
    window_.readPadding(r);
    if (!max) countIncludePad_ = r.flag("countIncludePad");
    // Every window has a tap inside the map: padding is less than the kernel, and the last window begins inside.
    if (window_.padTop >= window_.kernelH || window_.padLeft >= window_.kernelW ||
        (output_.height - 1) * int64_t{window_.strideH} - window_.padTop >= source_.extent.height ||
        (output_.width - 1) * int64_t{window_.strideW} - window_.padLeft >= source_.extent.width) {
      r.fail("a pooling window lies outside the map");
    }
    if (window_.taps() > (1 << 24)) r.fail("more than 2^24 taps in a window");
    finishLoad(r);
  }

  OpInfo info() const override {
    OpInfo info = BandedOp::info();
    info.kernel = max_ ? "max_pool" : "avg_pool";
    return info;
  }

 protected:
  void compute(const Band& band, const Pass& pass, const Epilogue& epilogue, uint8_t*, int, int) const override {
    PoolArgs args;
    args.image = source_.at(pass.arena) + band.image * source_.extent.pixels() * source_.pixelStride;
    args.pixelStride = static_cast<ptrdiff_t>(source_.pixelStride);
    args.rowStride = static_cast<ptrdiff_t>(source_.extent.width * source_.pixelStride);
    args.height = source_.extent.height;
    args.width = source_.extent.width;
    args.kernelHeight = window_.kernelH;
    args.kernelWidth = window_.kernelW;
    args.strideHeight = window_.strideH;
    args.strideWidth = window_.strideW;
    args.padTop = window_.padTop;
    args.padLeft = window_.padLeft;
    args.countIncludePad = countIncludePad_;
    args.firstRow = band.firstRow;
    args.rows = band.rows;
    args.outWidth = output_.width;
    args.channels = output_.channels;
    args.firstPixel = epilogue.firstPixel;
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
