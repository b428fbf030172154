// Programs: the samples give the same bits on every table, thread count and batch; damaged ones are refused or harmless.
#include "exec/program.h"

#include "base/error.h"
#include "exec/interpreter.h"
#include "kernel_case.h"
#include "program_builder.h"

using namespace bitpath;
using programs::Sample;

namespace {

std::shared_ptr<const Program> load(const Sample& sample, const KernelTable& table) {
  return std::make_shared<const Program>(sample.code.data(), sample.code.size(), sample.constants.data(),
                                         sample.constants.size(), table);
}

std::vector<uint8_t> randomInput(const Program& program, int64_t images, bool uint8Input) {
  check::Random random(77);
  const int64_t elements = images * program.input().pixels() * program.input().channels;
  std::vector<uint8_t> bytes(static_cast<size_t>(elements * (uint8Input ? 1 : 4)));
  for (int64_t i = 0; i < elements; ++i) {
    const float value = random.real();
    if (uint8Input)
      bytes[static_cast<size_t>(i)] = static_cast<uint8_t>(random.between(0, 255));
    else
      std::memcpy(&bytes[static_cast<size_t>(i * 4)], &value, 4);
  }
  return bytes;
}

std::vector<std::vector<float>> run(const std::shared_ptr<const Program>& program, int threads, int64_t images,
                                    bool uint8Input, const std::atomic<bool>& cancelled) {
  const std::vector<uint8_t> input = randomInput(*program, images, uint8Input);
  std::vector<std::vector<float>> outputs;
  std::vector<float*> pointers;
  for (const FloatMap& map : program->outputs()) {
    outputs.emplace_back(static_cast<size_t>(images * map.extent.pixels() * map.extent.channels), -7.0f);
  }
  for (auto& output : outputs) pointers.push_back(output.data());
  const auto pool = ThreadPool::shared();
  pool->grow(threads - 1);
  Interpreter interpreter(program, threads + 1);  // a run may use fewer than there are
  interpreter.run(input.data(), uint8Input, images, pointers.data(), threads, *pool, cancelled);
  return outputs;
}

std::vector<std::vector<float>> run(const std::shared_ptr<const Program>& program, int threads, int64_t images,
                                    bool uint8Input) {
  const std::atomic<bool> never{false};
  return run(program, threads, images, uint8Input, never);
}

bool same(const std::vector<std::vector<float>>& a, const std::vector<std::vector<float>>& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i].size() != b[i].size() || std::memcmp(a[i].data(), b[i].data(), a[i].size() * 4) != 0) return false;
  }
  return true;
}

