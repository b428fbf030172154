// Bilinear resize and crop of an RGB picture, as PyTorch does it: interpolate(mode='bilinear', align_corners=False,
// antialias) on float32. Plain portable C++ in a written order, so the result has the same bits on every machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace bitpath {

constexpr int kImageChannels = 3;
// No side of a picture, resized or not, is longer. Then no product here leaves 64 bits.
constexpr int64_t kMaxImageSide = 1 << 20;
// Nor has a picture, the crop, or the intermediate picture (the input's rows by the crop's columns) more pixels.
constexpr int64_t kMaxImagePixels = int64_t{1} << 28;

struct Resize {
  int64_t height, width;                // of the picture
  int64_t resizedHeight, resizedWidth;  // of the whole picture after resizing
  bool antialias;                       // widen the filter where the picture shrinks
  int64_t cropTop, cropLeft;            // of the part that is wanted, in the resized picture
  int64_t cropHeight, cropWidth;
};

// What is wrong with `resize` for a picture of `pixelBytes` bytes, or null. Throws nothing.
const char* checkResize(const Resize& resize, size_t pixelBytes);

// `pixels` is height × width × 3; the result is cropHeight × cropWidth × 3, in 0 … 255 and not rounded. Only what the crop
// needs is computed. `resize` must have passed checkResize. Throws std::bad_alloc alone.
std::vector<float> resizeBilinear(const uint8_t* pixels, const Resize& resize);

}  // namespace bitpath
