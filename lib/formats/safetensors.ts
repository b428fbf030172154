/**
 * safetensors: eight bytes of header length (little-endian), a JSON header, and the tensors back to back.
 * https://huggingface.co/docs/safetensors. Read here are the dtypes F32, U8 and I32.
 *
 * Nothing that a file says of itself is believed before it is checked: the lengths against the bytes that are there, the
 * shapes against the ranges, the ranges against each other. They must cover the data exactly, without holes or overlaps, as
 * the format demands, so a file has no room for what nobody declared.
 */
import { argumentError } from '../check.js';
import { BitpathError } from '../errors.js';
import { elementCount, MAX_ELEMENTS, Tensor } from '../tensor.js';
import { formatHeader, type Header, parseHeader, quoteName, type TensorEntry } from './safetensors-header.js';

/** What a safetensors file holds: tensors by name, and strings by name. */
export interface Safetensors {
  readonly tensors: Map<string, Tensor>;
  /** Without prototype, so every key in it came from the file. */
  readonly metadata: Record<string, string>;
}

/** The reference implementation's cap on the header's length. */
export const MAX_HEADER_BYTES = 100_000_000;

const LENGTH_BYTES = 8;
const DTYPES = {
  F32: { dtype: 'float32', array: Float32Array },
  I32: { dtype: 'int32', array: Int32Array },
  U8: { dtype: 'uint8', array: Uint8Array },
} as const;
type FileDtype = keyof typeof DTYPES;

/**
 * Reads a safetensors file.
 *
 * @param bytes The whole file. Tensors whose data are aligned there are views of it, so changing `bytes` later changes them;
 *   the others, and all of a shared or resizable buffer, are copies.
 * @param file What error messages call it.
 * @throws `ERR_BITPATH_MODEL_FILE` for anything but a well-formed file of F32, U8 and I32 tensors.
 */
