#include "steps.h"

#include <cstring>

namespace bitpath {

namespace {

// Vectors of 8 channels are loaded from any channel on (groups need not begin at a multiple of 8).
constexpr int kLaneSlack = 8;

const char* const kStepNames[] = {"affine", "add", "scale", "relu", "prelu", "store", "sign", "hardtanh"};

// One row: padding, the pixels' mask bytes, padding.
void packRow(const BitMap& map, const uint8_t* masks, int maskStride, uint64_t* row) {
  const int64_t channels = map.extent.channels;
  BitWriter writer(row);
  writer.fill(map.padBit, map.padLeft * channels);
  if (channels % 8 == 0 && map.padLeft * channels % 8 == 0) {
    // The masks are the row's bytes already.
    writer.finish(row + map.rowStride());
    uint8_t* bytes = reinterpret_cast<uint8_t*>(row) + map.padLeft * channels / 8;
    std::memcpy(bytes, masks, static_cast<size_t>(map.extent.width) * maskStride);
    if (map.padBit && map.padRight > 0) {
      std::memset(bytes + static_cast<size_t>(map.extent.width) * maskStride, 0xff,
                  static_cast<size_t>(map.padRight * channels / 8));
    }
    return;
  }
  for (int x = 0; x < map.extent.width; ++x, masks += maskStride) {
    for (int64_t c = 0; c < channels; c += kWordBits) {
      uint64_t word;  // may hold the next pixel's first bits too, or the slack after the last one: append() drops them
      std::memcpy(&word, masks + c / 8, sizeof word);
      writer.append(word, channels - c < kWordBits ? channels - c : kWordBits);
    }
  }
  writer.fill(map.padBit, map.padRight * channels);
  writer.finish(row + map.rowStride());
}

void packPaddingRow(const BitMap& map, uint64_t* row) {
  BitWriter writer(row);
  writer.fill(map.padBit, map.paddedWidth() * map.extent.channels);
  writer.finish(row + map.rowStride());
}

}  // namespace

void Steps::load(ProgramReader& reader, const Extent& output) {
  output_ = output;
  const int count = reader.integer("stepCount", 0, kMax);
  const int64_t channels = output.channels;
  for (int i = 0; i < count; ++i) {
    Step step{};
    step.kind = static_cast<StepKind>(reader.integer("step", 1, 8) - 1);
    switch (step.kind) {
      case StepKind::Affine:
        step.a = reader.constant<float>("mul", channels, kLaneSlack);
        step.b = reader.constant<float>("add", channels, kLaneSlack);
        break;
      case StepKind::Add:
      case StepKind::Store:
        step.map = reader.floatMap(output);
        break;
      case StepKind::Scale:
        step.factor = reader.factor();
        break;
      case StepKind::Relu:
        break;
      case StepKind::Hardtanh:
        step.factor = reader.factor();
        step.max = reader.factor();
        break;
      case StepKind::Prelu:
        step.a = reader.constant<float>("slope", channels, kLaneSlack);
        break;
      case StepKind::Sign: {
        step.bits = reader.bitMap();
        if (!(step.bits.extent == output))
          reader.fail("a sign's bit map has not the shape of the instruction's output");
        step.a = reader.optionalConstant<float>("threshold", channels, kLaneSlack);
        step.b = reader.optionalConstant<float>("flip", channels, kLaneSlack);
        for (int64_t c = 0; c < channels; ++c) {
          if ((step.b.as<uint32_t>()[c] & 0x7fffffffu) != 0) reader.fail("flip is neither 0 nor the sign bit");
        }
        ++signs_;
        break;
      }
    }
    steps_.push_back(std::move(step));
  }
}

Epilogue Steps::bind(BoundStep (&bound)[kMax], uint8_t* arena, uint8_t* masks, int64_t firstPixel,
                     int64_t pixels) const {
  int count = 0;
  for (const Step& step : steps_) {
    BoundStep& to = bound[count++];
    to.kind = step.kind;
    to.a = step.a.as<float>();
    to.b = step.b.as<float>();
    to.factor = step.factor;
    to.max = step.max;
    to.map = step.map.at(arena);
    to.pixelStride = static_cast<ptrdiff_t>(step.map.pixelStride);
    to.masks = masks;
    if (step.kind == StepKind::Sign) masks += pixels * maskStride();
  }
  return {bound, count, maskStride(), firstPixel};
}

void Steps::packRows(uint8_t* arena, const uint8_t* masks, int image, int firstRow, int rows) const {
  for (const Step& step : steps_) {
    if (step.kind != StepKind::Sign) continue;
    const BitMap& map = step.bits;
    if (firstRow == 0) {
      for (int r = 0; r < map.padTop; ++r) packPaddingRow(map, map.row(arena, image, r));
    }
    for (int r = 0; r < rows; ++r, masks += static_cast<ptrdiff_t>(output_.width) * maskStride()) {
      packRow(map, masks, maskStride(), map.row(arena, image, map.padTop + firstRow + r));
    }
    if (firstRow + rows == output_.height) {
      for (int64_t r = map.padTop + output_.height; r < map.paddedHeight(); ++r) {
        packPaddingRow(map, map.row(arena, image, r));
      }
    }
  }
}

bool Steps::elementWise() const {
  for (const Step& step : steps_) {
    if (step.kind == StepKind::Add || step.kind == StepKind::Store || step.kind == StepKind::Sign) return false;
  }
  return steps_.size() < kMax;
}

int64_t Steps::constantBytes() const {
  int64_t bytes = 0;
  for (const Step& step : steps_) bytes += static_cast<int64_t>(step.a.bytes() + step.b.bytes());
  return bytes;
}

std::vector<const char*> Steps::names() const {
  std::vector<const char*> names;
  for (const Step& step : steps_) names.push_back(kStepNames[static_cast<int>(step.kind)]);
  return names;
}

}  // namespace bitpath
