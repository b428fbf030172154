/** Which op a convolution or fully connected layer becomes: 1-bit where signs meet ±1 weights, real-valued otherwise. */
import type { Padding, Shape } from '../../graph/types.js';
import type { Emitter } from './emitter.js';
import type { OnnxNode } from './load.js';
import { hasRole, isHelper } from './own.js';
import type { Convolution } from './report.js';
import { asBinary, type Binarised, bitsOf } from './binarise.js';
import { type BinaryWeights, binaryWeights, short } from './binaryWeights.js';
import {
  type Axes,
  type ImportValue,
  type MapValue,
  perChannel,
  shapeOf,
  type StairsValue,
  type StepValue,
} from './values.js';
import { addPads, isZeroPad, type Window } from './window.js';

/** A convolution before it is known to be binary; `weight` is [O, I / groups, kh, kw]. */
export interface Layer {
  readonly node: OnnxNode;
  readonly input: ImportValue;
  readonly weight: Float32Array;
  readonly dims: readonly [number, number, number, number];
  readonly bias: Float32Array | undefined;
  readonly window: Window;
  readonly groups: number;
  readonly axes: Axes;
  /** Of a fully connected layer on a 1×1 map. */
  readonly isLinear: boolean;
}

export function layer(emitter: Emitter, given: Layer): ImportValue {
  const { input } = given;
  const padded = input.kind === 'padded' ? input : undefined;
  const source = padded?.base ?? input;
  const weights = binaryWeights(given.weight, given.dims);
  if (source.kind !== 'step' && source.kind !== 'stairs') {
    if ('reason' in weights) return real(emitter, given, 'its input is no sign');
    return (
      binaryWeight(emitter, given, weights) ?? real(emitter, given, 'its input is no sign, though its weights are ±1')
    );
  }
  const activation = asBinary(source, source.base.value.shape.channels);
  if ('reason' in activation) return real(emitter, given, activation.reason);
  const { op, factor } = activation;
  if ('reason' in weights) return real(emitter, given, `its input is a ${op}, but ${weights.reason}`);
  if (op === 'ternary' && given.groups > 1) return real(emitter, given, 'its input is ternary, and it has groups');

  const fill = padded === undefined ? 0 : perChannel(padded.fill, source.axes, shapeOf(source));
  const padValue = typeof fill === 'number' ? fill / factor : Number.NaN;
  const own = given.window.padding;
  const isPossible = padValue === 0 || (op === 'sign' && (padValue === 1 || padValue === -1));
  if (!isPossible) {
    const [values, allowed] = op === 'sign' ? ['±1', '0, +1 or −1'] : [op === 'ternary' ? 'ternary' : '0 and 1', '0'];
    throw emitter.fail(given.node, `follows a pad of ${values} values with something other than ${allowed}`);
  }
  if (padValue !== 0 && !isZeroPad(own)) {
    throw emitter.fail(given.node, `pads with 0 what has been padded with ${padValue} before`);
  }
  const padding = padded === undefined ? own : addPads(own, padded.pads);
  return binary(emitter, given, source, activation, weights, padding, padValue as 0 | 1 | -1);
}

function binary(
  emitter: Emitter,
  { node, dims, bias, window, groups, axes }: Layer,
  step: StepValue | StairsValue,
  { op, factor }: Binarised,
  { bits, scale, spread }: BinaryWeights,
  padding: Padding,
  padValue: 0 | 1 | -1,
): ImportValue {
  if (spread > 0) emitter.notes.add('inexact', node.name);
  const own = scale.map((value) => value * factor);
  const hasUnit = own.every((value) => value === 1);
  const source = bitsOf(emitter, step);
  const next = emitter.onlyConsumer(node.outputs[0] ?? '');
  const build = (product: Float32Array | null): MapValue => {
    const all = product ?? own;
    const hasScale = product !== null || !hasUnit;
    const options = { outChannels: dims[0], ...window, padding, groups, padValue, scale: hasScale };
    // The last op that a node becomes has its name, since it makes the node's value: with the product, that of the Mul.
    const named = product !== null && next !== undefined ? next : node;
    const suffix = bias === undefined ? '' : '.sum';
    const value = emitter.add(
      'binaryConv',
      [source],
      options,
      named,
      {
        bits,
        ...(hasScale ? { scale: all } : {}),
      },
      suffix,
    );
    const scaleText = hasUnit && product === null ? '' : ', with a scale for each output channel';
    const nearly = spread > 0 ? `, within ${short(spread * 100)} %` : '';
    record(
      emitter,
      node,
      value.shape,
      dims,
      `its input is a ${op} and its weights are ±1${scaleText}${nearly}`,
      padValue,
      bits.length + (hasScale ? all.byteLength : 0),
    );
    const map: MapValue = { kind: 'map', value, axes };
    return bias === undefined ? map : emitter.affine(map, 1, bias, node);
  };
  const isNumber = next?.inputs.some(
    (name) => emitter.graph.initialisers.get(emitter.resolve(name))?.dims.length === 0,
  );
  const isOthers = emitter.isOwn && !isHelper(node.name, next?.name, 'Conv'); // of a rank1Scale
  if (bias !== undefined || !hasUnit || next?.op !== 'Mul' || isNumber || isOthers) return build(null);
  return { kind: 'unscaled', build, shape: outputShape(shapeOf(step), dims[0], window, padding), axes };
}

