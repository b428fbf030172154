/** What the values of an ONNX graph are for the importer, and how their axes relate to channels, height and width. */
import { elementCount } from '../../tensor.js';
import type { Padding, Shape, Value } from '../../graph/types.js';
import { type Constant, type ConstantType, makeConstant } from './constant.js';
import type { OnnxNode } from './load.js';

/**
 * For each axis of an ONNX value after the batch, the axes of our map that it runs over, slowest first: `['C', 'H', 'W']`, or
 * `['H', 'W', 'C']` behind a transpose, `['CHW']` once flattened, `['C']` for a 1×1 map. H and W of length 1 may be missing.
 */
export type Axes = readonly string[];
export const NCHW: Axes = ['C', 'H', 'W'];
export const NHWC: Axes = ['H', 'W', 'C'];

/** One number for all channels, or one for each. */
export type PerChannel = number | Float32Array;

/** A map of the network under construction. */
export interface MapValue {
  readonly kind: 'map';
  readonly value: Value;
  readonly axes: Axes;
}
/** base + add, not yet built: before a sign it becomes a threshold. */
export interface ShiftedValue {
  readonly kind: 'shifted';
  readonly base: MapValue;
  readonly add: PerChannel;
  readonly axes: Axes;
  readonly node: OnnxNode;
}
/** A monotone function that is the identity (in order) between `low` and `high`: a clip on one side, or tanh, which nothing but a sign may read. */
export interface BoundedValue {
  readonly kind: 'bounded';
  readonly base: MapValue | ShiftedValue;
  readonly low: number;
  readonly high: number;
  readonly axes: Axes;
  readonly node: OnnxNode;
}
/** A step function of a map: one number below the threshold, one at it, one above it. */
export interface StepValue {
  readonly kind: 'step';
  readonly base: MapValue;
  readonly threshold: PerChannel;
  readonly type: ConstantType;
  readonly below: PerChannel;
  readonly at: PerChannel;
  readonly above: PerChannel;
  readonly axes: Axes;
  readonly node: OnnxNode;
  /** Equal for values that differ in their axes only. */
  readonly key: object;
}
/** Two steps of one map: a number below the lower of two thresholds, one from there on, one from the upper threshold on. */
export interface StairsValue {
  readonly kind: 'stairs';
  readonly base: MapValue;
  /** For each channel, low ≤ high; where they are equal there is no value between them. */
  readonly low: Float32Array;
  readonly high: Float32Array;
  readonly type: ConstantType;
  /** Below, between, above. */
  readonly values: readonly [PerChannel, PerChannel, PerChannel];
  readonly axes: Axes;
  readonly node: OnnxNode;
  /** Equal for values that differ in their axes only. */
  readonly key: object;
}
/** An explicit `Pad` around a map or steps, for the window that follows. */
export interface PaddedValue {
  readonly kind: 'padded';
  readonly base: MapValue | StepValue | StairsValue;
  readonly pads: Padding;
  readonly fill: Constant;
  readonly axes: Axes;
  readonly node: OnnxNode;
}
/** A convolution by ±1 weights that a multiplication follows: the product takes its scale along. */
export interface UnscaledValue {
  readonly kind: 'unscaled';
  readonly build: (scale: Float32Array | null) => MapValue;
  readonly shape: Shape;
  readonly axes: Axes;
}
export type ImportValue =
  | MapValue
  | ShiftedValue
  | BoundedValue
  | StepValue
  | StairsValue
  | PaddedValue
  | UnscaledValue;

export function shapeOf(value: ImportValue): Shape {
  switch (value.kind) {
    case 'map':
      return value.value.shape;
    case 'unscaled':
      return value.shape;
    case 'padded': {
      const { channels, height, width } = shapeOf(value.base);
      const [top, left, bottom, right] = value.pads;
      return { channels, height: height + top + bottom, width: width + left + right };
    }
    default:
      return shapeOf(value.base);
  }
}

/** Length of an axis. */
export function extent(letters: string, { channels, height, width }: Shape): number {
  return [...letters].reduce((size, letter) => size * ({ C: channels, H: height, W: width }[letter] ?? 1), 1);
}

/** ONNX dimensions; the batch is NaN. */
export function dimsOf(value: ImportValue): number[] {
  const shape = shapeOf(value);
  return [Number.NaN, ...value.axes.map((letters) => extent(letters, shape))];
}

/** True for N×C×H×W. */
export function isNchw(axes: Axes): boolean {
  return axes.join() === NCHW.join();
}

