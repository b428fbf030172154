// Runs a Program: one arena, one run at a time.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <vector>

#include "program.h"
#include "threads.h"

namespace bitpath {

class Interpreter {
 public:
  // Throws std::bad_alloc.
  Interpreter(std::shared_ptr<const Program> program, int threads);

  const Program& program() const { return *program_; }
  int threads() const { return threads_; }

  // Runs `images` images: float32 NCHW, or uint8 NHWC. outputs[i] takes images × C·H·W floats of output i, NCHW. Looks at
  // `cancelled` between instructions and throws Error(Aborted). Not to be called twice at a time. Where `times` is given, each
  // instruction's time is added to its element. Of threads(), a run uses the first `threads`.
  using Nanoseconds = std::chrono::nanoseconds;
  void run(const void* input, bool uint8Input, int64_t images, float* const* outputs, int threads, ThreadPool& pool,
           const std::atomic<bool>& cancelled, Nanoseconds* times = nullptr);

 private:
  void copyOutputs(int64_t firstImage, int images, float* const* outputs) const;

  std::shared_ptr<const Program> program_;
  int threads_;
  AlignedBuffer arena_;
  AlignedBuffer scratch_;
};

}  // namespace bitpath
