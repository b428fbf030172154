/** Dense arrays with a shape: what goes into a network, comes out of it and parametrises it. */
import { types } from 'node:util';
import { argumentError, checkInteger, checkOneOf, describe } from './check.js';
import { BitpathError } from './errors.js';

/** Type of a tensor's elements. */
export type DType = 'float32' | 'uint8' | 'int32';
/** The typed array of each {@link DType}. */
export interface DTypeArrays {
  /** Of real numbers. */
  float32: Float32Array;
  /** Of pixels, and of packed bits. */
  uint8: Uint8Array;
  /** Of indices. */
  int32: Int32Array;
}
export type TensorData = DTypeArrays[DType];

const DTYPES = ['float32', 'uint8', 'int32'] as const;
const ARRAY_OF: Record<DType, { name: string; is: (value: unknown) => boolean }> = {
  float32: { name: 'Float32Array', is: types.isFloat32Array },
  uint8: { name: 'Uint8Array', is: types.isUint8Array },
  int32: { name: 'Int32Array', is: types.isInt32Array },
};

/** No dimension and no element count reaches 2³¹: native code indexes with int32. */
export const MAX_ELEMENTS = 2 ** 31 - 1;
const MAX_RANK = 8;

/** The parameters of a model by name. `bits` parameters are uint8 tensors of shape [O, ⌈K / 8⌉]. */
export type Params = ReadonlyMap<string, Tensor>;

/**
 * A row-major array of `shape`. The tensor itself cannot be changed, its elements can: it refers to `data` and does not copy
 * it, except where `data` lies in shared or resizable memory, which could change length or contents under a reader; such
 * data is copied once, here.
 *
 * Throws `ERR_BITPATH_ARGUMENT` for a wrong dtype, shape, array type, length or a detached buffer.
 */
export class Tensor<D extends DType = DType> {
  /** Type of the elements. */
  readonly dtype: D;
  /** At most 8 integers ≥ 0, frozen; their product is below 2³¹. */
  readonly shape: readonly number[];
  /** The elements, the last dimension varying fastest. */
  readonly data: DTypeArrays[D];

  /** `data` has as many elements as `shape` says. Throws `ERR_BITPATH_ARGUMENT`. */
  constructor(dtype: D, shape: readonly number[], data: DTypeArrays[D]) {
    checkOneOf('dtype', dtype, DTYPES);
    this.dtype = dtype;
    this.shape = checkTensorShape('shape', shape);
    checkArray('data', data, dtype, elementCount(this.shape));
    this.data = isFixed(data) ? data : (copyOf(data) as DTypeArrays[D]);
    Object.freeze(this);
  }
}

/** Product of a shape's dimensions (1 for a scalar's empty shape). */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, dimension) => product * dimension, 1);
}

/** A frozen copy of `shape` if it is an array of at most 8 integers ≥ 0 whose product stays below 2³¹. */
export function checkTensorShape(argument: string, shape: unknown): readonly number[] {
  if (!Array.isArray(shape) || shape.length > MAX_RANK) {
    throw argumentError(argument, `an array of at most ${MAX_RANK} integers`, shape);
  }
  const copy = Object.freeze(Array.from(shape, (size, i) => checkInteger(`${argument}[${i}]`, size, 0, MAX_ELEMENTS)));
  if (elementCount(copy) > MAX_ELEMENTS) {
    throw argumentError(argument, `a shape of at most ${MAX_ELEMENTS} elements`, copy);
  }
  return copy;
}

/**
 * Checks that `data` is the typed array of `dtype`, holds exactly `length` elements and that its memory is still there.
 * Throws `ERR_BITPATH_ARGUMENT`; a detached buffer, and a resizable one shrunk below the array, are told apart from a wrong length.
 */
export function checkArray(argument: string, data: unknown, dtype: DType, length: number): void {
  const { name, is } = ARRAY_OF[dtype];
  if (!is(data)) throw argumentError(argument, `a ${name}`, data);
  const array = data as TensorData;
  if (array.length === length && !isGone(array)) return;
  throw new BitpathError('ERR_BITPATH_ARGUMENT', {
    argument,
    expected: `a ${name} of length ${length}`,
    received: isGone(array) ? `${name} whose buffer was detached or shrunk below it` : describe(array),
  });
}

/** True where the memory of `data` was transferred away, or a resizable buffer no longer reaches it. */
function isGone(data: TensorData): boolean {
  try {
    // Such an array looks empty, yet making an iterator of it throws. (`buffer.detached` is newer than Node 20.)
    Uint8Array.prototype.values.call(data);
    return false;
  } catch {
    return true;
  }
}

/** True where `data` lies in an ordinary ArrayBuffer: neither shared nor resizable. */
function isFixed(data: TensorData): boolean {
  const { buffer } = data;
  return !types.isSharedArrayBuffer(buffer) && !(buffer as ArrayBuffer & { resizable?: boolean }).resizable;
}

/** Not `slice`: a Buffer's is a view. */
function copyOf(data: TensorData): TensorData {
  if (data instanceof Float32Array) return new Float32Array(data);
  return data instanceof Int32Array ? new Int32Array(data) : new Uint8Array(data);
}
