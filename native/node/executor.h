// Program and Executor as JavaScript classes, and the way of a run: queued and copied on the JavaScript thread, led by a pool
// thread, completed on the JavaScript thread again.
#pragma once

#include <napi.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "../exec/interpreter.h"

namespace bitpath {

struct Job;
struct Lane;

// Everything that belongs to one JavaScript environment (the main thread's, or a Worker's).
class Environment {
 public:
  explicit Environment(Napi::Env env);
  ~Environment();

  // All on the JavaScript thread.
  uint32_t start(std::unique_ptr<Job> job);
  void cancel(uint32_t id, const Lane* lane);
  void disposeAll(const Lane* lane);
  // The environment is going away: stops its runs and waits for them.
  void tearDown();

  // On a pool thread: the job is done, its result may be fetched.
  void complete(uint32_t id);

  std::shared_ptr<ThreadPool> pool;

 private:
  void deliver(Napi::Env env, uint32_t id);

  Napi::ThreadSafeFunction wakeUp_;
  std::unordered_map<uint32_t, std::unique_ptr<Job>> jobs_;  // JavaScript thread only
  uint32_t nextId_ = 1;

  std::mutex mutex_;
  std::condition_variable idle_;
  uint64_t completed_ = 0;
  bool closing_ = false;

  uint64_t delivered_ = 0;  // JavaScript thread only
  Napi::Env env_;
};

class ProgramWrap : public Napi::ObjectWrap<ProgramWrap> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit ProgramWrap(const Napi::CallbackInfo& info);
  ~ProgramWrap() override;
  std::shared_ptr<const Program> program;
  static const napi_type_tag kTag;

 private:
  int64_t weights_ = 0;
  Napi::Value isa(const Napi::CallbackInfo& info);
  Napi::Value arenaBytes(const Napi::CallbackInfo& info);
  Napi::Value weightBytes(const Napi::CallbackInfo& info);
  Napi::Value describe(const Napi::CallbackInfo& info);
};

class ExecutorWrap : public Napi::ObjectWrap<ExecutorWrap> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit ExecutorWrap(const Napi::CallbackInfo& info);
  ~ExecutorWrap() override;

 private:
  Napi::Value run(const Napi::CallbackInfo& info);
  Napi::Value runSync(const Napi::CallbackInfo& info);
  void cancel(const Napi::CallbackInfo& info);
  void dispose(const Napi::CallbackInfo& info);
  Lane& lane();

  std::shared_ptr<Environment> environment_;
  std::shared_ptr<Lane> lane_;
  int64_t arena_ = 0;
};

}  // namespace bitpath
