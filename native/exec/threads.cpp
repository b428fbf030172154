#include "threads.h"

#include <algorithm>
#include <chrono>
#include <system_error>

#include "../base/error.h"

#if defined(__x86_64__) || defined(_M_X64)
#include <emmintrin.h>
#endif

namespace bitpath {

namespace {

inline void pauseCpu() {
#if defined(__x86_64__) || defined(_M_X64)
  _mm_pause();
#elif defined(__aarch64__) && !defined(_MSC_VER)
  __asm__ volatile("yield");
#endif
}

// Waits between instructions are microseconds, far shorter than a sleep and a wake-up; but where more threads than CPUs run,
// the one waited for may need this very CPU.
class Spinner {
 public:
  void wait() {
    if (++spins_ < kSpins) {
      pauseCpu();
    } else {
      std::this_thread::yield();
    }
  }
  void reset() { spins_ = 0; }

 private:
  static constexpr int kSpins = 2000;
  int spins_ = 0;
};

// How long an idle thread looks out for work before it sleeps: several times a wake-up, a small part of what a run takes.
constexpr std::chrono::microseconds kLookOut{200};

constexpr uint64_t ticketOf(int64_t phase) { return static_cast<uint64_t>(phase) << 32; }
constexpr int64_t phaseOf(uint64_t ticket) { return static_cast<int64_t>(ticket >> 32); }
constexpr int64_t taskOf(uint64_t ticket) { return static_cast<int64_t>(ticket & 0xffffffffu); }

}  // namespace

Team::Team(int maxHelpers, Tasks tasks, Work work)
    : tasks_(std::move(tasks)), work_(std::move(work)), maxHelpers_(maxHelpers), shares_(maxHelpers + 1) {
  for (Share& share : shares_) share.ticket.store(ticketOf(kNoPhase), std::memory_order_relaxed);
}

bool Team::takeTasks(int64_t phase, int64_t count, int member) {
  const int members = maxHelpers_ + 1;
  bool took = false;
  for (int i = 0; i < members; ++i) {
    const int share = (member + i) % members;
    const int64_t end = firstTask(count, share + 1);
    std::atomic<uint64_t>& tickets = shares_[share].ticket;
    uint64_t ticket = tickets.load(std::memory_order_acquire);
    while (phaseOf(ticket) == phase && taskOf(ticket) < end) {
      if (!tickets.compare_exchange_weak(ticket, ticket + 1, std::memory_order_acq_rel, std::memory_order_acquire))
        continue;
      work_(phase, taskOf(ticket), member);
      done_.fetch_add(1, std::memory_order_release);
      took = true;
      ticket = tickets.load(std::memory_order_acquire);
    }
  }
  return took;
}

void Team::lead(int64_t phase) {
  const int64_t count = tasks_(phase);
  // Nobody adds to done_ here: the phase before ended only when all its tasks were done.
  done_.store(0, std::memory_order_relaxed);
  for (int share = 0; share <= maxHelpers_; ++share) {
    shares_[share].ticket.store(ticketOf(phase) + static_cast<uint64_t>(firstTask(count, share)),
                                std::memory_order_release);
  }
  takeTasks(phase, count, 0);
  Spinner spinner;
  while (done_.load(std::memory_order_acquire) < count) spinner.wait();
}

void Team::finish() {
  finished_.store(true);
  Spinner spinner;
  while (helpers_.load() != 0) spinner.wait();
}

bool Team::wantsHelp() const { return !finished_.load() && joined_.load() < maxHelpers_; }

bool Team::help() {
  // Counted in before finished_ is read, so that finish() cannot miss a helper that goes on to work.
  helpers_.fetch_add(1);
  const int member = finished_.load() ? maxHelpers_ + 1 : joined_.fetch_add(1) + 1;
  if (member > maxHelpers_) {
    helpers_.fetch_sub(1);
    return false;
  }
  int64_t phase = kNoPhase, count = 0;
  Spinner spinner;
  while (!finished_.load(std::memory_order_acquire)) {
    const int64_t current = phaseOf(shares_[member].ticket.load(std::memory_order_acquire));
    if (current != phase) {
      phase = current;
      count = phase == kNoPhase ? 0 : tasks_(phase);
      spinner.reset();
    }
    // Shares are handed out one after another: what could not be taken now may be a moment later.
    if (phase == kNoPhase || !takeTasks(phase, count, member)) spinner.wait();
  }
  helpers_.fetch_sub(1);
  return true;
}

std::shared_ptr<ThreadPool> ThreadPool::shared() {
  static std::mutex mutex;
  static std::weak_ptr<ThreadPool> pool;
  const std::lock_guard<std::mutex> lock(mutex);
  std::shared_ptr<ThreadPool> alive = pool.lock();
  if (!alive) pool = alive = std::make_shared<ThreadPool>();
  return alive;
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void ThreadPool::grow(int threads) {
  const std::lock_guard<std::mutex> lock(mutex_);
  while (static_cast<int>(threads_.size()) < threads) {
    try {
      threads_.emplace_back([this] { loop(); });
      size_.store(threads_.size());
    } catch (const std::system_error& error) {
      throw Error(ErrorCode::Thread, "Cannot start a thread: " + std::to_string(threads_.size()) + " of " +
                                         std::to_string(threads) + " run, then: " + error.what());
    }
  }
}

void ThreadPool::submit(std::function<void()> job) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    jobs_.push_back(std::move(job));
  }
  call(1);
}

