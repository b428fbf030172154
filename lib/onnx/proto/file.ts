/** ONNX files. */
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isNodeError } from '../../errors.js';
import { onnxError } from '../error.js';
import { loadExternalData } from './external.js';
import { MAX_MODEL_BYTES, readModelProto } from './model.js';
import type { ModelProto } from './onnx_pb.js';

/** The model in a file, with the external data beside it. Throws `ERR_BITPATH_ONNX`. */
export async function readOnnxFile(path: string): Promise<ModelProto> {
  let bytes: Uint8Array;
  try {
    const info = await stat(path);
    // A device or a pipe would be read for ever.
    if (!info.isFile()) throw new Error('not a regular file');
    if (info.size > MAX_MODEL_BYTES) throw new Error(`its ${info.size} bytes are over protobuf’s 2 GiB`);
    bytes = await readFile(path);
  } catch (cause) {
    throw onnxError(path, `it cannot be read (${messageOf(cause)})`, {}, cause);
  }
  const model = readModelProto(bytes, path);
  await loadExternalData(model, dirname(path), path);
  return model;
}

/** Writes the file: completely, or not at all. Throws `ERR_BITPATH_ONNX`. */
export async function writeOnnxFile(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await writeFile(temporary, bytes);
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true });
    throw onnxError(path, `it cannot be written (${messageOf(cause)})`, {}, cause);
  }
}

function messageOf(error: unknown): string {
  return isNodeError(error) ? error.message : String(error);
}
