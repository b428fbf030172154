// Coverage-guided fuzzing of Programs: whatever the bytes, load() refuses them with Error(Program), or the Program runs on
// every table without touching memory that is not its own (AddressSanitizer and UndefinedBehaviorSanitizer watch).
//
//   input   uint32 number of code words · the words · constants
//
// The mutator works on words and whole instructions, because a flipped byte almost never survives the first checks.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "base/error.h"
#include "exec/interpreter.h"
#include "exec/program.h"
#include "kernels/detect.h"
#include "program/layout.h"
#include "kernels/select.h"

using namespace bitpath;

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t maxSize);

namespace {

// A run this small takes microseconds. Loading alone is tried with any size.
constexpr int64_t kMaxArenaBytes = 1 << 16;
constexpr int64_t kMaxScratchBytes = 1 << 16;
constexpr int64_t kMaxElements = 1 << 13;
constexpr int64_t kMaxWork = 200000;
constexpr int kMaxBatch = 4;

struct Input {
  std::vector<int32_t> code;
  std::vector<uint8_t> constants;
};

Input parse(const uint8_t* data, size_t size) {
  Input input;
  if (size < 4) return input;
  uint32_t words;
  std::memcpy(&words, data, 4);
  words = static_cast<uint32_t>(std::min<size_t>(words, (size - 4) / 4));
  input.code.resize(words);
  if (words > 0) std::memcpy(input.code.data(), data + 4, words * size_t{4});
  input.constants.assign(data + 4 + words * size_t{4}, data + size);
  return input;
}

// The start of each instruction, as far as the words make sense.
std::vector<size_t> instructions(const std::vector<int32_t>& code) {
  std::vector<size_t> starts;
  if (code.size() < 9 || code[7] < 0 || code[7] > 256) return starts;
  size_t at = 9 + static_cast<size_t>(code[7]) * 6;
  while (at + 3 <= code.size()) {
    starts.push_back(at);
    const int32_t count = code[at + 1];
    if (count < 3 || static_cast<size_t>(count) > code.size() - at) break;
    at += static_cast<size_t>(count);
  }
  return starts;
}

void runOn(const Input& input, const KernelTable& table, int threads) {
  std::shared_ptr<const Program> program;
  try {
    program = std::make_shared<const Program>(input.code.data(), input.code.size(), input.constants.data(),
                                              input.constants.size(), table);
  } catch (const Error& error) {
    if (error.code != ErrorCode::Program) __builtin_trap();
    return;
  } catch (const std::bad_alloc&) {
    return;
  }
  int64_t work = 0;
  for (const OpInfo& op : program->describe()) {
    work += op.macs + op.output.pixels() * op.output.channels * (1 + static_cast<int64_t>(op.steps.size()));
    if (work > kMaxWork) return;
  }
  const int64_t elements = program->input().pixels() * program->input().channels;
  if (program->arenaBytes() > kMaxArenaBytes || program->scratchBytes() > kMaxScratchBytes || elements > kMaxElements ||
      program->batch() > kMaxBatch) {
    return;
  }
  // One pass and a part of a second one.
  const int64_t images = program->batch() + 1;
  std::vector<std::unique_ptr<float[]>> outputs;
  std::vector<float*> pointers;
  for (const FloatMap& map : program->outputs()) {
    const int64_t floats = images * map.extent.pixels() * map.extent.channels;
    if (floats > kMaxElements * kMaxBatch) return;
    outputs.emplace_back(new float[static_cast<size_t>(floats)]);
    pointers.push_back(outputs.back().get());
  }
  static const std::shared_ptr<ThreadPool> pool = [] {
    auto made = ThreadPool::shared();
    made->grow(1);
    return made;
  }();
  const std::atomic<bool> never{false};
  Interpreter interpreter(program, threads);
  // Exactly as long as the input is.
  for (const bool uint8Input : {false, true}) {
    const size_t bytes = static_cast<size_t>(images * elements * (uint8Input ? 1 : 4));
    const std::unique_ptr<uint8_t[]> pixels(new uint8_t[bytes]);
    for (size_t i = 0; i < bytes; ++i) pixels[i] = static_cast<uint8_t>(i * 37);
    interpreter.run(pixels.get(), uint8Input, images, pointers.data(), threads, *pool, never);
  }
}

// Wraps: words are hostile.
void bump(int32_t& word, int by) {
  word = static_cast<int32_t>(static_cast<uint32_t>(word) + static_cast<uint32_t>(by));
}

void mutate(Input& input, std::minstd_rand& random) {
  const auto below = [&](size_t n) { return n == 0 ? 0 : static_cast<size_t>(random()) % n; };
  std::vector<int32_t>& code = input.code;
  const std::vector<size_t> starts = instructions(code);
  const auto lengthOf = [&](size_t i) { return (i + 1 < starts.size() ? starts[i + 1] : code.size()) - starts[i]; };
  switch (code.empty() ? 0 : below(10)) {
    case 0: {  // a word at will
      if (code.empty()) code.assign({kProgramMagic, kProgramVersion, 1, 1, 1, 1, 1, 1, 1});
      code[below(code.size())] = static_cast<int32_t>(random());
      break;
    }
    case 1:
    case 2: {  // a word that matters
      static const int32_t interesting[] = {0,   1,   2,    3,       4,       7,         8,         9,
                                            31,  32,  33,   63,      64,      65,        127,       128,
                                            255, 256, 1024, 1 << 20, 1 << 24, INT32_MAX, INT32_MIN, -1};
      code[below(code.size())] = interesting[below(sizeof interesting / sizeof *interesting)];
      break;
    }
    case 3:
    case 4: {  // a little more or less
      bump(code[below(code.size())], static_cast<int>(below(17)) - 8);
      break;
    }
    case 5:  // the same word twice
      code[below(code.size())] = code[below(code.size())];
      break;
    case 6: {  // the same value everywhere: shapes stay consistent
      const int32_t was = code[below(code.size())], becomes = static_cast<int32_t>(below(70));
      for (int32_t& word : code) {
        if (word == was) word = becomes;
      }
      break;
    }
    case 7:
      if (!starts.empty() && code.size() < 2000) {  // an instruction again, or moved
        const size_t i = below(starts.size());
        const std::vector<int32_t> copy(code.begin() + static_cast<ptrdiff_t>(starts[i]),
                                        code.begin() + static_cast<ptrdiff_t>(starts[i] + lengthOf(i)));
        code.insert(code.begin() + static_cast<ptrdiff_t>(starts[below(starts.size())]), copy.begin(), copy.end());
        bump(code[8], 1);
      }
      break;
    case 8:
      if (starts.size() > 1) {  // an instruction less
        const size_t i = below(starts.size());
        const auto first = code.begin() + static_cast<ptrdiff_t>(starts[i]);
        code.erase(first, first + static_cast<ptrdiff_t>(lengthOf(i)));
        bump(code[8], -1);
      }
      break;
    case 9:
      if (!starts.empty()) {  // a word more or less in an instruction, its count kept true
        const size_t i = below(starts.size());
        const auto at = code.begin() + static_cast<ptrdiff_t>(starts[i] + below(lengthOf(i)));
        if (below(2) == 0 && lengthOf(i) > 3) {
          code.erase(at);
          if (starts[i] + 1 < code.size()) bump(code[starts[i] + 1], -1);
        } else {
          code.insert(at, static_cast<int32_t>(below(70)));
          bump(code[starts[i] + 1], 1);
        }
      }
      break;
  }
}

}  // namespace

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t maxSize, unsigned seed) {
  std::minstd_rand random(seed);
  if (random() % 16 == 0) return LLVMFuzzerMutate(data, size, maxSize);
  Input input = parse(data, size);
  for (unsigned i = 0, count = 1 + static_cast<unsigned>(random()) % 3; i < count; ++i) mutate(input, random);
  if (random() % 8 == 0 && !input.constants.empty()) {
    const size_t old = input.constants.size();
    input.constants.resize(old + 64);
    input.constants.resize(LLVMFuzzerMutate(input.constants.data(), old, input.constants.size()));
  }
  const uint32_t words = static_cast<uint32_t>(std::min(input.code.size(), (maxSize - 4) / 4));
  const size_t constants = std::min(input.constants.size(), maxSize - 4 - words * size_t{4});
  std::memcpy(data, &words, 4);
  if (words > 0) std::memcpy(data + 4, input.code.data(), words * size_t{4});
  if (constants > 0) std::memcpy(data + 4 + words * size_t{4}, input.constants.data(), constants);
  return 4 + words * size_t{4} + constants;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Input input = parse(data, size);
  // A table and a thread count, from the bytes, so that an input always does the same.
  const uint32_t features = detectFeatures();
  uint32_t pick = 0;
  for (const int32_t word : input.code) pick = pick * 31 + static_cast<uint32_t>(word);
  pick = (pick >> 8) % 9;
  const KernelTable* table = isaEntries().back().table;
  if (pick % 3 == 1) table = bestIsa(features).table;
  if (pick % 3 == 2) table = bestIsa(features & (kSse42 | kAvx2 | kFma | kNeon)).table;
  runOn(input, *table, pick >= 7 ? 2 : 1);
  return 0;
}