/**
 * A `Conv` of real numbers by ±1, or by ±s where that spares something. Only weights that are exactly ±s are: s is then multiplied
 * by the sum and not by each summand, which differs by rounding. Not those that are one number an output anyway.
 */
function binaryWeight(emitter: Emitter, given: Layer, { bits, scale, spread }: BinaryWeights): ImportValue | undefined {
  const { node, input, dims, bias, window, groups, axes } = given;
  const hasUnit = scale.every((value) => value === 1);
  const taps = dims[1] * dims[2] * dims[3];
  const padding = zeroPadding(given);
  const isKept = emitter.isOwn && !hasRole(node.inputs[1] ?? '', 'bits'); // a real-valued convolution of ours
  if (isKept || node.op !== 'Conv' || spread > 0 || (!hasUnit && taps === 1) || padding === undefined) return undefined;
  const x = emitter.toMap(input.kind === 'padded' ? input.base : input);
  const next = emitter.onlyConsumer(node.outputs[0] ?? '');
  const build = (product: Float32Array | null): MapValue => {
    const hasScale = product !== null || !hasUnit;
    const all = product ?? scale;
    const options = { outChannels: dims[0], ...window, padding, groups, scale: hasScale };
    const named = product !== null && next !== undefined ? next : node;
    const params = { bits, ...(hasScale ? { scale: all } : {}) };
    const suffix = bias === undefined ? '' : '.sum';
    const value = emitter.add('binaryWeightConv', [x.value], options, named, params, suffix);
    const bytes = bits.length + (hasScale ? all.byteLength : 0);
    record(emitter, node, value.shape, dims, 'its input is no sign; its weights are ±1 and kept as bits', null, bytes);
    const map: MapValue = { kind: 'map', value, axes };
    return bias === undefined ? map : emitter.shift(map, bias, node);
  };
  if (!isHelper(node.name, next?.name, 'Conv') || bias !== undefined || !hasUnit) return build(null);
  return { kind: 'unscaled', build, shape: outputShape(x.value.shape, dims[0], window, padding), axes }; // our own export
}

/** The padding of a layer, a `Pad` before it included, where all of it is of zeros. */
function zeroPadding({ input, window: { padding } }: Layer): Padding | undefined {
  if (input.kind !== 'padded') return padding;
  return input.fill.data.every((value) => value === 0) ? addPads(padding, input.pads) : undefined;
}

/** As the graph's own rule; a window that does not fit is refused there, when it is built. */
function outputShape(
  { height, width }: Shape,
  channels: number,
  { kernel, stride, dilation }: Window,
  padding: Padding,
): Shape {
  const [top, left, bottom, right] = padding;
  const count = (size: number, k: number, s: number, d: number) => Math.floor((size - d * (k - 1) - 1) / s) + 1;
  return {
    channels,
    height: count(height + top + bottom, kernel[0], stride[0], dilation[0]),
    width: count(width + left + right, kernel[1], stride[1], dilation[1]),
  };
}

function real(emitter: Emitter, given: Layer, reason: string): MapValue {
  const { node, input, weight, dims, bias, window, groups, axes, isLinear } = given;
  const padding = zeroPadding(given);
  if (padding === undefined) {
    const fill = input.kind === 'padded' ? input.fill.data.find((value) => value !== 0) : 0;
    throw emitter.fail(node, `is real-valued (${reason}) and follows a pad with ${fill}; only zeros are supported`);
  }
  const x = emitter.toMap(input.kind === 'padded' ? input.base : input);
  const params = { weight, ...(bias === undefined ? {} : { bias }) };
  const common = { bias: bias !== undefined };
  const value = isLinear
    ? emitter.add('linear', [x.value], { ...common, outFeatures: dims[0] }, node, params)
    : emitter.add('conv', [x.value], { ...common, outChannels: dims[0], ...window, padding, groups }, node, params);
  record(emitter, node, value.shape, dims, reason, null, weight.byteLength);
  return { kind: 'map', value, axes };
}

function record(
  emitter: Emitter,
  node: OnnxNode,
  shape: Shape,
  dims: Layer['dims'],
  reason: string,
  padValue: Convolution['padValue'] | null,
  bytes: number,
): void {
  const taps = dims[1] * dims[2] * dims[3];
  emitter.convolutions.push({
    node: node.name,
    op: node.op,
    binary: padValue !== null,
    reason,
    weight: dims,
    macs: taps * shape.channels * shape.height * shape.width,
    bytes,
    floatBytes: 4 * dims[0] * taps,
    padValue: padValue ?? 0,
  });
}
