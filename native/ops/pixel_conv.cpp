// The picture stem: uint8 pixels · int16 (or int8) weights, summed exactly in int32. Normalisation is folded into weights and bias;
// taps outside the picture stay out of the sum, and the bias, which depends on the border, accounts for them.
#include <cstdlib>
#include <cstring>

#include "op.h"
#include "window.h"

namespace bitpath {

namespace {

constexpr int kCopiedRows = 4;

// Pixel and Weight are what the kernel multiplies: int16 both, or uint8 and int8.
template <typename Pixel, typename Weight>
class PixelConv final : public BandedOp {
  static constexpr int kGroup = 4 / sizeof(Weight);

 public:
  // `weightBytes`: of a weight in the constants, at most sizeof(Weight).
  PixelConv(ProgramReader& r, const KernelTable& kernels, int weightBytes)
      : BandedOp("pixelConv", kernels), input_(r.input), weightBytes_(weightBytes) {
    output_ = r.extent();
    window_.readKernelAndStride(r);
    window_.readPadding(r);
    window_.readDilation(r);
    const int channels = input_.channels;
    if (window_.taps() > (1 << 24) / channels) r.fail("more than 2^24 weights in a window");
    segments_ = Segments(window_, window_.dilationW == 1 || window_.kernelW == 1, channels);
    columns_ = window_.columnSpan(output_.width);
    if (columns_ > (1 << 24) || columns_ * channels > (1 << 28)) r.fail("a padded row is too long");
    if (window_.rowSpan(output_.height) > INT32_MAX) r.fail("the windows span too many rows");

    const int64_t k = window_.taps() * channels;
    const std::vector<Weight> weights = readWeights(r, k);
    const int64_t length = roundUp(segments_.length, kGroup);
    weights_ = AlignedBuffer(static_cast<size_t>(divideUp(output_.channels, kernels_.lanes) * kernels_.lanes *
                                                 segments_.count * length * int64_t{sizeof(Weight)}));
    packGemmWeights(weights.data(), output_.channels, segments_.count, segments_.length, kernels_.lanes, kGroup,
                    weights_.as<Weight>());
    segments_.length = static_cast<int>(length);

    scale_ = r.constant<float>("scale", output_.channels, kLaneSlack);
    const int yClasses = r.integer("yClassCount", 1, output_.height);
    const int xClasses = r.integer("xClassCount", 1, output_.width);
    yClass_ = readClasses(r, "yClass", output_.height, yClasses);
    xBias_ = readClasses(r, "xClass", output_.width, xClasses);
    const int64_t classes = int64_t{yClasses} * xClasses;
    if (classes * output_.channels > INT32_MAX) r.fail("too many border classes");
    bias_ = r.constant<float>("bias", classes * output_.channels, kLaneSlack);
    yBiasStride_ = int64_t{xClasses} * output_.channels;
    interior_ = Interior(xBias_);
    for (int32_t& x : xBias_) x *= output_.channels;
    finishLoad(r, kCopiedRows);
  }

  bool readsPixels() const override { return true; }

  OpInfo info() const override {
    OpInfo info = BandedOp::info();
    info.kernel = std::string(kernels_.gemmName) + (sizeof(Weight) == 1 ? "_int8" : "_int16");
    info.weightBytes += static_cast<int64_t>(weights_.bytes() + bias_.bytes() + scale_.bytes());
    info.mapBytes += input_.pixels() * input_.channels;
    info.macs = output_.pixels() * output_.channels * window_.taps() * input_.channels;
    return info;
  }

 protected:
  void compute(const Band& band, const Pass& pass, const Epilogue& epilogue, uint8_t* scratch, int,
               int) const override {
    const Pixel** pointers = reinterpret_cast<const Pixel**>(scratch);
    const float** rowBias = reinterpret_cast<const float**>(scratch + pointerBytes(band.rows));
    Pixel* rows = reinterpret_cast<Pixel*>(scratch + pointerBytes(band.rows) + biasBytes(band.rows));
    copyRows(band, static_cast<const uint8_t*>(pass.input) + band.image * input_.pixels() * input_.channels, rows);
    const Pixel** to = pointers;
    for (int r = 0; r < band.rows; ++r, to += segments_.count) {
      rowBias[r] = bias_.as<float>() + yClass_[band.firstRow + r] * yBiasStride_;
      segments_.point(window_, to, ptrdiff_t{input_.channels} * window_.dilationW, [&](int ky) -> const Pixel* {
        return rows + (int64_t{r} * window_.strideH + int64_t{ky} * window_.dilationH) * rowElements();
      });
    }
    PixelConvArgs<Pixel, Weight> args{};
    args.windows = makeWindows<Pixel>(segments_, pointers, ptrdiff_t{input_.channels} * window_.strideW, band.rows,
                                      output_.width, firstPixel(band), 0, output_.channels);
    args.weights = weights_.as<Weight>();
    args.scale = scale_.as<float>();
    args.rowBias = rowBias;
    args.xBias = xBias_.data();
    args.interiorFirst = interior_.first;
    args.interiorLast = interior_.last;
    args.epilogue = epilogue;
    if constexpr (sizeof(Weight) == 1) {
      kernels_.pixelGemm8(args);
    } else {
      kernels_.pixelGemm(args);
    }
  }

