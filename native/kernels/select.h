// The kernel tables in this binary and the choice among them.
#pragma once

#include <string>
#include <vector>

#include "table.h"

namespace bitpath {

struct IsaEntry {
  const char* name;
  uint32_t required;  // Feature bits
  const KernelTable* table;
};

// Best first; the last is scalar.
const std::vector<IsaEntry>& isaEntries();

// The best entry that `features` allows.
const IsaEntry& bestIsa(uint32_t features);

// The entry called `name`, for a machine with `features`. Throws Error(Isa) where this binary has no such ISA or the
// machine cannot run it: a forced choice is never replaced by another.
const IsaEntry& isaByName(const std::string& name, uint32_t features);

}  // namespace bitpath
