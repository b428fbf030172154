// One instruction of a loaded Program: what it needs, how it splits into tasks, and how a task runs.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "../program/reader.h"
#include "../kernels/table.h"
#include "steps.h"

namespace bitpath {

// One pass over the instructions: `images` images, at most the Program's batch.
struct Pass {
  uint8_t* arena;
  const void* input;  // the pass's first image: float32 NCHW or uint8 NHWC
  bool uint8Input;
  int images;
  int threads;
};

struct OpInfo {
  const char* op;
  std::string kernel;
  Extent output;
  int64_t weightBytes = 0;
  int64_t mapBytes = 0;  // of feature maps, read and written for one image
  int64_t macs = 0;
  std::vector<const char*> steps;
};

class Op {
 public:
  virtual ~Op() = default;
  // Tasks of a pass are independent of each other. How work is cut into them never changes a result.
  virtual int64_t tasks(const Pass& pass) const = 0;
  // Runs on any thread; `scratch` is scratchBytes() bytes of its own, 64-byte aligned. Throws nothing.
  virtual void run(int64_t task, const Pass& pass, uint8_t* scratch) const = 0;
  virtual OpInfo info() const = 0;
  virtual size_t scratchBytes() const = 0;
  // It reads the input as uint8 pixels, whatever the input is.
  virtual bool readsPixels() const { return false; }

  enum class When { Always = 0, FloatInput = 1, Uint8Input = 2 };
  When when = When::Always;
  bool runsOn(const Pass& pass) const { return when == When::Always || (when == When::Uint8Input) == pass.uint8Input; }
};

// A band is `rows` output rows of one image, one task's work; the last band of an image may be shorter.
struct Band {
  int image, firstRow, rows;
};

// Common to all ops: an output extent, its steps, and the cut into bands.
class BandedOp : public Op {
 public:
  int64_t tasks(const Pass& pass) const override;
  void run(int64_t task, const Pass& pass, uint8_t* scratch) const override;
  size_t scratchBytes() const override;
  OpInfo info() const override;

  // For an op that has this one inside: makes a band's rows and writes them densely to `to`. The steps are element-wise.
  void computeInto(const Band& band, const Pass& pass, float* to, uint8_t* scratch) const;
  const Extent& output() const { return output_; }
  // Linear index, over all images, of the band's first pixel.
  int64_t firstPixel(const Band& band) const {
    return band.image * output_.pixels() + int64_t{band.firstRow} * output_.width;
  }
  const Steps& steps() const { return steps_; }
  int maxRows() const { return maxRows_; }
  // Bands begin at multiples of it.
  int rowUnit() const { return rowUnit_; }

 protected:
  BandedOp(const char* name, const KernelTable& kernels) : name_(name), kernels_(kernels) {}
  // Reads the steps and fixes the band; call last. `maxRows` 0: by the output alone.
  void finishLoad(ProgramReader& reader, int maxRows = 0);

  // Makes the band's output channels [firstChannel, firstChannel + channels) and passes them through `epilogue`.
  virtual void compute(const Band& band, const Pass& pass, const Epilogue& epilogue, uint8_t* scratch, int firstChannel,
                       int channels) const = 0;
  // Bytes that compute() wants of the scratch for a band of `rows` rows.
  virtual int64_t computeScratch(int rows) const { return static_cast<void>(rows), 0; }
  // Channels that a task may be cut to where rows are too few for all threads; 0: never.
  virtual int channelChunk() const { return 0; }

  const char* name_;
  const KernelTable& kernels_;
  Extent output_;
  Steps steps_;

 private:
  struct Cut {
    int rows;  // of a band
    int bandsPerImage;
    int chunks;  // of channels
  };
  Cut cut(const Pass& pass) const;
  int maxRows_ = 1, rowUnit_ = 1;
};

std::unique_ptr<Op> loadInput(ProgramReader& reader, const KernelTable& kernels);
std::unique_ptr<Op> loadBinaryConv(ProgramReader& reader, const KernelTable& kernels);
std::unique_ptr<BandedOp> loadConv(ProgramReader& reader, const KernelTable& kernels);
std::unique_ptr<BandedOp> loadPixelConv(ProgramReader& reader, const KernelTable& kernels);
std::unique_ptr<Op> loadPool(ProgramReader& reader, const KernelTable& kernels, bool max);
std::unique_ptr<Op> loadMaxPooled(ProgramReader& reader, const KernelTable& kernels, std::unique_ptr<BandedOp> inner);
std::unique_ptr<Op> loadMap(ProgramReader& reader, const KernelTable& kernels);
std::unique_ptr<Op> loadFill(ProgramReader& reader, const KernelTable& kernels);
std::unique_ptr<Op> loadChannelMean(ProgramReader& reader, const KernelTable& kernels);
std::unique_ptr<Op> loadChannelInteraction(ProgramReader& reader, const KernelTable& kernels);

}  // namespace bitpath
