#include "program.h"

#include <cstring>

#include "../base/error.h"
#include "../program/layout.h"

namespace bitpath {

namespace {

constexpr int32_t kMaxInstructions = 1 << 16;
constexpr int32_t kMaxOutputs = 256;
constexpr int64_t kMaxScratchBytes = int64_t{1} << 31;

std::unique_ptr<Op> loadOp(int opcode, ProgramReader& reader, const KernelTable& kernels) {
  switch (opcode) {
    case kInput:
      return loadInput(reader, kernels);
    case kBinaryConv:
      return loadBinaryConv(reader, kernels);
    case kConv:
      return loadConv(reader, kernels);
    case kPixelConv:
      return loadPixelConv(reader, kernels);
    case kMaxPool:
      return loadPool(reader, kernels, true);
    case kAvgPool:
      return loadPool(reader, kernels, false);
    case kMap:
      return loadMap(reader, kernels);
    case kMaxPooled: {
      const int inner = reader.integer("inner opcode", kConv, kPixelConv);
      return loadMaxPooled(reader, kernels,
                           inner == kConv ? loadConv(reader, kernels) : loadPixelConv(reader, kernels));
    }
    case kFill:
      return loadFill(reader, kernels);
    case kChannelMean:
      return loadChannelMean(reader, kernels);
    case kChannelInteraction:
      return loadChannelInteraction(reader, kernels);
  }
  reader.fail("opcode " + std::to_string(opcode) + " is unknown");
}

}  // namespace

Program::Program(const int32_t* code, size_t words, const uint8_t* constants, size_t constantBytes,
                 const KernelTable& kernels)
    : kernels_(kernels) {
  AlignedBuffer aligned;  // constants are read as floats where they lie
  if (reinterpret_cast<uintptr_t>(constants) % alignof(int64_t) != 0) {
    aligned = AlignedBuffer(constantBytes);
    std::memcpy(aligned.data(), constants, constantBytes);
    constants = aligned.data();
  }
  ProgramReader r(code, words, constants, constantBytes);
  r.integer("magic", kProgramMagic, kProgramMagic);
  r.integer("version", kProgramVersion, kProgramVersion);
  r.batch = batch_ = r.integer("batch", 1, 1 << 16);
  r.arenaLines = arenaLines_ = r.integer("arenaLines", 0, INT32_MAX);
  r.input.channels = r.integer("inputChannels", 1, ProgramReader::kMaxExtent);
  r.input.height = r.integer("inputHeight", 1, ProgramReader::kMaxExtent);
  r.input.width = r.integer("inputWidth", 1, ProgramReader::kMaxExtent);
  input_ = r.input;
  if (input_.pixels() > INT32_MAX / input_.channels) r.fail("the input has too many elements");
  const int outputs = r.integer("outputCount", 1, kMaxOutputs);
  const int instructions = r.integer("instructionCount", 1, kMaxInstructions);
  for (int i = 0; i < outputs; ++i) {
    outputs_.push_back(r.floatMap());
    if (outputs_.back().extent.pixels() > INT32_MAX / outputs_.back().extent.channels)
      r.fail("an output has too many elements");
  }
  for (int i = 0; i < instructions; ++i) {
    r.enter(i, SIZE_MAX);
    const size_t start = r.position();
    const int opcode = r.integer("opcode", 1, 255);
    const int count = r.integer("wordCount", 3, INT32_MAX);
    if (static_cast<size_t>(count) > words - start) r.fail("wordCount passes the end of the program");
    r.enter(i, start + count);
    const auto when = static_cast<Op::When>(r.integer("when", 0, 2));
    std::unique_ptr<Op> op = loadOp(opcode, r, kernels_);
    op->when = when;
    if (op->readsPixels() && when != Op::When::Uint8Input) r.fail("a pixel conv needs uint8 input (when 2)");
    if (r.position() != r.instructionEnd()) r.fail("wordCount is not what the instruction takes");
    const int64_t scratch = static_cast<int64_t>(op->scratchBytes());
    if (scratch < 0 || scratch > kMaxScratchBytes) r.fail("the instruction needs too much scratch memory");
    scratchBytes_ = std::max(scratchBytes_, roundUp(scratch, kLineBytes));
    ops_.push_back(std::move(op));
  }
  if (r.remaining() != 0) r.fail("words after the last instruction");
}

std::vector<OpInfo> Program::describe() const {
  std::vector<OpInfo> infos;
  for (const auto& op : ops_) infos.push_back(op->info());
  return infos;
}

}  // namespace bitpath
