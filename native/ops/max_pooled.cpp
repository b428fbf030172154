// A convolution and the max pooling after it in one: of the map between them, which is the network's largest, a few rows exist
// at a time, in cache.
#include <algorithm>
#include <cstring>

#include "op.h"
#include "window.h"

namespace bitpath {

namespace {

// Floats of the rows in between that are made at a time: they, the source rows and the weights share a core's L2.
constexpr int64_t kRowFloats = 1 << 16;

class MaxPooled final : public BandedOp {
 public:
  MaxPooled(ProgramReader& r, const KernelTable& kernels, std::unique_ptr<BandedOp> inner)
      : BandedOp("maxPooled", kernels), inner_(std::move(inner)) {
    if (!inner_->steps().elementWise()) r.fail("a step of a pooled conv touches a map");
    between_ = inner_->output();
    output_ = window_.readPool(r, between_);
    finishLoad(r);
    const int64_t rowFloats = int64_t{between_.width} * between_.channels;
    const int64_t fitting = std::max<int64_t>(1, (kRowFloats / rowFloats - window_.kernelH) / window_.strideH + 1);
    // As many as make one band of the inner op, which reads some source rows again for each of its bands.
    const int64_t band = std::max<int64_t>(maxRows(), inner_->maxRows() / window_.strideH);
    poolRows_ = static_cast<int>(std::min<int64_t>(roundUp(std::min(fitting, band), rowUnit()), output_.height));
    betweenRows_ = std::min<int64_t>(window_.rowSpan(poolRows_), between_.height);
  }

  // A part of an image: rows that two parts need are made twice, so parts are few.
  int64_t tasks(const Pass& pass) const override { return int64_t{pass.images} * parts(pass); }

  void run(int64_t task, const Pass& pass, uint8_t* scratch) const override {
    const int64_t part = task % parts(pass);
    const int image = static_cast<int>(task / parts(pass));
    const int end = firstRow(part + 1, pass);
    Rows rows{reinterpret_cast<float*>(scratch), scratch + betweenBytes(), 0, 0};
    for (int y = firstRow(part, pass); y < end; y += poolRows_) {
      const Band band{image, y, std::min(poolRows_, end - y)};
      fill(rows, band, pass);
      poolBand(rows, band, pass);
    }
  }

  size_t scratchBytes() const override { return static_cast<size_t>(betweenBytes()) + inner_->scratchBytes(); }

  bool readsPixels() const override { return inner_->readsPixels(); }

  OpInfo info() const override {
    OpInfo info = inner_->info();
    const OpInfo own = BandedOp::info();
    info.kernel += "_max_pooled";
    info.output = own.output;
    info.weightBytes += own.weightBytes;
    info.mapBytes += own.mapBytes;
    info.steps.push_back("maxPool");
    info.steps.insert(info.steps.end(), own.steps.begin(), own.steps.end());
    return info;
  }

 protected:
  void compute(const Band&, const Pass&, const Epilogue&, uint8_t*, int, int) const override {}  // run() does it all

 private:
  // Rows first … last − 1 of the map in between.
  struct Rows {
    float* data;
    uint8_t* scratch;  // of the inner op
    int64_t first, last;
  };

  int64_t parts(const Pass& pass) const {
    return pass.threads <= pass.images ? 1 : std::min<int64_t>(output_.height / rowUnit(), 2 * pass.threads);
  }
  int firstRow(int64_t part, const Pass& pass) const {
    return static_cast<int>(output_.height / rowUnit() * part / parts(pass)) * rowUnit();
  }
  int64_t rowFloats() const { return int64_t{between_.width} * between_.channels; }
  int64_t betweenBytes() const { return roundUp(betweenRows_ * rowFloats() * 4, kLineBytes); }

  // Makes the rows that the band pools, keeping those that the band before has left.
  void fill(Rows& rows, const Band& band, const Pass& pass) const {
    const int64_t top = int64_t{band.firstRow} * window_.strideH - window_.padTop;
    const int64_t first = std::max<int64_t>(0, top);
    const int64_t last = std::min<int64_t>(between_.height, top + window_.rowSpan(band.rows));
    const int64_t kept = rows.last > first ? rows.last - first : 0;
    if (kept > 0) {
      std::memmove(rows.data, rows.data + (first - rows.first) * rowFloats(),
                   static_cast<size_t>(kept * rowFloats()) * 4);
    }
    for (int64_t row = first + kept; row < last; row += inner_->maxRows()) {
      const Band inner{band.image, static_cast<int>(row),
                       static_cast<int>(std::min<int64_t>(inner_->maxRows(), last - row))};
      inner_->computeInto(inner, pass, rows.data + (row - first) * rowFloats(), rows.scratch);
    }
    rows.first = first;
    rows.last = last;
  }

  void poolBand(const Rows& rows, const Band& band, const Pass& pass) const {
    steps_.clearRows(pass.arena, band.image, band.firstRow, band.rows);
    BoundStep bound[Steps::kMax];
    PoolArgs args = window_.poolArgs(rows.data, between_, between_.channels, output_, band);
    // The rows at hand stand for the whole map: the first of them is row rows.first.
    args.height = static_cast<int>(rows.last - rows.first);
    args.padTop += static_cast<int>(rows.first);
    args.epilogue = steps_.bind(bound, pass.arena, band.image, band.firstRow);
    args.firstPixel = firstPixel(band);
    kernels_.maxPool(args);
  }

  std::unique_ptr<BandedOp> inner_;
  Extent between_;
  WindowShape window_;
  int poolRows_ = 1;
  int64_t betweenRows_ = 1;
};

}  // namespace

std::unique_ptr<Op> loadMaxPooled(ProgramReader& reader, const KernelTable& kernels, std::unique_ptr<BandedOp> inner) {
  return std::make_unique<MaxPooled>(reader, kernels, std::move(inner));
}

}  // namespace bitpath
