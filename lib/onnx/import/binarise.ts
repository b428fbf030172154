/** Step functions as the activations of 1-bit convolutions: `sign`, `heaviside`, `ternary`; and as numbers for all else. */
import type { Value } from '../../graph/types.js';
import type { Emitter } from './emitter.js';
import { boundaryOf } from './stairs.js';
import { nextUp } from './steps.js';
import { channelOf, type MapValue, type PerChannel, type StairsValue, type StepValue } from './values.js';

/** The activation op whose output times `factor` is the step function. */
export interface Binarised {
  readonly op: 'sign' | 'heaviside' | 'ternary';
  readonly factor: number;
}

/** How a step function is an activation, or why it is none. */
export function asBinary(step: StepValue | StairsValue, channels: number): Binarised | { reason: string } {
  if (step.kind === 'stairs') return asTernary(step, channels);
  const { below, above } = step;
  const factor = channelOf(above, 0);
  let [isSign, isHeaviside] = [true, true];
  for (let c = 0; c < channels; c++) {
    const [low, high] = [channelOf(below, c), channelOf(above, c)];
    isSign &&= low === -high;
    isHeaviside &&= low === 0;
    if ((!isSign && !isHeaviside) || !Number.isFinite(high) || high === 0) {
      return { reason: `its input is a step from ${low} to ${high}, not ±1 or 0 and 1` };
    }
    if (high !== factor) return { reason: 'its input is a step with another height for each channel' };
  }
  return { op: isSign ? 'sign' : 'heaviside', factor };
}

function asTernary({ low, high, values: [below, between, above] }: StairsValue, channels: number) {
  const factor = channelOf(above, 0);
  for (let c = 0; c < channels; c++) {
    const [bottom, middle, top] = [channelOf(below, c), channelOf(between, c), channelOf(above, c)];
    if (top !== factor || bottom !== -factor || middle !== 0 || !Number.isFinite(factor) || factor === 0) {
      return { reason: `its input has the values ${bottom}, ${middle} and ${top}, not −1, 0 and 1` };
    }
    if (thresholdOf(low[c] as number, high[c] as number) === undefined) {
      return { reason: `its input is ternary with other thresholds than −t and t (in channel ${c})` };
    }
  }
  return { op: 'ternary', factor } as const;
}

const TINY = 2 ** -149;

/** t where [x ≥ low] + [x ≥ high] − 1 is [x ≥ t] − [x ≤ −t]. At t = 0 the two are 0 together, and 1 and −1 on the next floats. */
function thresholdOf(low: number, high: number): number | undefined {
  if (low === 0 && high === TINY) return 0;
  return low < high && low === nextUp(-high) ? high : undefined;
}

const made = new WeakMap<object, Value>();

/** The activation op of a step function: that of {@link asBinary}, else a sign. */
export function bitsOf(emitter: Emitter, step: StepValue | StairsValue): Value {
  const found = made.get(step.key);
  if (found !== undefined) return found;
  const { channels } = step.base.value.shape;
  emitter.spend(step.node, channels);
  const kind = asBinary(step, channels);
  const op = 'op' in kind ? kind.op : 'sign';
  const threshold =
    step.kind === 'step'
      ? stepThreshold(emitter, step, channels)
      : step.high.map((high, c) => thresholdOf(step.low[c] as number, high) as number);
  if (threshold.some((t) => !Number.isFinite(t))) {
    throw emitter.fail(step.node, 'compares with a threshold that is not finite');
  }
  const isPlain = op !== 'ternary' && threshold.every((t) => t === 0);
  const options = op === 'ternary' ? {} : { threshold: !isPlain };
  const bits = emitter.add(op, [step.base.value], options, step.node, isPlain ? {} : { threshold });
  made.set(step.key, bits);
  return bits;
}

/** The engine's steps have the upper value from the threshold on. A third value at the threshold, such as 0 of `Sign`, becomes it too. */
function stepThreshold(emitter: Emitter, step: StepValue, channels: number): Float32Array {
  const boundary = boundaryOf(step, channels);
  if (boundary !== undefined) return boundary;
  emitter.notes.add('sign-zero', step.node.name);
  return new Float32Array(channels).map((_, c) => {
    const t = channelOf(step.threshold, c);
    return Object.is(channelOf(step.at, c) + 0, channelOf(step.below, c) + 0) ? nextUp(t) : t + 0;
  });
}

/** A step function as a real-valued map: a depthwise 1-bit convolution by +1 reads the bits, and an affine gives them their values. */
export function dequantise(emitter: Emitter, step: StepValue | StairsValue): MapValue {
  return step.kind === 'step' ? dequantiseStep(emitter, step) : dequantiseStairs(emitter, step);
}

function dequantiseStep(emitter: Emitter, step: StepValue): MapValue {
  const { channels } = step.base.value.shape;
  emitter.spend(step.node, 3 * channels);
  const kind = asBinary(step, channels);
  const isHeaviside = 'op' in kind && kind.op === 'heaviside';
  const height = new Float32Array(channels);
  const middle = new Float32Array(channels);
  for (let c = 0; c < channels; c++) {
    const [low, high] = [channelOf(step.below, c), channelOf(step.above, c)];
    height[c] = isHeaviside ? high : (high - low) / 2;
    middle[c] = isHeaviside ? 0 : (high + low) / 2;
  }
  const bits = bitsOf(emitter, step);
  const options = { outChannels: channels, kernel: 1, groups: channels, scale: height.some((x) => x !== 1) };
  const params = { bits: new Uint8Array(channels).fill(1), ...(options.scale ? { scale: height } : {}) };
  const value = emitter.add('binaryConv', [bits], options, step.node, params, '.value');
  const map = { kind: 'map', value, axes: step.axes } as const;
  emitter.notes.add('sign-as-float', step.node.name);
  return middle.every((x) => x === 0) ? map : emitter.affine(map, 1, middle, step.node, '.middle');
}

/** below + (between − below)·[x ≥ low] + (above − between)·[x ≥ high]. */
function dequantiseStairs(emitter: Emitter, stairs: StairsValue): MapValue {
  const { base, axes, node, low, high, values } = stairs;
  const [below, between, above] = values;
  emitter.spend(node, 3 * low.length);
  const rise = (threshold: Float32Array, from: PerChannel, to: PerChannel): MapValue => {
    const height = threshold.map((_, c) => channelOf(to, c) - channelOf(from, c));
    return dequantiseStep(emitter, {
      ...{ kind: 'step', base, threshold, type: 'float', below: 0, at: height, above: height, axes, node, key: {} },
    });
  };
  const [lower, upper] = [rise(low, below, between), rise(high, between, above)];
  const sum = { ...lower, value: emitter.add('add', [lower.value, upper.value], {}, node, {}, '.steps') };
  return emitter.shift(sum, below, node);
}
