// Real-valued convolution; with a 1×1 map, the classifier. Windows are read from the map itself where they lie in it; where
// they reach over its border, or the map is a slice of a wider one, the band's rows are first copied with zeros around them.
#include <cstring>

#include "op.h"
#include "window.h"

namespace bitpath {

namespace {

constexpr int kCopiedRows = 4;  // of a band at least, where neighbouring bands copy kernelH − 1 rows twice
constexpr int kChannelChunk = 64;

class Conv final : public BandedOp {
 public:
  Conv(ProgramReader& r, const KernelTable& kernels) : BandedOp("conv", kernels) {
    source_ = r.floatMap();
    output_ = r.extent();
    window_.readKernelAndStride(r);
    window_.readPadding(r);
    window_.readDilation(r);
    const int channels = source_.extent.channels;
    groups_ = r.integer("groups", 1, channels);
    if (channels % groups_ != 0 || output_.channels % groups_ != 0) r.fail("groups do not divide the channels");
    groupChannels_ = channels / groups_;
    groupOutputs_ = output_.channels / groups_;
    if (window_.taps() > (1 << 24) / groupChannels_) r.fail("more than 2^24 weights in a window");

    const bool inside = window_.padTop == 0 && window_.padLeft == 0 &&
                        window_.rowSpan(output_.height) <= source_.extent.height &&
                        window_.columnSpan(output_.width) <= source_.extent.width;
    const bool dense = source_.pixelStride == channels || window_.kernelW == 1;
    copied_ = !inside || !dense;
    segments_ = Segments(window_, groups_ == 1 && (window_.dilationW == 1 || window_.kernelW == 1), groupChannels_);
    columns_ = window_.columnSpan(output_.width);
    if (columns_ > (1 << 24) || columns_ * channels > (1 << 28)) r.fail("a padded row is too long");
    if (window_.rowSpan(output_.height) > INT32_MAX) r.fail("the windows span too many rows");

    const int64_t k = window_.taps() * groupChannels_;
    const uint8_t* weights = r.view("weight", output_.channels * k * 4, 4);
    const int64_t groupBlock = divideUp(groupOutputs_, kernels_.lanes) * kernels_.lanes * k;
    groupWeights_ = groupBlock;
    weights_ = AlignedBuffer(static_cast<size_t>(groupBlock * groups_ * 4));
    for (int g = 0; g < groups_; ++g) {
      packGemmWeights(reinterpret_cast<const float*>(weights) + g * groupOutputs_ * k, groupOutputs_, segments_.count,
                      segments_.length, kernels_.lanes, 1, weights_.as<float>() + g * groupBlock);
    }
    finishLoad(r, copied_ ? kCopiedRows : 0);
  }

  OpInfo info() const override {
    OpInfo info = BandedOp::info();
    info.kernel = std::string(kernels_.gemmName) + (copied_ ? "_padded" : "_direct");
    info.weightBytes += static_cast<int64_t>(weights_.bytes());
    info.mapBytes += source_.extent.pixels() * source_.extent.channels * 4;
    info.macs = output_.pixels() * output_.channels * window_.taps() * groupChannels_;
    return info;
  }

 protected:
  void compute(const Band& band, const Pass& pass, const Epilogue& epilogue, uint8_t* scratch, int firstChannel,
               int channels) const override {
    const float** pointers = reinterpret_cast<const float**>(scratch);
    float* rows = reinterpret_cast<float*>(scratch + pointerBytes(band.rows));
    if (copied_) copyRows(band, pass, rows);
    const ptrdiff_t pixel = static_cast<ptrdiff_t>(copied_ ? source_.extent.channels : source_.pixelStride);
    for (int group = 0; group < groups_; ++group) {
      const float** to = pointers;
      for (int r = 0; r < band.rows; ++r, to += segments_.count) {
        segments_.point(window_, to, pixel * window_.dilationW,
                        [&](int ky) { return sourceRow(band, pass, rows, r, ky) + group * groupChannels_; });
      }
      GemmArgs args{};
      // With groups, firstChannel is 0 and all channels are wanted: cut() only splits where channelChunk() is not 0.
      const int first = groups_ == 1 ? firstChannel : group * groupOutputs_;
      args.windows = makeWindows<float>(segments_, pointers, pixel * window_.strideW, band.rows, output_.width,
                                        firstPixel(band), first, groups_ == 1 ? channels : groupOutputs_);
      args.weights =
          weights_.as<float>() + group * groupWeights_ + (groups_ == 1 ? first * window_.taps() * groupChannels_ : 0);
      args.epilogue = epilogue;
      kernels_.gemm(args);
    }
  }

  int64_t computeScratch(int rows) const override {
    const int64_t copied = copied_ ? window_.rowSpan(rows) * columns_ * source_.extent.channels * 4 : 0;
    return pointerBytes(rows) + copied;
  }
  int channelChunk() const override { return groups_ == 1 ? kChannelChunk : 0; }

 private:
  int64_t pointerBytes(int rows) const { return roundUp(int64_t{rows} * segments_.count * 8, kLineBytes); }

  const float* sourceRow(const Band& band, const Pass& pass, const float* rows, int r, int ky) const {
    const int64_t tap = int64_t{ky} * window_.dilationH;
    if (copied_) return rows + (int64_t{r} * window_.strideH + tap) * columns_ * source_.extent.channels;
    const int64_t row = int64_t{band.firstRow + r} * window_.strideH + tap;
    return source_.at(pass.arena) +
           (band.image * source_.extent.pixels() + row * source_.extent.width) * source_.pixelStride;
  }

  void copyRows(const Band& band, const Pass& pass, float* to) const {
    const int channels = source_.extent.channels;
    const int64_t firstRow = int64_t{band.firstRow} * window_.strideH - window_.padTop;
    const int64_t left = std::min<int64_t>(window_.padLeft, columns_);
    const int64_t middle = std::max<int64_t>(0, std::min<int64_t>(source_.extent.width, columns_ - left));
    for (int64_t row = 0; row < window_.rowSpan(band.rows); ++row, to += columns_ * channels) {
      const int64_t y = firstRow + row;
      std::memset(to, 0, static_cast<size_t>(columns_ * channels) * 4);
      if (y < 0 || y >= source_.extent.height) continue;
      const float* from = source_.at(pass.arena) +
                          (band.image * source_.extent.pixels() + y * source_.extent.width) * source_.pixelStride;
      if (source_.pixelStride == channels) {
        std::memcpy(to + left * channels, from, static_cast<size_t>(middle * channels) * 4);
      } else {
        for (int64_t x = 0; x < middle; ++x) {
          std::memcpy(to + (left + x) * channels, from + x * source_.pixelStride, static_cast<size_t>(channels) * 4);
        }
      }
    }
  }

  FloatMap source_;
  WindowShape window_;
  Segments segments_;
  int groups_ = 1, groupChannels_ = 1, groupOutputs_ = 1;
  bool copied_ = false;
  int64_t columns_ = 0;  // source columns that the windows of a row span, padding included
  AlignedBuffer weights_;
  int64_t groupWeights_ = 0;
};

}  // namespace

std::unique_ptr<BandedOp> loadConv(ProgramReader& reader, const KernelTable& kernels) {
  return std::make_unique<Conv>(reader, kernels);
}

}  // namespace bitpath
