#include "interpreter.h"

#include <algorithm>

#include "../base/error.h"

namespace bitpath {

Interpreter::Interpreter(std::shared_ptr<const Program> program, int threads)
    : program_(std::move(program)),
      threads_(threads),
      arena_(static_cast<size_t>(program_->arenaBytes())),
      scratch_(static_cast<size_t>(program_->scratchBytes() * threads)) {}

void Interpreter::run(const void* input, bool uint8Input, int64_t images, float* const* outputs, int threads,
                      ThreadPool& pool, const std::atomic<bool>& cancelled, Nanoseconds* times) {
  const auto& ops = program_->ops();
  const int64_t instructions = static_cast<int64_t>(ops.size());
  // A pass takes no more images than there are threads: more would not give anybody more to do, and what one instruction leaves
  // would have gone from the caches before the next one reads it.
  const int64_t batch = std::min(program_->batch(), threads);
  const int64_t passes = divideUp(images, batch);
  // A team numbers its phases in 31 bits.
  if (passes >= INT32_MAX / instructions) throw Error(ErrorCode::Argument, "Too many images for one run");
  const int64_t imageBytes = program_->input().pixels() * program_->input().channels * (uint8Input ? 1 : 4);

  // Phases of all passes are numbered in one run: helpers join once.
  const auto passOf = [&](int64_t index) {
    Pass pass;
    pass.arena = arena_.data();
    pass.input = static_cast<const uint8_t*>(input) + index * batch * imageBytes;
    pass.uint8Input = uint8Input;
    pass.images = static_cast<int>(std::min(batch, images - index * batch));
    pass.threads = threads;
    return pass;
  };
  const auto tasks = [&](int64_t phase) -> int64_t {
    const Pass pass = passOf(phase / instructions);
    const Op& op = *ops[phase % instructions];
    return op.runsOn(pass) ? op.tasks(pass) : 0;
  };
  const auto work = [&](int64_t phase, int64_t task, int member) {
    ops[phase % instructions]->run(task, passOf(phase / instructions),
                                   scratch_.data() + member * program_->scratchBytes());
  };

  std::shared_ptr<Team> team;
  if (threads > 1) {
    team = std::make_shared<Team>(threads - 1, tasks, work);
    pool.list(team);
  }
  bool aborted = false;
  auto last = std::chrono::steady_clock::now();
  for (int64_t index = 0; index < passes && !aborted; ++index) {
    for (int64_t i = 0; i < instructions && !aborted; ++i) {
      aborted = cancelled.load(std::memory_order_relaxed);
      if (aborted) break;
      const int64_t phase = index * instructions + i;
      if (team) {
        team->lead(phase);
      } else {
        for (int64_t task = 0, count = tasks(phase); task < count; ++task) work(phase, task, 0);
      }
      if (times != nullptr) {
        const auto now = std::chrono::steady_clock::now();
        times[i] += std::chrono::duration_cast<Nanoseconds>(now - last);
        last = now;
      }
    }
    if (!aborted) copyOutputs(index * batch, passOf(index).images, outputs);
  }
  if (team) {
    team->finish();
    pool.unlist(team);
  }
  if (aborted) throw Error(ErrorCode::Aborted, "The run was aborted");
}

void Interpreter::copyOutputs(int64_t firstImage, int images, float* const* outputs) const {
  for (size_t i = 0; i < program_->outputs().size(); ++i) {
    const FloatMap& map = program_->outputs()[i];
    const int64_t pixels = map.extent.pixels(), channels = map.extent.channels;
    const float* from = map.at(arena_.data());
    float* to = outputs[i] + firstImage * pixels * channels;
    for (int image = 0; image < images; ++image, from += pixels * map.pixelStride) {
      for (int64_t c = 0; c < channels; ++c) {
        for (int64_t p = 0; p < pixels; ++p) *to++ = from[p * map.pixelStride + c];
      }
    }
  }
}

}  // namespace bitpath
