// The way of an asynchronous run: queued and copied on the JavaScript thread, led by a pool thread, completed on the JavaScript
// thread again.
#pragma once

#include <napi.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "../base/error.h"
#include "../exec/interpreter.h"

namespace bitpath {

class Environment;
struct Job;

// An interpreter and the runs that wait for it: one at a time, in order. Shared by the executor object and its jobs, so that an
// executor may be collected while a run is under way.
struct Lane {
  Lane(std::shared_ptr<const Program> program, int threads) : interpreter(std::move(program), threads) {}

  Interpreter interpreter;
  std::mutex arena;  // held while the interpreter runs
  std::mutex mutex;  // guards what follows
  std::deque<Job*> queue;
  bool busy = false;  // a pool thread works through the queue

  // Memory for a run's copy of its input, on the JavaScript thread: fresh pages cost more than the copy, so those of the largest run
  // are kept.
  AlignedBuffer takeInput(size_t bytes) {
    return spareInput.bytes() >= bytes ? std::move(spareInput) : AlignedBuffer(bytes);
  }
  void keepInput(AlignedBuffer input) {
    constexpr size_t kMostKept = size_t{1} << 24;
    if (input.bytes() > spareInput.bytes() && input.bytes() <= kMostKept) spareInput = std::move(input);
  }
  AlignedBuffer spareInput;
};

// One asynchronous run. Made and destroyed on the JavaScript thread; between start() and complete() a pool thread has it.
struct Job {
  std::shared_ptr<Lane> lane;
  AlignedBuffer input;
  bool uint8Input = false;
  int64_t images = 0;
  int threads = 1;
  std::vector<AlignedBuffer> outputs;
  std::atomic<bool> cancelled{false};
  bool disposed = false;  // cancelled because its executor is gone
  uint32_t id = 0;
  std::shared_ptr<Environment> environment;
  Napi::FunctionReference callback;
  bool failed = false;
  ErrorCode code = ErrorCode::Internal;
  std::string message;
};

// Everything that belongs to one JavaScript environment (the main thread's, or a Worker's).
class Environment {
 public:
  explicit Environment(Napi::Env env);

  // All on the JavaScript thread.
  uint32_t start(std::unique_ptr<Job> job);
  void cancel(uint32_t id, const Lane* lane);
  void disposeAll(const Lane* lane);
  // The environment is going away: stops its runs and waits for them.
  void tearDown();

  // On a pool thread: the job is done, its result may be fetched. The job may be gone when this returns.
  void complete(Job& job) noexcept;

  std::shared_ptr<ThreadPool> pool;

 private:
  void deliver(Napi::Env env, uint32_t id);
  static void callJs(Napi::Env env, Napi::Function, Environment* environment, Job* job);

  // Calls back onto the JavaScript thread without allocating: a pool thread has nobody to throw to.
  using WakeUp = Napi::TypedThreadSafeFunction<Environment, Job, &Environment::callJs>;
  WakeUp wakeUp_;
  std::unordered_map<uint32_t, std::unique_ptr<Job>> jobs_;  // JavaScript thread only
  uint32_t nextId_ = 1;

  std::mutex mutex_;
  std::condition_variable idle_;
  uint64_t completed_ = 0;
  bool closing_ = false;

  uint64_t delivered_ = 0;  // JavaScript thread only
  Napi::Env env_;
};

// One Float32Array an output.
Napi::Value outputsToJs(Napi::Env env, const std::vector<AlignedBuffer>& outputs);

}  // namespace bitpath