// Loads what may be hostile, and runs it where that is quick. True if it loaded.
bool survives(const Sample& sample) {
  try {
    const auto program = load(sample, *isaEntries().back().table);
    int64_t macs = 0;
    for (const OpInfo& op : program->describe()) macs += op.macs + op.output.pixels() * op.output.channels;
    const int64_t elements = program->input().pixels() * program->input().channels;
    if (macs < 200000 && elements < 100000 && program->arenaBytes() < (1 << 20) &&
        program->scratchBytes() < (1 << 20) && program->batch() < 8) {
      run(program, 1, 1, false);
      run(program, 1, 1, true);
    }
    return true;
  } catch (const Error& error) {
    if (error.code != ErrorCode::Program)
      check::failed(__FILE__, __LINE__, std::string("another error: ") + error.what());
    return false;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

}  // namespace

TEST("program: every table, thread count and batch split gives the same bits") {
  const auto tables = kernelcase::runnableTables();
  for (const Sample& sample : programs::samples()) {
    for (const bool uint8Input : {false, true}) {
      const auto program = load(sample, *tables.back());
      const auto expected = run(program, 1, 5, uint8Input);
      // Not constant: something was computed.
      for (const auto& output : expected)
        CHECK(std::adjacent_find(output.begin(), output.end(), std::not_equal_to<float>()) != output.end());
      for (const KernelTable* table : tables) {
        for (const int batch : {1, 2, 5}) {
          // The arena's maps lie apart for the sample's batch only, so other batches are runs of fewer images.
          Sample split = sample;
          if (batch > split.code[2]) continue;
          split.code[2] = batch;
          for (const int threads : {1, 2, 3}) {
            if (same(run(load(split, *table), threads, 5, uint8Input), expected))
              check::passed();
            else
              check::failed(__FILE__, __LINE__,
                            std::string(sample.name) + " on " + table->isa + " differs, " + std::to_string(threads) +
                                " threads, batch " + std::to_string(batch) + (uint8Input ? ", uint8" : ", float32"));
          }
        }
      }
    }
  }
}

TEST("program: describe counts instructions, kernels and multiply-accumulates") {
  const auto all = programs::samples();
  const auto infos = load(all[0], *isaEntries().back().table)->describe();
  CHECK_EQ(infos.size(), size_t{3});
  CHECK_EQ(std::string(infos[1].op), "binaryConv");
  CHECK_EQ(infos[1].macs, int64_t{6} * 5 * 24 * 9 * 64);
  CHECK_EQ(infos[1].output.channels, 24);
  CHECK_EQ(infos[1].steps.size(), size_t{5});
  CHECK(infos[1].kernel.find("direct") != std::string::npos);
  CHECK(load(all[1], *isaEntries().back().table)->describe()[1].kernel.find("gathered") != std::string::npos);
}

TEST("program: a truncated one is refused") {
  const auto isProgram = [](const Error& error) { return error.code == ErrorCode::Program; };
  for (const Sample& sample : programs::samples()) {
    for (size_t words = 0; words < sample.code.size(); ++words) {
      Sample cut = sample;
      cut.code.resize(words);
      CHECK_THROWS(Error, load(cut, *isaEntries().back().table), isProgram(error));
    }
    Sample longer = sample;
    longer.code.push_back(0);
    CHECK_THROWS(Error, load(longer, *isaEntries().back().table), isProgram(error));
    // The last constant ends with the constants.
    Sample fewer = sample;
    fewer.constants.pop_back();
    CHECK_THROWS(Error, load(fewer, *isaEntries().back().table), isProgram(error));
    Sample none = sample;
    none.constants.clear();
    CHECK_THROWS(Error, load(none, *isaEntries().back().table), isProgram(error));
  }
}

TEST("program: each word replaced by hostile values") {
  int64_t refused = 0, loaded = 0;
  for (const Sample& sample : programs::samples()) {
    for (size_t word = 0; word < sample.code.size(); ++word) {
      const int32_t was = sample.code[word];
      const auto plus = [&](uint32_t n) { return static_cast<int32_t>(static_cast<uint32_t>(was) + n); };
      for (const int32_t value : {0, 1, -1, 2, 63, 64, 65, 1 << 20, (1 << 20) + 1, INT32_MAX, INT32_MAX - 3, INT32_MIN,
                                  plus(1), plus(~0u), plus(4), plus(static_cast<uint32_t>(was))}) {
        if (value == was) continue;
        Sample damaged = sample;
        damaged.code[word] = value;
        survives(damaged) ? ++loaded : ++refused;
        check::passed();
      }
    }
  }
  check::note(std::to_string(refused) + " refused, " + std::to_string(loaded) + " loaded and harmless");
  CHECK(refused > loaded);
  CHECK(loaded > 0);
}

TEST("program: particular lies") {
  const auto isProgram = [](const Error& error) { return error.code == ErrorCode::Program; };
  const auto& table = *isaEntries().back().table;
  check::Random random(9);
  // A weight bit after the last tap.
  Sample tail = programs::samples()[1];
  for (uint8_t& byte : tail.constants) byte = 0xff;
  CHECK_THROWS(Error, load(tail, table), isProgram(error));
  // Windows of 2×2 that reach beyond the map.
  for (const int height : {4, 5}) {
    programs::Builder b(1, 1, height, 4);
    const auto out = b.map(2, 2, 1);
    b.begin(1, 0);
    b.steps(1);
    b.storeMaxPooled(out);
    b.output(out);
    const Sample sample{"pooled", b.code(), b.constants()};
    if (height == 4) {
      CHECK_EQ(load(sample, table)->batch(), 1);
    } else {
      CHECK_THROWS(Error, load(sample, table), isProgram(error));
    }
  }
  // A picture stem whose sum can pass 2^31.
  {
    programs::Builder b(1, 1, 512, 512);
    const auto out = b.map(1, 1, 1);
    const std::vector<int16_t> weights(512 * 512, 33);  // 255 · 33 · 2^18 > 2^31
    const std::vector<int32_t> zero = {0};
    b.begin(4, 2, {2, 1, 1, 1, 512, 512, 1, 1, 0, 0, 1, 1, b.constant(weights), b.floats(random, 1), 1, 1});
    b.fields({b.constant(zero), b.constant(zero), b.floats(random, 1)});
    b.steps(1);
    b.store(out);
    b.output(out);
    const Sample sample{"overflow", b.code(), b.constants()};
    CHECK_THROWS(Error, load(sample, table), isProgram(error));
    Sample fits = sample;
    const std::vector<int16_t> small(512 * 512, 32);
    std::memcpy(fits.constants.data(), small.data(), small.size() * 2);
    CHECK_EQ(load(fits, table)->batch(), 1);
  }
  // Padded windows need not lie in the map: 2^40 rows of 2^22 columns would wrap the size of the copied rows to 0.
  {
    programs::Builder b(1, 1, 1, 1);
    const auto in = b.map(1, 1, 1), out = b.map(2, 24, 1);
    b.begin(1, 0);
    b.steps(1);
    b.store(in);
    b.begin(3, 0);
    b.field(in);
    b.fields({2, 24, 1, 1 << 20, 1, (1 << 20) - 1, 182361, 0, 0, 1 << 20, 1, 1});
    b.fields({b.constant(std::vector<float>(1 << 20, 1.0f))});
    b.steps(1);
    b.store(out);
    b.output(out);
    const Sample sample{"span", b.code(), b.constants()};
    CHECK_THROWS(Error, load(sample, table), isProgram(error));
  }
  // An arena that no machine has: refused, or an allocation that fails when somebody makes an executor.
  Sample huge = programs::samples()[0];
  huge.code[3] = INT32_MAX;
  CHECK(load(huge, table)->arenaBytes() == int64_t{INT32_MAX} * 64);
}

TEST("program: a cancelled run ends with Aborted") {
  const auto program = load(programs::samples()[0], *isaEntries().front().table);
  const std::atomic<bool> cancelled{true};
  for (const int threads : {1, 2}) {
    CHECK_THROWS(Error, run(load(programs::samples()[0], *isaEntries().back().table), threads, 3, false, cancelled),
                 error.code == ErrorCode::Aborted);
  }
}
