/**
 * The numbers of static 8-bit quantisation, as onnxruntime's own tool chooses them. A real value is (q − zeroPoint) · scale;
 * rounding is to the nearest, halves to even, as QuantizeLinear rounds.
 */

export interface Range {
  readonly min: number;
  readonly max: number;
}

/** Of a uint8 activation. */
export interface ActivationNumbers {
  /** A float32. */
  readonly scale: number;
  /** 0 … 255. */
  readonly zeroPoint: number;
}

/**
 * Asymmetric uint8 for values in `range`, which is first widened to hold 0: padding and ReLU need an exact zero. A range of
 * nothing but 0 gets scale 1, as a scale of 0 divides by it.
 */
export function activationNumbers(range: Range): ActivationNumbers {
  const min = Math.min(range.min, 0);
  const max = Math.max(range.max, 0);
  const scale = Math.fround((max - min) / 255);
  if (scale === 0) return { scale: 1, zeroPoint: 0 };
  return { scale, zeroPoint: clamp(roundHalfEven(-min / scale), 0, 255) };
}

export interface QuantizedWeights {
  /** Laid out as the floats were; −127 … 127. */
  readonly data: Int8Array;
  /** One for each output channel, float32. */
  readonly scales: Float32Array;
  /** In units of inputScale · scales[c]; undefined where there is no bias. */
  readonly bias: Int32Array | undefined;
  /** inputScale · scales[c]. */
  readonly biasScales: Float32Array;
}

/**
 * Symmetric int8 weights, a scale for each output channel (axis 0: `weights` are `outputs` equal rows), and int32 biases. A
 * channel whose bias would not fit 32 bits gets a coarser scale; a channel of zeros gets scale 1.
 */
export function quantizeWeights(
  weights: Float32Array,
  outputs: number,
  inputScale: number,
  bias: Float32Array | undefined,
): QuantizedWeights {
  const taps = weights.length / outputs;
  const scales = new Float32Array(outputs);
  const data = new Int8Array(weights.length);
  for (let c = 0; c < outputs; c++) {
    const row = weights.subarray(c * taps, (c + 1) * taps);
    const largest = row.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
    const least = Math.abs(bias?.[c] ?? 0) / inputScale / LARGEST_BIAS;
    const scale = Math.fround(Math.max(largest / 127, least)) || 1;
    scales[c] = scale;
    for (const [i, value] of row.entries()) data[c * taps + i] = clamp(roundHalfEven(value / scale), -127, 127);
  }
  const biasScales = scales.map((scale) => scale * inputScale);
  const quantizedBias =
    bias && Int32Array.from(bias, (value, c) => roundHalfEven(value / ((biasScales[c] as number) || 1)));
  return { data, scales, bias: quantizedBias, biasScales };
}

/** A little below 2³¹ − 1, so that the rounding of a float32 scale cannot lift a bias over it. */
const LARGEST_BIAS = 2 ** 31 - 2 ** 8;

export function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(Math.max(value, min), max);
}
