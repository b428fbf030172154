/** Binarisation, however it is spelt. */
import { floatToOrder, orderToFloat } from '../../compiler/float32.js';
import type { Value } from '../../graph/types.js';
import type { Constant } from './constant.js';
import { ELEMENTWISE } from './elementwise.js';
import type { Emitter } from './emitter.js';
import type { Evaluator } from './evaluate.js';
import type { OnnxNode } from './load.js';
import {
  channelOf,
  everyChannel,
  type ImportValue,
  mapChannels,
  type PaddedValue,
  type PerChannel,
  perChannel,
  samePerChannel,
  shapeOf,
  type StepValue,
  toConstant,
} from './values.js';

/** What comparing x with a threshold gives below, at and above it. */
const COMPARISONS: Readonly<Record<string, readonly [number, number, number]>> = {
  Greater: [0, 0, 1],
  GreaterOrEqual: [0, 1, 1],
  Less: [1, 0, 0],
  LessOrEqual: [1, 1, 0],
  Equal: [0, 1, 0],
};

/**
 * The step function that `node` makes of a map: a sign or a comparison with a constant. Whatever element-wise operators
 * then do to it with constants is worked out for its three values (`combineSteps`), so that no spelling has to be known.
 */
export function makeStep(emitter: Emitter, node: OnnxNode): StepValue | undefined {
  const { op } = node;
  const isSign = op === 'Sign' || op.endsWith('.BipolarQuant');
  if (!isSign && !Object.hasOwn(COMPARISONS, op)) return undefined;
  const side = emitter.find(node.inputs[0] ?? '') === undefined ? 1 : 0;
  const source = emitter.find(node.inputs[side] ?? '');
  if (source === undefined || source.kind === 'padded' || source.kind === 'step') return undefined;
  const shape = shapeOf(source);
  const common = { kind: 'step', axes: source.axes, node, key: {} } as const;
  if (isSign) {
    const given = op === 'Sign' ? 1 : perChannel(emitter.needConstant(node, 1, 'its scale'), source.axes, shape);
    if (given === null) throw emitter.fail(node, 'has a scale that is no number for each channel');
    const base = thresholdOn(emitter, source, 0);
    const below = mapChannels(given, (x) => -x);
    return { ...common, ...base, type: 'float', below, at: op === 'Sign' ? 0 : given, above: given };
  }
  const constant = emitter.constant(node, 1 - side);
  if (constant === undefined) throw emitter.unsupported(node, 'compares two values that depend on the input');
  const threshold = perChannel(constant, source.axes, shape);
  if (threshold === null) throw emitter.fail(node, 'compares with a constant that is no number for each channel');
  const [below, at, above] = COMPARISONS[op] as readonly [number, number, number];
  const base = thresholdOn(emitter, source, threshold);
  const values = side === 0 ? { below, at, above } : { below: above, at, above: below };
  return { ...common, ...base, type: 'bool', ...values };
}

/**
 * Moves a threshold to the map that a sum with a constant is of: x + a ≥ 0 ⟺ x ≥ −a, also as floats, because rounding is
 * monotone and the sum of two floats rounds to 0 only where it is 0.
 */
function thresholdOn(emitter: Emitter, source: Exclude<ImportValue, PaddedValue | StepValue>, threshold: PerChannel) {
  let value = source;
  if (value.kind === 'bounded') {
    const { low, high } = value;
    if (everyChannel(threshold, (t) => low < t && t < high)) value = value.base;
  }
  if (value.kind === 'shifted' && everyChannel(threshold, (t) => t === 0)) {
    return { base: value.base, threshold: mapChannels(value.add, (x) => -x) };
  }
  return { base: emitter.toMap(value), threshold };
}

/** What the element-wise operator `node` makes of step functions of one map and constants, or undefined where it reads others. */
export function combineSteps(
  emitter: Emitter,
  node: OnnxNode,
  inputs: readonly (ImportValue | Constant | undefined)[],
) {
  const steps = inputs.filter((input): input is StepValue => isValue(input) && input.kind === 'step');
  const [first] = steps;
  const evaluate = ELEMENTWISE[node.op];
  if (first === undefined || evaluate === undefined) return undefined;
  if (inputs.some((input) => isValue(input) && input.kind !== 'step')) return undefined;
  const isSame = (step: StepValue) =>
    step.base.value === first.base.value &&
    samePerChannel(step.threshold, first.threshold) &&
    step.axes.join() === first.axes.join();
  if (!steps.every(isSame)) return undefined;
  const shape = shapeOf(first);
  const region = (name: 'below' | 'at' | 'above'): { value: PerChannel; type: Constant['type'] } | undefined => {
    const constants = inputs.map((input) => {
      return isValue(input) ? toConstant((input as StepValue)[name], (input as StepValue).type, first.axes) : input;
    });
    if (constants.includes(null)) return undefined;
    const result = run(emitter, node, evaluate, constants as readonly (Constant | undefined)[]);
    const value = perChannel(result, first.axes, shape);
    return value === null ? undefined : { value, type: result.type };
  };
  const [below, at, above] = [region('below'), region('at'), region('above')];
  if (below === undefined || at === undefined || above === undefined) return undefined;
  const values = { below: below.value, at: at.value, above: above.value, type: at.type };
  return { ...first, ...values, node, key: {} } satisfies StepValue;
}

