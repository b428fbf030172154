/** Element-wise operators on maps: sums, scales, activations, normalisation. */
import { shortestDecimal } from '../export.js';
import type { Constant } from './constant.js';
import { castType, ELEMENTWISE } from './elementwise.js';
import type { Emitter, Handler } from './emitter.js';
import type { Evaluator } from './evaluate.js';
import { floatAttribute, intAttribute, type OnnxNode } from './load.js';
import { prelu, relu, clip, tanh, unary } from './activations.js';
import { broadcast, numbersOf, operands, type TwoMaps } from './operands.js';
import { ownRank1, rank1Scale } from './rank1.js';
import { combineStairs } from './stairs.js';
import { combineSteps, isValue, makeStep, run } from './steps.js';
import {
  channelOf,
  everyChannel,
  type ImportValue,
  type MapValue,
  mapChannels,
  type PaddedValue,
  type PerChannel,
  perChannel,
  shapeOf,
} from './values.js';

/** Any element-wise operator: of steps first, of maps behind a pad next, of maps last. */
export const elementwise: Handler = (emitter, node) => {
  const step = makeStep(emitter, node);
  if (step !== undefined) return step;
  const inputs = node.inputs.map((name, i) =>
    name === '' ? undefined : (emitter.find(name) ?? emitter.constant(node, i)),
  );
  const padded = inputs.filter((input): input is PaddedValue => isValue(input) && input.kind === 'padded');
  if (padded.length > 0) {
    const inside = throughPad(emitter, node, inputs, padded);
    if (inside !== undefined) return inside;
  }
  return combineSteps(emitter, node, inputs) ?? combineStairs(emitter, node, inputs) ?? onMaps(emitter, node);
};

/** f(pad(x)) = pad(f(x)) with f of the fill. */
function throughPad(
  emitter: Emitter,
  node: OnnxNode,
  inputs: readonly (ImportValue | Constant | undefined)[],
  padded: readonly PaddedValue[],
): PaddedValue | undefined {
  const [first] = padded;
  const evaluate = ELEMENTWISE[node.op];
  if (first === undefined || evaluate === undefined) return undefined;
  const isSame = inputs.every(
    (input) => !isValue(input) || (input.kind === 'padded' && input.pads.join() === first.pads.join()),
  );
  if (!isSame) return undefined;
  const fills = inputs.map((input) => (isValue(input) ? (input as PaddedValue).fill : input));
  // The operator is asked again, about what is inside the pads.
  const names = new Map(node.inputs.map((name, i) => [`${name}\0inside`, inputs[i]] as const));
  for (const [name, value] of names) if (isValue(value)) emitter.set(name, (value as PaddedValue).base);
  const inner: OnnxNode = {
    ...node,
    inputs: node.inputs.map((name, i) => (isValue(inputs[i]) ? `${name}\0inside` : name)),
  };
  const base = elementwise(emitter, inner);
  if (base.kind === 'padded' || base.kind === 'unscaled') return undefined;
  return {
    ...first,
    base: base.kind === 'step' || base.kind === 'stairs' ? base : emitter.toMap(base),
    fill: run(emitter, node, evaluate, fills),
  };
}

function onMaps(emitter: Emitter, node: OnnxNode): ImportValue {
  const handler = MAPS[node.op];
  if (handler === undefined) throw emitter.unsupported(node);
  return handler(emitter, node);
}

function sum(emitter: Emitter, node: OnnxNode, { a, b }: TwoMaps, suffix = ''): MapValue {
  return { ...a, value: emitter.add('add', [a.value, b.value], {}, node, {}, suffix) };
}

function scaled(emitter: Emitter, node: OnnxNode, x: MapValue, factor: number, suffix = ''): MapValue {
  return { ...x, value: emitter.add('scale', [x.value], { factor }, node, {}, suffix) };
}

function shifted(emitter: Emitter, node: OnnxNode, x: ImportValue, add: PerChannel): ImportValue {
  if (emitter.isOwn) return emitter.shift(emitter.toMap(x), add, node);
  const isZero = everyChannel(add, (value) => value === 0);
  return isZero ? x : { kind: 'shifted', base: emitter.toMap(x), add, axes: x.axes, node };
}

function multiplied(emitter: Emitter, node: OnnxNode, x: ImportValue, factor: PerChannel, rank = 1): ImportValue {
  if (x.kind === 'unscaled' && (typeof factor !== 'number' || rank >= 3)) {
    return x.build(Float32Array.from({ length: x.shape.channels }, (_, c) => channelOf(factor, c)));
  }
  const map = emitter.toMap(x);
  return typeof factor === 'number' ? scaled(emitter, node, map, factor) : emitter.affine(map, factor, 0, node);
}

/** `Sum`, `Mean` and `Max` of any number of inputs. */
function folded(emitter: Emitter, node: OnnxNode): ImportValue {
  let result: ImportValue = emitter.input(node, 0);
  for (let i = 1; i < node.inputs.length; i++) {
    const pair = broadcast(emitter, node, emitter.toMap(result), emitter.map(node, i));
    const isLast = node.op === 'Sum' && i === node.inputs.length - 1;
    result = sum(emitter, node, pair, isLast ? '' : '.sum');
  }
  if (node.op === 'Sum' || node.inputs.length === 1) return result;
  return scaled(emitter, node, emitter.toMap(result), 1 / node.inputs.length);
}

