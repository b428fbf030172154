// CI-BCNN's interactions: what a channel counts moves other channels of the same pixel, pair by pair. Pairs depend on those before
// them, so a pixel is done by itself; networks list far fewer pairs than a convolution has products.
#include <cstring>

#include "op.h"

namespace bitpath {

namespace {

class ChannelInteraction final : public BandedOp {
 public:
  ChannelInteraction(ProgramReader& r, const KernelTable& kernels) : BandedOp("channelInteraction", kernels) {
    source_ = r.floatMap();
    output_ = source_.extent;
    const int count = r.integer("pairCount", 1, 1 << 22);
    threshold_ = r.factor();
    if (!(threshold_ > 0)) r.fail("threshold is not positive");
    const float step = r.factor();
    const AlignedBuffer triples = r.constant<int32_t>("pairs", int64_t{count} * 3);
    for (int i = 0; i < count; ++i) {
      const int32_t* triple = triples.as<int32_t>() + 3 * i;
      if (triple[0] < 0 || triple[0] >= output_.channels || triple[1] < 0 || triple[1] >= output_.channels) {
        r.fail("a pair names a channel that is not there");
      }
      // step · (a − b) or −step · (a + b)
      pairs_.push_back({triple[0], triple[1], triple[2] > 0 ? step : -step, -step});
    }
    finishLoad(r);
  }

  OpInfo info() const override {
    OpInfo info = BandedOp::info();
    info.mapBytes += output_.pixels() * output_.channels * 4;
    info.weightBytes += static_cast<int64_t>(pairs_.size() * sizeof(Pair));
    info.kernel = "channel_interaction";
    return info;
  }

 protected:
  void compute(const Band& band, const Pass& pass, const Epilogue& epilogue, uint8_t* scratch, int,
               int) const override {
    float* pixel = reinterpret_cast<float*>(scratch);
    MapArgs args{};
    args.source = pixel;
    args.pixelStride = static_cast<ptrdiff_t>(output_.channels);
    args.firstPixel = firstPixel(band);
    args.rows = band.rows;
    args.width = output_.width;
    args.channels = output_.channels;
    args.epilogue = epilogue;
    const float* from = source_.at(pass.arena) + args.firstPixel * source_.pixelStride;
    const int64_t pixels = int64_t{band.rows} * output_.width;
    for (int64_t p = 0; p < pixels; ++p, pixel += output_.channels, from += source_.pixelStride) {
      std::memcpy(pixel, from, static_cast<size_t>(output_.channels) * sizeof *pixel);
      interact(pixel);
    }
    kernels_.map(args);
  }

  int64_t computeScratch(int rows) const override { return int64_t{rows} * output_.width * output_.channels * 4; }

 private:
  struct Pair {
    int32_t source, target;
    float above, below;
  };

  void interact(float* y) const {
    for (const Pair& pair : pairs_) {
      const float value = y[pair.source];
      if (value >= threshold_) {
        y[pair.target] += pair.above;
      } else if (value <= -threshold_) {
        y[pair.target] += pair.below;
      }
    }
  }

  FloatMap source_;
  float threshold_;
  std::vector<Pair> pairs_;
};

}  // namespace

std::unique_ptr<Op> loadChannelInteraction(ProgramReader& reader, const KernelTable& kernels) {
  return std::make_unique<ChannelInteraction>(reader, kernels);
}

}  // namespace bitpath
