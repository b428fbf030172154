// What this core can do at best: its clock, and how fast the instructions of each kernel's inner loop run out of registers. The
// floors that measured times are compared with.
#pragma once

#include "table.h"

namespace bitpath {

// Multiply-accumulates a cycle.
struct Peaks {
  double binary, real, pixel;
};

// Core clock in GHz right now, by a chain of dependent additions: the time stamp counter does not follow turbo. Takes 10 ms.
double clockGHz();

// Takes 30 ms.
Peaks measurePeaks(const KernelTable& kernels);

}  // namespace bitpath