/** The eps that the attribute, a float32, was rounded from: bitpath's own export notes those that the shortest decimal is not. */
function epsilon(emitter: Emitter, node: OnnxNode, value: number): number {
  const noted = emitter.epsilons[node.name];
  return typeof noted === 'number' && Math.fround(noted) === Math.fround(value) ? noted : shortestDecimal(value);
}

const batchNormalization: Handler = (emitter, node) => {
  if (intAttribute(node, 'training_mode', 0) !== 0) throw emitter.fail(node, 'is in training mode: export with eval()');
  const x = emitter.map(node, 0);
  const { channels } = x.value.shape;
  if (x.axes[0] !== 'C') throw emitter.fail(node, 'does not normalise the channels');
  const [weight, bias, running_mean, running_var] = [1, 2, 3, 4].map((index) => {
    const { data } = emitter.needConstant(node, index, 'its parameters');
    if (data.length === channels) return Float32Array.from(data);
    throw emitter.fail(node, `has ${data.length} parameters for ${channels} channels`);
  }) as [Float32Array, Float32Array, Float32Array, Float32Array];
  const eps = epsilon(emitter, node, floatAttribute(node, 'epsilon', 1e-5));
  const wrong = running_var.findIndex((variance) => !(variance + eps > 0));
  if (wrong !== -1) throw emitter.fail(node, `has the variance ${running_var[wrong]} in channel ${wrong}`);
  const params = { weight, bias, running_mean, running_var };
  return { ...x, value: emitter.add('batchNorm', [x.value], { eps }, node, params) };
};

const MAPS: Readonly<Record<string, Handler>> = {
  Add(emitter, node) {
    const found = operands(emitter, node);
    return 'a' in found ? sum(emitter, node, found) : shifted(emitter, node, found.x, numbersOf(emitter, node, found));
  },
  Sub(emitter, node) {
    const found = operands(emitter, node);
    if ('a' in found) {
      const negative = (map: MapValue) => scaled(emitter, node, map, -1, '.neg');
      const { a, b, swapped } = found;
      return sum(emitter, node, swapped ? { a: negative(a), b } : { a, b: negative(b) });
    }
    const numbers = numbersOf(emitter, node, found);
    if (found.swapped) return emitter.affine(emitter.toMap(found.x), -1, numbers, node);
    const negative = mapChannels(numbers, (value) => -value);
    return shifted(emitter, node, found.x, negative);
  },
  Mul(emitter, node) {
    const found = operands(emitter, node);
    if ('a' in found) return { ...found.a, value: emitter.add('mul', [found.a.value, found.b.value], {}, node) };
    const { x, numbers, constant } = found;
    const whole = ownRank1(emitter, node, found);
    if (whole !== undefined) return whole;
    return numbers === null
      ? rank1Scale(emitter, node, emitter.toMap(x), constant)
      : multiplied(emitter, node, x, numbers, constant.dims.length);
  },
  Div(emitter, node) {
    const found = operands(emitter, node);
    if ('a' in found || found.swapped) throw emitter.unsupported(node, 'divides by a map, for which bitpath has no op');
    const reciprocal = mapChannels(numbersOf(emitter, node, found), (value) => 1 / value);
    return multiplied(emitter, node, found.x, reciprocal);
  },
  Neg: (emitter, node) => scaled(emitter, node, emitter.map(node, 0), -1),
  Abs: (emitter, node) => unary(emitter, node, 'abs'),
  Sigmoid: (emitter, node) => unary(emitter, node, 'sigmoid'),
  Relu: (emitter, node) => relu(emitter, node),
  LeakyRelu: (emitter, node) => prelu(emitter, node, floatAttribute(node, 'alpha', 0.01)),
  PRelu(emitter, node) {
    const x = emitter.input(node, 0);
    const slope = perChannel(emitter.needConstant(node, 1, 'its slope'), x.axes, shapeOf(x));
    if (slope === null) throw emitter.fail(node, 'has a slope that is no number for each channel');
    return prelu(emitter, node, slope);
  },
  Max(emitter, node) {
    const found = node.inputs.length === 2 ? operands(emitter, node) : undefined;
    const isRelu = found !== undefined && !('a' in found) && found.constant.data.every((value) => value === 0);
    if (isRelu) return relu(emitter, node, found.swapped ? 1 : 0);
    throw emitter.unsupported(node, 'takes the maximum of more than a map and 0');
  },
  Clip: clip,
  Tanh: tanh,
  Cast(emitter, node) {
    const x = emitter.input(node, 0);
    if (castType(intAttribute(node, 'to', 0)) === 'float') return x;
    throw emitter.unsupported(node, 'casts a map to integers');
  },
  CastLike: (emitter, node) => emitter.input(node, 0),
};

export const ARITHMETIC: Readonly<Record<string, Handler>> = {
  ...Object.fromEntries(Object.keys(ELEMENTWISE).map((op) => [op, elementwise])),
  BatchNormalization: batchNormalization,
  Sum: folded,
  Mean: folded,
};
export type { Evaluator };
