/** Weights of ±s for each output channel. */

/** How far |w| may differ within an output channel that counts as ±s, as in Larq's converter. */
export const WEIGHT_TOLERANCE = 5e-3;

export interface BinaryWeights {
  readonly bits: Uint8Array;
  /** |w| of each output channel. */
  readonly scale: Float32Array;
  /** Largest relative difference of |w| within a channel. */
  readonly spread: number;
}

/** Bits and scales of weights [O, I, kh, kw] that are ±s for each output channel, or why they are not. */
export function binaryWeights(
  weight: Float32Array,
  dims: readonly [number, number, number, number],
): BinaryWeights | { reason: string } {
  const [outputs, inputs, kh, kw] = dims;
  const taps = inputs * kh * kw;
  const scale = new Float32Array(outputs);
  let spread = 0;
  for (let o = 0; o < outputs; o++) {
    let low = Infinity;
    let high = 0;
    let sum = 0;
    for (let k = o * taps; k < (o + 1) * taps; k++) {
      const size = Math.abs(weight[k] as number);
      if (size < low) low = size;
      if (size > high) high = size;
      sum += size;
    }
    if (!Number.isFinite(sum)) return { reason: `weights of output channel ${o} are not finite` };
    if (low === 0) return { reason: `weights of output channel ${o} are zero` };
    const difference = (high - low) / high;
    if (difference > WEIGHT_TOLERANCE)
      return { reason: `its weights are not ±s (output channel ${o} has |w| from ${short(low)} to ${short(high)})` };
    spread = Math.max(spread, difference);
    scale[o] = difference === 0 ? high : sum / taps;
  }
  const rowBytes = Math.ceil(taps / 8);
  const bits = new Uint8Array(outputs * rowBytes);
  for (let o = 0; o < outputs; o++) {
    for (let i = 0; i < inputs; i++) {
      for (let t = 0; t < kh * kw; t++) {
        if ((weight[(o * inputs + i) * kh * kw + t] as number) < 0) continue;
        const k = t * inputs + i; // (kh, kw, I)
        const at = o * rowBytes + (k >> 3);
        bits[at] = (bits[at] as number) | (1 << (k & 7));
      }
    }
  }
  return { bits, scale, spread };
}

/** Three digits of it. */
export function short(value: number): string {
  return String(Number(value.toPrecision(3)));
}
