/** Exact float32 arithmetic on JavaScript's doubles. The compiler may only fold what it can show to change no bit. */

const bits = new DataView(new ArrayBuffer(8));

/**
 * fma(x, y, z) of three float32 values, rounded once to float32.
 *
 * x·y is exact in a double (24 + 24 ≤ 53 bits; exponents fit). The sum is not, and rounding it to double and then to
 * float32 rounds twice. So the double sum is rounded to odd: where it is inexact and its last bit is even, it moves one
 * unit towards the lost part. Rounding an odd-rounded value of 53 ≥ 24 + 2 bits to 24 equals rounding the exact one.
 */
export function fma32(x: number, y: number, z: number): number {
  const product = x * y;
  const sum = product + z;
  if (!Number.isFinite(sum)) return Math.fround(sum);
  const zPart = sum - product;
  const lost = product - (sum - zPart) + (z - zPart); // Knuth's TwoSum
  if (lost === 0) return Math.fround(sum);
  bits.setFloat64(0, sum);
  const low = bits.getInt32(4);
  if ((low & 1) === 0) {
    // The words are sign and magnitude: one up is one away from zero.
    if (lost > 0 === sum > 0) bits.setInt32(4, low | 1);
    else {
      bits.setInt32(4, low - 1);
      if (low === 0) bits.setInt32(0, bits.getInt32(0) - 1);
    }
  }
  return Math.fround(bits.getFloat64(0));
}

/** Position of a float32 (not NaN) in the order of all floats: −0 is −1, +0 is 0, and neighbours differ by 1. */
export function floatToOrder(value: number): number {
  bits.setFloat32(0, value);
  const word = bits.getInt32(0);
  return word >= 0 ? word : -1 - (word & 0x7fffffff);
}

/** The inverse of {@link floatToOrder}. */
export function orderToFloat(order: number): number {
  bits.setInt32(0, order >= 0 ? order : (-1 - order) | 0x80000000);
  return bits.getFloat32(0);
}
