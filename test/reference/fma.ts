/**
 * The float32 fused multiply-add, exactly rounded: what every kernel computes for a tap, from double arithmetic alone.
 *
 * The product of two floats has at most 48 significant bits, so it is exact in double. Its sum with c may not be, and
 * rounding that sum to double first and to float then rounds twice: where the double lands on the middle between two floats,
 * the part that it lost no longer decides. So the sum is rounded to odd instead (Boldo and Melquiond, "Emulation of FMA and
 * correctly rounded sums", 2008): if it is inexact, take whichever of the two neighbouring doubles has an odd last bit. An
 * odd double is never such a middle, and it lies on the right side of it.
 */
const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);
const LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;
const LOW = LITTLE_ENDIAN ? 0 : 1;
const HIGH = 1 - LOW;

/** fl32(a·b + c) with one rounding, for float32 a, b and c. */
export function fmaf(a: number, b: number, c: number): number {
  const product = a * b;
  const sum = product + c;
  // Knuth's TwoSum: product + c = sum + error exactly. For infinities and NaN, error is NaN, and the comparisons are false.
  const part = sum - product;
  const error = product - (sum - part) + (c - part);
  if (error > 0 || error < 0) return Math.fround(roundToOdd(sum, error));
  return Math.fround(sum);
}

/** The neighbour of `sum` on the side of `error` if the last bit of `sum` is even. `sum` is not 0. */
function roundToOdd(sum: number, error: number): number {
  double[0] = sum;
  const low = words[LOW] as number;
  if ((low & 1) === 1) return sum;
  // Neighbouring doubles of one sign have neighbouring bit patterns, so the step goes up in magnitude or down.
  if (error > 0 === sum > 0) {
    words[LOW] = low | 1;
  } else {
    words[LOW] = (low - 1) >>> 0;
    if (low === 0) words[HIGH] = (words[HIGH] as number) - 1;
  }
  return double[0];
}
