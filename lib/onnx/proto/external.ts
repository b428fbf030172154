/** Tensors whose bytes lie in files beside the model's ("external data"). */
import { constants } from 'node:fs';
import { type FileHandle, open, realpath } from 'node:fs/promises';
import { isAbsolute, join, sep } from 'node:path';
import { describe } from '../../check.js';
import { isNodeError } from '../../errors.js';
import { onnxError } from '../error.js';
import { MAX_MODEL_BYTES } from './model.js';
import { type GraphProto, type ModelProto, type TensorProto, TensorProto_DataLocation } from './onnx_pb.js';
import { rawLength } from './tensor.js';

/**
 * Reads the bytes of all of `model`'s external tensors into their `rawData`, so that the model is as if it had been one file.
 * A file is read where it lies inside `folder`, really: neither an absolute path nor `..` nor a symbolic link leads out.
 *
 * @param folder Of the model's file.
 * @param file What error messages call the model.
 * @throws `ERR_BITPATH_ONNX`
 */
export async function loadExternalData(model: ModelProto, folder: string, file: string): Promise<void> {
  const tensors = tensorsOf(model).filter(({ dataLocation }) => dataLocation === TensorProto_DataLocation.EXTERNAL);
  if (tensors.length === 0) return;
  const total = tensors.reduce((sum, tensor) => sum + rawLength(tensor, file), 0);
  if (total > MAX_MODEL_BYTES) throw onnxError(file, `its external tensors would take ${total} bytes, more than 2 GiB`);
  const root = await realpath(folder);
  const handles = new Map<string, FileHandle>();
  try {
    for (const tensor of tensors) await loadTensor(tensor, root, handles, file);
  } finally {
    await Promise.all([...handles.values()].map((handle) => handle.close()));
  }
}

async function loadTensor(
  tensor: TensorProto,
  root: string,
  handles: Map<string, FileHandle>,
  file: string,
): Promise<void> {
  const fail = (reason: string, cause?: unknown) =>
    onnxError(file, `tensor ${describe(tensor.name)}: ${reason}`, { tensor: tensor.name }, cause);
  const entries = new Map(tensor.externalData.map(({ key, value }) => [key, value]));
  const location = entries.get('location') ?? '';
  const expected = rawLength(tensor, file);
  const offset = byteCount(entries.get('offset') ?? '0');
  const length = byteCount(entries.get('length') ?? String(expected));
  if (offset === undefined || length === undefined) throw fail('its external data have no valid offset and length');
  if (length !== expected) throw fail(`its external data have ${length} bytes, expected ${expected}`);

  let handle = handles.get(location);
  if (handle === undefined) {
    try {
      handle = await openInside(root, location);
    } catch (cause) {
      if (cause instanceof Outside)
        throw fail(`its data would lie at ${describe(location)}, outside the model’s folder`);
      const reason = isNodeError(cause) ? cause.message : String(cause);
      throw fail(`its data at ${describe(location)} cannot be read (${reason})`, cause);
    }
    handles.set(location, handle);
  }
  const { size } = await handle.stat();
  if (offset + length > size) {
    throw fail(`its data end at byte ${offset + length} of ${describe(location)}, which has ${size} bytes`);
  }
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await handle.read(bytes, done, length - done, offset + done);
    if (bytesRead === 0) throw fail(`${describe(location)} became shorter while it was read`);
    done += bytesRead;
  }
  tensor.rawData = bytes;
  tensor.dataLocation = TensorProto_DataLocation.DEFAULT;
  tensor.externalData = [];
}

class Outside extends Error {}

/** Opens a regular file under `root`, which has no symbolic links in it. */
async function openInside(root: string, location: string): Promise<FileHandle> {
  // ONNX separates by slashes everywhere. A backslash or a drive would mean something else on Windows.
  const names = location.split('/');
  if (location === '' || isAbsolute(location) || names.includes('..') || /[\\\0]|^[a-z]:/i.test(location))
    throw new Outside();
  const path = await realpath(join(root, ...names));
  if (!path.startsWith(root.endsWith(sep) ? root : root + sep)) throw new Outside();
  // O_NONBLOCK: opening a pipe would wait for ever.
  const handle = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  throw new Error('not a regular file');
}

/** Offsets and lengths are decimal text. */
function byteCount(text: string): number | undefined {
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** All tensors of a model: initialisers and those in attributes, also of graphs within graphs and of functions. */
export function tensorsOf(model: ModelProto): TensorProto[] {
  const tensors: TensorProto[] = [];
  const ofNodes = (nodes: GraphProto['node']) => {
    for (const { attribute } of nodes) {
      for (const { t, tensors: list, g, graphs, sparseTensor, sparseTensors } of attribute) {
        if (t !== undefined) tensors.push(t);
        tensors.push(...list);
        for (const graph of g === undefined ? graphs : [g, ...graphs]) ofGraph(graph);
        for (const sparse of sparseTensor === undefined ? sparseTensors : [sparseTensor, ...sparseTensors]) {
          for (const tensor of [sparse.values, sparse.indices]) if (tensor !== undefined) tensors.push(tensor);
        }
      }
    }
  };
  const ofGraph = ({ initializer, sparseInitializer, node }: GraphProto) => {
    for (const tensor of initializer) tensors.push(tensor);
    for (const { values, indices } of sparseInitializer) {
      for (const tensor of [values, indices]) if (tensor !== undefined) tensors.push(tensor);
    }
    ofNodes(node);
  };
  if (model.graph !== undefined) ofGraph(model.graph);
  for (const { node } of model.functions) ofNodes(node);
  return tensors;
}
