// Means over the channels, and maps of one number.
#include <algorithm>

#include "op.h"

namespace bitpath {

namespace {

class ChannelMean final : public BandedOp {
 public:
  ChannelMean(ProgramReader& r, const KernelTable& kernels) : BandedOp("channelMean", kernels) {
    source_ = r.floatMap();
    output_ = {source_.extent.height, source_.extent.width, 1};
    finishLoad(r);
  }

  OpInfo info() const override {
    OpInfo info = BandedOp::info();
    info.mapBytes += output_.pixels() * source_.extent.channels * 4;
    info.kernel = "channel_mean";
    return info;
  }

 protected:
  void compute(const Band& band, const Pass& pass, const Epilogue& epilogue, uint8_t*, int, int) const override {
    MapArgs args{};
    args.firstPixel = firstPixel(band);
    args.source = source_.at(pass.arena) + args.firstPixel * source_.pixelStride;
    args.pixelStride = static_cast<ptrdiff_t>(source_.pixelStride);
    args.rows = band.rows;
    args.width = output_.width;
    args.channels = source_.extent.channels;
    args.epilogue = epilogue;
    kernels_.channelMean(args);
  }

 private:
  FloatMap source_;
};

class Fill final : public BandedOp {
 public:
  Fill(ProgramReader& r, const KernelTable& kernels) : BandedOp("fill", kernels) {
    output_ = r.extent();
    value_ = r.factor();
    // No map bounds it but those that its steps write, a bit an element at least.
    if (output_.pixels() > r.arenaLines * static_cast<int64_t>(kLineBytes) * 8 / output_.channels) {
      r.fail("the map is larger than the arena");
    }
    finishLoad(r);
  }

  OpInfo info() const override {
    OpInfo info = BandedOp::info();
    info.kernel = "map";
    return info;
  }

 protected:
  void compute(const Band& band, const Pass&, const Epilogue& epilogue, uint8_t* scratch, int, int) const override {
    float* pixel = reinterpret_cast<float*>(scratch);
    std::fill_n(pixel, output_.channels, value_);
    MapArgs args{};
    args.firstPixel = firstPixel(band);
    args.source = pixel;
    args.pixelStride = 0;
    args.rows = band.rows;
    args.width = output_.width;
    args.channels = output_.channels;
    args.epilogue = epilogue;
    kernels_.map(args);
  }

  int64_t computeScratch(int) const override { return int64_t{output_.channels} * 4; }

 private:
  float value_;
};

}  // namespace

std::unique_ptr<Op> loadChannelMean(ProgramReader& reader, const KernelTable& kernels) {
  return std::make_unique<ChannelMean>(reader, kernels);
}

std::unique_ptr<Op> loadFill(ProgramReader& reader, const KernelTable& kernels) {
  return std::make_unique<Fill>(reader, kernels);
}

}  // namespace bitpath
