#include "reader.h"

#include <cstring>

#include "../base/error.h"

namespace bitpath {

void ProgramReader::fail(const std::string& reason) const {
  throw Error(
      ErrorCode::Program,
      "Invalid program: " + (instruction_ < 0 ? std::string("header") : "instruction " + std::to_string(instruction_)) +
          ": " + reason);
}

int32_t ProgramReader::integer(const char* name, int32_t min, int32_t max) {
  if (position_ >= end_ || position_ >= instructionEnd_) fail(std::string("ends before ") + name);
  const int32_t value = code_[position_++];
  if (value < min || value > max) {
    fail(std::string(name) + " is " + std::to_string(value) + ", expected " + std::to_string(min) + " to " +
         std::to_string(max));
  }
  return value;
}

float ProgramReader::factor() {
  const int32_t bits = integer("factor", INT32_MIN, INT32_MAX);
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

Extent ProgramReader::extent() {
  Extent e;
  e.height = integer("height", 1, kMaxExtent);
  e.width = integer("width", 1, kMaxExtent);
  e.channels = integer("channels", 1, kMaxExtent);
  return e;
}

void ProgramReader::checkInArena(const char* what, int64_t line, int64_t bytesOfOneImage) const {
  const int64_t arenaBytes = arenaLines * static_cast<int64_t>(kLineBytes);
  const int64_t start = line * static_cast<int64_t>(kLineBytes);
  // Division, so that nothing overflows: bytesOfOneImage ≤ 2⁶² by the bounds on extents.
  if (start > arenaBytes || bytesOfOneImage > (arenaBytes - start) / batch) {
    fail(std::string(what) + " at line " + std::to_string(line) + " does not fit the arena");
  }
}

FloatMap ProgramReader::floatMap() {
  FloatMap map;
  map.line = integer("map line", 0, INT32_MAX);
  map.extent = extent();
  map.pixelStride = integer("pixelStride", 1, 1 << 24);
  map.channelOffset = integer("channelOffset", 0, 1 << 24);
  if (map.channelOffset + map.extent.channels > map.pixelStride) fail("a map's channels pass its pixelStride");
  const int64_t pixels = map.extent.pixels();  // ≤ 2⁴⁰
  if (pixels > (int64_t{1} << 34)) fail("a map has too many pixels");
  checkInArena("a map", map.line, pixels * map.pixelStride * 4);
  return map;
}

FloatMap ProgramReader::floatMap(const Extent& expected) {
  const FloatMap map = floatMap();
  if (!(map.extent == expected)) fail("a step's map has not the shape of the instruction's output");
  return map;
}

FloatMap ProgramReader::operandMap(const Extent& output) {
  const FloatMap map = floatMap();
  const Extent& e = map.extent;
  const bool pixels = (e.height == output.height && e.width == output.width) || e.pixels() == 1;
  if (!pixels || (e.channels != output.channels && e.channels != 1)) {
    fail("an operand has neither the shape of the instruction's output nor one that stands for it");
  }
  return map;
}

BitMap ProgramReader::bitMap() {
  BitMap map;
  map.line = integer("bit map line", 0, INT32_MAX);
  map.extent = extent();
  map.padTop = integer("padTop", 0, kMaxExtent);
  map.padLeft = integer("padLeft", 0, kMaxExtent);
  map.padBottom = integer("padBottom", 0, kMaxExtent);
  map.padRight = integer("padRight", 0, kMaxExtent);
  map.padBit = flag("padBit");
  checkInArena("a bit map", map.line, map.bytes(1));  // ≤ 2²² rows · 2²² words · 2¹⁵ planes · 4
  return map;
}

AlignedBuffer ProgramReader::copyConstant(const char* name, int64_t offset, int64_t count, int64_t slackBytes,
                                          int64_t size) {
  if (offset % size != 0 || count < 0 || count > static_cast<int64_t>(constantBytes_) / size ||
      offset > static_cast<int64_t>(constantBytes_) - count * size) {
    fail(std::string(name) + " does not fit the constants");
  }
  AlignedBuffer copy(static_cast<size_t>(count * size + slackBytes));
  if (count > 0) std::memcpy(copy.data(), constants_ + offset, static_cast<size_t>(count * size));
  return copy;
}

const uint8_t* ProgramReader::view(const char* name, int64_t bytes, int alignment) {
  const int64_t offset = integer(name, 0, INT32_MAX);
  if (offset % alignment != 0 || bytes < 0 || bytes > static_cast<int64_t>(constantBytes_) ||
      offset > static_cast<int64_t>(constantBytes_) - bytes) {
    fail(std::string(name) + " does not fit the constants");
  }
  return constants_ + offset;
}

}  // namespace bitpath
