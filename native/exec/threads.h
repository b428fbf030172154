// The process's one thread pool, and teamwork on a run.
//
// A run is led by one thread: a pool thread for an asynchronous run, the caller's own for a synchronous one. The leader walks
// through the instructions; idle pool threads join as helpers and take tasks of the instruction at hand from a shared ticket.
// A helper that comes late or never costs speed, not correctness: the leader takes tasks itself until none is left.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace bitpath {

// What helpers see of a run. Phases are numbered from 0; a phase's tasks are numbered from 0. The ticket is phase << 32 | next
// task, so that a task is always taken in the phase that it belongs to.
class Team {
 public:
  // Tasks of a phase; called by any member.
  using Tasks = std::function<int64_t(int64_t phase)>;
  // Runs a task on member `member` (the leader is 0, helpers are 1 … maxHelpers). Must not throw.
  using Work = std::function<void(int64_t phase, int64_t task, int member)>;

  Team(int maxHelpers, Tasks tasks, Work work);

  // Leader: runs phase `phase` to its end.
  void lead(int64_t phase);
  // Leader: no more phases; returns when no helper is inside.
  void finish();
  // Helper: works until the team is finished. Returns false if the team was full or finished.
  bool help();
  bool wantsHelp() const;

 private:
  static constexpr int64_t kNoPhase = INT32_MAX;
  void takeTasks(int64_t phase, int64_t count, int member);

  Tasks tasks_;
  Work work_;
  int maxHelpers_;
  std::atomic<uint64_t> ticket_;
  std::atomic<int64_t> done_{0};  // tasks of the phase that are done
  std::atomic<int> helpers_{0};   // inside now
  std::atomic<int> joined_{0};    // member numbers given out
  std::atomic<bool> finished_{false};
};

class ThreadPool {
 public:
  // The process's pool, alive as long as somebody holds it.
  static std::shared_ptr<ThreadPool> shared();

  ~ThreadPool();
  // Makes sure of `threads` threads. Throws Error(Thread).
  void grow(int threads);
  // Runs `job` on a pool thread. `job` must not throw.
  void submit(std::function<void()> job);
  // Lets idle threads help `team` until unlisted.
  void list(const std::shared_ptr<Team>& team);
  void unlist(const std::shared_ptr<Team>& team);

 private:
  void loop() noexcept;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::thread> threads_;
  std::deque<std::function<void()>> jobs_;
  std::vector<std::shared_ptr<Team>> teams_;
  bool stopping_ = false;
};

// CPUs that this process may use: its affinity mask, cut to its cgroup's quota, at least 1.
int availableThreads();

}  // namespace bitpath
