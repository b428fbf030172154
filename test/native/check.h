// The native tests' whole framework. It counts what it checks, because a test that checked nothing has not passed.
#pragma once

#include <cstdint>
#include <cstring>
#include <functional>
#include <random>
#include <sstream>
#include <string>
#include <vector>

namespace check {

struct Test {
  const char* name;
  std::function<void()> run;
};
std::vector<Test>& tests();
void passed();
void failed(const char* file, int line, const std::string& what);
// Says what was covered, in the test's report.
void note(const std::string& text);

struct Registration {
  Registration(const char* name, std::function<void()> run) { tests().push_back({name, std::move(run)}); }
};

template <typename A, typename B>
void equal(const A& actual, const B& expected, const char* text, const char* file, int line) {
  if (actual == expected) return passed();
  std::ostringstream out;
  out << text << ": " << actual << ", expected " << expected;
  failed(file, line, out.str());
}

// Floats are compared by their bits, so that −0 is not +0; all NaNs are one.
bool sameFloat(float a, float b);

// Runs `action`, which must throw an E; true if `test(error)` holds.
template <typename E, typename Action, typename Predicate>
void throws(Action&& action, Predicate&& test, const char* text, const char* file, int line) {
  try {
    action();
  } catch (const E& error) {
    if (test(error)) return passed();
    return failed(file, line, std::string(text) + " threw another error: " + error.what());
  }
  failed(file, line, std::string(text) + " threw nothing");
}

// Deterministic random numbers, the same on every platform.
class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  uint64_t bits() { return engine_(); }
  int between(int low, int high) { return low + static_cast<int>(engine_() % static_cast<uint64_t>(high - low + 1)); }
  bool chance(int percent) { return between(0, 99) < percent; }
  // In (−2, 2), with few enough digits that sums have a real rounding error and no value is special.
  float real() { return static_cast<float>(between(-20000, 20000)) / 10007.0f; }

 private:
  std::mt19937_64 engine_;
};

}  // namespace check

#define CHECK_JOIN2(a, b) a##b
#define CHECK_JOIN(a, b) CHECK_JOIN2(a, b)
#define TEST(name)                                                                                     \
  static void CHECK_JOIN(test_, __LINE__)();                                                           \
  static const check::Registration CHECK_JOIN(register_, __LINE__)(name, CHECK_JOIN(test_, __LINE__)); \
  static void CHECK_JOIN(test_, __LINE__)()
#define CHECK(condition) ((condition) ? check::passed() : check::failed(__FILE__, __LINE__, #condition))
#define CHECK_EQ(actual, expected) check::equal((actual), (expected), #actual, __FILE__, __LINE__)
#define CHECK_THROWS(type, action, predicate) \
  check::throws<type>([&] { action; }, [&](const type& error) { return (predicate); }, #action, __FILE__, __LINE__)
