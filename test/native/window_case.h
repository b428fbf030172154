// Windows as the convolution kernels take them: sizes around every tile edge, and their memory.
#pragma once

#include "kernel_case.h"

namespace kernelcase {

struct WindowCase {
  int rows, width, segmentCount, segmentLength, channels, firstChannel;
  ptrdiff_t pixelStride;  // elements
};

inline std::string describe(const char* isa, const WindowCase& c) {
  std::ostringstream out;
  out << isa << ": rows " << c.rows << " width " << c.width << " segments " << c.segmentCount << " × "
      << c.segmentLength << " channels " << c.firstChannel << " + " << c.channels << " stride " << c.pixelStride;
  return out.str();
}

// Widths 1 … 2·tile + 2 of the widest tile, and channels around every lane and block count, then random ones.
template <typename Visit>
void forEachWindowCase(check::Random& random, int maxSegment, Visit visit) {
  const auto segments = [&](WindowCase c) {
    c.segmentCount = random.between(1, 4);
    c.segmentLength = random.between(1, maxSegment);
    c.rows = random.between(1, 3);
    c.firstChannel = random.chance(70) ? 0 : random.between(1, 20);
    return c;
  };
  for (int width = 1; width <= 30; ++width) visit(segments({0, width, 0, 0, random.between(1, 70), 0, 0}));
  for (int channels = 1; channels <= 130; ++channels) visit(segments({0, random.between(1, 9), 0, 0, channels, 0, 0}));
  for (int channels : {41, 53, 82, 328}) visit(segments({0, random.between(1, 17), 0, 0, channels, 0, 0}));
  for (int i = 0; i < 100; ++i) visit(segments({0, random.between(1, 60), 0, 0, random.between(1, 100), 0, 0}));
}

// A window's segments lie anywhere: one block of memory a segment, as long as the last pixel's window reaches.
template <typename Element>
struct Source {
  Source(const WindowCase& c, int elements) {
    for (int i = 0; i < c.rows * c.segmentCount; ++i) {
      blocks.push_back(std::make_unique<Exact<Element>>(static_cast<size_t>((c.width - 1) * c.pixelStride + elements)));
      pointers.push_back(blocks.back()->data());
    }
  }
  Element& at(const WindowCase& c, int row, int segment, int x, int element) const {
    return (
        *blocks[static_cast<size_t>(row * c.segmentCount + segment)])[static_cast<size_t>(x * c.pixelStride + element)];
  }
  Windows<Element> windows(const WindowCase& c, int64_t firstPixel) const {
    return {pointers.data(), c.segmentCount, c.segmentLength, c.pixelStride, c.rows,
            c.width,         firstPixel,     c.firstChannel,  c.channels};
  }
  std::vector<std::unique_ptr<Exact<Element>>> blocks;
  std::vector<const Element*> pointers;
};

inline void report(int64_t cases, const std::vector<const KernelTable*>& tables) {
  check::note(std::to_string(cases) + " cases, each on " + std::to_string(tables.size()) + " tables");
  CHECK(cases > 0);
}

}  // namespace kernelcase
