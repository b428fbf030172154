/** Elements as JSON: numbers, booleans or strings, nested as the shape says or flat in row-major order. */
import { argumentError } from '../check.js';
import { BitpathError } from '../errors.js';
import { fromBase64, toBase64 } from './base64.js';
import { arrayOf, type Datatype, type DatatypeArrays, type FixedDatatype } from './datatype.js';
import { elementCount, type InferTensor } from './tensor.js';

/** Value of the parameter `content_type` where strings of a BYTES tensor are base64: JSON has no other way for pictures. */
export const BASE64 = 'base64';

type Reader = (value: unknown) => number | bigint | undefined;

/** Undefined for what is no element of the datatype. Nothing is clamped or rounded, except floats to the nearest one. */
const READERS: Readonly<Record<Exclude<FixedDatatype, 'FP16' | 'BF16'>, { read: Reader; expected: string }>> = {
  BOOL: { read: (value) => (typeof value === 'boolean' ? Number(value) : undefined), expected: 'true or false' },
  UINT8: integer(0, 2 ** 8 - 1),
  UINT16: integer(0, 2 ** 16 - 1),
  UINT32: integer(0, 2 ** 32 - 1),
  INT8: integer(-(2 ** 7), 2 ** 7 - 1),
  INT16: integer(-(2 ** 15), 2 ** 15 - 1),
  INT32: integer(-(2 ** 31), 2 ** 31 - 1),
  UINT64: longInteger(0),
  INT64: longInteger(Number.MIN_SAFE_INTEGER),
  FP32: {
    read: (value) => (typeof value === 'number' && Number.isFinite(Math.fround(value)) ? value : undefined),
    expected: 'a number that a float32 can hold',
  },
  FP64: { read: (value) => (typeof value === 'number' ? value : undefined), expected: 'a number' },
};

function integer(min: number, max: number): { read: Reader; expected: string } {
  const read: Reader = (value) =>
    typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max ? value : undefined;
  return { read, expected: `an integer from ${min} to ${max}` };
}

/** JSON's numbers are doubles: beyond 2⁵³ the parser has already rounded, so such an integer is refused, not guessed. */
function longInteger(min: number): { read: Reader; expected: string } {
  const read: Reader = (value) =>
    Number.isSafeInteger(value) && (value as number) >= min ? BigInt(value as number) : undefined;
  return { read, expected: `an integer from ${min} to ${Number.MAX_SAFE_INTEGER}; binary data can hold larger ones` };
}

/**
 * The elements of `json`.
 *
 * @param argument What error messages call `json`.
 * @param base64 Strings of BYTES are base64 instead of text.
 * @throws `ERR_BITPATH_ARGUMENT` for a wrong element, nesting or number of elements, and for FP16 and BF16, which only the binary
 *   form has.
 */
export function jsonToData<D extends Datatype>(
  argument: string,
  datatype: D,
  shape: readonly number[],
  json: unknown,
  base64 = false,
): DatatypeArrays[D] {
  if (datatype === 'FP16' || datatype === 'BF16') throw onlyBinary(argument, datatype);
  if (!Array.isArray(json)) throw argumentError(argument, 'an array', json);
  // Counted first: a shape may promise two billion elements that are not there.
  const isFlat = !Array.isArray(json[0]) || shape.length === 0;
  const nesting = isFlat ? [elementCount(shape)] : shape;
  checkNesting(argument, json, nesting);

  const count = elementCount(shape);
  if (datatype === 'BYTES') {
    const elements: Uint8Array[] = [];
    walk(json, nesting.length, (value, i) => elements.push(bytesOf(`${argument}[${i}]`, value, base64)));
    return elements as readonly Uint8Array[] as DatatypeArrays[D];
  }
  const { read, expected } = READERS[datatype as keyof typeof READERS];
  const data = new (arrayOf(datatype as FixedDatatype))(count) as { [i: number]: number | bigint };
  walk(json, nesting.length, (value, i) => {
    const element = read(value);
    if (element === undefined) throw argumentError(`${argument}[${i}]`, expected, value);
    data[i] = element;
  });
  return data as unknown as DatatypeArrays[D];
}

/** Throws unless `json` nests exactly as `shape` says. It goes no deeper than the shape, however deep the arrays go. */
function checkNesting(argument: string, json: unknown, shape: readonly number[], depth = 0): void {
  const size = shape[depth];
  if (size === undefined) return;
  if (!Array.isArray(json) || json.length !== size) {
    const received = Array.isArray(json) ? `${json.length} elements` : 'something else';
    throw new BitpathError('ERR_BITPATH_ARGUMENT', {
      argument,
      expected: depth === 0 ? `an array of ${size} elements` : `arrays of ${size} elements at depth ${depth}`,
      received,
    });
  }
  if (depth + 1 < shape.length) for (const item of json) checkNesting(argument, item, shape, depth + 1);
}

/** Calls `visit` for each element at `depth`, with its row-major index. */
function walk(
  json: readonly unknown[],
  depth: number,
  visit: (value: unknown, index: number) => void,
  from = 0,
): number {
  let index = from;
  if (depth === 1) for (const value of json) visit(value, index++);
  else for (const inner of json) index = walk(inner as readonly unknown[], depth - 1, visit, index);
  return index;
}

const encoder = new TextEncoder();

function bytesOf(argument: string, value: unknown, base64: boolean): Uint8Array {
  if (typeof value !== 'string') throw argumentError(argument, 'a string', value);
  if (!base64) return encoder.encode(value);
  const bytes = fromBase64(value);
  if (bytes === null) throw argumentError(argument, 'base64', value);
  return bytes;
}

/** `ERR_BITPATH_ARGUMENT`: JSON cannot express this tensor. */
function onlyBinary(argument: string, what: string): BitpathError {
  return new BitpathError('ERR_BITPATH_ARGUMENT', { argument, expected: 'binary data', received: `JSON for ${what}` });
}

/**
 * The elements of `tensor`, flat. BYTES become text, or base64 where its `content_type` says so.
 *
 * @throws `ERR_BITPATH_ARGUMENT` for what JSON cannot express: FP16, BF16, infinite numbers, integers beyond 2⁵³, bytes that are
 *   no UTF-8 text.
 */
export function dataToJson({ name, datatype, data, parameters }: InferTensor): (number | boolean | string)[] {
  switch (datatype) {
    case 'FP16':
    case 'BF16':
      throw onlyBinary(name, datatype);
    case 'BOOL':
      return Array.from(data, (byte) => byte !== 0);
    case 'BYTES':
      if (parameters['content_type'] === BASE64) return data.map(toBase64);
      return data.map((bytes) => textOf(name, bytes));
    case 'INT64':
    case 'UINT64':
      return Array.from(data as BigInt64Array, (value) => {
        if (!Number.isSafeInteger(Number(value))) throw onlyBinary(name, `the integer ${value}`);
        return Number(value);
      });
    case 'FP32':
    case 'FP64': {
      const bad = (data as Float64Array).findIndex((value) => !Number.isFinite(value));
      if (bad !== -1) throw onlyBinary(name, `element ${bad}, which is ${data[bad]}`);
      return Array.from(data as Float64Array);
    }
    default:
      return Array.from(data as Uint8Array);
  }
}

function textOf(name: string, bytes: Uint8Array): string {
  try {
    // A byte order mark is text like any other here.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw onlyBinary(name, 'bytes that are no UTF-8 text');
  }
}
