/** Whole networks, end to end: nothing to hold anybody to, because one flipped sign changes all that follows; but good to know. */

/** How far the two engines' first outputs agree. */
export interface EndToEnd {
  /** Images compared. */
  readonly images: number;
  /** Images whose largest output is the same. */
  readonly sameTop1: number;
  /** Largest difference of an output. */
  readonly distance: number;
  /** `distance` over the largest output. */
  readonly relative: number;
}

/** Compares the first outputs [count, …] of two engines. */
export function endToEnd(actual: Float32Array, expected: Float32Array, count: number): EndToEnd {
  const size = expected.length / count;
  let sameTop1 = 0;
  let distance = 0;
  let largest = 0;
  for (let n = 0; n < count; n++) {
    const [a, b] = [actual, expected].map((logits) => logits.subarray(n * size, (n + 1) * size)) as [
      Float32Array,
      Float32Array,
    ];
    if (indexOfLargest(a) === indexOfLargest(b)) sameTop1++;
    for (let i = 0; i < size; i++) {
      distance = Math.max(distance, Math.abs((a[i] as number) - (b[i] as number)));
      largest = Math.max(largest, Math.abs(b[i] as number));
    }
  }
  return { images: count, sameTop1, distance, relative: distance === 0 ? 0 : distance / largest };
}

function indexOfLargest(values: Float32Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if ((values[i] as number) > (values[best] as number)) best = i;
  return best;
}
