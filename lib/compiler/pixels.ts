import { argumentError, checkOptions } from '../check.js';
import type { ConvAttrs, Shape } from '../graph/types.js';
import { at, consumersOf, type FoldedGraph, type FusedGraph, type Instruction, type PixelConvWork } from './ir.js';

/** Per input channel, in units of the 0–1 range: a pixel p stands for (p / 255 − mean) / std. */
export interface Normalization {
  /** One for each input channel, of the 0 … 1 range. */
  readonly mean: readonly number[];
  /** One for each input channel, of the 0 … 1 range, above 0. */
  readonly std: readonly number[];
}

/** How convolutions of pixels keep their weights. */
export type PixelStem = 'int16' | 'int8';

/**
 * Adds the way in for uint8 pictures, beside the one for float32 tensors.
 *
 * Where only ungrouped convs read the input, each gets a twin in integers (PIXEL_CONV). Elsewhere the pixels become a
 * normalised float map and all that follows is shared.
 */
export function acceptPixels(
  fused: FusedGraph,
  graph: FoldedGraph,
  normalization: Normalization,
  pixelStem: PixelStem = 'int16',
): FusedGraph {
  const input = at(
    graph.nodes,
    graph.nodes.findIndex((node) => node.work.op === 'input'),
  ).output;
  const { shape } = at(graph.values, input);
  const isOutput = graph.outputs.some((output) => output.value === input);
  const onlyConvs = at(consumersOf(graph), input).every(({ work }) => work.op === 'conv' && work.attrs.groups === 1);

  const twins = new Map<Instruction, Instruction>();
  for (const instruction of fused.instructions) {
    const { make } = instruction;
    if (isOutput || !onlyConvs || make.op !== 'conv' || make.source !== input) continue;
    const work = pixelConv(make.attrs, make.weight, shape, instruction.shape, normalization, pixelStem);
    if (work !== null) twins.set(instruction, { ...instruction, when: 2, make: { op: 'pixelConv', ...work } });
  }
  const readers = fused.instructions.filter(({ make }) => make.op === 'conv' && make.source === input);
  const integer = onlyConvs && !isOutput && twins.size === readers.length;

  const instructions = fused.instructions.flatMap((instruction): Instruction[] => {
    const twin = twins.get(instruction);
    if (integer && twin) return [{ ...instruction, when: 1 }, twin];
    if (instruction.make.op !== 'input') return [instruction];
    const floats: Instruction = { ...instruction, when: 1 };
    if (integer) return [floats];
    return [floats, { ...instruction, when: 2, steps: [normalize(normalization), ...instruction.steps] }];
  });
  return { ...fused, instructions };
}

function normalize({ mean, std }: Normalization) {
  return {
    op: 'affine',
    mul: Float32Array.from(std, (s) => 1 / (255 * s)),
    add: Float32Array.from(mean, (m, c) => -m / at(std, c)),
  } as const;
}

/** 255 · Σ|w| of an output channel stays below 2³¹. */
const LARGEST_SUM = Math.floor((2 ** 31 - 1) / 255);
const LARGEST_WEIGHT = { int16: 32767, int8: 127 } as const;

/**
 * The conv on raw pixels: Σ w·((p/255 − mean)/std) = Σ p·w' − Σ w·mean/std with w' = w/(255·std), where w' ≈ q·(integer) with
 * one float32 q for each output channel. Taps outside the image add nothing to either sum, so the bias depends on
 * which taps are inside. Null where the integers cannot hold it or a result is not finite.
 *
 * @param weight [O, kh, kw, I]
 */
export function pixelConv(
  attrs: ConvAttrs,
  weight: Float32Array,
  input: Shape,
  output: Shape,
  { mean, std }: Normalization,
  pixelStem: PixelStem = 'int16',
): PixelConvWork | null {
  const { outChannels, kernel, stride, padding, dilation } = attrs;
  const { channels } = input;
  const rowLength = kernel[0] * kernel[1] * channels;
  const integers = pixelStem === 'int8' ? new Int8Array(weight.length) : new Int16Array(weight.length);
  const scale = new Float32Array(outChannels);
  for (let o = 0; o < outChannels; o++) {
    const row = weight.subarray(o * rowLength, (o + 1) * rowLength);
    const folded = Float64Array.from(row, (w, k) => w / (255 * at(std, k % channels)));
    const q = quantum(folded, LARGEST_WEIGHT[pixelStem]);
    if (q === null) return null;
    scale[o] = q;
    integers.set(
      folded.map((w) => (q === 0 ? 0 : roundHalfEven(w / q))),
      o * rowLength,
    );
  }

  const y = borderClasses(output.height, input.height, kernel[0], stride[0], padding[0], dilation[0]);
  const x = borderClasses(output.width, input.width, kernel[1], stride[1], padding[1], dilation[1]);
  const bias = new Float32Array(y.ranges.length * x.ranges.length * outChannels);
  const taps = kernel[0] * kernel[1];
  const offsets = Float64Array.from({ length: outChannels * taps }, (_, tap) => {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += ((weight[tap * channels + c] ?? 0) * at(mean, c)) / at(std, c);
    return sum;
  });
  let next = 0;
  for (const [top, bottom] of y.ranges) {
    for (const [left, right] of x.ranges) {
      for (let o = 0; o < outChannels; o++) {
        let sum = 0;
        for (let kh = top; kh <= bottom; kh++) {
          const row = o * taps + kh * kernel[1];
          for (let kw = left; kw <= right; kw++) sum += offsets[row + kw] ?? 0;
        }
        bias[next++] = -sum;
      }
    }
  }
  if (!bias.every(Number.isFinite)) return null;
  return { attrs, weight: integers, scale, yClass: y.classes, xClass: x.classes, bias };
}

