// The geometry of a sliding window, common to all convolutions, and the pointers that kernels read it through.
#pragma once

#include <algorithm>

#include "../program/reader.h"
#include "op.h"
#include "../kernels/table.h"

namespace bitpath {

// Output (y, x) reads taps (y·strideH + ky·dilationH − padTop, x·strideW + kx·dilationW − padLeft) of the source.
struct WindowShape {
  int kernelH = 1, kernelW = 1, strideH = 1, strideW = 1, padTop = 0, padLeft = 0, dilationH = 1, dilationW = 1;

  void readKernelAndStride(ProgramReader& r) {
    kernelH = r.integer("kernelH", 1, ProgramReader::kMaxExtent);
    kernelW = r.integer("kernelW", 1, ProgramReader::kMaxExtent);
    strideH = r.integer("strideH", 1, ProgramReader::kMaxExtent);
    strideW = r.integer("strideW", 1, ProgramReader::kMaxExtent);
  }
  void readPadding(ProgramReader& r) {
    padTop = r.integer("padTop", 0, ProgramReader::kMaxExtent);
    padLeft = r.integer("padLeft", 0, ProgramReader::kMaxExtent);
  }
  void readDilation(ProgramReader& r) {
    dilationH = r.integer("dilationH", 1, ProgramReader::kMaxExtent);
    dilationW = r.integer("dilationW", 1, ProgramReader::kMaxExtent);
  }
  // The fields of a pooling of `source`; returns its output's extent. Every window has a tap inside the map: padding is less
  // than the kernel, and the last window begins inside.
  Extent readPool(ProgramReader& r, const Extent& source) {
    Extent output;
    output.height = r.integer("outHeight", 1, ProgramReader::kMaxExtent);
    output.width = r.integer("outWidth", 1, ProgramReader::kMaxExtent);
    output.channels = source.channels;
    readKernelAndStride(r);
    readPadding(r);
    if (padTop >= kernelH || padLeft >= kernelW || (output.height - 1) * int64_t{strideH} - padTop >= source.height ||
        (output.width - 1) * int64_t{strideW} - padLeft >= source.width) {
      r.fail("a pooling window lies outside the map");
    }
    if (taps() > (1 << 24)) r.fail("more than 2^24 taps in a window");
    return output;
  }

  // All but the epilogue, for an image whose channel 0 of pixel (0, 0) is at `image`.
  PoolArgs poolArgs(const float* image, const Extent& source, int64_t pixelStride, const Extent& output,
                    const Band& band) const {
    PoolArgs args{};
    args.image = image;
    args.pixelStride = static_cast<ptrdiff_t>(pixelStride);
    args.rowStride = static_cast<ptrdiff_t>(source.width * pixelStride);
    args.height = source.height;
    args.width = source.width;
    args.kernelHeight = kernelH;
    args.kernelWidth = kernelW;
    args.strideHeight = strideH;
    args.strideWidth = strideW;
    args.padTop = padTop;
    args.padLeft = padLeft;
    args.firstRow = band.firstRow;
    args.rows = band.rows;
    args.outWidth = output.width;
    args.channels = output.channels;
    return args;
  }

  int64_t taps() const { return static_cast<int64_t>(kernelH) * kernelW; }
  // Source rows that `rows` output rows span, and source columns that `width` outputs span.
  int64_t rowSpan(int rows) const { return (rows - 1) * int64_t{strideH} + (kernelH - 1) * int64_t{dilationH} + 1; }
  int64_t columnSpan(int width) const {
    return (width - 1) * int64_t{strideW} + (kernelW - 1) * int64_t{dilationW} + 1;
  }
};

// A window in memory is segments: whole kernel rows where neighbouring taps' elements are neighbours, else single taps.
struct Segments {
  bool wholeRows = true;
  int count = 1;   // per window
  int parts = 1;   // per kernel row
  int length = 1;  // elements

