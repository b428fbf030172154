// Which instruction sets a machine can run: a pure function of what its registers say, so that it can be tested with
// registers recorded elsewhere, and the one function that reads the real registers.
#pragma once

#include <cstdint>

#if defined(__x86_64__) || defined(_M_X64)
#define BITPATH_X86 1
#elif defined(__aarch64__) || defined(_M_ARM64)
#define BITPATH_ARM 1
#endif

namespace bitpath {

enum Feature : uint32_t {
  kSse42 = 1u << 0,
  kAvx2 = 1u << 1,
  kFma = 1u << 2,
  kAvx512F = 1u << 3,
  kAvx512Bw = 1u << 4,
  kAvx512Dq = 1u << 5,
  kAvx512Vl = 1u << 6,
  kAvx512Vpopcntdq = 1u << 7,
  kAvx512Vnni = 1u << 8,
  kNeon = 1u << 9,
};

// CPUID leaf 1 ecx, leaf 7 subleaf 0 ebx and ecx (0 where the leaf does not exist), and XCR0 (read only where OSXSAVE is
// set, else 0).
struct X86Registers {
  uint32_t leaf1Ecx = 0;
  uint32_t leaf7Ebx = 0;
  uint32_t leaf7Ecx = 0;
  uint64_t xcr0 = 0;
};

// The features that both the CPU has and the operating system saves the registers of.
uint32_t featuresOf(const X86Registers& registers);

// This machine's features.
uint32_t detectFeatures();

}  // namespace bitpath
