// Steps over values that exist already: a map in the arena, or the input.
#include "op.h"

namespace bitpath {

namespace {

class Map final : public BandedOp {
 public:
  Map(ProgramReader& r, const KernelTable& kernels) : BandedOp("map", kernels) {
    source_ = r.floatMap();
    output_ = source_.extent;
    finishLoad(r);
  }

  OpInfo info() const override {
    OpInfo info = BandedOp::info();
    info.mapBytes += output_.pixels() * output_.channels * 4;
    info.kernel = "map";
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
    args.channels = output_.channels;
    args.epilogue = epilogue;
    kernels_.map(args);
  }

 private:
  FloatMap source_;
};

// Brings a row of the input into NHWC floats, then maps it.
class Input final : public BandedOp {
 public:
  Input(ProgramReader& r, const KernelTable& kernels) : BandedOp("input", kernels) {
    output_ = r.input;
    finishLoad(r);
  }

  OpInfo info() const override {
    OpInfo info = BandedOp::info();
    info.mapBytes += output_.pixels() * output_.channels * 4;
    info.kernel = "input";
    return info;
  }

 protected:
  void compute(const Band& band, const Pass& pass, const Epilogue& epilogue, uint8_t* scratch, int,
               int) const override {
    const int64_t channels = output_.channels, pixels = int64_t{band.rows} * output_.width;
    const int64_t inImage = int64_t{band.firstRow} * output_.width;
    float* rows = reinterpret_cast<float*>(scratch);
    if (pass.uint8Input) {
      const uint8_t* from = static_cast<const uint8_t*>(pass.input) + firstPixel(band) * channels;
      for (int64_t i = 0; i < pixels * channels; ++i) rows[i] = from[i];
    } else {
      const float* image = static_cast<const float*>(pass.input) + band.image * output_.pixels() * channels + inImage;
      for (int64_t c = 0; c < channels; ++c) {
        const float* plane = image + c * output_.pixels();
        for (int64_t p = 0; p < pixels; ++p) rows[p * channels + c] = plane[p];
      }
    }
    MapArgs args{};
    args.source = rows;
    args.pixelStride = static_cast<ptrdiff_t>(channels);
    args.firstPixel = firstPixel(band);
    args.rows = band.rows;
    args.width = output_.width;
    args.channels = output_.channels;
    args.epilogue = epilogue;
    kernels_.map(args);
  }

  int64_t computeScratch(int rows) const override { return int64_t{rows} * output_.width * output_.channels * 4; }
};

}  // namespace

std::unique_ptr<Op> loadMap(ProgramReader& reader, const KernelTable& kernels) {
  return std::make_unique<Map>(reader, kernels);
}

std::unique_ptr<Op> loadInput(ProgramReader& reader, const KernelTable& kernels) {
  return std::make_unique<Input>(reader, kernels);
}

}  // namespace bitpath