  int64_t computeScratch(int rows) const override {
    return pointerBytes(rows) + biasBytes(rows) + window_.rowSpan(rows) * rowElements() * int64_t{sizeof(Pixel)};
  }

 private:
  int64_t pointerBytes(int rows) const { return roundUp(int64_t{rows} * segments_.count * 8, kLineBytes); }
  int64_t biasBytes(int rows) const { return roundUp(int64_t{rows} * 8, kLineBytes); }
  // The kernel reads whole groups: a few elements after the segment at the row's very end.
  int64_t rowElements() const { return columns_ * input_.channels + kGroup; }

  // |sum| ≤ 255·Σ|w| < 2³¹ for any picture: int32 cannot overflow, however the products are grouped.
  std::vector<Weight> readWeights(ProgramReader& r, int64_t k) const {
    const uint8_t* bytes = r.view("weight", output_.channels * k * weightBytes_, weightBytes_);
    std::vector<Weight> weights(static_cast<size_t>(output_.channels * k));
    for (int o = 0; o < output_.channels; ++o) {
      int64_t sum = 0;
      for (int64_t i = o * k; i < (o + 1) * k; ++i) {
        const int w =
            weightBytes_ == 1 ? reinterpret_cast<const int8_t*>(bytes)[i] : reinterpret_cast<const int16_t*>(bytes)[i];
        if (w == (weightBytes_ == 1 ? INT8_MIN : INT16_MIN)) r.fail("a weight of a pixel conv has no opposite");
        sum += std::abs(w);
        weights[static_cast<size_t>(i)] = static_cast<Weight>(w);
      }
      if (sum * 255 > INT32_MAX) r.fail("the weights of a pixel conv can overflow 32 bits");
    }
    return weights;
  }

  static std::vector<int32_t> readClasses(ProgramReader& r, const char* name, int count, int classes) {
    const AlignedBuffer values = r.constant<int32_t>(name, count);
    std::vector<int32_t> of(values.as<int32_t>(), values.as<int32_t>() + count);
    for (int32_t c : of) {
      if (c < 0 || c >= classes) r.fail(std::string(name) + " names a class that does not exist");
    }
    return of;
  }

  void copyRows(const Band& band, const uint8_t* image, Pixel* to) const {
    const int channels = input_.channels;
    const int64_t firstRow = int64_t{band.firstRow} * window_.strideH - window_.padTop;
    const int64_t left = std::min<int64_t>(window_.padLeft, columns_);
    const int64_t middle = std::max<int64_t>(0, std::min<int64_t>(input_.width, columns_ - left));
    for (int64_t row = 0; row < window_.rowSpan(band.rows); ++row, to += rowElements()) {
      const int64_t y = firstRow + row;
      if (y < 0 || y >= input_.height) {
        std::memset(to, 0, static_cast<size_t>(rowElements()) * sizeof(Pixel));
        continue;
      }
      const uint8_t* from = image + y * input_.width * channels;
      Pixel *pixels = to + left * channels, *end = pixels + middle * channels;
      std::memset(to, 0, static_cast<size_t>(pixels - to) * sizeof(Pixel));
      for (int64_t i = 0; i < middle * channels; ++i) pixels[i] = from[i];
      std::memset(end, 0, static_cast<size_t>(to + rowElements() - end) * sizeof(Pixel));
    }
  }

  Extent input_;
  int weightBytes_;
  WindowShape window_;
  Segments segments_;
  int64_t columns_ = 0;
  AlignedBuffer weights_, scale_, bias_;
  int64_t yBiasStride_ = 0;
  std::vector<int32_t> yClass_, xBias_;
  Interior interior_;
};

}  // namespace

std::unique_ptr<BandedOp> loadPixelConv(ProgramReader& reader, const KernelTable& kernels) {
  const int weightBytes = reader.integer("weightBytes", 1, 2);
  if (weightBytes == 1 && kernels.pixelGemm8 != nullptr) {
    return std::make_unique<PixelConv<uint8_t, int8_t>>(reader, kernels, weightBytes);
  }
  return std::make_unique<PixelConv<int16_t, int16_t>>(reader, kernels, weightBytes);
}

}  // namespace bitpath
