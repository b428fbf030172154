/** A model: a graph with its parameters, and what a person needs to use it. Files of them are safetensors. */
import { readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { types } from 'node:util';
import { buildArchitecture } from './architectures/index.js';
import { argumentError, checkOptions, checkString, describe, unknownName } from './check.js';
import { BitpathError, isNodeError } from './errors.js';
import { type CompileOptions, compile, type Executor } from './executor.js';
import {
  checkFormat,
  checkLabels,
  checkProvenance,
  FORMAT_VERSION,
  type Label,
  modelFileError,
  type Provenance,
  parseMetadata,
} from './formats/model-file.js';
import { readSafetensors, writeSafetensors } from './formats/safetensors.js';
import { checkTitle } from './graph/names.js';
import {
  checkGraph,
  checkParams,
  countParams,
  graphCost,
  graphFromJson,
  graphToJson,
  randomParams,
} from './graph/index.js';
import type { Graph, Shape } from './graph/types.js';
import { checkPreprocessing, defaultPreprocessing, type Preprocessing } from './images/preprocessing.js';
import { packageRoot } from './root.js';
import type { Params, Tensor } from './tensor.js';

export type { Label, Provenance } from './formats/model-file.js';

/** The shipped network that `loadModel()` and the command line take where none is named. */
export const DEFAULT_MODEL = 'igp-resnet37-41-reactnet-tiny-imagenet';

const EXTENSION = '.safetensors';
/** Native code indexes constants with 32 bits. */
const MAX_FILE_BYTES = 2 ** 31 - 1;

/** What a {@link Model} is made of. */
export interface ModelOptions {
  /** From {@link GraphBuilder}, {@link buildArchitecture} or {@link graphFromJson}. */
  readonly graph: Graph;
  /** All that {@link graphParams} lists, and no others. */
  readonly params: Params;
  /** The graph's name by default. */
  readonly name?: string;
  /** One for each class, in order of the first output; null (the default) for a network without. */
  readonly labels?: readonly Label[] | null;
  /** Its crop has the size of the network's input; null (the default) for a network that takes no pictures. */
  readonly preprocessing?: Preprocessing | null;
  /** Where it comes from. Default: nothing. */
  readonly provenance?: Provenance;
}

/** A network ready to compile or save. It is frozen; the tensors' elements are the caller's to leave alone. */
export class Model {
  /** For messages and lists. */
  readonly name: string;
  /** What the network is. */
  readonly graph: Graph;
  /** Its parameters, by the names that {@link graphParams} gives. */
  readonly params: Params;
  /** One for each class, in order of the first output; null for a network without. */
  readonly labels: readonly Label[] | null;
  /** What happens to a picture before the network; null for a network that takes no pictures. */
  readonly preprocessing: Preprocessing | null;
  /** Where it comes from. */
  readonly provenance: Provenance;

  /**
   * Throws `ERR_BITPATH_PARAM` where a parameter is missing, left over, of another shape or dtype, or not finite, and
   * `ERR_BITPATH_ARGUMENT` where labels or preprocessing do not fit the graph; `ERR_BITPATH_UNKNOWN_OPTION`.
   */
  constructor(options: ModelOptions) {
    checkOptions('options', options, ['name', 'graph', 'params', 'labels', 'preprocessing', 'provenance']);
    const { graph, params, labels = null, preprocessing = null, provenance = {} } = options;
    this.graph = checkGraph('graph', graph);
    this.name = checkTitle('name', options.name ?? graph.name);
    if (!types.isMap(params)) throw argumentError('params', 'a Map of tensors', params);
    this.params = new Map(params);
    checkParams(graph, this.params);
    for (const [name, tensor] of this.params) checkFiniteElements(name, tensor);
    this.labels = labels === null ? null : checkLabels('labels', labels, outputShape(graph).channels);
    this.preprocessing = preprocessing === null ? null : checkPreprocessing('preprocessing', preprocessing);
    if (this.preprocessing !== null) checkCrop(this.preprocessing, inputShape(graph));
    this.provenance = checkProvenance('provenance', provenance);
    Object.freeze(this);
  }

  /**
   * Packs the network for this machine. The executor takes float tensors, and pictures where the model has preprocessing.
   *
   * @throws As the function {@link compile}. All of it rejects the promise.
   */
  compile(options: Omit<CompileOptions, 'normalization'> = {}): Promise<Executor> {
    const { preprocessing } = this;
    if (preprocessing === null) return compile(this.graph, this.params, options);
    const { mean, std } = preprocessing;
    return compile(this.graph, this.params, { ...options, normalization: { mean, std } });
  }

  /**
   * The model file. The same model gives the same bytes.
   *
   * @throws `ERR_BITPATH_ARGUMENT` for a text that JSON cannot hold.
   */
  toBytes(): Uint8Array<ArrayBuffer> {
    const { name, graph, labels, preprocessing, provenance } = this;
    const metadata: Record<string, string> = {
      'bitpath.format': FORMAT_VERSION,
      'bitpath.name': name,
      'bitpath.graph': JSON.stringify(graphToJson(graph)),
      'bitpath.provenance': JSON.stringify(provenance),
    };
    if (labels !== null) metadata['bitpath.labels'] = JSON.stringify(labels);
    if (preprocessing !== null) metadata['bitpath.preprocessing'] = JSON.stringify(preprocessing);
    return writeSafetensors(this.params, metadata);
  }

  /** Writes the model file: completely, or not at all. Throws `ERR_BITPATH_MODEL_FILE`, `ERR_BITPATH_ARGUMENT`. */
  async save(path: string | URL): Promise<void> {
    const target = filePath('path', path);
    const temporary = `${target}.${process.pid}.tmp`;
    try {
      await writeFile(temporary, this.toBytes());
      await rename(temporary, target);
    } catch (cause) {
      await rm(temporary, { force: true });
      throw modelFileError(target, `it cannot be written (${messageOf(cause)})`, cause);
    }
  }
}

/**
 * Reads a model from the bytes of its file. `file` is what error messages call it. Float parameters whose bytes are aligned
 * are views of `bytes`.
 *
 * @throws `ERR_BITPATH_MODEL_FILE` for anything but a whole, consistent model.
 */
export function modelFromBytes(bytes: Uint8Array, file = 'model data'): Model {
  checkString('file', file);
  const { tensors, metadata } = readSafetensors(bytes, file);
  checkFormat(metadata, file);
  const json = parseMetadata(metadata, 'graph', file);
  if (json === undefined) throw modelFileError(file, 'it has no bitpath.graph in its metadata');
  const labels = parseMetadata(metadata, 'labels', file);
  const preprocessing = parseMetadata(metadata, 'preprocessing', file);
  const provenance = parseMetadata(metadata, 'provenance', file);
  try {
    const graph = graphFromJson(json);
    return new Model({
      name: metadata['bitpath.name'] ?? graph.name,
      graph,
      params: tensors,
      labels: (labels ?? null) as readonly Label[] | null,
      preprocessing: (preprocessing ?? null) as Preprocessing | null,
      provenance: (provenance ?? {}) as Provenance,
    });
  } catch (cause) {
    if (!(cause instanceof BitpathError)) throw cause;
    throw modelFileError(file, cause.message, cause);
  }
}

/**
 * Loads a model.
 *
 * @param source The name of a shipped model (see {@link listModels}; the default one if left out), the path or `file:` URL of
 *   a model file, or its bytes.
 * @throws `ERR_BITPATH_UNKNOWN_NAME` for a word that is neither a shipped model nor a file, `ERR_BITPATH_MODEL_FILE` for a
 *   file that cannot be read or is no whole, consistent model, `ERR_BITPATH_ARGUMENT` for another kind of source.
 */
export async function loadModel(source: string | URL | Uint8Array = DEFAULT_MODEL): Promise<Model> {
  if (types.isUint8Array(source)) return modelFromBytes(source);
  const name = typeof source === 'string' ? source : '';
  const shipped = await shippedNames();
  if (shipped.includes(name)) return readModelFile(shippedPath(name));

  const path = filePath('source', source);
  const looksLikeName = /^[\w-]+$/.test(name);
  if (looksLikeName && !(await exists(path))) throw unknownName('model', name, shipped);
  return readModelFile(path);
}

/**
 * A network of `buildArchitecture(name, …)` with random parameters: for timing and tests, it has learnt nothing.
 *
 * @throws As {@link buildArchitecture}.
 */
export function createModel(
  architecture: string,
  options: {
    /** Logits of the network, 1 … 2²⁴. Default 1000. */
    readonly classes?: number;
    /** Height and width of its input in pixels, 1 … 65535. Default 224. */
    readonly inputSize?: number;
    /** Of the parameters, an integer from 0 to 2⁵³ − 1. Default 0. */
    readonly seed?: number;
  } = {},
): Model {
  checkOptions('options', options, ['classes', 'inputSize', 'seed']);
  const { seed = 0, ...sizes } = options;
  const graph = buildArchitecture(architecture, sizes);
  const { channels, height, width } = inputShape(graph);
  return new Model({
    graph,
    params: randomParams(graph, seed),
    preprocessing: channels === 3 ? defaultPreprocessing(height, width) : null,
    provenance: { title: `${architecture} with random parameters`, architecture, seed },
  });
}

/** What {@link listModels} says of a shipped model. */
export interface ModelInfo {
  /** What {@link loadModel} takes. */
  readonly name: string;
  /** For people. */
  readonly title: string;
  /** What {@link buildArchitecture} calls its graph. */
  readonly architecture: string;
  /** Number of them. */
  readonly classes: number;
  /** Of one image. */
  readonly input: Shape;
  /** Size of its file. */
  readonly bytes: number;
  /** Storage of its parameters, BatchNorms included: a bit for each 1-bit one, 32 for the others. */
  readonly storageBits: number;
  /** ±1 multiply-accumulates of one picture. */
  readonly binaryMacs: number;
  /** Full-precision multiply-accumulates of one picture. */
  readonly realMacs: number;
  /** Top-1 accuracy in per cent, as measured by whoever trained it; undefined where the file does not say. */
  readonly top1: number | undefined;
  /** Top-5 accuracy in per cent, likewise. */
  readonly top5: number | undefined;
  /** True for the one that is taken where none is named. */
  readonly default: boolean;
}

/**
 * The shipped models, the default one first.
 *
 * @throws `ERR_BITPATH_MODEL_FILE` where one of their files is damaged.
 */
export async function listModels(): Promise<ModelInfo[]> {
  const names = (await shippedNames()).sort((a, b) => Number(b === DEFAULT_MODEL) - Number(a === DEFAULT_MODEL));
  return Promise.all(
    names.map(async (name) => {
      const path = shippedPath(name);
      const [{ graph, provenance }, { size }] = await Promise.all([readModelFile(path), stat(path)]);
      const { bits, floats } = countParams(graph);
      return {
        name,
        title: String(provenance.title ?? name),
        architecture: String(provenance.architecture ?? graph.name),
        classes: outputShape(graph).channels,
        input: inputShape(graph),
        bytes: size,
        storageBits: bits + 32 * floats,
        ...graphCost(graph),
        top1: typeof provenance.top1 === 'number' ? provenance.top1 : undefined,
        top5: typeof provenance.top5 === 'number' ? provenance.top5 : undefined,
        default: name === DEFAULT_MODEL,
      };
    }),
  );
}

/** Shape of the one input. */
export function inputShape(graph: Graph): Shape {
  const input = graph.nodes.find((node) => node.op === 'input');
  return (graph.values[input?.output ?? 0] as { shape: Shape }).shape;
}

/** Shape of the first output: for a classifier, one channel a class. */
export function outputShape(graph: Graph): Shape {
  return (graph.values[graph.outputs[0]?.value ?? 0] as { shape: Shape }).shape;
}

async function readModelFile(path: string): Promise<Model> {
  let bytes: Buffer;
  try {
    const info = await stat(path);
    // A device or a pipe would be read for ever.
    if (!info.isFile()) throw new Error('not a regular file');
    if (info.size > MAX_FILE_BYTES) throw new Error(`its ${info.size} bytes are over the limit of ${MAX_FILE_BYTES}`);
    bytes = await readFile(path);
  } catch (cause) {
    throw modelFileError(path, `it cannot be read (${messageOf(cause)})`, cause);
  }
  return modelFromBytes(bytes, path);
}

/** Names of the shipped models. */
export async function shippedNames(): Promise<string[]> {
  const files = await readdir(shippedFolder()).catch(() => []);
  return files
    .filter((file) => file.endsWith(EXTENSION))
    .map((file) => basename(file, EXTENSION))
    .sort();
}

function shippedPath(name: string): string {
  return join(shippedFolder(), `${name}${EXTENSION}`);
}

function shippedFolder(): string {
  return join(packageRoot(), 'models');
}

function filePath(argument: string, source: unknown): string {
  const isUrl = source instanceof URL || (typeof source === 'string' && /^[a-z][\w+.-]*:\/\//i.test(source));
  if (!isUrl) {
    if (typeof source === 'string' && source !== '') return source;
    throw argumentError(argument, 'a path, a file: URL or a Uint8Array', source);
  }
  try {
    return fileURLToPath(source);
  } catch {
    throw argumentError(argument, 'a file: URL', String(source));
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function messageOf(error: unknown): string {
  return isNodeError(error) ? error.message : String(error);
}

function checkCrop({ crop }: Preprocessing, input: Shape): void {
  if (input.channels === 3 && crop.height === input.height && crop.width === input.width) return;
  throw argumentError(
    'preprocessing.crop',
    `the network's input, which has ${input.channels} channels of ${input.height} × ${input.width}`,
    `3 channels of ${crop.height} × ${crop.width}`,
  );
}

function checkFiniteElements(param: string, { dtype, data }: Tensor): void {
  if (dtype !== 'float32') return;
  for (let i = 0; i < data.length; i++) {
    if (Number.isFinite(data[i])) continue;
    throw new BitpathError('ERR_BITPATH_PARAM', {
      param,
      reason: `element ${i} is ${describe(data[i])}, not a finite number`,
    });
  }
}
