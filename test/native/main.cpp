// Runs all tests, or those whose name contains the argument. The last line counts; nothing run is a failure.
#include <cmath>
#include <cstdio>
#include <exception>
#include <mutex>

#include "check.h"

namespace check {
namespace {

std::mutex mutex;
int64_t passes = 0, failures = 0;
constexpr int64_t kShownFailures = 20;

}  // namespace

std::vector<Test>& tests() {
  static std::vector<Test> all;
  return all;
}

void passed() {
  const std::lock_guard<std::mutex> lock(mutex);
  ++passes;
}

void failed(const char* file, int line, const std::string& what) {
  const std::lock_guard<std::mutex> lock(mutex);
  if (++failures <= kShownFailures) std::printf("  %s:%d: %s\n", file, line, what.c_str());
}

void note(const std::string& text) { std::printf("  %s\n", text.c_str()); }

bool sameFloat(float a, float b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  return std::memcmp(&a, &b, sizeof a) == 0;
}

}  // namespace check

int main(int argc, char** argv) {
  int run = 0, bad = 0;
  for (const check::Test& test : check::tests()) {
    if (argc > 1 && std::strstr(test.name, argv[1]) == nullptr) continue;
    const int64_t passesBefore = check::passes, failuresBefore = check::failures;
    std::printf("%s\n", test.name);
    std::fflush(stdout);
    try {
      test.run();
    } catch (const std::exception& error) {
      check::failed(test.name, 0, std::string("uncaught: ") + error.what());
    }
    const long long checks = check::passes - passesBefore, wrong = check::failures - failuresBefore;
    if (checks + wrong == 0) check::failed(test.name, 0, "checked nothing");
    const bool good = check::failures == failuresBefore;
    std::printf("  %s, %lld checks, %lld failed\n", good ? "ok" : "FAILED", checks + wrong, wrong);
    ++run;
    if (!good) ++bad;
  }
  std::printf("native tests: %d passed, %d failed, %lld checks\n", run - bad, bad,
              static_cast<long long>(check::passes + check::failures));
  if (run == 0) std::printf("no test matches\n");
  return run == 0 || bad > 0 ? 1 : 0;
}
