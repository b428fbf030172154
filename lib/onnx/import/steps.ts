/** Comparisons with constants, and what element-wise operators make of them. */
import { floatToOrder, orderToFloat } from '../../compiler/float32.js';
import type { Constant } from './constant.js';
import { ELEMENTWISE } from './elementwise.js';
import type { Emitter } from './emitter.js';
import type { Evaluator } from './evaluate.js';
import type { OnnxNode } from './load.js';
import {
  everyChannel,
  type ImportValue,
  mapChannels,
  type PaddedValue,
  type PerChannel,
  perChannel,
  samePerChannel,
  shapeOf,
  type StairsValue,
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
  if (source === undefined || source.kind === 'padded' || source.kind === 'step' || source.kind === 'stairs')
    return undefined;
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
function thresholdOn(
  emitter: Emitter,
  source: Exclude<ImportValue, PaddedValue | StepValue | StairsValue>,
  threshold: PerChannel,
) {
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

/** The smallest float32 above `value`. */
export function nextUp(value: number): number {
  return orderToFloat(floatToOrder(value + 0) + 1);
}
