/** Operators on constants that move elements and do not change them. */
import { elementCount } from '../../tensor.js';
import { type Constant, makeConstant, MAX_RANK, room, rowMajor } from './constant.js';
import type { EvaluationContext, Evaluator } from './evaluate.js';
import { intAttribute, intsAttribute, type OnnxNode } from './load.js';

type Inputs = readonly (Constant | undefined)[];

function first([x]: Inputs, { fail }: EvaluationContext): Constant {
  if (x === undefined) throw fail('has no input');
  return x;
}

/** `axis`, counted from the front, or an error. */
function axisOf(axis: number, rank: number, { fail }: EvaluationContext): number {
  const found = axis < 0 ? axis + rank : axis;
  if (Number.isInteger(found) && found >= 0 && found < rank) return found;
  throw fail(`has axis ${axis} of ${rank}`);
}

function withDims(x: Constant, dims: readonly number[], { fail }: EvaluationContext): Constant {
  if (dims.length > MAX_RANK || elementCount(dims) !== x.data.length) {
    throw fail(`cannot make [${dims.slice(0, 10).join(', ')}] of [${x.dims.join(', ')}]`);
  }
  return { ...x, dims };
}

/** The elements of `x` at `offset` + Σ index[axis] · strides[axis]. */
function gatherStrided(x: Constant, dims: readonly number[], strides: readonly number[], offset: number): Constant {
  const count = elementCount(dims);
  const data = room(x.type, count);
  const index = new Array<number>(dims.length).fill(0);
  let at = offset;
  for (let i = 0; i < count; i++) {
    data[i] = x.data[at] as number;
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      index[axis] = (index[axis] as number) + 1;
      at += strides[axis] as number;
      if ((index[axis] as number) < (dims[axis] as number)) break;
      at -= (dims[axis] as number) * (strides[axis] as number);
      index[axis] = 0;
    }
  }
  return makeConstant(x.type, dims, data);
}

const reshape: Evaluator = (node, inputs, context) => {
  const x = first(inputs, context);
  const shape = inputs[1];
  if (shape === undefined) throw context.fail('has no shape');
  const allowZero = intAttribute(node, 'allowzero', 0) !== 0;
  const dims = Array.from(shape.data, (size, axis) => {
    if (Number.isNaN(size)) return 1;
    return size === 0 && !allowZero ? (x.dims[axis] ?? Number.NaN) : size;
  });
  const open = dims.indexOf(-1);
  if (open !== -1) dims[open] = x.data.length / elementCount(dims.filter((_, axis) => axis !== open));
  return withDims(x, dims, context);
};

const flatten: Evaluator = (node, inputs, context) => {
  const x = first(inputs, context);
  const axis = intAttribute(node, 'axis', 1);
  const split = axis < 0 ? axis + x.dims.length : axis;
  return withDims(x, [elementCount(x.dims.slice(0, split)), elementCount(x.dims.slice(split))], context);
};

const transpose: Evaluator = (node, inputs, context) => {
  const x = first(inputs, context);
  const perm = intsAttribute(node, 'perm') ?? x.dims.map((_, axis) => axis).reverse();
  if (perm.length !== x.dims.length || new Set(perm).size !== perm.length) throw context.fail('has a wrong perm');
  const axes = perm.map((axis) => axisOf(axis, x.dims.length, context));
  context.spend(x.data.length);
  const strides = rowMajor(x.dims);
  return gatherStrided(
    x,
    axes.map((axis) => x.dims[axis] as number),
    axes.map((axis) => strides[axis] as number),
    0,
  );
};

const squeeze: Evaluator = (node, inputs, context) => {
  const x = first(inputs, context);
  const given = inputs[1] === undefined ? intsAttribute(node, 'axes') : Array.from(inputs[1].data);
  const axes = given?.map((axis) => axisOf(axis, x.dims.length, context));
  return withDims(
    x,
    x.dims.filter((size, axis) => (axes === undefined ? size !== 1 : !axes.includes(axis))),
    context,
  );
};

const unsqueeze: Evaluator = (node, inputs, context) => {
  const x = first(inputs, context);
  const given = (inputs[1] === undefined ? intsAttribute(node, 'axes') : Array.from(inputs[1].data)) ?? [];
  const rank = x.dims.length + given.length;
  if (rank > MAX_RANK) throw context.fail(`makes ${rank} dimensions`);
  const axes = new Set(given.map((axis) => axisOf(axis, rank, context)));
  const rest = [...x.dims];
  return withDims(
    x,
    Array.from({ length: rank }, (_, axis) => (axes.has(axis) ? 1 : (rest.shift() ?? 1))),
    context,
  );
};

