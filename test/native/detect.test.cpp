// Detection from register values recorded on other machines, and the choice that follows from it.
#include "kernels/detect.h"

#include "base/error.h"
#include "check.h"
#include "kernels/select.h"

using namespace bitpath;

namespace {

// CPUID leaf 1 ecx, leaf 7 ebx and ecx as dumped by InstLatx64 (github.com/InstLatx64/InstLatx64, file names beside them); XCR0
// is the set that leaf 13 offers, which an operating system that knows it all enables.
constexpr X86Registers kZen4 = {0x7EF8320B, 0xF1BF97A9, 0x00405FCE, 0x2E7};      // AuthenticAMD0A60F12_K19_Raphael_01
constexpr X86Registers kIceLake = {0x7FFAFBBF, 0xF2BF27EF, 0x40405F4E, 0x2E7};   // GenuineIntel00706E5_IceLakeY
constexpr X86Registers kSkylakeX = {0x7FFEFBBF, 0xD39FFFFB, 0x00000000, 0x0FF};  // GenuineIntel0050654_SkylakeX
constexpr X86Registers kHaswell = {0x7FFAFBFF, 0x000027AB, 0x00000000, 0x007};   // GenuineIntel00306C3_Haswell
// Sapphire Rapids under a hypervisor, read by this code's own authors: AMX state in XCR0 does no harm.
constexpr X86Registers kSapphireRapids = {0xFFFA3203, 0xF1BF2FFB, 0x1A415F46, 0x600E7};

constexpr uint32_t kAllAvx512 = kAvx512F | kAvx512Bw | kAvx512Dq | kAvx512Vl | kAvx512Vpopcntdq | kAvx512Vnni;
constexpr uint32_t kAvx2Level = kSse42 | kAvx2 | kFma;

X86Registers with(X86Registers registers, uint64_t xcr0) {
  registers.xcr0 = xcr0;
  return registers;
}

}  // namespace

TEST("detect: recorded machines") {
  CHECK_EQ(featuresOf(kZen4), kAvx2Level | kAllAvx512);
  CHECK_EQ(featuresOf(kIceLake), kAvx2Level | kAllAvx512);
  CHECK_EQ(featuresOf(kSapphireRapids), kAvx2Level | kAllAvx512);
  CHECK_EQ(featuresOf(kSkylakeX), kAvx2Level | kAvx512F | kAvx512Bw | kAvx512Dq | kAvx512Vl);
  CHECK_EQ(featuresOf(kHaswell), kAvx2Level);
  CHECK_EQ(featuresOf({}), 0u);
}

TEST("detect: CPU yes, operating system no") {
  // The three parts of AVX-512's state, each missing in turn.
  for (const uint64_t missing : {0x20, 0x40, 0x80}) CHECK_EQ(featuresOf(with(kZen4, 0x2E7 & ~missing)), kAvx2Level);
  // A kernel booted with clearcpuid or an old hypervisor: XMM and YMM only, then XMM only, then YMM without XMM.
  CHECK_EQ(featuresOf(with(kZen4, 0x7)), kAvx2Level);
  CHECK_EQ(featuresOf(with(kZen4, 0x3)), uint32_t{kSse42});
  CHECK_EQ(featuresOf(with(kZen4, 0xE5)), uint32_t{kSse42});
  CHECK_EQ(featuresOf(with(kHaswell, 0x3)), uint32_t{kSse42});
  // ZMM state without YMM state.
  CHECK_EQ(featuresOf(with(kZen4, 0xE3)), uint32_t{kSse42});
  // No OSXSAVE: XCR0 cannot be read, whatever the caller put there.
  X86Registers noOsxsave = kZen4;
  noOsxsave.leaf1Ecx &= ~(1u << 27);
  CHECK_EQ(featuresOf(noOsxsave), uint32_t{kSse42});
}

TEST("detect: each feature bit alone") {
  const auto without = [](uint32_t X86Registers::*word, int bit) {
    X86Registers registers = kZen4;
    registers.*word &= ~(1u << bit);
    return featuresOf(registers);
  };
  const uint32_t all = kAvx2Level | kAllAvx512;
  CHECK_EQ(without(&X86Registers::leaf1Ecx, 20) & kSse42, 0u);
  CHECK_EQ(without(&X86Registers::leaf1Ecx, 23) & kSse42, 0u);
  CHECK_EQ(without(&X86Registers::leaf1Ecx, 12), all & ~kFma);
  CHECK_EQ(without(&X86Registers::leaf1Ecx, 28), uint32_t{kSse42});
  CHECK_EQ(without(&X86Registers::leaf7Ebx, 5), all & ~kAvx2);
  CHECK_EQ(without(&X86Registers::leaf7Ebx, 16), kAvx2Level);
  CHECK_EQ(without(&X86Registers::leaf7Ebx, 17), all & ~kAvx512Dq);
  CHECK_EQ(without(&X86Registers::leaf7Ebx, 30), all & ~kAvx512Bw);
  CHECK_EQ(without(&X86Registers::leaf7Ebx, 31), all & ~kAvx512Vl);
  CHECK_EQ(without(&X86Registers::leaf7Ecx, 14), all & ~kAvx512Vpopcntdq);
  CHECK_EQ(without(&X86Registers::leaf7Ecx, 11), all & ~kAvx512Vnni);
}

#ifdef BITPATH_X86
TEST("select: the best ISA of recorded machines") {
  const auto best = [](const X86Registers& registers) { return std::string(bestIsa(featuresOf(registers)).name); };
  CHECK_EQ(best(kZen4), "avx512");
  CHECK_EQ(best(kIceLake), "avx512");
  CHECK_EQ(best(kSapphireRapids), "avx512");
  CHECK_EQ(best(kSkylakeX), "avx2");  // no VPOPCNTDQ
  CHECK_EQ(best(kHaswell), "avx2");
  CHECK_EQ(best(with(kZen4, 0x7)), "avx2");
  CHECK_EQ(best(with(kZen4, 0x3)), "scalar");
  CHECK_EQ(best({}), "scalar");
  for (int bit : {17, 30, 31}) {
    X86Registers registers = kZen4;
    registers.leaf7Ebx &= ~(1u << bit);
    CHECK_EQ(best(registers), "avx2");
  }
  X86Registers noFma = kHaswell;
  noFma.leaf1Ecx &= ~(1u << 12);
  CHECK_EQ(best(noFma), "scalar");
}

TEST("select: a forced ISA is that one or an error") {
  CHECK_EQ(std::string(isaByName("avx2", featuresOf(kZen4)).name), "avx2");
  CHECK_EQ(std::string(isaByName("scalar", 0).name), "scalar");
  const auto isIsa = [](const Error& error) { return error.code == ErrorCode::Isa; };
  CHECK_THROWS(Error, isaByName("avx512", featuresOf(kSkylakeX)), isIsa(error));
  CHECK_THROWS(Error, isaByName("avx2", 0), isIsa(error));
}
#endif

TEST("select: names") {
  const auto isIsa = [](const Error& error) { return error.code == ErrorCode::Isa; };
  for (const char* name : {"", "AVX2", "avx", "avx512 ", "sse2", "scalar\n"}) {
    CHECK_THROWS(Error, isaByName(name, ~0u), isIsa(error));
  }
  CHECK_EQ(std::string(isaEntries().back().name), "scalar");
  CHECK_EQ(isaEntries().back().required, 0u);
  for (const IsaEntry& entry : isaEntries()) {
    // The table's own name is what describe() and results say.
    CHECK_EQ(std::string(entry.table->isa), entry.name);
    CHECK_EQ(&isaByName(entry.name, ~0u), &entry);
  }
}
