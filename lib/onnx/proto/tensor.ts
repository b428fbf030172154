/** `TensorProto` ↔ typed arrays. */
import { create } from '@bufbuild/protobuf';
import { describe } from '../../check.js';
import { elementCount, MAX_ELEMENTS } from '../../tensor.js';
import { onnxError } from '../error.js';
import {
  type TensorProto,
  TensorProto_DataLocation,
  TensorProto_DataType as Type,
  TensorProtoSchema,
} from './onnx_pb.js';

type Read = (bytes: Uint8Array) => OnnxArray;
export type OnnxArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/** A tensor of an ONNX model. float16 and bfloat16 are widened to float32, which holds them exactly; bool is uint8. */
export interface OnnxTensor {
  readonly name: string;
  readonly type: OnnxType;
  readonly dims: readonly number[];
  /** Row-major. */
  readonly data: OnnxArray;
}

interface TypeInfo {
  readonly code: Type;
  /** Of one element in raw data. */
  readonly bytes: number;
  /** Aligned raw data as an array; the result may be a view of it. */
  readonly fromRaw: Read;
  /** The field that holds the elements where there is no raw data, and what they become. */
  readonly field: 'floatData' | 'doubleData' | 'int32Data' | 'int64Data' | 'uint64Data';
  readonly fromField: (values: never[]) => OnnxArray;
}

const view =
  <T extends OnnxArray>(array: {
    new (buffer: ArrayBufferLike, offset: number, length: number): T;
    BYTES_PER_ELEMENT: number;
  }) =>
  (bytes: Uint8Array): T =>
    new array(bytes.buffer, bytes.byteOffset, bytes.byteLength / array.BYTES_PER_ELEMENT);
const from =
  <V, T extends OnnxArray>(array: { from(values: ArrayLike<V>): T }) =>
  (values: V[]): T =>
    array.from(values);
const halves = (bytes: Uint8Array) => Float32Array.from(view(Uint16Array)(bytes), halfToFloat);
const brains = (bytes: Uint8Array) => widenBrains(view(Uint16Array)(bytes));

/** The types that a tensor of a network may have here. Strings, complex numbers and those below a byte are not among them. */
const TYPES = {
  float32: {
    code: Type.FLOAT,
    bytes: 4,
    fromRaw: view(Float32Array),
    field: 'floatData',
    fromField: from(Float32Array),
  },
  float64: {
    code: Type.DOUBLE,
    bytes: 8,
    fromRaw: view(Float64Array),
    field: 'doubleData',
    fromField: from(Float64Array),
  },
  float16: {
    code: Type.FLOAT16,
    bytes: 2,
    fromRaw: halves,
    field: 'int32Data',
    fromField: (values: number[]) => Float32Array.from(values, halfToFloat),
  },
  bfloat16: {
    code: Type.BFLOAT16,
    bytes: 2,
    fromRaw: brains,
    field: 'int32Data',
    fromField: (values: number[]) => widenBrains(Uint16Array.from(values)),
  },
  int8: { code: Type.INT8, bytes: 1, fromRaw: view(Int8Array), field: 'int32Data', fromField: from(Int8Array) },
  uint8: { code: Type.UINT8, bytes: 1, fromRaw: view(Uint8Array), field: 'int32Data', fromField: from(Uint8Array) },
  bool: { code: Type.BOOL, bytes: 1, fromRaw: view(Uint8Array), field: 'int32Data', fromField: from(Uint8Array) },
  int16: { code: Type.INT16, bytes: 2, fromRaw: view(Int16Array), field: 'int32Data', fromField: from(Int16Array) },
  uint16: { code: Type.UINT16, bytes: 2, fromRaw: view(Uint16Array), field: 'int32Data', fromField: from(Uint16Array) },
  int32: { code: Type.INT32, bytes: 4, fromRaw: view(Int32Array), field: 'int32Data', fromField: from(Int32Array) },
  uint32: {
    code: Type.UINT32,
    bytes: 4,
    fromRaw: view(Uint32Array),
    field: 'uint64Data',
    fromField: (values: bigint[]) => Uint32Array.from(values, Number),
  },
  int64: {
    code: Type.INT64,
    bytes: 8,
    fromRaw: view(BigInt64Array),
    field: 'int64Data',
    fromField: from(BigInt64Array),
  },
  uint64: {
    code: Type.UINT64,
    bytes: 8,
    fromRaw: view(BigUint64Array),
    field: 'uint64Data',
    fromField: from(BigUint64Array),
  },
} as const satisfies Record<string, TypeInfo>;

