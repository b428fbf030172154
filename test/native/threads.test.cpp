// The pool under stress (the TSan build's main course), its teardown, and what happens where the system has no thread or no
// memory to give.
#include "exec/threads.h"

#include <chrono>

#include "base/error.h"
#include "check.h"
#include "exec/interpreter.h"
#include "kernels/detect.h"
#include "kernels/select.h"
#include "program_builder.h"

#if defined(__linux__)
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define UNDER_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define UNDER_SANITIZER 1
#endif
#endif

using namespace bitpath;

TEST("threads: a team runs each task of each phase once, in phase order") {
  const auto pool = ThreadPool::shared();
  pool->grow(3);
  check::Random random(21);
  for (int round = 0; round < 200; ++round) {
    const int phases = random.between(1, 12);
    std::vector<int> counts;
    for (int p = 0; p < phases; ++p) counts.push_back(random.between(0, 40));
    // Plain ints: a task that two members took, or that overtook its phase, is a data race for TSan and a wrong count here.
    std::vector<std::vector<int>> runs;
    for (const int count : counts) runs.emplace_back(static_cast<size_t>(count), 0);
    bool ordered = true;
    std::mutex mutex;
    const auto team = std::make_shared<Team>(
        3, [&](int64_t phase) { return static_cast<int64_t>(counts[static_cast<size_t>(phase)]); },
        [&](int64_t phase, int64_t task, int member) {
          const size_t p = static_cast<size_t>(phase);
          ++runs[p][static_cast<size_t>(task)];
          bool good = member >= 0 && member <= 3;
          // Reads what other members wrote in the phase before.
          if (p > 0) {
            for (const int count : runs[p - 1]) good = good && count == 1;
          }
          if (!good) {
            const std::lock_guard<std::mutex> lock(mutex);
            ordered = false;
          }
        });
    pool->list(team);
    for (int p = 0; p < phases; ++p) team->lead(p);
    team->finish();
    pool->unlist(team);
    CHECK(ordered);
    bool once = true;
    for (const auto& phase : runs) {
      for (const int count : phase) once = once && count == 1;
    }
    CHECK(once);
  }
}

TEST("threads: interpreters on pool threads and callers at once, some cancelled") {
  const auto& table = bestIsa(detectFeatures());
  const auto samples = programs::samples();
  std::vector<std::thread> callers;
  std::atomic<int> finished{0}, aborted{0}, wrong{0};
  const auto work = [&](int seed) {
    check::Random random(static_cast<uint64_t>(seed));
    const auto pool = ThreadPool::shared();
    for (int round = 0; round < 12; ++round) {
      const auto& sample = samples[static_cast<size_t>(random.between(0, static_cast<int>(samples.size()) - 1))];
      const auto program = std::make_shared<const Program>(
          sample.code.data(), sample.code.size(), sample.constants.data(), sample.constants.size(), *table.table);
      const int threads = random.between(1, 4), images = random.between(1, 9);
      pool->grow(threads);
      std::vector<float> input(static_cast<size_t>(images * program->input().pixels() * program->input().channels),
                               0.25f);
      const auto outputs = [&] {
        std::vector<std::vector<float>> made;
        for (const FloatMap& map : program->outputs()) {
          made.emplace_back(static_cast<size_t>(images * map.extent.pixels() * map.extent.channels));
        }
        return made;
      };
      auto first = outputs(), second = outputs();
      const auto runInto = [&](std::vector<std::vector<float>>& to, const std::atomic<bool>& cancelled) {
        std::vector<float*> pointers;
        for (auto& output : to) pointers.push_back(output.data());
        Interpreter interpreter(program, threads);
        interpreter.run(input.data(), false, images, pointers.data(), threads, *pool, cancelled);
      };
      const std::atomic<bool> never{false};
      runInto(first, never);
      // The second run is led by a pool thread and may be cancelled half-way.
      std::atomic<bool> cancelled{false};
      std::mutex mutex;
      std::condition_variable done;
      bool ended = false, completed = false;
      pool->submit([&] {
        bool good = true;
        try {
          runInto(second, cancelled);
        } catch (const Error&) {
          good = false;
        }
        const std::lock_guard<std::mutex> lock(mutex);
        ended = true, completed = good;
        done.notify_one();
      });
      if (random.chance(30)) cancelled.store(true);
      std::unique_lock<std::mutex> lock(mutex);
      done.wait(lock, [&] { return ended; });
      if (!completed)
        ++aborted;
      else if (first != second)
        ++wrong;
      else
        ++finished;
    }
  };
  for (int i = 0; i < 3; ++i) callers.emplace_back(work, 100 + i);
  for (std::thread& caller : callers) caller.join();
  CHECK_EQ(wrong.load(), 0);
  CHECK_EQ(finished + aborted, 36);
  CHECK(finished > 0);
}