void ThreadPool::call(int threads) {
  calls_.fetch_add(1);
  for (int i = lookingOut_.load(); i < threads; ++i) wake_.notify_one();
}

void ThreadPool::list(const std::shared_ptr<Team>& team) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    teams_.push_back(team);
  }
  call(team->maxHelpers());
}

void ThreadPool::unlist(const std::shared_ptr<Team>& team) {
  const std::lock_guard<std::mutex> lock(mutex_);
  teams_.erase(std::remove(teams_.begin(), teams_.end(), team), teams_.end());
}

void ThreadPool::loop() noexcept {
  using Clock = std::chrono::steady_clock;
  std::unique_lock<std::mutex> lock(mutex_);
  // Until when to look out. Only work of its own gives a thread more time: calls that others answer do not.
  Clock::time_point until = Clock::now() + kLookOut;
  while (true) {
    const auto needy = std::find_if(teams_.begin(), teams_.end(), [](const auto& team) { return team->wantsHelp(); });
    // A run that waits for a leader comes before helping another.
    if (!jobs_.empty()) {
      const std::function<void()> job = std::move(jobs_.front());
      jobs_.pop_front();
      // Two callers may have counted on this thread.
      if (!jobs_.empty()) wake_.notify_one();
      lock.unlock();
      job();
      until = Clock::now() + kLookOut;
      lock.lock();
    } else if (needy != teams_.end()) {
      const std::shared_ptr<Team> team = *needy;
      lock.unlock();
      team->help();
      until = Clock::now() + kLookOut;
      lock.lock();
    } else if (stopping_) {
      return;
    } else if (Clock::now() < until) {
      const uint64_t calls = calls_.load();
      lock.unlock();
      if (!lookOut(calls, until)) until = Clock::time_point::min();
      lock.lock();
    } else {
      // Whoever adds work from here on waits for the lock, and then finds nobody that looks out, and notifies.
      wake_.wait(lock);
    }
  }
}

bool ThreadPool::lookOut(uint64_t calls, std::chrono::steady_clock::time_point until) noexcept {
  // All but one: the thread that calls needs a CPU too.
  const bool may = lookingOut_.fetch_add(1) < std::max(1, static_cast<int>(size_.load()) - 1);
  bool called = false;
  while (may && !called && std::chrono::steady_clock::now() < until) {
    for (int i = 0; i < 64 && !called; ++i) {
      called = calls_.load(std::memory_order_acquire) != calls;
      pauseCpu();
    }
  }
  lookingOut_.fetch_sub(1);
  return may;
}

}  // namespace bitpath