/** Evaluates an element-wise operator on a few numbers. */
export function run(
  emitter: Emitter,
  node: OnnxNode,
  evaluate: Evaluator,
  inputs: readonly (Constant | undefined)[],
): Constant {
  const { file, opset } = emitter.graph;
  return evaluate(node, inputs, { file, opset, spend: () => {}, fail: (reason) => emitter.fail(node, reason) });
}

export function isValue(input: ImportValue | Constant | undefined): input is ImportValue {
  return input !== undefined && 'kind' in input;
}

/** Bits b with step = factor · b, b being +1 or −1. */
export interface Binarised {
  readonly bits: Value;
  readonly factor: number;
}

/** How a step is ±factor everywhere, or why it is not. */
export function asBinary({ below, above }: StepValue, channels: number): { factor: number } | { reason: string } {
  const factor = channelOf(above, 0);
  for (let c = 0; c < channels; c++) {
    const [low, high] = [channelOf(below, c), channelOf(above, c)];
    if (low !== -high || !Number.isFinite(high) || high === 0) {
      return { reason: `its input is a step from ${low} to ${high}, not ±1` };
    }
    if (high !== factor) return { reason: 'its input is ±s with another s for each channel' };
  }
  return { factor };
}

const signs = new WeakMap<object, Value>();

/**
 * The sign op of a step. The engine's sign is +1 from the threshold on; where the step still has its lower value there, the
 * threshold becomes the next float. A third value at the threshold itself, such as 0 of `Sign`, becomes the upper one.
 */
export function signOf(emitter: Emitter, step: StepValue): Value {
  const made = signs.get(step.key);
  if (made !== undefined) return made;
  const { channels } = step.base.value.shape;
  emitter.spend(step.node, channels);
  const threshold = new Float32Array(channels);
  let hasThird = false;
  for (let c = 0; c < channels; c++) {
    const t = channelOf(step.threshold, c);
    const at = channelOf(step.at, c);
    const isStrict = Object.is(at + 0, channelOf(step.below, c) + 0);
    threshold[c] = isStrict ? nextUp(t) : t + 0; // −0 becomes 0
    hasThird ||= !isStrict && !Object.is(at + 0, channelOf(step.above, c) + 0);
  }
  if (threshold.some((t) => !Number.isFinite(t))) {
    throw emitter.fail(step.node, 'compares with a threshold that is not finite');
  }
  if (hasThird) emitter.notes.add('sign-zero', step.node.name);
  const isPlain = threshold.every((t) => t === 0);
  const params = isPlain ? {} : { threshold };
  const bits = emitter.add('sign', [step.base.value], { threshold: !isPlain }, step.node, params);
  signs.set(step.key, bits);
  return bits;
}

/** The smallest float32 above `value`. */
function nextUp(value: number): number {
  return orderToFloat(floatToOrder(value + 0) + 1);
}

/** The two values as a real-valued map: a depthwise 1-bit convolution by +1 reads the bits, and an affine gives them their values. */
export function dequantise(emitter: Emitter, step: StepValue) {
  const { channels } = step.base.value.shape;
  emitter.spend(step.node, 3 * channels);
  const half = new Float32Array(channels);
  const middle = new Float32Array(channels);
  for (let c = 0; c < channels; c++) {
    const [low, high] = [channelOf(step.below, c), channelOf(step.above, c)];
    half[c] = (high - low) / 2;
    middle[c] = (high + low) / 2;
  }
  const bits = signOf(emitter, step);
  const options = { outChannels: channels, kernel: 1, groups: channels, scale: half.some((x) => x !== 1) };
  const params = { bits: new Uint8Array(channels).fill(1), ...(options.scale ? { scale: half } : {}) };
  const value = emitter.add('binaryConv', [bits], options, step.node, params, '.value');
  const map = { kind: 'map', value, axes: step.axes } as const;
  emitter.notes.add('sign-as-float', step.node.name);
  return middle.every((x) => x === 0) ? map : emitter.affine(map, 1, middle, step.node, '.middle');
}
