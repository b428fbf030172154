// A Program, loaded.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "../ops/op.h"

namespace bitpath {

// A loaded Program: checked, weights packed for one instruction set, immutable. Any number of runs may share it.
class Program {
 public:
  // Throws Error(Program), std::bad_alloc. Keeps no reference to its arguments.
  Program(const int32_t* code, size_t words, const uint8_t* constants, size_t constantBytes,
          const KernelTable& kernels);

  const KernelTable& kernels() const { return kernels_; }
  int batch() const { return batch_; }
  Extent input() const { return input_; }
  int64_t arenaBytes() const { return arenaLines_ * static_cast<int64_t>(kLineBytes); }
  int64_t scratchBytes() const { return scratchBytes_; }
  const std::vector<FloatMap>& outputs() const { return outputs_; }
  const std::vector<std::unique_ptr<Op>>& ops() const { return ops_; }
  std::vector<OpInfo> describe() const;

 private:
  const KernelTable& kernels_;
  int batch_ = 1;
  int64_t arenaLines_ = 0;
  int64_t scratchBytes_ = 0;
  Extent input_;
  std::vector<FloatMap> outputs_;
  std::vector<std::unique_ptr<Op>> ops_;
};

}  // namespace bitpath
