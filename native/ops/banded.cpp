// The cut of an instruction's output into tasks.
#include <algorithm>

#include "op.h"

namespace bitpath {

namespace {

// Output floats of a band: a quarter of a 32 kB L1, so that residual, output, windows and weights find room beside it.
constexpr int64_t kBandFloats = 4096;

}  // namespace

void BandedOp::finishLoad(ProgramReader& reader, int maxRows) {
  // Tasks of a pass, at most a row each, are numbered in 32 bits.
  if (int64_t{output_.height} * reader.batch > INT32_MAX) reader.fail("too many rows in a batch");
  steps_.load(reader, output_);
  const int64_t rowFloats = static_cast<int64_t>(output_.width) * output_.channels;
  const int64_t rows = std::max<int64_t>(maxRows, std::max<int64_t>(1, kBandFloats / rowFloats));
  rowUnit_ = steps_.poolsRows() ? 2 : 1;
  maxRows_ = static_cast<int>(std::min<int64_t>(roundUp(rows, rowUnit_), output_.height));
}

BandedOp::Cut BandedOp::cut(const Pass& pass) const {
  const int64_t allRows = static_cast<int64_t>(output_.height) * pass.images;
  // Two tasks a thread at least, where there are several: cores are seldom equally quick.
  const int64_t share = std::max<int64_t>(1, divideUp(allRows, pass.threads == 1 ? 1 : 2 * pass.threads));
  Cut cut;
  cut.rows = static_cast<int>(std::min<int64_t>(maxRows_, roundUp(share, rowUnit_)));
  cut.bandsPerImage = static_cast<int>(divideUp(output_.height, cut.rows));
  cut.chunks = 1;
  if (channelChunk() > 0 && allRows < pass.threads && !steps_.hasSign()) {
    cut.chunks = static_cast<int>(std::min<int64_t>(divideUp(output_.channels, channelChunk()), pass.threads));
  }
  return cut;
}

int64_t BandedOp::tasks(const Pass& pass) const {
  const Cut c = cut(pass);
  return static_cast<int64_t>(pass.images) * c.bandsPerImage * c.chunks;
}

void BandedOp::run(int64_t task, const Pass& pass, uint8_t* scratch) const {
  const Cut c = cut(pass);
  const int64_t bandIndex = task / c.chunks;
  Band band;
  band.image = static_cast<int>(bandIndex / c.bandsPerImage);
  band.firstRow = static_cast<int>(bandIndex % c.bandsPerImage) * c.rows;
  band.rows = std::min(c.rows, output_.height - band.firstRow);

  int firstChannel = 0, channels = output_.channels;
  if (c.chunks > 1) {
    const int chunk = channelChunk();
    const int64_t units = divideUp(output_.channels, chunk);
    const int64_t part = task % c.chunks;
    firstChannel = static_cast<int>(units * part / c.chunks) * chunk;
    channels = std::min<int>(output_.channels, static_cast<int>(units * (part + 1) / c.chunks) * chunk) - firstChannel;
  }

  steps_.clearRows(pass.arena, band.image, band.firstRow, band.rows);
  BoundStep bound[Steps::kMax];
  compute(band, pass, steps_.bind(bound, pass.arena, band.image, band.firstRow), scratch, firstChannel, channels);
}

void BandedOp::computeInto(const Band& band, const Pass& pass, float* to, uint8_t* scratch) const {
  BoundStep bound[Steps::kMax];
  Epilogue epilogue = steps_.bind(bound, pass.arena, 0, 0);
  BoundStep& store = bound[epilogue.stepCount++];  // elementWise() leaves room
  store = BoundStep{};
  store.kind = StepKind::Store;
  // Kernels count pixels from the map's first on.
  store.map = to - firstPixel(band) * output_.channels;
  store.pixelStride = output_.channels;
  compute(band, pass, epilogue, scratch, 0, output_.channels);
}

size_t BandedOp::scratchBytes() const { return static_cast<size_t>(computeScratch(maxRows_)); }

OpInfo BandedOp::info() const {
  OpInfo info;
  info.op = name_;
  info.output = output_;
  info.weightBytes = steps_.constantBytes();
  info.mapBytes = steps_.mapBytes();
  info.steps = steps_.names();
  return info;
}

}  // namespace bitpath
