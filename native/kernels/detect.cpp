#include "detect.h"

#ifdef BITPATH_X86
#ifdef _MSC_VER
#include <immintrin.h>
#include <intrin.h>
#else
#include <cpuid.h>
#endif
#endif

namespace bitpath {

uint32_t featuresOf(const X86Registers& r) {
  const auto bit = [](uint32_t word, int index) { return ((word >> index) & 1) != 0; };
  uint32_t features = 0;
  if (bit(r.leaf1Ecx, 20) && bit(r.leaf1Ecx, 23)) features |= kSse42;  // and POPCNT

  // AVX needs the operating system to save XMM and YMM on a context switch: OSXSAVE, then XCR0 bits 1 and 2.
  const bool osXsave = bit(r.leaf1Ecx, 27);
  const bool osYmm = osXsave && (r.xcr0 & 0x6) == 0x6;
  if (!osYmm || !bit(r.leaf1Ecx, 28)) return features;
  if (bit(r.leaf7Ebx, 5)) features |= kAvx2;
  if (bit(r.leaf1Ecx, 12)) features |= kFma;

  // AVX-512 also needs the mask registers and both halves of ZMM: XCR0 bits 5, 6 and 7.
  const bool osZmm = (r.xcr0 & 0xe6) == 0xe6;
  if (!osZmm || !bit(r.leaf7Ebx, 16)) return features;
  features |= kAvx512F;
  if (bit(r.leaf7Ebx, 30)) features |= kAvx512Bw;
  if (bit(r.leaf7Ebx, 17)) features |= kAvx512Dq;
  if (bit(r.leaf7Ebx, 31)) features |= kAvx512Vl;
  if (bit(r.leaf7Ecx, 14)) features |= kAvx512Vpopcntdq;
  if (bit(r.leaf7Ecx, 11)) features |= kAvx512Vnni;
  return features;
}

#ifdef BITPATH_X86
namespace {

X86Registers readRegisters() {
  X86Registers r;
#ifdef _MSC_VER
  int regs[4];
  __cpuid(regs, 0);
  const int maxLeaf = regs[0];
  __cpuid(regs, 1);
  r.leaf1Ecx = static_cast<uint32_t>(regs[2]);
  if (maxLeaf >= 7) {
    __cpuidex(regs, 7, 0);
    r.leaf7Ebx = static_cast<uint32_t>(regs[1]);
    r.leaf7Ecx = static_cast<uint32_t>(regs[2]);
  }
  if ((r.leaf1Ecx >> 27) & 1) r.xcr0 = _xgetbv(0);
#else
  unsigned eax, ebx, ecx, edx;
  if (__get_cpuid(1, &eax, &ebx, &ecx, &edx)) r.leaf1Ecx = ecx;
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx)) {
    r.leaf7Ebx = ebx;
    r.leaf7Ecx = ecx;
  }
  if ((r.leaf1Ecx >> 27) & 1) {
    // xgetbv by name needs a target flag; its bytes do not.
    uint32_t low, high;
    __asm__ volatile(".byte 0x0f, 0x01, 0xd0" : "=a"(low), "=d"(high) : "c"(0));
    r.xcr0 = (static_cast<uint64_t>(high) << 32) | low;
  }
#endif
  return r;
}

}  // namespace
#endif

uint32_t detectFeatures() {
#if defined(BITPATH_X86)
  return featuresOf(readRegisters());
#elif defined(BITPATH_ARM)
  return kNeon;  // part of the AArch64 base architecture
#else
  return 0;
#endif
}

}  // namespace bitpath
