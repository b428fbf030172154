// The steps of an instruction: read and checked once, bound to an arena for each task; and the way of a Sign step's bits from
// the kernel's masks into the rows of a bit map.
#pragma once

#include <vector>

#include "../program/reader.h"
#include "../kernels/table.h"

namespace bitpath {

class Steps {
 public:
  static constexpr int kMax = 32;

  void load(ProgramReader& reader, const Extent& output);

  // Resolves addresses for a band that begins at linear pixel `firstPixel`; `masks` has maskBytes(pixels) zeroed bytes.
  Epilogue bind(BoundStep (&bound)[kMax], uint8_t* arena, uint8_t* masks, int64_t firstPixel, int64_t pixels) const;
  // Writes the band's rows of every bit map, and the map's padding around them.
  void packRows(uint8_t* arena, const uint8_t* masks, int image, int firstRow, int rows) const;

  // No step reads or writes a map.
  bool elementWise() const;
  bool hasSign() const { return signs_ > 0; }
  // With a word of slack: packRows() reads whole words.
  int64_t maskBytes(int64_t pixels) const { return signs_ == 0 ? 0 : signs_ * pixels * maskStride() + 8; }
  int64_t constantBytes() const;
  std::vector<const char*> names() const;

 private:
  struct Step {
    StepKind kind;
    AlignedBuffer a, b;         // as BoundStep::a, ::b
    float factor = 0, max = 0;  // as BoundStep::factor, ::max
    FloatMap map;
    BitMap bits;
  };
  int maskStride() const { return (output_.channels + 7) / 8; }

  Extent output_;
  std::vector<Step> steps_;
  int signs_ = 0;
};

}  // namespace bitpath