  Segments() = default;
  Segments(const WindowShape& w, bool neighbours, int64_t groupChannels)
      : wholeRows(neighbours),
        count(static_cast<int>(neighbours ? w.kernelH : w.taps())),
        parts(neighbours ? 1 : w.kernelW),
        length(static_cast<int>(neighbours ? w.kernelW * groupChannels : groupChannels)) {}

  // Fills one row's `count` pointers. `row(ky)` gives the address of the window's first tap in kernel row ky for x = 0;
  // `tapStride` is the distance of neighbouring taps (dilation included) in elements.
  template <typename Element, typename Row>
  void point(const WindowShape& w, const Element** to, ptrdiff_t tapStride, Row row) const {
    for (int ky = 0; ky < w.kernelH; ++ky) {
      const Element* start = row(ky);
      for (int part = 0; part < parts; ++part) *to++ = start + part * tapStride;
    }
  }
};

// Output positions along one axis, grouped by which taps fall on the source: inside a map all do, at its border some.
struct BorderClasses {
  struct Range {
    int first, last;  // taps first … last − 1 are inside
  };
  std::vector<int32_t> of;    // class of each output position
  std::vector<Range> ranges;  // of each class

  BorderClasses(int outputs, int kernel, int stride, int dilation, int pad, int size) {
    for (int o = 0; o < outputs; ++o) {
      const int64_t start = int64_t{o} * stride - pad;
      const int64_t first = start >= 0 ? 0 : std::min<int64_t>(kernel, divideUp(-start, dilation));
      const int64_t last =
          size - start <= 0 ? first : std::max(first, std::min<int64_t>(kernel, divideUp(size - start, dilation)));
      const Range range{static_cast<int>(first), static_cast<int>(last)};
      if (ranges.empty() || ranges[of.back()].first != range.first || ranges[of.back()].last != range.last) {
        size_t known = 0;
        while (known < ranges.size() && (ranges[known].first != range.first || ranges[known].last != range.last))
          ++known;
        if (known == ranges.size()) ranges.push_back(range);
        of.push_back(static_cast<int32_t>(known));
      } else {
        of.push_back(of.back());
      }
    }
  }
};

// The run of positions of one class that the middle lies in: the windows inside the map.
struct Interior {
  int first = 0, last = 0;

  Interior() = default;
  explicit Interior(const std::vector<int32_t>& of) {
    const int middle = static_cast<int>(of.size() / 2);
    for (first = middle; first > 0 && of[first - 1] == of[middle];) --first;
    for (last = middle + 1; last < static_cast<int>(of.size()) && of[last] == of[middle];) ++last;
  }
};

// Packs [channels][K] weights as [⌈channels / lanes⌉][K / group][lanes][group]; missing channels are zero. K is a multiple of
// `group` after each segment of `segment` elements is filled up to `paddedSegment` with zeros.
template <typename Element>
inline void packGemmWeights(const Element* weights, int channels, int64_t segments, int64_t segment, int lanes,
                            int group, Element* to) {
  const int64_t paddedSegment = roundUp(segment, group);
  const int64_t k = segments * segment, paddedK = segments * paddedSegment;
  for (int o = 0; o < channels; ++o) {
    Element* at = to + (o / lanes) * paddedK * lanes + o % lanes * group;
    const Element* from = weights + o * k;
    for (int64_t s = 0; s < segments; ++s) {
      for (int64_t i = 0; i < paddedSegment; i += group, at += int64_t{lanes} * group) {
        for (int64_t g = 0; g < group && i + g < segment; ++g) at[g] = *from++;
      }
    }
  }
}

// Windows for the kernels: geometry filled in, pointers set by the caller.
template <typename Element>
inline Windows<Element> makeWindows(const Segments& segments, const Element* const* pointers, ptrdiff_t pixelStride,
                                    int rows, int width, int64_t firstPixel, int firstChannel, int channels) {
  return {pointers, segments.count, segments.length, pixelStride, rows, width, firstPixel, firstChannel, channels};
}

}  // namespace bitpath
