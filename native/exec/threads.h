// The process's one thread pool, and teamwork on a run.
//
// A run is led by one thread: a pool thread for an asynchronous run, the caller's own for a synchronous one. The leader walks
// through the instructions; idle pool threads join as helpers. Each member has a share of the instruction's tasks, the same share
// of the map's rows in every instruction, so that what it reads it has mostly written itself and finds in its own cache; when its
// share is done it takes from the others'. A helper that comes late or never costs speed, not correctness: the leader takes all.
//
// A pool thread that has nothing to do looks out for work for a while, because in a stream of runs the next one comes sooner
// than a sleeping thread wakes up. Then it sleeps, and an idle process uses no CPU.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace bitpath {

// What helpers see of a run. Phases are numbered from 0; a phase's tasks are numbered from 0. A share's ticket is phase << 32 |
// next task, so that a task is always taken in the phase that it belongs to.
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
  int maxHelpers() const { return maxHelpers_; }

 private:
  static constexpr int64_t kNoPhase = INT32_MAX;
  // On a cache line of its own: members write their tickets all the time.
  struct alignas(64) Share {
    std::atomic<uint64_t> ticket;
  };
  int64_t firstTask(int64_t count, int share) const { return count * share / (maxHelpers_ + 1); }
  // Tasks of the member's own share, then of the others'. False if there was none to take.
  bool takeTasks(int64_t phase, int64_t count, int member);

  Tasks tasks_;
  Work work_;
  int maxHelpers_;
  std::vector<Share> shares_;
  alignas(64) std::atomic<int64_t> done_{0};  // tasks of the phase that are done
  std::atomic<int> helpers_{0};               // inside now
  std::atomic<int> joined_{0};                // member numbers given out
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
  // Waits until then for calls_ to pass `calls`. False if enough others do.
  bool lookOut(uint64_t calls, std::chrono::steady_clock::time_point until) noexcept;
  // Wakes as many threads as are needed beside those that look out.
  void call(int threads);

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::thread> threads_;
  std::atomic<uint64_t> calls_{0};  // for help or for a leader, ever
  std::atomic<int> lookingOut_{0};
  std::atomic<size_t> size_{0};
  std::deque<std::function<void()>> jobs_;
  std::vector<std::shared_ptr<Team>> teams_;
  bool stopping_ = false;
};

// CPUs that this process may use: its affinity mask, cut to its cgroup's quota, at least 1.
int availableThreads();

}  // namespace bitpath
