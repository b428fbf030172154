/** Weights of ±1: bits as model files store them, floats as ONNX does. */

export interface WeightShape {
  readonly outputs: number;
  /** Of one group. */
  readonly inputs: number;
  readonly height: number;
  readonly width: number;
}

/** Bits [O, ⌈kh·kw·I / 8⌉] in (kh, kw, I) order, least significant first, 1 = +1 → ±1 floats [O, I, kh, kw]. */
export function unpackBits(bits: Uint8Array, { outputs, inputs, height, width }: WeightShape): Float32Array {
  const taps = height * width;
  const rowBytes = Math.ceil((taps * inputs) / 8);
  const weights = new Float32Array(outputs * inputs * taps);
  for (let o = 0; o < outputs; o++) {
    for (let i = 0; i < inputs; i++) {
      for (let t = 0; t < taps; t++) {
        const k = t * inputs + i;
        const bit = ((bits[o * rowBytes + (k >> 3)] as number) >> (k & 7)) & 1;
        weights[(o * inputs + i) * taps + t] = bit === 1 ? 1 : -1;
      }
    }
  }
  return weights;
}
