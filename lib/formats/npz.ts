/**
 * NumPy's .npz: a zip archive of .npy files, stored or deflated. Read here are its arrays of float32, int32 and uint8 in C order;
 * others are left out.
 */
import { inflateRawSync } from 'node:zlib';
import { BitpathError } from '../errors.js';
import { type DType, elementCount, MAX_ELEMENTS, Tensor } from '../tensor.js';

const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;
const LOCAL_HEADER = 0x04034b50;
const DTYPES: Readonly<Record<string, { dtype: DType; bytes: number }>> = {
  '<f4': { dtype: 'float32', bytes: 4 },
  '<i4': { dtype: 'int32', bytes: 4 },
  '|u1': { dtype: 'uint8', bytes: 1 },
};

/**
 * The arrays of a .npz by name.
 *
 * @param file What error messages call it.
 * @throws `ERR_BITPATH_MODEL_FILE` for anything but a whole archive of .npy files.
 */
export function readNpz(bytes: Uint8Array, file = 'npz data'): Map<string, Tensor> {
  const tensors = new Map<string, Tensor>();
  try {
    for (const { name, npy } of entriesOf(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))) {
      const tensor = parseNpy(npy);
      if (tensor !== null) tensors.set(name, tensor);
    }
  } catch (cause) {
    // Buffer's own range checks are what a truncated archive runs into.
    const reason = cause instanceof RangeError ? 'it is damaged or truncated' : (cause as Error).message;
    throw new BitpathError('ERR_BITPATH_MODEL_FILE', { file, reason: `it is no .npz archive: ${reason}` }, { cause });
  }
  return tensors;
}

function* entriesOf(zip: Buffer): Generator<{ name: string; npy: Buffer }> {
  let end = zip.length - 22;
  // A comment of up to 64 KiB may follow the end record.
  while (end > zip.length - 22 - 65536 && end > 0 && zip.readUInt32LE(end) !== END_OF_DIRECTORY) end--;
  if (zip.readUInt32LE(end) !== END_OF_DIRECTORY) throw new Error('it has no directory');
  const count = zip.readUInt16LE(end + 10);
  let at = zip.readUInt32LE(end + 16);
  for (let i = 0; i < count; i++) {
    if (zip.readUInt32LE(at) !== DIRECTORY_ENTRY) throw new Error('its directory is damaged');
    const method = zip.readUInt16LE(at + 10);
    const packedBytes = zip.readUInt32LE(at + 20);
    const unpackedBytes = zip.readUInt32LE(at + 24);
    const nameBytes = zip.readUInt16LE(at + 28);
    const local = zip.readUInt32LE(at + 42);
    const name = zip.toString('utf8', at + 46, at + 46 + nameBytes);
    at += 46 + nameBytes + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
    if (!name.endsWith('.npy')) continue;
    if (zip.readUInt32LE(local) !== LOCAL_HEADER) throw new Error(`${name} is not where the directory says`);
    const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
    if (start + packedBytes > zip.length || unpackedBytes > MAX_ELEMENTS) throw new Error(`${name} is too long`);
    const packed = zip.subarray(start, start + packedBytes);
    if (method !== 0 && method !== 8) throw new Error(`${name} is compressed by method ${method}`);
    const npy = method === 0 ? packed : inflateRawSync(packed, { maxOutputLength: Math.max(unpackedBytes, 1) });
    yield { name: name.slice(0, -'.npy'.length), npy };
  }
}

/** Null for a dtype that is not read. */
function parseNpy(npy: Buffer): Tensor | null {
  if (npy.toString('latin1', 0, 6) !== '\x93NUMPY') throw new Error('an array has no NumPy header');
  const isLong = npy.readUInt8(6) > 1; // version 2 has a header length of four bytes
  const start = isLong ? 12 : 10;
  const headerBytes = isLong ? npy.readUInt32LE(8) : npy.readUInt16LE(8);
  if (start + headerBytes > npy.length) throw new Error('an array’s header is truncated');
  const header = npy.toString('latin1', start, start + headerBytes);
  const found = DTYPES[/'descr': '(.*?)'/.exec(header)?.[1] ?? ''];
  const sizes = /'shape': \(([\d, ]*)\)/.exec(header)?.[1];
  if (found === undefined || sizes === undefined || !header.includes("'fortran_order': False")) return null;
  const shape = sizes
    .split(',')
    .filter((size) => size.trim() !== '')
    .map(Number);
  const data = new Uint8Array(npy.subarray(start + headerBytes)); // a copy, so aligned
  if (data.length !== elementCount(shape) * found.bytes) throw new Error('an array’s length does not fit its shape');
  const array =
    found.dtype === 'float32'
      ? new Float32Array(data.buffer)
      : found.dtype === 'int32'
        ? new Int32Array(data.buffer)
        : data;
  return new Tensor(found.dtype, shape, array as never);
}
