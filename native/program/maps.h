// Feature maps in the arena, as program.h lays them out.
#pragma once

#include <cstdint>

#include "../base/bits.h"
#include "../base/memory.h"

namespace bitpath {

struct Extent {
  int height = 0, width = 0, channels = 0;
  bool operator==(const Extent& other) const {
    return height == other.height && width == other.width && channels == other.channels;
  }
  int64_t pixels() const { return static_cast<int64_t>(height) * width; }
};

struct FloatMap {
  Extent extent;
  int64_t line = 0;
  int64_t pixelStride = 0;    // floats
  int64_t channelOffset = 0;  // floats

  int64_t bytes(int64_t images) const { return images * extent.pixels() * pixelStride * 4; }
  // Channel 0 of pixel 0 of image 0.
  float* at(uint8_t* arena) const { return reinterpret_cast<float*>(arena + line * kLineBytes) + channelOffset; }
};

struct BitMap {
  Extent extent;
  int64_t line = 0;
  int padTop = 0, padLeft = 0, padBottom = 0, padRight = 0;
  bool padBit = false;

  int64_t paddedHeight() const { return static_cast<int64_t>(padTop) + extent.height + padBottom; }
  int64_t paddedWidth() const { return static_cast<int64_t>(padLeft) + extent.width + padRight; }
  int64_t planes() const { return planesOf(extent.channels); }
  int64_t planeStride() const { return paddedWidth(); }  // words
  // Words. Rows begin at cache lines, so that threads that write neighbouring ones share none.
  int64_t rowStride() const { return roundUp(planes() * planeStride(), kLineBytes / 4); }
  int64_t bytes(int64_t images) const { return images * paddedHeight() * rowStride() * 4; }
  // Row `paddedRow` (0 is the first padding row) of an image.
  uint32_t* row(uint8_t* arena, int64_t image, int64_t paddedRow) const {
    return reinterpret_cast<uint32_t*>(arena + line * kLineBytes) + (image * paddedHeight() + paddedRow) * rowStride();
  }
};

}  // namespace bitpath
