/** Tensors whose value is known when a model is read. */
import { elementCount } from '../../tensor.js';
import type { OnnxTensor } from '../proto/tensor.js';

/**
 * Floats are float32, whatever the file has (float64 is rounded). Integers are doubles: they are shapes and indices here, and
 * NaN among them stands for the batch, which is not known. Booleans are 0 and 1.
 */
export type Constant =
  | { readonly type: 'float' | 'bool'; readonly dims: readonly number[]; readonly data: Float32Array }
  | { readonly type: 'int'; readonly dims: readonly number[]; readonly data: Float64Array };
export type ConstantType = Constant['type'];

/** More dimensions no network needs, and loops over dimensions stay short. */
export const MAX_RANK = 8;

export function makeConstant(type: ConstantType, dims: readonly number[], data: ArrayLike<number>): Constant {
  if (type === 'int') return { type, dims, data: data instanceof Float64Array ? data : Float64Array.from(data) };
  return { type, dims, data: data instanceof Float32Array ? data : Float32Array.from(data) };
}

/** Room for `count` elements of `type`. */
export function room(type: ConstantType, count: number): Float32Array | Float64Array {
  return type === 'int' ? new Float64Array(count) : new Float32Array(count);
}

/** Float data are viewed, not copied. */
export function fromTensor({ type, dims, data }: OnnxTensor): Constant {
  if (type === 'bool') return makeConstant('bool', dims, data as Uint8Array);
  if (data instanceof Float32Array || data instanceof Float64Array) {
    return { type: 'float', dims, data: data instanceof Float32Array ? data : Float32Array.from(data) };
  }
  return makeConstant('int', dims, Float64Array.from(data as ArrayLike<number | bigint>, Number));
}

/** The dimensions that arrays of `shapes` have together, or null where they do not fit. */
export function broadcastDims(shapes: readonly (readonly number[])[]): number[] | null {
  const rank = Math.max(...shapes.map((dims) => dims.length));
  const result: number[] = new Array(rank).fill(1);
  for (const dims of shapes) {
    const offset = rank - dims.length;
    for (let axis = 0; axis < dims.length; axis++) {
      const size = dims[axis] as number;
      const before = result[offset + axis] as number;
      if (size === before || size === 1) continue;
      if (before !== 1) return null;
      result[offset + axis] = size;
    }
  }
  return result;
}

/**
 * Where `source` fills one block of the axes of `dims`, as a scale for each channel does: element i of `dims` meets element
 * ⌊i / inner⌋ mod count. Null where its axes lie apart.
 */
export function blockOf(source: readonly number[], dims: readonly number[]): { inner: number; count: number } | null {
  const offset = dims.length - source.length;
  const first = source.findIndex((size) => size !== 1);
  const last = source.findLastIndex((size) => size !== 1);
  if (first === -1) return { inner: elementCount(dims), count: 1 };
  if (!source.slice(first, last + 1).every((size, i) => size === dims[offset + first + i])) return null;
  return { inner: elementCount(dims.slice(offset + last + 1)), count: elementCount(source) };
}

/** For each element of an array of `dims`, the index of the element of an array of `source` that meets it. */
export function broadcastIndex(source: readonly number[], dims: readonly number[]): (index: number) => number {
  const block = blockOf(source, dims);
  if (block !== null) {
    const { inner, count } = block;
    if (count === 1) return () => 0;
    return inner === 1 && count === elementCount(dims)
      ? (index) => index
      : (index) => Math.floor(index / inner) % count;
  }
  const offset = dims.length - source.length;
  const strides = rowMajor(source).map((stride, axis) => (source[axis] === 1 ? 0 : stride));
  return (index) => {
    let rest = index;
    let found = 0;
    for (let axis = dims.length - 1; axis >= offset; axis--) {
      const size = dims[axis] as number;
      found += (rest % size) * (strides[axis - offset] as number);
      rest = Math.floor(rest / size);
    }
    return found;
  };
}

/** Elements from one index to the next along each axis. */
export function rowMajor(dims: readonly number[]): number[] {
  const strides = new Array<number>(dims.length).fill(1);
  for (let axis = dims.length - 2; axis >= 0; axis--) {
    strides[axis] = (strides[axis + 1] as number) * (dims[axis + 1] as number);
  }
  return strides;
}