/**
 * The step q of one output channel, a float32, as small as its weights allow.
 *
 * |round(w/q)| ≤ L for q = max|w| / L and the largest integer L, which makes the largest weight exact. If the sum of the integers is then
 * too large, q = Σ|w| / (S − n/2 − 1) for n taps and the largest sum S: rounding adds at most ½ a tap, so
 * Σ|round(w/q)| ≤ Σ|w|/q + n/2 ≤ S − 1, the 1 for the rounding of q. That is within (n/2 + 1)/S of the smallest such q.
 * Null if n leaves no room or the result is 0 or not finite; 0 if all weights are 0.
 */
function quantum(weights: Float64Array, largestInteger: number): number | null {
  const magnitudes = weights.map(Math.abs);
  const largest = magnitudes.reduce((a, b) => Math.max(a, b), 0);
  if (largest === 0) return 0;
  let q = Math.fround(largest / largestInteger);
  const total = magnitudes.reduce((sum, w) => sum + roundHalfEven(w / q), 0);
  if (total > LARGEST_SUM) {
    const room = LARGEST_SUM - weights.length / 2 - 1;
    if (room <= 0) return null;
    q = Math.fround(magnitudes.reduce((sum, w) => sum + w, 0) / room);
  }
  // Below the normal range a float32 q is too coarse to keep its promises.
  return Number.isFinite(q) && q >= 2 ** -126 ? q : null;
}

function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

interface BorderClasses {
  /** Class of each output row (or column). */
  readonly classes: Int32Array;
  /** First and last tap inside the image, by class; first > last where there is none. */
  readonly ranges: readonly (readonly [number, number])[];
}

/** Output positions along one axis, grouped by which of their taps lie inside the image. */
export function borderClasses(
  outSize: number,
  inSize: number,
  kernel: number,
  stride: number,
  padBefore: number,
  dilation: number,
): BorderClasses {
  const classes = new Int32Array(outSize);
  const ranges: (readonly [number, number])[] = [];
  const known = new Map<string, number>();
  for (let out = 0; out < outSize; out++) {
    const origin = out * stride - padBefore;
    const first = Math.max(0, Math.ceil(-origin / dilation));
    const last = Math.min(kernel - 1, Math.floor((inSize - 1 - origin) / dilation));
    const range = first <= last ? ([first, last] as const) : ([0, -1] as const);
    const key = range.join();
    let found = known.get(key);
    if (found === undefined) {
      found = ranges.push(range) - 1;
      known.set(key, found);
    }
    classes[out] = found;
  }
  return { classes, ranges };
}

/**
 * A copy of `value` if it has one finite mean and one finite std > 0 for each of `channels`; throws `ERR_BITPATH_ARGUMENT`,
 * `ERR_BITPATH_UNKNOWN_OPTION`.
 */
export function checkNormalization(argument: string, value: unknown, channels: number): Normalization {
  if (typeof value !== 'object' || value === null) throw argumentError(argument, 'an object { mean, std }', value);
  checkOptions(argument, value, ['mean', 'std']);
  const { mean, std } = value as Record<keyof Normalization, unknown>;
  const list = (name: keyof Normalization, given: unknown, valid: (item: number) => boolean, what: string) => {
    if (
      !Array.isArray(given) ||
      given.length !== channels ||
      !given.every((item) => Number.isFinite(item) && valid(item))
    ) {
      throw argumentError(`${argument}.${name}`, `an array of ${channels} ${what}, one a channel`, given);
    }
    return [...(given as number[])];
  };
  return {
    mean: list('mean', mean, () => true, 'finite numbers'),
    std: list('std', std, (item) => item > 0, 'finite numbers > 0'),
  };
}
