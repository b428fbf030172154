/** Operators that move elements: reshapes, transposes, concatenations, strided slices, means over pixels. */
import { sliceRanges } from './evaluateLayout.js';
import { axesOf } from './evaluate.js';
import type { Emitter, Handler } from './emitter.js';
import { intAttribute, intsAttribute, type OnnxNode } from './load.js';
import {
  type Axes,
  canonical,
  dimsOf,
  extent,
  type ImportValue,
  type MapValue,
  reshapedAxes,
  shapeOf,
} from './values.js';

/** The same elements under other axes. */
function withAxes(emitter: Emitter, value: ImportValue, given: Axes): ImportValue {
  const axes = canonical(given, shapeOf(value));
  switch (value.kind) {
    case 'map':
    case 'step':
      return { ...value, axes };
    case 'shifted':
      return { ...value, axes, base: { ...value.base, axes } };
    case 'bounded':
      return { ...value, axes, base: withAxes(emitter, value.base, axes) as typeof value.base };
    case 'padded':
      if (value.fill.data.length > 1) return { ...emitter.toMap(value), axes };
      return { ...value, axes, base: withAxes(emitter, value.base, axes) as typeof value.base };
    default:
      return { ...emitter.toMap(value), axes };
  }
}

const reshape: Handler = (emitter, node) => {
  const value = emitter.input(node, 0);
  const shape = shapeOf(value);
  const from = dimsOf(value);
  const target = node.op === 'Reshape' ? emitter.needList(node, 1, 'its shape') : flattened(node, from);
  const allowZero = intAttribute(node, 'allowzero', 0) !== 0;
  const dims = target.map((size, axis) => (size === 0 && !allowZero ? (from[axis] ?? Number.NaN) : size));
  const elements = shape.channels * shape.height * shape.width;
  const rest = dims.slice(1);
  const open = rest.indexOf(-1);
  if (open !== -1 && dims[0] !== -1) {
    rest[open] = elements / rest.reduce((product, size, axis) => (axis === open ? product : product * size), 1);
  }
  const axes = value.kind === 'padded' ? null : reshapedAxes(value.axes, rest, shape);
  if (axes !== null) return withAxes(emitter, value, axes);
  const shown = (list: readonly number[]) => list.map((size) => (Number.isNaN(size) ? 'N' : size)).join(', ');
  throw emitter.unsupported(node, `makes [${shown(dims)}] of [${shown(from)}], which mixes images or channels`);
};

function flattened(node: OnnxNode, dims: readonly number[]): number[] {
  const axis = intAttribute(node, 'axis', 1);
  return (axis < 0 ? axis + dims.length : axis) === 1 ? [Number.NaN, -1] : [-1];
}

const squeeze: Handler = (emitter, node) => {
  const value = emitter.input(node, 0);
  const dims = dimsOf(value);
  const axes =
    axesOf(node, emitter.constant(node, 1), dims.length) ?? dims.flatMap((size, axis) => (size === 1 ? [axis] : []));
  if (axes.some((axis) => dims[axis] !== 1))
    throw emitter.fail(node, `removes axes [${axes}] of [N, ${dims.slice(1)}]`);
  const kept = value.axes.filter((_, i) => !axes.includes(i + 1));
  // A channel axis of length 1 is not lost: it goes with its neighbour.
  if (value.axes.includes('C') && !kept.some((letters) => letters.includes('C'))) {
    return withAxes(emitter, value, kept.length === 0 ? ['C'] : [`C${kept[0]}`, ...kept.slice(1)]);
  }
  return withAxes(emitter, value, kept);
};

const unsqueeze: Handler = (emitter, node) => {
  const value = emitter.input(node, 0);
  const given = emitter.constant(node, 1);
  const count = given?.data.length ?? intsAttribute(node, 'axes')?.length ?? 0;
  const axes = axesOf(node, given, value.axes.length + 1 + count) ?? [];
  const result = [...value.axes];
  for (const axis of axes) {
    if (!(axis >= 1 && axis <= result.length + 1)) throw emitter.fail(node, `adds axis ${axis}`);
    result.splice(axis - 1, 0, '');
  }
  if (result.length > 7) throw emitter.fail(node, `makes ${result.length + 1} dimensions`);
  return withAxes(emitter, value, result);
};

