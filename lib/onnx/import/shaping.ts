/** Operators that say how axes lie: reshapes, transposes; and those that are left out. */
import { axesOf } from './evaluate.js';
import type { Emitter, Handler } from './emitter.js';
import { intAttribute, intsAttribute, type OnnxNode } from './load.js';
import { type Axes, canonical, dimsOf, extent, type ImportValue, reshapedAxes, shapeOf } from './values.js';

/** The same elements under other axes. */
function withAxes(emitter: Emitter, value: ImportValue, given: Axes): ImportValue {
  const axes = canonical(given, shapeOf(value));
  switch (value.kind) {
    case 'map':
    case 'step':
    case 'stairs':
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
  Dropout: pass,
  Flatten: reshape,
  Identity: pass,
  LogSoftmax: softmax,
  Reshape: reshape,
  Softmax: softmax,
  Squeeze: squeeze,
  Transpose: transpose,
  Unsqueeze: unsqueeze,
};
