// What this core can do at best: its clock, and how fast the instructions of each kernel's inner loop run out of registers. The
// floors that measured times are compared with.
#pragma once

#include "table.h"

namespace bitpath {

// Multiply-accumulates a cycle.
struct Peaks {
  double binary, real, pixel;
  double pixel8;  // as pixel where there is no kernel of its own
};

// Core clock in GHz right now, by a chain of dependent additions: the time stamp counter does not follow turbo. Takes 10 ms.
double clockGHz();

// Takes some 40 ms.
Peaks measurePeaks(const KernelTable& kernels);

}  // namespace bitpath
