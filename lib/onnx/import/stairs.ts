/** Two steps of one map, joined: ternary activations, however they are spelt. */
import type { Constant } from './constant.js';
import { ELEMENTWISE } from './elementwise.js';
import type { Emitter } from './emitter.js';
import type { OnnxNode } from './load.js';
import { isValue, nextUp, run } from './steps.js';
import {
  channelOf,
  type ImportValue,
  type PerChannel,
  perChannel,
  shapeOf,
  type StairsValue,
  type StepValue,
  toConstant,
} from './values.js';

type Stepped = StepValue | StairsValue;

/**
 * For each channel the least x that has the upper value, or undefined where a third value lies between. Equal functions have
 * equal boundaries: x > t and x ≥ the float after t.
 */
export function boundaryOf({ threshold, below, at, above }: StepValue, channels: number): Float32Array | undefined {
  const result = new Float32Array(channels);
  for (let c = 0; c < channels; c++) {
    const [t, middle] = [channelOf(threshold, c), channelOf(at, c) + 0];
    const isLower = Object.is(middle, channelOf(below, c) + 0);
    if (!isLower && !Object.is(middle, channelOf(above, c) + 0)) return undefined;
    result[c] = isLower ? nextUp(t) : t + 0; // −0 becomes 0
  }
  return result;
}

/** What the element-wise operator `node` makes of step functions with two thresholds in all, or undefined where it reads others. */
export function combineStairs(
  emitter: Emitter,
  node: OnnxNode,
  inputs: readonly (ImportValue | Constant | undefined)[],
): StairsValue | undefined {
  const evaluate = ELEMENTWISE[node.op];
  const read = inputs.filter(isValue);
  const steps = read.filter((input): input is Stepped => input.kind === 'step' || input.kind === 'stairs');
  const [first] = steps;
  if (first === undefined || evaluate === undefined || steps.length < read.length) return undefined;
  const isSame = (step: Stepped) => step.base.value === first.base.value && step.axes.join() === first.axes.join();
  if (!steps.every(isSame)) return undefined;
  const shape = shapeOf(first);
  emitter.spend(node, 8 * steps.length * shape.channels);
  const edges = steps.map((step) =>
    step.kind === 'stairs' ? [step.low, step.high] : [boundaryOf(step, shape.channels)],
  );
  const all = edges.flat();
  if (all.includes(undefined)) return undefined;
  const known = all as readonly Float32Array[];
  const low = new Float32Array(shape.channels).map((_, c) => Math.min(...known.map((edge) => edge[c] as number)));
  const high = low.map((_, c) => Math.max(...known.map((edge) => edge[c] as number)));
  if (known.some((edge) => edge.some((x, c) => x !== low[c] && x !== high[c]))) return undefined;

  /** The value of `step` from the lower threshold on, where it may have risen. */
  const between = (step: Stepped, edge: readonly (Float32Array | undefined)[]): PerChannel =>
    low.map((x, c) => {
      const [lower, upper] = [edge[0]?.[c] as number, edge.at(-1)?.[c] as number];
      if (step.kind === 'step') return channelOf(lower <= x ? step.above : step.below, c);
      return channelOf(step.values[Number(lower <= x) + Number(upper <= x)] as PerChannel, c);
    });
  const region = (index: 0 | 1 | 2): { value: PerChannel; type: Constant['type'] } | undefined => {
    const constants = inputs.map((input) => {
      if (!isValue(input)) return input;
      const step = input as Stepped;
      const ends = step.kind === 'step' ? [step.below, step.above] : [step.values[0], step.values[2]];
      const value = index === 1 ? between(step, edges[steps.indexOf(step)] ?? []) : ends[index / 2];
      return toConstant(value as PerChannel, step.type, first.axes);
    });
    if (constants.includes(null)) return undefined;
    const result = run(emitter, node, evaluate, constants as readonly (Constant | undefined)[]);
    const value = perChannel(result, first.axes, shape);
    return value === null ? undefined : { value, type: result.type };
  };
  const [below, middle, above] = [region(0), region(1), region(2)];
  if (below === undefined || middle === undefined || above === undefined) return undefined;
  const { base, axes } = first;
  const values = [below.value, middle.value, above.value] as const;
  return { kind: 'stairs', base, low, high, type: middle.type, values, axes, node, key: {} };
}
