#include "steps.h"

#include <algorithm>
#include <cstring>

namespace bitpath {

namespace {

const char* const kStepNames[] = {"affine", "add",      "scale", "relu",      "prelu",   "store",
                                  "sign",   "hardtanh", "mul",   "mulPixels", "sigmoid", "storeMaxPooled"};

// Rows [first, first + rows) of the padded map: padBit where padding is, and zeros in the planes from `fromPlane` on.
void clear(const BitMap& map, uint8_t* arena, int image, int64_t first, int64_t rows, int fromPlane) {
  uint32_t* words = map.row(arena, image, first);
  const int64_t right = map.padLeft + map.extent.width;
  for (int64_t r = first; r < first + rows; ++r, words += map.rowStride() - map.planes() * map.planeStride()) {
    const bool padding = r < map.padTop || r >= map.padTop + map.extent.height;
    for (int64_t plane = 0; plane < map.planes(); ++plane, words += map.planeStride()) {
      const uint32_t pad = map.padBit ? static_cast<uint32_t>(lowBits(map.extent.channels - plane * kWordBits)) : 0;
      std::fill_n(words, padding ? map.paddedWidth() : map.padLeft, pad);
      if (padding) continue;
      if (plane >= fromPlane) std::fill_n(words + map.padLeft, map.extent.width, 0u);
      std::fill_n(words + right, map.padRight, pad);
    }
  }
}

}  // namespace

void Steps::load(ProgramReader& reader, const Extent& output) {
  output_ = output;
  const int count = reader.integer("stepCount", 0, kMax);
  const int64_t channels = output.channels;
  for (int i = 0; i < count; ++i) {
    Step step{};
    step.kind = static_cast<StepKind>(reader.integer("step", 1, 12) - 1);
    switch (step.kind) {
      case StepKind::Affine:
        step.a = reader.constant<float>("mul", channels, kLaneSlack);
        step.b = reader.constant<float>("add", channels, kLaneSlack);
        break;
      case StepKind::Add:
      case StepKind::Mul:
        step.map = reader.operandMap(output);
        break;
      case StepKind::Store:
        step.map = reader.floatMap(output);
        break;
      case StepKind::StoreMaxPooled:
        if (output.height % 2 != 0 || output.width % 2 != 0) reader.fail("windows of 2×2 do not fill an odd map");
        step.map = reader.floatMap({output.height / 2, output.width / 2, output.channels});
        poolsRows_ = true;
        break;
      case StepKind::MulPixel:
        step.a = reader.constant<float>("factors", output.pixels());
        break;
      case StepKind::AddPixel:  // no step of a Program: what bind() makes of an Add
      case StepKind::Sigmoid:
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
        step.firstBit = reader.integer("firstBit", 0, ProgramReader::kMaxExtent);
        step.tailBit = reader.integer("tailBit", 0, ProgramReader::kMaxExtent);
        step.clearedFrom = reader.integer("clearedFrom", -1, ProgramReader::kMaxExtent);
        const int64_t tail = channels % kSignRun;
        if (step.bits.extent.height != output.height || step.bits.extent.width != output.width ||
            step.firstBit + channels - tail > step.bits.extent.channels ||
            step.tailBit + tail > step.bits.extent.channels) {
          reader.fail("a sign's bit map has not the shape of the instruction's output");
        }
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

// Kernels count pixels through all images; what is the same for each begins anew. The result is only read `floats` further on.
float* Steps::imageBefore(float* map, int64_t floats) {
  return reinterpret_cast<float*>(reinterpret_cast<uintptr_t>(map) - static_cast<uintptr_t>(floats) * sizeof(float));
}

void Steps::bindOperand(const FloatMap& map, int image, BoundStep& to) const {
  if (map.extent.channels != output_.channels) {
    to.kind = to.kind == StepKind::Add ? StepKind::AddPixel : StepKind::MulPixel;
  }
  if (map.extent.pixels() == output_.pixels()) return;
  to.map += image * map.pixelStride;
  to.pixelStride = 0;
}

Epilogue Steps::bind(BoundStep (&bound)[kMax], uint8_t* arena, int image, int firstRow) const {
  int count = 0;
  for (const Step& step : steps_) {
    BoundStep& to = bound[count++];
    to = BoundStep{};
    to.kind = step.kind;
    to.a = step.a.as<float>();
    to.b = step.b.as<float>();
    to.factor = step.factor;
    to.max = step.max;
    to.map = step.map.at(arena);
    to.pixelStride = static_cast<ptrdiff_t>(step.map.pixelStride);
    if (step.kind == StepKind::Add || step.kind == StepKind::Mul) bindOperand(step.map, image, to);
    if (step.kind == StepKind::MulPixel) {
      to.map = imageBefore(const_cast<float*>(to.a), image * output_.pixels());
      to.pixelStride = 1;
    }
    if (step.kind == StepKind::StoreMaxPooled) {
      to.rowStride = step.map.extent.width * to.pixelStride;
      to.map += image * step.map.extent.pixels() * to.pixelStride + firstRow / 2 * to.rowStride;
    }
    if (step.kind != StepKind::Sign) continue;
    const BitMap& map = step.bits;
    to.bits = map.row(arena, image, map.padTop + firstRow) + map.padLeft;
    to.firstBit = step.firstBit;
    to.tailChannel = output_.channels - output_.channels % kSignRun;
    to.tailBit = step.tailBit;
    to.planeStride = static_cast<ptrdiff_t>(map.planeStride());
    to.rowStride = static_cast<ptrdiff_t>(map.rowStride());
  }
  return {bound, count};
}

void Steps::clearRows(uint8_t* arena, int image, int firstRow, int rows) const {
  for (const Step& step : steps_) {
    if (step.kind != StepKind::Sign || step.clearedFrom < 0) continue;
    const BitMap& map = step.bits;
    const int64_t first = firstRow == 0 ? 0 : map.padTop + firstRow;
    const int64_t last = firstRow + rows == output_.height ? map.paddedHeight() : map.padTop + firstRow + rows;
    clear(map, arena, image, first, last - first, step.clearedFrom);
  }
}

bool Steps::elementWise() const {
  for (const Step& step : steps_) {
    switch (step.kind) {
      case StepKind::Affine:
      case StepKind::Scale:
      case StepKind::Relu:
      case StepKind::Prelu:
      case StepKind::Hardtanh:
      case StepKind::Sigmoid:
        break;
      default:
        return false;
    }
  }
  return steps_.size() < kMax;
}

int64_t Steps::constantBytes() const {
  int64_t bytes = 0;
  for (const Step& step : steps_) bytes += static_cast<int64_t>(step.a.bytes() + step.b.bytes());
  return bytes;
}

int64_t Steps::mapBytes() const {
  int64_t bytes = 0;
  for (const Step& step : steps_) {
    if (step.kind == StepKind::Add || step.kind == StepKind::Mul || step.kind == StepKind::Store ||
        step.kind == StepKind::StoreMaxPooled) {
      bytes += step.map.extent.pixels() * step.map.extent.channels * 4;
    }
    if (step.kind == StepKind::Sign) bytes += output_.pixels() * divideUp(output_.channels, 8);
  }
  return bytes;
}

std::vector<const char*> Steps::names() const {
  std::vector<const char*> names;
  for (const Step& step : steps_) names.push_back(kStepNames[static_cast<int>(step.kind)]);
  return names;
}

}  // namespace bitpath