/**
 * Axes in one form, so that equal ones look equal: pictures are `C,H,W` or `H,W,C` even where H or W is 1; elsewhere H and W of
 * length 1 are left out.
 */
export function canonical(axes: Axes, shape: Shape): Axes {
  const needed = axes.map((letters) =>
    [...letters].filter((letter) => letter === 'C' || extent(letter, shape) > 1).join(''),
  );
  for (const form of [NCHW, NHWC]) {
    const isForm = needed.every((letters, i) => letters === form[i] || (letters === '' && form[i] !== 'C'));
    if (needed.length === 3 && isForm) return form;
  }
  return needed;
}

/** The axes of a map of `shape` after a reshape to `dims` (batch left out), or null where it is none of the same order. */
export function reshapedAxes(axes: Axes, dims: readonly number[], shape: Shape): Axes | null {
  const letters = [...axes.join('')];
  const result = dims.map((size, axis) => {
    let group = '';
    for (let next = letters[0]; next !== undefined; next = letters[0]) {
      const grown = extent(group + next, shape);
      const takes = grown <= size && (extent(group, shape) < size || (next === 'C' && grown === size));
      // What is left at the last axis has length 1.
      if (!takes && !(axis === dims.length - 1 && extent(next, shape) === 1)) break;
      group += letters.shift();
    }
    return group;
  });
  const fits = letters.every((letter) => letter !== 'C' && extent(letter, shape) === 1);
  return fits && result.every((group, axis) => extent(group, shape) === dims[axis]) ? result : null;
}

/**
 * What a constant is to a map of `axes` and `shape` that it meets in an element-wise operator: a number, one number a channel,
 * or null where it varies along other axes. Only a constant of one element is a number.
 */
export function perChannel(constant: Constant, axes: Axes, shape: Shape): PerChannel | null {
  const { data, dims } = constant;
  if (data.length === 1) return data[0] as number;
  const offset = axes.length - dims.length; // axes are without the batch
  const channels = new Float32Array(shape.channels);
  const seen = new Uint8Array(shape.channels);
  const places = dims.map((size, i) => {
    const letters = axes[offset + i] ?? '';
    return { size, letters, fits: size === 1 || size === extent(letters, shape) };
  });
  if (offset < -1 || places.some(({ fits }) => !fits) || data.length !== elementCount(dims)) return null;
  for (let index = 0; index < data.length; index++) {
    let rest = index;
    let channel = 0;
    for (let i = places.length - 1; i >= 0; i--) {
      const { size, letters } = places[i] as (typeof places)[number];
      const at = rest % size;
      rest = Math.floor(rest / size);
      if (size > 1 && letters.includes('C')) channel = channelAt(at, letters, shape);
      else if (size === 1 && letters.includes('C') && shape.channels > 1) channel = -1;
    }
    if (channel === -1) return null; // varies over pixels
    const value = data[index] as number;
    if (seen[channel] === 1 && !Object.is(channels[channel], Math.fround(value))) return null;
    channels[channel] = value;
    seen[channel] = 1;
  }
  return seen.includes(0) ? null : channels;
}

/** The channel at `index` of an axis that runs over `letters`. */
function channelAt(index: number, letters: string, shape: Shape): number {
  const after = extent(letters.slice(letters.indexOf('C') + 1), shape);
  return Math.floor(index / after) % shape.channels;
}

/** The inverse of {@link perChannel}. */
export function toConstant(value: PerChannel, type: ConstantType, axes: Axes): Constant | null {
  if (typeof value === 'number') return makeConstant(type, [], [value]);
  const axis = axes.indexOf('C');
  if (axis === -1) return null;
  return makeConstant(type, [value.length, ...axes.slice(axis + 1).map(() => 1)], value);
}

/** The number of one channel. */
export function channelOf(value: PerChannel, channel: number): number {
  return typeof value === 'number' ? value : (value[channel] as number);
}

export function samePerChannel(a: PerChannel, b: PerChannel): boolean {
  if (typeof a === 'number' || typeof b === 'number') return Object.is(a, b);
  return a.length === b.length && a.every((value, i) => Object.is(value, b[i]));
}

/** True where `test` holds for all channels. */
export function everyChannel(value: PerChannel, test: (value: number) => boolean): boolean {
  return typeof value === 'number' ? test(value) : value.every(test);
}
export function mapChannels(value: PerChannel, change: (value: number) => number): PerChannel {
  return typeof value === 'number' ? change(value) : value.map(change);
}