const concat: Evaluator = (node, inputs, context) => {
  const x = first(inputs, context);
  const axis = axisOf(intAttribute(node, 'axis', 0), x.dims.length, context);
  const parts = inputs.map((part) => {
    const fits = part?.dims.length === x.dims.length && part.dims.every((size, i) => i === axis || size === x.dims[i]);
    if (part === undefined || !fits) throw context.fail('joins shapes that do not fit');
    return part;
  });
  const dims = x.dims.map((size, i) =>
    i === axis ? parts.reduce((sum, part) => sum + (part.dims[axis] as number), 0) : size,
  );
  const count = elementCount(dims);
  context.spend(count);
  const data = room(x.type, count);
  const outer = elementCount(dims.slice(0, axis));
  let at = 0;
  for (let o = 0; o < outer; o++) {
    for (const part of parts) {
      const chunk = part.data.length / outer;
      data.set(part.data.subarray(o * chunk, (o + 1) * chunk), at);
      at += chunk;
    }
  }
  return makeConstant(x.type, dims, data);
};

const gather: Evaluator = (node, inputs, context) => {
  const x = first(inputs, context);
  const indices = inputs[1];
  if (indices === undefined) throw context.fail('has no indices');
  const axis = axisOf(intAttribute(node, 'axis', 0), x.dims.length, context);
  const size = x.dims[axis] as number;
  const outer = elementCount(x.dims.slice(0, axis));
  const inner = elementCount(x.dims.slice(axis + 1));
  const dims = [...x.dims.slice(0, axis), ...indices.dims, ...x.dims.slice(axis + 1)];
  const count = elementCount(dims);
  if (dims.length > MAX_RANK) throw context.fail(`makes ${dims.length} dimensions`);
  context.spend(count);
  const data = room(x.type, count);
  let at = 0;
  for (let o = 0; o < outer; o++) {
    for (const index of indices.data) {
      const from = index < 0 ? index + size : index;
      if (!(Number.isInteger(from) && from >= 0 && from < size)) throw context.fail(`has index ${index} of ${size}`);
      const start = (o * size + from) * inner;
      data.set(x.data.subarray(start, start + inner), at);
      at += inner;
    }
  }
  return makeConstant(x.type, dims, data);
};

/** What a `Slice` takes of each axis of `dims`: its first index, how many, and the step. Attributes up to opset 9, then inputs. */
export function sliceRanges(
  node: OnnxNode,
  inputs: Inputs,
  dims: readonly number[],
  context: EvaluationContext,
): { start: number; count: number; step: number }[] {
  const list = (index: number, name: string) =>
    inputs[index] === undefined ? intsAttribute(node, name) : Array.from(inputs[index].data.subarray(0, 64));
  const starts = list(1, 'starts');
  const ends = list(2, 'ends');
  const axes = list(3, 'axes') ?? starts?.map((_, i) => i);
  const steps = list(4, 'steps') ?? starts?.map(() => 1);
  const ranges = dims.map((count) => ({ start: 0, count, step: 1 }));
  if (!starts || !ends || !axes || !steps) throw context.fail('has no starts and ends');
  for (const [i, given] of axes.entries()) {
    const axis = axisOf(given, dims.length, context);
    const size = dims[axis] as number;
    const step = steps[i] ?? 1;
    if (!Number.isInteger(step) || step === 0) throw context.fail(`has the step ${step}`);
    const clamp = (value: number, low: number, high: number) =>
      Math.min(Math.max(value < 0 ? value + size : value, low), high);
    const start = step > 0 ? clamp(starts[i] ?? 0, 0, size) : clamp(starts[i] ?? 0, 0, size - 1);
    const end = step > 0 ? clamp(ends[i] ?? 0, 0, size) : clamp(ends[i] ?? 0, -1, size - 1);
    const count = Math.max(Math.ceil((end - start) / step), 0);
    if (Number.isNaN(count)) throw context.fail('has bounds that depend on the batch');
    ranges[axis] = { start, count, step };
  }
  return ranges;
}

const slice: Evaluator = (node, inputs, context) => {
  const x = first(inputs, context);
  const ranges = sliceRanges(node, inputs, x.dims, context);
  const strides = rowMajor(x.dims);
  const dims = ranges.map(({ count }) => count);
  context.spend(elementCount(dims));
  const offset = ranges.reduce((sum, { start }, axis) => sum + start * (strides[axis] as number), 0);
  return gatherStrided(
    x,
    dims,
    ranges.map(({ step }, axis) => step * (strides[axis] as number)),
    offset,
  );
};

const shape: Evaluator = (node, inputs, context) => {
  const { dims } = first(inputs, context);
  const end = intAttribute(node, 'end', dims.length);
  const part = dims.slice(intAttribute(node, 'start', 0), end);
  return makeConstant('int', [part.length], part);
};
const size: Evaluator = (_node, inputs, context) =>
  makeConstant('int', [], [elementCount(first(inputs, context).dims)]);

export const LAYOUT: Readonly<Record<string, Evaluator>> = {
  Concat: concat,
  Flatten: flatten,
  Gather: gather,
  Reshape: reshape,
  Shape: shape,
  Size: size,
  Slice: slice,
  Squeeze: squeeze,
  Transpose: transpose,
  Unsqueeze: unsqueeze,
};