export type OnnxType = keyof typeof TYPES;

/** The name of an ONNX element type, or undefined for one that bitpath does not read. */
export function typeName(code: number): OnnxType | undefined {
  return (Object.keys(TYPES) as OnnxType[]).find((name) => TYPES[name].code === code);
}

/** Bytes of `tensor`'s elements as raw data, by its type and shape. Throws `ERR_BITPATH_ONNX`. */
export function rawLength(tensor: TensorProto, file: string): number {
  return elementCount(tensorDims(tensor, file)) * typeOf(tensor, file).bytes;
}

/**
 * The elements of `tensor`. Aligned raw data are viewed, other raw data copied.
 *
 * @throws `ERR_BITPATH_ONNX` for a type that is not read here, for a shape and data that do not fit each other, and for data
 *   in a file that was not loaded.
 */
export function readTensor(tensor: TensorProto, file: string): OnnxTensor {
  const { name } = tensor;
  const dims = tensorDims(tensor, file);
  const info: TypeInfo = typeOf(tensor, file);
  const length = elementCount(dims);
  const fail = (reason: string) => tensorError(tensor, file, reason);
  if (tensor.dataLocation === TensorProto_DataLocation.EXTERNAL) {
    throw fail('lies in a file of its own, which only a model that is read from a file has beside it');
  }
  const { rawData } = tensor;
  let data: OnnxArray;
  if (Object.hasOwn(tensor, 'rawData')) {
    if (rawData.length !== length * info.bytes) {
      throw fail(`of ${dimsText(dims)} has ${rawData.length} bytes, expected ${length * info.bytes}`);
    }
    data = info.fromRaw(rawData.byteOffset % info.bytes === 0 ? rawData : copyOf(rawData));
  } else {
    const values = tensor[info.field] as never[];
    if (values.length !== length) throw fail(`of ${dimsText(dims)} has ${values.length} elements, expected ${length}`);
    data = info.fromField(values);
  }
  return { name, type: typeName(info.code) as OnnxType, dims, data };
}

/** Not `slice`: a Buffer's is a view. */
function copyOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

/** Throws `ERR_BITPATH_ONNX` where a dimension is negative or all together reach 2³¹ elements. */
function tensorDims(tensor: TensorProto, file: string): number[] {
  const dims = tensor.dims.map(Number);
  const isShape = dims.length <= 16 && dims.every((size) => size >= 0 && size <= MAX_ELEMENTS);
  if (isShape && dims.reduce((product, size) => product * Math.max(size, 1), 1) <= MAX_ELEMENTS) return dims;
  throw tensorError(tensor, file, `has the shape ${dimsText(dims)}, expected fewer than 2³¹ elements`);
}

function typeOf(tensor: TensorProto, file: string): TypeInfo {
  const name = typeName(tensor.dataType);
  if (name !== undefined) return TYPES[name];
  throw tensorError(
    tensor,
    file,
    `has the element type ${Type[tensor.dataType] ?? tensor.dataType}, which is not supported`,
  );
}

function tensorError(tensor: TensorProto, file: string, reason: string) {
  return onnxError(file, `tensor ${describe(tensor.name)} ${reason}`, { tensor: tensor.name });
}

function dimsText(dims: readonly number[]): string {
  const shown = dims.slice(0, 8).join('×');
  return dims.length === 0 ? 'no dimensions' : `${shown}${dims.length > 8 ? '×…' : ''}`;
}

/** What {@link makeTensor} writes, with its element type. */
const WRITTEN = [
  [Float32Array, Type.FLOAT],
  [BigInt64Array, Type.INT64],
  [Int32Array, Type.INT32],
  [Int8Array, Type.INT8],
  [Uint8Array, Type.UINT8],
] as const;
export type WritableArray = Float32Array | BigInt64Array | Int32Array | Int8Array | Uint8Array;

/** A `TensorProto` that views `data`. */
export function makeTensor(name: string, dims: readonly number[], data: WritableArray): TensorProto {
  return create(TensorProtoSchema, {
    name,
    dims: dims.map(BigInt),
    dataType: WRITTEN.find(([array]) => data instanceof array)?.[1] ?? Type.UNDEFINED,
    rawData: new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength),
  });
}

/** IEEE 754 binary16. */
function halfToFloat(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = half & 0x3ff;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}

/** bfloat16 is the upper half of a float32. */
function widenBrains(brains: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(brains, (brain) => brain << 16).buffer);
}
