#include "environment.h"

#include <cstring>

#include "guards.h"

namespace bitpath {

namespace {

// Called on a pool thread: nothing may escape.
void runJob(Job& job, ThreadPool& pool) noexcept {
  try {
    Lane& lane = *job.lane;
    const std::lock_guard<std::mutex> lock(lane.arena);
    std::vector<float*> to;
    for (const AlignedBuffer& output : job.outputs) to.push_back(output.as<float>());
    lane.interpreter.run(job.input.data(), job.uint8Input, job.images, to.data(), job.threads, pool, job.cancelled);
  } catch (const Error& error) {
    job.failed = true;
    job.code = error.code;
    try {
      job.message = error.what();
    } catch (...) {
    }
  } catch (const std::bad_alloc&) {
    job.failed = true;
    job.code = ErrorCode::Memory;
  } catch (...) {
    job.failed = true;
    job.code = ErrorCode::Internal;
  }
}

// Works through a lane's queue. The environment outlives this: tearDown() waits for its running jobs.
void drain(const std::shared_ptr<Lane>& lane, ThreadPool& pool) noexcept {
  while (true) {
    Job* job;
    {
      const std::lock_guard<std::mutex> lock(lane->mutex);
      if (lane->queue.empty()) {
        lane->busy = false;
        return;
      }
      job = lane->queue.front();
      lane->queue.pop_front();
    }
    runJob(*job, pool);
    const std::shared_ptr<Environment> environment = job->environment;
    environment->complete(*job);
  }
}

}  // namespace

Napi::Value outputsToJs(Napi::Env env, const std::vector<AlignedBuffer>& outputs) {
  Napi::Array array = Napi::Array::New(env, outputs.size());
  for (size_t i = 0; i < outputs.size(); ++i) {
    Napi::Float32Array values = Napi::Float32Array::New(env, outputs[i].bytes() / 4);
    if (outputs[i].bytes() > 0) std::memcpy(values.Data(), outputs[i].data(), outputs[i].bytes());
    array.Set(static_cast<uint32_t>(i), values);
  }
  return array;
}

Environment::Environment(Napi::Env env) : env_(env) {
  pool = ThreadPool::shared();
  wakeUp_ = WakeUp::New(env, "bitpath", 0, 1, this);
  wakeUp_.Unref(env);  // an idle engine must not keep the process alive
}

uint32_t Environment::start(std::unique_ptr<Job> job) {
  // 0 is no id, and an id may come round again after 2³² runs.
  while (nextId_ == 0 || jobs_.count(nextId_) != 0) ++nextId_;
  const uint32_t id = nextId_++;
  job->id = id;
  Lane& lane = *job->lane;
  Job* raw = job.get();
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (closing_) throw Error(ErrorCode::Disposed, "The environment is shutting down");
  }
  jobs_.emplace(id, std::move(job));
  try {
    bool submit;
    {
      const std::lock_guard<std::mutex> lock(lane.mutex);
      lane.queue.push_back(raw);
      submit = !lane.busy;
      lane.busy = true;
    }
    if (submit) {
      try {
        pool->submit([lane = raw->lane, pool = pool.get()] { drain(lane, *pool); });
      } catch (...) {
        const std::lock_guard<std::mutex> lock(lane.mutex);
        lane.busy = false;
        lane.queue.pop_back();
        throw;
      }
    }
  } catch (...) {
    jobs_.erase(id);
    throw;
  }
  if (jobs_.size() == 1) wakeUp_.Ref(env_);
  return id;
}

void Environment::complete(Job& job) noexcept {
  const std::lock_guard<std::mutex> lock(mutex_);
  // The queue is unbounded; a failure means that the environment is closing, where tearDown() takes care of the job.
  if (!closing_) wakeUp_.NonBlockingCall(&job);
  ++completed_;
  idle_.notify_all();
}

void Environment::callJs(Napi::Env env, Napi::Function, Environment* environment, Job* job) {
  if (env != nullptr) environment->deliver(env, job->id);  // null: the environment is gone, and the job with it
}

void Environment::deliver(Napi::Env env, uint32_t id) {
  const auto found = jobs_.find(id);
  if (found == jobs_.end()) return;
  const std::unique_ptr<Job> job = std::move(found->second);
  jobs_.erase(found);
  if (jobs_.empty()) wakeUp_.Unref(env);
  ++delivered_;
  const Napi::HandleScope scope(env);
  Napi::Value error = env.Null(), outputs = env.Null();
  if (!job->failed) {
    try {
      outputs = outputsToJs(env, job->outputs);
    } catch (const Napi::Error& failure) {  // no memory for the arrays
      error = failure.Value();
      outputs = env.Null();
    }
  } else {
    if (job->code == ErrorCode::Aborted && job->disposed) {
      job->code = ErrorCode::Disposed;
      job->message = "The executor has been disposed";
    }
    error = toJs(env, job->code, job->message.empty() ? "The run failed" : job->message).Value();
  }
  job->lane->keepInput(std::move(job->input));
  // What the callback throws becomes an uncaught exception, as from any callback.
  job->callback.Call({error, outputs});
}

void Environment::cancel(uint32_t id, const Lane* lane) {
  const auto found = jobs_.find(id);
  if (found != jobs_.end() && found->second->lane.get() == lane) found->second->cancelled.store(true);
}

void Environment::disposeAll(const Lane* lane) {
  for (auto& entry : jobs_) {
    Job& job = *entry.second;
    if (lane != nullptr && job.lane.get() != lane) continue;
    job.disposed = true;
    job.cancelled.store(true);
  }
}

void Environment::tearDown() {
  disposeAll(nullptr);
  {
    std::unique_lock<std::mutex> lock(mutex_);
    closing_ = true;
    // Jobs of jobs_ that are completed but not delivered count too: completed_ − delivered_ of them.
    idle_.wait(lock, [this] { return completed_ - delivered_ == jobs_.size(); });
  }
  jobs_.clear();
  wakeUp_.Abort();
  pool.reset();
}

}  // namespace bitpath
