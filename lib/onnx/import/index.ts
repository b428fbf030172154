/** `fromOnnx`: a model out of an ONNX file. */
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { types } from 'node:util';
import { argumentError, checkOptions } from '../../check.js';
import { BitpathError, isNodeError } from '../../errors.js';
import { type Label, Model, type ModelOptions } from '../../model.js';
import type { Preprocessing } from '../../images/preprocessing.js';
import { onnxError } from '../error.js';
import { loadExternalData } from '../proto/external.js';
import { MAX_MODEL_BYTES, readModelProto } from '../proto/model.js';
import type { ModelProto } from '../proto/onnx_pb.js';
import { importModel } from './import.js';
import { metadataJson } from './load.js';
import type { OnnxReport } from './report.js';

export type { Convolution, Note, NoteKind, OnnxReport } from './report.js';

/** Options of {@link fromOnnx}. */
export interface FromOnnxOptions {
  /** Of the model; by default the graph's, or the file's. */
  readonly name?: string;
  /** One for each class; by default what an export by bitpath wrote, or none. */
  readonly labels?: readonly Label[] | null;
  /** What happens to a picture before the network sees it; by default what an export by bitpath wrote, or none. */
  readonly preprocessing?: Preprocessing | null;
}

/** What {@link fromOnnx} gives. */
export interface FromOnnx {
  /** Ready to compile or save. */
  readonly model: Model;
  /** Which convolutions became 1-bit, which did not and why, and what was changed on the way. */
  readonly report: OnnxReport;
}

/**
 * Reads a network from an ONNX model: opset 9 or newer, one input of fixed height and width, the ops of docs/onnx-import.md.
 *
 * @param source The bytes of a file, or its path or `file:` URL. Only the latter can have external data beside it. Bytes must
 *   not change afterwards: large weights are not copied.
 * @throws `ERR_BITPATH_ONNX` for a file that is damaged, hostile, or has something that bitpath has not; the error names the
 *   node and, for an op, all others of its kind. `ERR_BITPATH_ARGUMENT`, `ERR_BITPATH_UNKNOWN_OPTION`.
 */
export async function fromOnnx(source: Uint8Array | string | URL, options: FromOnnxOptions = {}): Promise<FromOnnx> {
  checkOptions('options', options, ['name', 'labels', 'preprocessing']);
  if (types.isUint8Array(source)) return fromProto(readModelProto(source), 'ONNX model', options);
  const path = pathOf(source);
  const proto = readModelProto(await readOnnx(path), path);
  await loadExternalData(proto, dirname(path), path);
  return fromProto(proto, path, { name: basename(path, extname(path)), ...options });
}

/** What `fromOnnx` does with a decoded model. `file` is what messages call it. */
export function fromProto(proto: ModelProto, file: string, options: FromOnnxOptions): FromOnnx {
  const { graph, params, report, metadata } = importModel(proto, file, options.name);
  const { labels = metadataJson(metadata, 'labels'), preprocessing = metadataJson(metadata, 'preprocessing') } =
    options;
  const common = {
    name: graph.name,
    graph,
    params,
    provenance: metadataJson(metadata, 'provenance') ?? provenanceOf(report),
  };
  try {
    return { model: new Model({ ...common, labels, preprocessing } as ModelOptions), report };
  } catch (cause) {
    if (!(cause instanceof BitpathError)) throw cause;
    throw onnxError(file, cause.message, {}, cause);
  }
}

function provenanceOf({ producer, opset }: OnnxReport): Record<string, string | number> {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for
  const maker = producer.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, ' ').slice(0, 200);
  return { format: 'ONNX', opset, ...(maker === '' ? {} : { producer: maker }) };
}

function pathOf(source: unknown): string {
  const isUrl = source instanceof URL || (typeof source === 'string' && /^[a-z][\w+.-]+:\/\//i.test(source));
  if (!isUrl) {
    if (typeof source === 'string' && source !== '') return source;
    throw argumentError('source', 'a path, a file: URL or a Uint8Array', source);
  }
  try {
    return fileURLToPath(source);
  } catch {
    throw argumentError('source', 'a file: URL', String(source));
  }
}

async function readOnnx(path: string): Promise<Uint8Array> {
  try {
    const info = await stat(path);
    // A device or a pipe would be read for ever.
    if (!info.isFile()) throw new Error('not a regular file');
    if (info.size > MAX_MODEL_BYTES) throw new Error(`its ${info.size} bytes are over protobuf’s 2 GiB`);
    return await readFile(path);
  } catch (cause) {
    const reason = isNodeError(cause) ? cause.message : String(cause);
    throw onnxError(path, `it cannot be read (${reason})`, {}, cause);
  }
}
