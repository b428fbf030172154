/** The datatypes of the Open Inference Protocol, and the arrays that hold their elements here. */
import { checkOneOf } from '../check.js';

/** Arrays by datatype. Two-byte floats are their bits, as JavaScript has no number type for them; BOOL is a byte of 0 or 1. */
export interface DatatypeArrays {
  /** A byte each, 0 or 1. */
  BOOL: Uint8Array;
  /** 8 bits, unsigned. */
  UINT8: Uint8Array;
  /** 16 bits, unsigned. */
  UINT16: Uint16Array;
  /** 32 bits, unsigned. */
  UINT32: Uint32Array;
  /** 64 bits, unsigned. */
  UINT64: BigUint64Array;
  /** 8 bits, signed. */
  INT8: Int8Array;
  /** 16 bits, signed. */
  INT16: Int16Array;
  /** 32 bits, signed. */
  INT32: Int32Array;
  /** 64 bits, signed. */
  INT64: BigInt64Array;
  /** The bits of IEEE 754 binary16. */
  FP16: Uint16Array;
  /** The bits of bfloat16. */
  BF16: Uint16Array;
  /** IEEE 754 binary32. */
  FP32: Float32Array;
  /** IEEE 754 binary64. */
  FP64: Float64Array;
  /** One array an element. */
  BYTES: readonly Uint8Array[];
}

/** A datatype of the protocol. */
export type Datatype = keyof DatatypeArrays;
export type TensorData = DatatypeArrays[Datatype];
/** All but BYTES: each element has the same size. */
export type FixedDatatype = Exclude<Datatype, 'BYTES'>;
export type FixedArray = DatatypeArrays[FixedDatatype];

type ArrayMaker = {
  new (length: number): FixedArray;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): FixedArray;
  readonly BYTES_PER_ELEMENT: number;
};

const ARRAYS: Readonly<Record<FixedDatatype, ArrayMaker>> = {
  BOOL: Uint8Array,
  UINT8: Uint8Array,
  UINT16: Uint16Array,
  UINT32: Uint32Array,
  UINT64: BigUint64Array,
  INT8: Int8Array,
  INT16: Int16Array,
  INT32: Int32Array,
  INT64: BigInt64Array,
  FP16: Uint16Array,
  BF16: Uint16Array,
  FP32: Float32Array,
  FP64: Float64Array,
};

export const DATATYPES = Object.freeze([...Object.keys(ARRAYS), 'BYTES']) as readonly Datatype[];

/** `value` if it is the name of a datatype; throws `ERR_BITPATH_ARGUMENT`. */
export function checkDatatype(argument: string, value: unknown): Datatype {
  return checkOneOf(argument, value, DATATYPES);
}

/** The typed array that holds elements of `datatype`. */
export function arrayOf(datatype: FixedDatatype): ArrayMaker {
  return ARRAYS[datatype];
}

/** Bytes of an element in the binary form. */
export function elementBytes(datatype: FixedDatatype): number {
  return ARRAYS[datatype].BYTES_PER_ELEMENT;
}