export function readSafetensors(bytes: Uint8Array, file = 'safetensors data'): Safetensors {
  const fail = (reason: string, options?: ErrorOptions): never => {
    throw new BitpathError('ERR_BITPATH_MODEL_FILE', { file, reason }, options);
  };
  if (!(bytes instanceof Uint8Array)) {
    throw argumentError('bytes', 'a Uint8Array', bytes);
  }
  if (mayChangeLength(bytes.buffer)) bytes = bytes.slice();

  if (bytes.length < LENGTH_BYTES)
    fail(`a safetensors file has at least ${LENGTH_BYTES} bytes, this one has ${bytes.length}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerBytes = view.getBigUint64(0, true);
  if (headerBytes > MAX_HEADER_BYTES) fail(`a header of ${headerBytes} bytes is over the limit of ${MAX_HEADER_BYTES}`);
  const dataStart = LENGTH_BYTES + Number(headerBytes);
  if (dataStart > bytes.length) {
    fail(`the header should take ${headerBytes} bytes, but the file ends after ${bytes.length - LENGTH_BYTES} of them`);
  }

  const header = parseHeader(decodeUtf8(bytes.subarray(LENGTH_BYTES, dataStart), fail), fail);
  const data = bytes.subarray(dataStart);
  checkRanges(header.tensors, data.length, fail);

  const tensors = new Map<string, Tensor>();
  for (const [name, entry] of header.tensors) tensors.set(name, viewTensor(data, entry));
  const metadata: Record<string, string> = Object.create(null);
  for (const [name, value] of header.metadata) metadata[name] = value;
  return { tensors, metadata };
}

/**
 * Writes a safetensors file. The same content gives the same bytes whatever the order of the maps: tensors lie by element
 * size, the largest first, then by name, so each is aligned; the header is padded with spaces to a multiple of eight.
 *
 * @throws `ERR_BITPATH_ARGUMENT` for a name or value that the format cannot hold.
 */
export function writeSafetensors(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const header: Header = { tensors: new Map(), metadata: new Map() };
  for (const [name, value] of Object.entries(metadata)) {
    checkText('a metadata name', name);
    checkText(`metadata ${quoteName(name)}`, value);
    header.metadata.set(name, value);
  }
  const sorted = [...tensors].sort(([nameA, a], [nameB, b]) => {
    const bySize = b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT;
    return bySize !== 0 ? bySize : nameA < nameB ? -1 : 1;
  });
  let dataBytes = 0;
  for (const [name, tensor] of sorted) {
    checkText('a tensor name', name);
    if (name === '__metadata__') throw argumentError('a tensor name', 'any but "__metadata__"', name);
    const end = dataBytes + tensor.data.byteLength;
    header.tensors.set(name, { dtype: fileDtype(tensor), shape: tensor.shape, begin: dataBytes, end });
    dataBytes = end;
  }

  const text = new TextEncoder().encode(formatHeader(header));
  const headerBytes = Math.ceil(text.length / 8) * 8;
  if (headerBytes > MAX_HEADER_BYTES)
    throw argumentError('the header', `at most ${MAX_HEADER_BYTES} bytes`, headerBytes);
  const bytes = new Uint8Array(LENGTH_BYTES + headerBytes + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerBytes), true);
  bytes.fill(0x20, LENGTH_BYTES, LENGTH_BYTES + headerBytes);
  bytes.set(text, LENGTH_BYTES);
  let at = LENGTH_BYTES + headerBytes;
  for (const [, { data }] of sorted) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return bytes;
}

/** Dtypes, shapes against ranges, and ranges against each other: sorted, they must meet end to end over all of the data. */
function checkRanges(
  entries: ReadonlyMap<string, TensorEntry>,
  dataBytes: number,
  fail: (reason: string) => never,
): void {
  for (const [name, { dtype, shape, begin, end }] of entries) {
    if (!Object.hasOwn(DTYPES, dtype)) {
      fail(`tensor ${quoteName(name)} has dtype ${quoteName(dtype)}; known are ${Object.keys(DTYPES).join(', ')}`);
    }
    // Each dimension is bounded before they are multiplied: a product of eight bounded ones is no infinity, and where it was
    // rounded it is over the bound too, or 0.
    if (shape.some((dimension) => dimension > MAX_ELEMENTS) || elementCount(shape) > MAX_ELEMENTS) {
      fail(`tensor ${quoteName(name)} of shape [${shape}] is too large: more than ${MAX_ELEMENTS} elements`);
    }
    const expected = elementCount(shape) * DTYPES[dtype as FileDtype].array.BYTES_PER_ELEMENT;
    if (begin > end || end > dataBytes) {
      fail(`tensor ${quoteName(name)} lies at bytes ${begin} to ${end} of the data, which have ${dataBytes}`);
    }
    if (end - begin !== expected) {
      fail(
        `tensor ${quoteName(name)} of shape [${shape}] and dtype ${dtype} takes ${expected} bytes, its range has ${end - begin}`,
      );
    }
  }
  const byOffset = [...entries].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  let covered = 0;
  for (const [name, { begin, end }] of byOffset) {
    if (begin !== covered) {
      fail(
        `tensor ${quoteName(name)} begins at byte ${begin} of the data where ${covered} was due: ranges overlap or leave a hole`,
      );
    }
    covered = end;
  }
  if (covered !== dataBytes) fail(`the tensors take ${covered} bytes, the data have ${dataBytes}`);
}

function viewTensor(data: Uint8Array, { dtype, shape, begin, end }: TensorEntry): Tensor {
  const { dtype: name, array } = DTYPES[dtype as FileDtype];
  const size = array.BYTES_PER_ELEMENT;
  const aligned = (data.byteOffset + begin) % size === 0;
  const bytes = aligned ? data.subarray(begin, end) : data.slice(begin, end);
  return new Tensor(name, shape, new array(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength / size));
}

function decodeUtf8(bytes: Uint8Array, fail: (reason: string, options?: ErrorOptions) => never): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    return fail('the header is not valid UTF-8', { cause });
  }
}

/** A view of such a buffer could lose its bytes, or have them changed by another thread, after they were checked. */
function mayChangeLength(buffer: ArrayBufferLike): boolean {
  return !(buffer instanceof ArrayBuffer) || (buffer as { resizable?: boolean }).resizable === true;
}

function fileDtype(tensor: Tensor): FileDtype {
  const found = (Object.keys(DTYPES) as FileDtype[]).find((name) => DTYPES[name].dtype === tensor.dtype);
  if (found === undefined) throw argumentError('the dtype of a tensor', 'float32, int32 or uint8', tensor.dtype);
  return found;
}

function checkText(argument: string, value: unknown): void {
  if (typeof value !== 'string' || /\p{Surrogate}/u.test(value))
    throw argumentError(argument, 'a well-formed string', value);
}
