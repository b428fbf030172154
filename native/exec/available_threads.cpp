#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <cstdlib>
#include <string>

#include "threads.h"

#ifdef __linux__
#include <sched.h>
#endif

namespace bitpath {

#ifdef __linux__
namespace {

bool readLine(const std::string& path, char* line, int size) {
  FILE* file = std::fopen(path.c_str(), "re");
  if (file == nullptr) return false;
  const bool read = std::fgets(line, size, file) != nullptr;
  std::fclose(file);
  return read;
}

// CPUs that a cgroup's quota pays for, or 0 for no limit: version 2's cpu.max of this process's group and all above it, or
// version 1's cfs_quota_us.
double quotaCpus() {
  double cpus = 0;
  const auto limit = [&cpus](double quota, double period) {
    if (quota > 0 && period > 0) cpus = cpus == 0 ? quota / period : std::min(cpus, quota / period);
  };
  std::string group = "/";
  if (FILE* file = std::fopen("/proc/self/cgroup", "re")) {
    char line[4096];
    while (std::fgets(line, sizeof line, file) != nullptr) {
      if (std::strncmp(line, "0::", 3) == 0) {
        group = line + 3;
        while (!group.empty() && (group.back() == '\n' || group.back() == '/')) group.pop_back();
      }
    }
    std::fclose(file);
  }
  char line[256];
  while (true) {
    double quota = 0, period = 0;
    if (readLine("/sys/fs/cgroup" + group + "/cpu.max", line, sizeof line) &&
        std::sscanf(line, "%lf %lf", &quota, &period) == 2) {
      limit(quota, period);
    }
    const size_t slash = group.rfind('/');
    if (slash == std::string::npos) break;
    group.erase(slash);
  }
  char quotaLine[64], periodLine[64];
  if (readLine("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", quotaLine, sizeof quotaLine) &&
      readLine("/sys/fs/cgroup/cpu/cpu.cfs_period_us", periodLine, sizeof periodLine)) {
    limit(std::atof(quotaLine), std::atof(periodLine));
  }
  return cpus;
}

}  // namespace
#endif

int availableThreads() {
  int threads = static_cast<int>(std::thread::hardware_concurrency());
#ifdef __linux__
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) threads = CPU_COUNT(&set);
  const double quota = quotaCpus();
  if (quota > 0) threads = std::min(threads, static_cast<int>(std::ceil(quota)));
#endif
  return std::max(threads, 1);
}

}  // namespace bitpath
