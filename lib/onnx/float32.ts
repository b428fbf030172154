/** Neighbours among the float32. */

/** The largest float32 below `value` (not NaN, not −∞). Below ±0 it is the smallest negative one. */
export function nextDown(value: number): number {
  return -nextUp(-value);
}

/** The smallest float32 above `value` (not NaN, not +∞). */
export function nextUp(value: number): number {
  const float = Float32Array.of(value === 0 ? 0 : value); // above −0 comes the number above +0
  const bits = new Int32Array(float.buffer);
  bits[0] = (bits[0] as number) + (value >= 0 ? 1 : -1);
  return float[0] as number;
}
