#include "resize.h"

#include <algorithm>
#include <cmath>

namespace bitpath {
namespace {

// Which input elements make one output element: `count` of them from `first` on, weighted by weights[…] from `weight` on.
struct Taps {
  int64_t first;
  int64_t count;
  size_t weight;
};

struct Filter {
  std::vector<Taps> taps;  // one for each output element of the crop
  std::vector<float> weights;
};

// The triangle filter along one axis, for outputs cropStart … cropStart + cropSize of outputSize.
//
// Output o, an area of `scale` input elements, has its centre at (o + ½)·scale. Enlarging takes the triangle of half-width
// one element around it (plain bilinear interpolation); shrinking with antialiasing stretches the triangle by `scale`, so
// every input counts. Weights outside the picture are left out and the rest made to sum to 1.
//
// Which steps are float and which double is PyTorch's choice: their rounding decides what a border case takes.
Filter makeFilter(int64_t inputSize, int64_t outputSize, bool antialias, int64_t cropStart, int64_t cropSize) {
  const float scale = static_cast<float>(inputSize) / static_cast<float>(outputSize);
  const float stretch = antialias && scale >= 1.0f ? scale : 1.0f;
  const float inverse = 1.0f / stretch;

  Filter filter;
  filter.taps.reserve(static_cast<size_t>(cropSize));
  for (int64_t o = cropStart; o < cropStart + cropSize; o++) {
    const auto center = static_cast<float>(scale * (static_cast<double>(o) + 0.5));
    // Casts truncate towards zero. `first` is clamped to a valid index so that rounding far out cannot leave none.
    const auto low = static_cast<int64_t>(static_cast<double>(center - stretch) + 0.5);
    const auto high = static_cast<int64_t>(static_cast<double>(center + stretch) + 0.5);
    const int64_t first = std::clamp<int64_t>(low, 0, inputSize - 1);
    const int64_t count = std::clamp<int64_t>(std::min(high, inputSize) - first, 1, inputSize - first);

    const size_t weight = filter.weights.size();
    float total = 0.0f;
    for (int64_t j = 0; j < count; j++) {
      const double offset = static_cast<double>(static_cast<float>(j + first) - center) + 0.5;
      const auto distance = static_cast<float>(std::fabs(offset * inverse));
      const float w = distance < 1.0f ? 1.0f - distance : 0.0f;
      filter.weights.push_back(w);
      total += w;
    }
    if (total == 0.0f) {
      // Out of reach by rounding alone (a side near 2²⁰): the nearest element.
      filter.weights[weight] = total = 1.0f;
    }
    for (int64_t j = 0; j < count; j++) filter.weights[weight + static_cast<size_t>(j)] /= total;
    filter.taps.push_back({first, count, weight});
  }
  return filter;
}

// output[c] = Σ weight·input[c], each product and sum rounded, in input order.
template <typename T>
void mixPixels(const T* input, const float* weights, int64_t count, float* output) {
  float sum[kImageChannels] = {};
  for (int64_t j = 0; j < count; j++) {
    for (int c = 0; c < kImageChannels; c++) sum[c] += static_cast<float>(input[j * kImageChannels + c]) * weights[j];
  }
  for (int c = 0; c < kImageChannels; c++) output[c] = sum[c];
}

bool isSide(int64_t size) { return size >= 1 && size <= kMaxImageSide; }

}  // namespace

const char* checkResize(const Resize& r, size_t pixelBytes) {
  if (!isSide(r.height) || !isSide(r.width)) return "a side of the picture is 0 or over 1048576 pixels";
  if (!isSide(r.resizedHeight) || !isSide(r.resizedWidth)) {
    return "a side of the resized picture is 0 or over 1048576 pixels";
  }
  if (!isSide(r.cropHeight) || !isSide(r.cropWidth)) return "a side of the crop is 0 or over 1048576 pixels";
  if (r.cropTop < 0 || r.cropTop > r.resizedHeight - r.cropHeight || r.cropLeft < 0 ||
      r.cropLeft > r.resizedWidth - r.cropWidth) {
    return "the crop lies outside the resized picture";
  }
  if (r.height * r.width > kMaxImagePixels) return "the picture has over 2^28 pixels";
  if (r.cropHeight * r.cropWidth > kMaxImagePixels) return "the crop has over 2^28 pixels";
  if (r.height * r.cropWidth > kMaxImagePixels) return "the crop's columns of the picture have over 2^28 pixels";
  if (static_cast<uint64_t>(r.height * r.width) * kImageChannels != pixelBytes) {
    return "the pixels are not height x width x 3 bytes";
  }
  return nullptr;
}

std::vector<float> resizeBilinear(const uint8_t* pixels, const Resize& r) {
  const Filter columns = makeFilter(r.width, r.resizedWidth, r.antialias, r.cropLeft, r.cropWidth);
  const Filter rows = makeFilter(r.height, r.resizedHeight, r.antialias, r.cropTop, r.cropHeight);

  // Both ends of the windows only move downwards, so the crop needs the rows from the first one's start to the last one's end.
  const int64_t firstRow = rows.taps.front().first;
  const int64_t endRow = rows.taps.back().first + rows.taps.back().count;
  const auto rowFloats = static_cast<size_t>(r.cropWidth) * kImageChannels;
  std::vector<float> narrowed(static_cast<size_t>(endRow - firstRow) * rowFloats);
  float* out = narrowed.data();
  for (int64_t y = firstRow; y < endRow; y++) {
    const uint8_t* row = pixels + y * r.width * kImageChannels;
    for (const Taps& taps : columns.taps) {
      mixPixels(row + taps.first * kImageChannels, columns.weights.data() + taps.weight, taps.count, out);
      out += kImageChannels;
    }
  }

  std::vector<float> result(static_cast<size_t>(r.cropHeight) * rowFloats);
  for (size_t y = 0; y < rows.taps.size(); y++) {
    const Taps& taps = rows.taps[y];
    float* row = result.data() + y * rowFloats;
    for (int64_t j = 0; j < taps.count; j++) {
      const float weight = rows.weights[taps.weight + static_cast<size_t>(j)];
      const float* source = narrowed.data() + static_cast<size_t>(taps.first - firstRow + j) * rowFloats;
      for (size_t i = 0; i < rowFloats; i++) row[i] += source[i] * weight;
    }
  }
  return result;
}

}  // namespace bitpath