const transpose: Handler = (emitter, node) => {
  const value = emitter.input(node, 0);
  const rank = value.axes.length + 1;
  const perm = intsAttribute(node, 'perm') ?? Array.from({ length: rank }, (_, i) => rank - 1 - i);
  const isPermutation =
    perm.length === rank && perm.every((axis) => axis >= 0 && axis < rank) && new Set(perm).size === rank;
  if (!isPermutation || perm[0] !== 0)
    throw emitter.unsupported(node, `transposes by [${perm}], which moves the batch`);
  return withAxes(
    emitter,
    value,
    perm.slice(1).map((axis) => value.axes[axis - 1] as string),
  );
};

const concat: Handler = (emitter, node) => {
  const parts = node.inputs.map((_, index) => emitter.map(node, index));
  const [first] = parts;
  if (first === undefined) throw emitter.fail(node, 'has no inputs');
  const axis = intAttribute(node, 'axis', 1);
  const place = (axis < 0 ? axis + first.axes.length + 1 : axis) - 1;
  const areAlike = parts.every(({ axes }) => axes.join() === first.axes.join());
  if (first.axes[place] !== 'C' || !areAlike)
    throw emitter.unsupported(node, 'joins maps along something other than channels');
  return {
    ...first,
    value: emitter.add(
      'concat',
      parts.map(({ value }) => value),
      {},
      node,
    ),
  };
};

/** Some channels of a map, by a 1×1 convolution with a 1 for each. */
function selectChannels(
  emitter: Emitter,
  node: OnnxNode,
  x: MapValue,
  chosen: readonly number[],
  suffix = '',
): MapValue {
  const { channels } = x.value.shape;
  if (chosen.length === channels && chosen.every((channel, i) => channel === i)) return x;
  emitter.spend(node, chosen.length * channels);
  const weight = new Float32Array(chosen.length * channels);
  for (const [i, channel] of chosen.entries()) weight[i * channels + channel] = 1;
  emitter.notes.add('channels', node.name);
  const options = { outChannels: chosen.length, kernel: [1, 1], bias: false };
  return { ...x, value: emitter.add('conv', [x.value], options, node, { weight }, suffix) };
}

/** Every second pixel of a map is what a max pool of one pixel keeps. */
const slice: Handler = (emitter, node) => {
  const value = emitter.input(node, 0);
  const inputs = node.inputs.map((_, i) => (i === 0 ? undefined : emitter.constant(node, i)));
  const { file, opset } = emitter.graph;
  const dims = [1, ...dimsOf(value).slice(1)];
  const context = { file, opset, spend: () => {}, fail: (reason: string) => emitter.fail(node, reason) };
  const stride = { H: 1, W: 1 };
  let chosen: number[] | undefined;
  for (const [axis, { start, count, step }] of sliceRanges(node, inputs, dims, context).entries()) {
    const size = dims[axis] as number;
    if (start === 0 && step === 1 && count === size) continue;
    const letter = value.axes[axis - 1];
    if (letter === 'C' && count > 0) {
      chosen = Array.from({ length: count }, (_, i) => start + i * step);
      continue;
    }
    const strides = start === 0 && step > 0 && count === Math.ceil(size / step) && (letter === 'H' || letter === 'W');
    if (!strides) {
      const what = `takes ${count} of ${size} along axis ${axis}`;
      throw emitter.unsupported(node, `${what}; only channels, and every nth row or column, can be taken`);
    }
    stride[letter] = step;
  }
  const isStrided = stride.H > 1 || stride.W > 1;
  if (!isStrided && chosen === undefined) return value;
  const x = emitter.toMap(value);
  const narrow = chosen === undefined ? x : selectChannels(emitter, node, x, chosen, isStrided ? '.channels' : '');
  if (!isStrided) return narrow;
  const options = { kernel: 1, stride: [stride.H, stride.W] };
  return { ...narrow, value: emitter.add('maxPool', [narrow.value], options, node) };
};