TEST("threads: the pool ends with its last holder and starts again") {
  for (int round = 0; round < 50; ++round) {
    auto pool = ThreadPool::shared();
    CHECK(pool == ThreadPool::shared());
    pool->grow(1 + round % 4);
    std::atomic<int> ran{0};
    for (int job = 0; job < round % 5; ++job) pool->submit([&ran] { ++ran; });
    pool.reset();  // joins: jobs that were handed in have run
    CHECK_EQ(ran.load(), round % 5);
  }
}

TEST("threads: available ones are at least one and at most the CPUs online") {
  const int available = availableThreads();
  CHECK(available >= 1);
  CHECK(available <= static_cast<int>(std::max(1u, std::thread::hardware_concurrency())));
}

#if defined(__linux__)
namespace {

// Runs `action` in a child process; the child's exit code, or −1 if a signal ended it.
template <typename Action>
int inChild(Action&& action) {
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) _exit(action());
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

enum Outcome { kTyped = 0, kNoFailure = 1, kUntyped = 2, kNoLimit = 3 };

// Whether growing the pool to 64 threads fails with Error(Thread) and leaves a pool that still works.
int growUntilFailure() {
  const auto pool = ThreadPool::shared();
  try {
    pool->grow(64);
  } catch (const Error& error) {
    if (error.code != ErrorCode::Thread) return kUntyped;
    try {
      std::thread([] {}).join();
    } catch (const std::system_error&) {
      return kTyped;  // there is indeed no thread left
    }
    return kTyped;
  } catch (...) {
    return kUntyped;
  }
  return kNoFailure;
}

}  // namespace

TEST("threads: no thread to be had is a typed error (ulimit -u)") {
  const int outcome = inChild([]() -> int {
    // Root is above this limit, so the child becomes somebody else first.
    if (geteuid() == 0 && setuid(65534) != 0) return kNoLimit;
    const rlimit limit = {3, 3};
    if (setrlimit(RLIMIT_NPROC, &limit) != 0) return kNoLimit;
    return growUntilFailure();
  });
  if (outcome == kNoLimit || outcome == kNoFailure)
    check::note("NOT TESTED: this system does not limit threads for us");
  CHECK(outcome != kUntyped && outcome != -1);
}

// A sanitizer needs terabytes of address space, and qemu's user mode does not pass this limit on.
#if !defined(UNDER_SANITIZER) && !defined(BITPATH_EMULATED)
TEST("threads: no memory for stacks is a typed error (ulimit -v)") {
  CHECK_EQ(inChild([]() -> int {
             const rlimit limit = {64 << 20, 64 << 20};
             return setrlimit(RLIMIT_AS, &limit) == 0 ? growUntilFailure() : kNoLimit;
           }),
           int{kTyped});
}

TEST("threads: no memory for an arena is bad_alloc") {
  CHECK_EQ(inChild([]() -> int {
             const rlimit limit = {256 << 20, 256 << 20};
             if (setrlimit(RLIMIT_AS, &limit) != 0) return kNoLimit;
             auto sample = programs::samples()[0];
             sample.code[3] = 16 << 20;  // 1 GiB
             try {
               const auto program =
                   std::make_shared<const Program>(sample.code.data(), sample.code.size(), sample.constants.data(),
                                                   sample.constants.size(), *isaEntries().back().table);
               Interpreter interpreter(program, 1);
             } catch (const std::bad_alloc&) {
               return kTyped;
             } catch (...) {
               return kUntyped;
             }
             return kNoFailure;
           }),
           int{kTyped});
}
#endif
#endif
