/** A REST body: JSON, and behind it the tensors that are not in the JSON, in the order in which it names them. */
import { argumentError } from '../check.js';
import { BitpathError } from '../errors.js';

/** Bytes of JSON in a body that has binary tensors too; 0 where the whole body is the one input. */
export const HEADER_LENGTH = 'Inference-Header-Content-Length';

export interface Body {
  /** What stands in the header `Inference-Header-Content-Length`; undefined where the body is JSON alone. */
  readonly headerLength: number | undefined;
  readonly bytes: Uint8Array;
}

/** The number in the header's text, or undefined where there is no such header; throws `ERR_BITPATH_ARGUMENT`. */
export function parseHeaderLength(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,10}$/.test(text)) return Number(text);
  throw argumentError(HEADER_LENGTH, 'a number of bytes', text);
}

const decoder = new TextDecoder('utf-8', { fatal: true });

/** The parsed JSON of `body`, and the bytes behind it. Throws `ERR_BITPATH_ARGUMENT`. */
export function splitBody({ headerLength, bytes }: Body): { readonly json: unknown; readonly rest: Uint8Array } {
  const length = headerLength ?? bytes.length;
  if (length > bytes.length) {
    throw new BitpathError('ERR_BITPATH_ARGUMENT', {
      argument: HEADER_LENGTH,
      expected: `at most the ${bytes.length} bytes of the body`,
      received: length,
    });
  }
  checkStructure(bytes.subarray(0, length));
  try {
    return { json: JSON.parse(decoder.decode(bytes.subarray(0, length))), rest: bytes.subarray(length) };
  } catch (cause) {
    const details = { argument: 'the body', expected: 'JSON', received: jsonFault(cause, length) };
    throw new BitpathError('ERR_BITPATH_ARGUMENT', details, { cause });
  }
}

/** Of the request, `inputs`, an input, its `data`, and as many arrays as a shape has dimensions. */
const MAX_NESTING = 16;
/** Of 1024 inputs and 1024 outputs, each with its parameters, and some to spare. */
const MAX_OBJECTS = 8192;
/** Of their fields, most of which are parameters. */
const MAX_NAMES = 2 ** 16;
const [QUOTE, BACKSLASH, COLON] = [0x22, 0x5c, 0x3a];
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

/** Throws for JSON that nests deeper, or has more objects, than any request does: parsing a few megabytes of brackets takes seconds. */
function checkStructure(bytes: Uint8Array): void {
  let depth = 0;
  let objects = 0;
  let names = 0;
  let inString = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) inString = !inString;
    else if (inString) {
      if (byte === BACKSLASH) at++;
    } else if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) {
      if (++depth > MAX_NESTING) throw tooMuch(`${MAX_NESTING} levels`);
      if (byte === OPEN_OBJECT && ++objects > MAX_OBJECTS) throw tooMuch(`${MAX_OBJECTS} objects`);
    } else if (byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) depth--;
    else if (byte === COLON && ++names > MAX_NAMES) throw tooMuch(`${MAX_NAMES} fields`);
  }
}

function tooMuch(limit: string): BitpathError {
  const details = { argument: 'the body', expected: `JSON of at most ${limit}`, received: 'more' };
  return new BitpathError('ERR_BITPATH_ARGUMENT', details);
}

/** What V8 says quotes the body; the rest of it is enough. */
function jsonFault(cause: unknown, length: number): string {
  if (length === 0) return 'nothing';
  const place = /position \d+/.exec((cause as Error).message);
  return place === null ? 'something else' : `something else at ${place[0]}`;
}

const encoder = new TextEncoder();

/** `json` with `tensors` behind it. */
export function joinBody(json: unknown, tensors: readonly Uint8Array[]): Body {
  const header = encoder.encode(JSON.stringify(json));
  if (tensors.length === 0) return { headerLength: undefined, bytes: header };
  const bytes = new Uint8Array(tensors.reduce((sum, { length }) => sum + length, header.length));
  bytes.set(header);
  let at = header.length;
  for (const tensor of tensors) {
    bytes.set(tensor, at);
    at += tensor.length;
  }
  return { headerLength: header.length, bytes };
}

/** Hands out the bytes behind the JSON, tensor by tensor. */
export class BinaryReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Throws `ERR_BITPATH_ARGUMENT` where fewer than `size` bytes are left. */
  take(argument: string, size: unknown): Uint8Array {
    const left = this.#bytes.length - this.#at;
    if (typeof size !== 'number' || !Number.isInteger(size) || size < 0 || size > left) {
      throw argumentError(argument, `an integer from 0 to the ${left} bytes of binary data that are left`, size);
    }
    this.#at += size;
    return this.#bytes.subarray(this.#at - size, this.#at);
  }

  /** Throws `ERR_BITPATH_ARGUMENT` where bytes are left over. */
  end(): void {
    const left = this.#bytes.length - this.#at;
    if (left === 0) return;
    throw new BitpathError('ERR_BITPATH_ARGUMENT', {
      argument: 'the binary data',
      expected: `${this.#at} bytes, the sum of every binary_data_size`,
      received: `${left} bytes more`,
    });
  }
}