/** Channels in groups, one after another. */
const split: Handler = (emitter, node) => {
  const x = emitter.map(node, 0);
  const { channels } = x.value.shape;
  const parts = node.outputs.length;
  const axis = intAttribute(node, 'axis', 0);
  const sizes =
    (node.inputs[1] ?? '') === ''
      ? intsAttribute(node, 'split')
      : Array.from(emitter.needConstant(node, 1, 'its sizes').data);
  const equal = Math.ceil(channels / parts);
  const each = sizes ?? Array.from({ length: parts }, (_, i) => Math.min(equal, channels - i * equal));
  const isWhole = each.length === parts && each.every((size) => Number.isInteger(size) && size > 0);
  if (x.axes[(axis < 0 ? axis + x.axes.length + 1 : axis) - 1] !== 'C' || !isWhole) {
    throw emitter.unsupported(node, 'splits something other than channels');
  }
  if (each.reduce((sum, size) => sum + size, 0) !== channels) {
    throw emitter.fail(node, `splits ${channels} channels into [${each.slice(0, 16)}]`);
  }
  let start = 0;
  const pieces = each.map((size, i) => {
    const from = start;
    start += size;
    const chosen = Array.from({ length: size }, (_, c) => from + c);
    const piece = selectChannels(emitter, node, x, chosen, i === 0 ? '' : `.${i}`);
    const output = node.outputs[i] ?? '';
    if (i > 0 && output !== '') emitter.set(output, piece);
    return piece;
  });
  return pieces[0] as MapValue;
};

/** The mean over height and width. */
const reduceMean: Handler = (emitter, node) => {
  const x = emitter.map(node, 0);
  const { shape } = x.value;
  const given = axesOf(node, emitter.constant(node, 1), x.axes.length + 1);
  const axes = new Set(given ?? Array.from({ length: x.axes.length + 1 }, (_, i) => i));
  if (given?.length === 0 || (given === undefined && intAttribute(node, 'noop_with_empty_axes', 0) !== 0)) return x;
  const isRight =
    !axes.has(0) &&
    x.axes.every((letters, i) => {
      const isPixels = !letters.includes('C') && extent(letters, shape) > 1;
      return axes.has(i + 1) ? !letters.includes('C') : !isPixels && (letters === 'C' || extent(letters, shape) === 1);
    });
  if (!isRight) throw emitter.unsupported(node, 'takes the mean of something other than all pixels of a channel');
  const kept = intAttribute(node, 'keepdims', 1) !== 0 ? x.axes : x.axes.filter((_, i) => !axes.has(i + 1));
  const value = emitter.add('globalAvgPool', [x.value], {}, node);
  return { kind: 'map', axes: canonical(kept, value.shape), value };
};

/** At the end of a network it is left out; labels by the largest logit are the same. */
const softmax: Handler = (emitter, node) => {
  const x = emitter.map(node, 0);
  const name = node.outputs[0] ?? '';
  const rank = x.axes.length + 1;
  const axis = intAttribute(node, 'axis', emitter.graph.opset < 13 ? 1 : -1);
  const letters = x.axes[(axis < 0 ? axis + rank : axis) - 1] ?? '';
  const { channels, height, width } = shapeOf(x);
  const isLast = emitter.isOutput(name) && !emitter.consumers.has(emitter.resolve(name));
  if (!isLast) throw emitter.unsupported(node, 'is not at the end of the network');
  if (extent(letters, shapeOf(x)) !== channels * height * width)
    throw emitter.unsupported(node, 'is not over the classes');
  emitter.notes.add('softmax', node.name);
  return x;
};

const pass: Handler = (emitter, node) => emitter.input(node, 0);

export const SHAPING: Readonly<Record<string, Handler>> = {
  Concat: concat,
  Dropout: pass,
  Flatten: reshape,
  Identity: pass,
  LogSoftmax: softmax,
  ReduceMean: reduceMean,
  Reshape: reshape,
  Slice: slice,
  Split: split,
  Softmax: softmax,
  Squeeze: squeeze,
  Transpose: transpose,
  Unsqueeze: unsqueeze,
};
