// The cut of an instruction's output into tasks.
#include <algorithm>
#include <cstring>

#include "op.h"

namespace bitpath {

namespace {

// Output floats of a band: a quarter of a 32 kB L1, so that residual, output, windows and weights find room beside it.
constexpr int64_t kBandFloats = 4096;

}  // namespace

void BandedOp::finishLoad(ProgramReader& reader, int maxRows) {
  steps_.load(reader, output_);
  const int64_t rowFloats = static_cast<int64_t>(output_.width) * output_.channels;
  const int64_t rows = std::max<int64_t>(maxRows, std::max<int64_t>(1, kBandFloats / rowFloats));
  maxRows_ = static_cast<int>(std::min<int64_t>(rows, output_.height));
}

BandedOp::Cut BandedOp::cut(const Pass& pass) const {
  const int64_t allRows = static_cast<int64_t>(output_.height) * pass.images;
  const int64_t share = std::max<int64_t>(1, divideUp(allRows, pass.threads));
  Cut cut;
  cut.rows = static_cast<int>(std::min<int64_t>(maxRows_, share));
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

  const int64_t pixels = static_cast<int64_t>(band.rows) * output_.width;
  const int64_t firstPixel = band.image * output_.pixels() + static_cast<int64_t>(band.firstRow) * output_.width;
  const int64_t maskBytes = steps_.maskBytes(pixels);
  uint8_t* masks = scratch;
  if (maskBytes > 0) std::memset(masks, 0, static_cast<size_t>(maskBytes));
  BoundStep bound[Steps::kMax];
  const Epilogue epilogue = steps_.bind(bound, pass.arena, masks, firstPixel, pixels);
  compute(band, pass, epilogue, scratch + roundUp(maskBytes, kLineBytes), firstChannel, channels);
  if (maskBytes > 0) steps_.packRows(pass.arena, masks, band.image, band.firstRow, band.rows);
}

void BandedOp::computeInto(const Band& band, const Pass& pass, float* to, uint8_t* scratch) const {
  BoundStep bound[Steps::kMax];
  Epilogue epilogue = steps_.bind(bound, pass.arena, nullptr, 0, 0);
  BoundStep& store = bound[epilogue.stepCount++];  // elementWise() leaves room
  store.kind = StepKind::Store;
  store.map = to;
  store.pixelStride = output_.channels;
  compute(band, pass, epilogue, scratch, 0, output_.channels);
}

size_t BandedOp::scratchBytes() const {
  const int64_t masks = steps_.maskBytes(static_cast<int64_t>(maxRows_) * output_.width);
  return static_cast<size_t>(roundUp(masks, kLineBytes) + computeScratch(maxRows_));
}

OpInfo BandedOp::info() const {
  OpInfo info;
  info.op = name_;
  info.output = output_;
  info.weightBytes = steps_.constantBytes();
  info.steps = steps_.names();
  return info;
}

}  // namespace bitpath
