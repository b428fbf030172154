// Reads a Program's words, trusting none of them: every count is bounded before it is multiplied, every map lies in the arena
// and every constant in the constants. What fails is Error(Program) with the instruction's number and the field's name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "maps.h"

namespace bitpath {

class ProgramReader {
 public:
  // Largest height, width, channel count, stride, … of anything: products of three stay far below 2⁶³.
  static constexpr int32_t kMaxExtent = 1 << 20;

  ProgramReader(const int32_t* code, size_t words, const uint8_t* constants, size_t constantBytes)
      : code_(code), end_(words), constants_(constants), constantBytes_(constantBytes) {}

  [[noreturn]] void fail(const std::string& reason) const;

  int32_t integer(const char* name, int32_t min, int32_t max);
  bool flag(const char* name) { return integer(name, 0, 1) != 0; }
  float factor();
  FloatMap floatMap();
  FloatMap floatMap(const Extent& expected);
  // The same, or a map of one pixel, one channel or both.
  FloatMap operandMap(const Extent& output);
  BitMap bitMap();
  Extent extent();
  // The constant at the next word's byte offset: `count` values, copied into a buffer with room for `slack` more (zeros).
  template <typename T>
  AlignedBuffer constant(const char* name, int64_t count, int64_t slack = 0) {
    return copyConstant(name, integer(name, 0, INT32_MAX), count, slack * static_cast<int64_t>(sizeof(T)), sizeof(T));
  }
  // The same, or none where the word is −1.
  template <typename T>
  AlignedBuffer optionalConstant(const char* name, int64_t count, int64_t slack) {
    const int32_t offset = integer(name, -1, INT32_MAX);
    if (offset < 0) return AlignedBuffer((count + slack) * sizeof(T));
    return copyConstant(name, offset, count, slack * static_cast<int64_t>(sizeof(T)), sizeof(T));
  }
  // A look at constants that are packed straight away.
  const uint8_t* view(const char* name, int64_t bytes, int alignment);

  // The words of the next instruction end `words` words after `begin`.
  size_t position() const { return position_; }
  size_t remaining() const { return end_ - position_; }
  void enter(int instruction, size_t end) { instruction_ = instruction, instructionEnd_ = end; }
  size_t instructionEnd() const { return instructionEnd_; }

  // From the header; set by whoever reads it.
  int batch = 1;
  int64_t arenaLines = 0;
  Extent input;

 private:
  AlignedBuffer copyConstant(const char* name, int64_t offset, int64_t count, int64_t slackBytes, int64_t size);
  void checkInArena(const char* what, int64_t line, int64_t bytesOfOneImage) const;

  const int32_t* code_;
  size_t end_;
  size_t position_ = 0;
  size_t instructionEnd_ = SIZE_MAX;
  int instruction_ = -1;
  const uint8_t* constants_;
  size_t constantBytes_;
};

}  // namespace bitpath
