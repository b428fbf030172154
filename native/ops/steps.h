// The steps of an instruction: read and checked once, bound to an arena for each task.
#pragma once

#include <vector>

#include "../program/reader.h"
#include "../kernels/table.h"

namespace bitpath {

class Steps {
 public:
  static constexpr int kMax = 256;

  void load(ProgramReader& reader, const Extent& output);

  // Resolves addresses for a band that begins at row `firstRow` of image `image`.
  Epilogue bind(BoundStep (&bound)[kMax], uint8_t* arena, int image, int firstRow) const;
  // Clears the band's rows of the bit maps whose first writer this is, and writes their padding.
  void clearRows(uint8_t* arena, int image, int firstRow, int rows) const;

  // No step reads or writes a map.
  bool elementWise() const;
  bool hasSign() const { return signs_ > 0; }
  // A window of two rows is written by one task, its upper row first: bands begin at even rows.
  bool poolsRows() const { return poolsRows_; }
  int64_t constantBytes() const;
  int64_t mapBytes() const;
  std::vector<const char*> names() const;

 private:
  struct Step {
    StepKind kind;
    AlignedBuffer a, b;         // as BoundStep::a, ::b
    float factor = 0, max = 0;  // as BoundStep::factor, ::max
    FloatMap map;
    BitMap bits;
    int firstBit = 0, tailBit = 0;
    int clearedFrom = -1;  // first plane to be cleared; −1: none, nor padding
  };

  static float* imageBefore(float* map, int64_t floats);
  void bindOperand(const FloatMap& map, int image, BoundStep& to) const;

  Extent output_;
  std::vector<Step> steps_;
  int signs_ = 0;
  bool poolsRows_ = false;
};

}  // namespace bitpath
