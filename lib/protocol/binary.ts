/**
 * Elements as bytes: little-endian, row-major, nothing between them; of BYTES, each element behind its length as a
 * little-endian uint32. REST's binary tensors and gRPC's raw contents are both this. Every CPU that bitpath runs on is
 * little-endian, so typed arrays are those bytes.
 */
import { argumentError } from '../check.js';
import { BitpathError } from '../errors.js';
import {
  arrayOf,
  type Datatype,
  type DatatypeArrays,
  elementBytes,
  type FixedArray,
  type FixedDatatype,
} from './datatype.js';
import { elementCount, type InferTensor } from './tensor.js';

const LENGTH_BYTES = 4;

/**
 * The elements in `bytes`, as a view of it where its place in memory allows (elements of n bytes must begin at a multiple of n),
 * otherwise as a copy. Elements of BYTES are always views.
 *
 * @param argument What error messages call the bytes.
 * @throws `ERR_BITPATH_ARGUMENT` where `bytes` are not exactly the elements of such a tensor.
 */
export function bytesToData<D extends Datatype>(
  argument: string,
  datatype: D,
  shape: readonly number[],
  bytes: Uint8Array,
): DatatypeArrays[D] {
  const count = elementCount(shape);
  const data = datatype === 'BYTES' ? splitBytes(argument, count, bytes) : fixed(argument, datatype, shape, bytes);
  return data as DatatypeArrays[D];
}

function fixed(argument: string, datatype: FixedDatatype, shape: readonly number[], bytes: Uint8Array): FixedArray {
  const count = elementCount(shape);
  const Elements = arrayOf(datatype);
  const size = elementBytes(datatype);
  if (bytes.length !== count * size) {
    throw wrong(argument, `${count * size} bytes of ${datatype} [${shape.join(', ')}]`, `${bytes.length} bytes`);
  }
  if (datatype === 'BOOL') checkBooleans(argument, bytes);
  if (bytes.byteOffset % size === 0) return new Elements(bytes.buffer, bytes.byteOffset, count);
  const copy = new Elements(count);
  new Uint8Array(copy.buffer).set(bytes);
  return copy;
}

function checkBooleans(argument: string, bytes: Uint8Array): void {
  const bad = bytes.findIndex((byte) => byte > 1);
  if (bad !== -1) throw argumentError(`${argument}[${bad}]`, 'a byte of 0 or 1', bytes[bad]);
}

function splitBytes(argument: string, count: number, bytes: Uint8Array): Uint8Array[] {
  // Before an array of `count` places is made: a shape may promise two billion.
  if (count * LENGTH_BYTES > bytes.length)
    throw wrong(argument, `${count} elements, each behind its length`, `${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const elements: Uint8Array[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (bytes.length - at < LENGTH_BYTES) throw wrong(argument, `the length of element ${i}`, 'the end of the bytes');
    const length = view.getUint32(at, true);
    at += LENGTH_BYTES;
    if (length > bytes.length - at)
      throw wrong(argument, `${length} bytes of element ${i}`, `${bytes.length - at} bytes`);
    elements.push(bytes.subarray(at, at + length));
    at += length;
  }
  if (at !== bytes.length) throw wrong(argument, `${count} elements`, `${bytes.length - at} bytes more`);
  return elements;
}

/** The bytes of `tensor`: a view, except for BYTES. */
export function dataToBytes({ datatype, data }: Pick<InferTensor, 'datatype' | 'data'>): Uint8Array {
  if (datatype !== 'BYTES') {
    const { buffer, byteOffset, byteLength } = data as FixedArray;
    return new Uint8Array(buffer, byteOffset, byteLength);
  }
  const elements = data as DatatypeArrays['BYTES'];
  const bytes = new Uint8Array(elements.reduce((sum, { length }) => sum + LENGTH_BYTES + length, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const element of elements) {
    view.setUint32(at, element.length, true);
    bytes.set(element, at + LENGTH_BYTES);
    at += LENGTH_BYTES + element.length;
  }
  return bytes;
}

function wrong(argument: string, expected: string, received: string): BitpathError {
  return new BitpathError('ERR_BITPATH_ARGUMENT', { argument, expected, received });
}
