#include "select.h"

#include "../base/error.h"
#include "target.h"

namespace bitpath {

#define ISA(name, required) extern const KernelTable name##_table;
#include "isa.def"
#undef ISA

const std::vector<IsaEntry>& isaEntries() {
  static const std::vector<IsaEntry> entries = {
#define ISA(name, required) {#name, required, &name##_table},
#include "isa.def"
#undef ISA
  };
  return entries;
}

const IsaEntry& bestIsa(uint32_t features) {
  for (const IsaEntry& entry : isaEntries()) {
    if ((entry.required & ~features) == 0) return entry;
  }
  return isaEntries().back();
}

const IsaEntry& isaByName(const std::string& name, uint32_t features) {
  std::string known;
  for (const IsaEntry& entry : isaEntries()) {
    if (name == entry.name) {
      if ((entry.required & ~features) == 0) return entry;
      throw Error(ErrorCode::Isa, "Cannot use instruction set " + name +
                                      ": this machine (CPU or operating system) does not support it");
    }
    known += (known.empty() ? "" : ", ") + std::string(entry.name);
  }
  throw Error(ErrorCode::Isa,
              "Cannot use instruction set \"" + name + "\": this binary has no such instruction set; it has " + known);
}

}  // namespace bitpath
