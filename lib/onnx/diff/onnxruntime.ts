/** onnxruntime-node, which is not among bitpath's dependencies: whoever compares with it installs it. */
import { create } from '@bufbuild/protobuf';
import { loadOptional } from '../../packages.js';
import { onnxError } from '../error.js';
import { BATCH } from '../exportBuilder.js';
import { writeModelProto } from '../proto/model.js';
import { type ModelProto, ValueInfoProtoSchema } from '../proto/onnx_pb.js';

/** Of onnxruntime-node, what is used here. Its own types would be a dependency of ours. */
interface Ort {
  readonly env: { readonly versions: { readonly node?: string; readonly common: string } };
  readonly InferenceSession: { create(model: Uint8Array, options: object): Promise<Session> };
  readonly Tensor: new (type: 'float32', data: Float32Array, dims: readonly number[]) => OrtTensor;
}
interface OrtTensor {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: unknown;
  dispose(): void;
}
interface Session {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  run(feeds: Record<string, OrtTensor>, fetches: readonly string[]): Promise<Record<string, OrtTensor>>;
  release(): Promise<void>;
}

/** Throws `ERR_BITPATH_MISSING_PACKAGE`. */
async function loadOnnxruntime(feature = 'Comparing with ONNX'): Promise<Ort> {
  const name = 'onnxruntime-node';
  const module = await loadOptional(feature, name, () => import(name) as Promise<Ort & { default?: Ort }>);
  return module.default ?? module;
}

/** The version of onnxruntime-node. Throws `ERR_BITPATH_MISSING_PACKAGE`. */
export async function onnxruntimeVersion(feature: string): Promise<string> {
  const { versions } = (await loadOnnxruntime(feature)).env;
  return versions.node ?? versions.common;
}

export interface SessionOptions {
  /** What error messages call the model. */
  readonly file: string;
  readonly threads: number;
  /** Lets onnxruntime fuse and reorder, as it does by default. Off (the default here), every node is computed as it is written. */
  readonly optimize?: boolean;
  /** Images of each run, where it is always the same: onnxruntime then knows all shapes in advance. */
  readonly batch?: number;
  /** Where onnxruntime writes the model as it runs it. */
  readonly optimizedFile?: string;
}

export interface OrtTensorData {
  readonly dims: readonly number[];
  readonly data: Float32Array;
}
/** float32 tensors by name. */
export type OrtOutputs = ReadonlyMap<string, OrtTensorData>;

export class OnnxSession {
  readonly #ort: Ort;
  readonly #session: Session;

  private constructor(ort: Ort, session: Session) {
    this.#ort = ort;
    this.#session = session;
  }

  /**
   * Loads `model` with the tensors `names` as outputs too, whatever it had as outputs.
   *
   * @throws `ERR_BITPATH_MISSING_PACKAGE`; `ERR_BITPATH_ONNX` where onnxruntime refuses the model.
   */
  static async create(
    model: ModelProto,
    names: Iterable<string>,
    { file, threads, optimize = false, batch, optimizedFile }: SessionOptions,
  ): Promise<OnnxSession> {
    const ort = await loadOnnxruntime();
    if (model.graph === undefined) throw onnxError(file, 'it has no graph');
    const output = [...model.graph.output];
    const has = new Set(output.map(({ name }) => name));
    for (const name of names) if (!has.has(name)) output.push(create(ValueInfoProtoSchema, { name }));
    const bytes = writeModelProto({ ...model, graph: { ...model.graph, output } }, file);
    try {
      const session = await ort.InferenceSession.create(bytes, {
        graphOptimizationLevel: optimize ? 'all' : 'disabled',
        intraOpNumThreads: threads,
        interOpNumThreads: 1,
        logSeverityLevel: 4,
        ...(batch !== undefined && { freeDimensionOverrides: { [BATCH]: batch } }),
        ...(optimizedFile !== undefined && { optimizedModelFilePath: optimizedFile }),
      });
      return new OnnxSession(ort, session);
    } catch (cause) {
      throw onnxError(file, `onnxruntime does not load it: ${messageOf(cause)}`, {}, cause);
    }
  }

  /** Runs one batch [N, C, H, W] and returns those of `names` that are float32. */
  async run(
    input: string,
    data: Float32Array,
    dims: readonly number[],
    names: readonly string[],
    file: string,
  ): Promise<OrtOutputs> {
    let results: Record<string, OrtTensor>;
    try {
      results = await this.#session.run({ [input]: new this.#ort.Tensor('float32', data, dims) }, names);
    } catch (cause) {
      throw onnxError(file, `onnxruntime does not run it: ${messageOf(cause)}`, {}, cause);
    }
    const outputs = new Map<string, OrtTensorData>();
    for (const [name, tensor] of Object.entries(results)) {
      // Copied: the tensor's memory goes with it.
      if (tensor.type === 'float32')
        outputs.set(name, { dims: tensor.dims, data: new Float32Array(tensor.data as Float32Array) });
      tensor.dispose();
    }
    return outputs;
  }

  /** Binds one batch [N, C, H, W] to the first input; each call of the result computes the first output, a float32 tensor. */
  bind(data: Float32Array, dims: readonly number[]): () => Promise<Float32Array> {
    const [input = ''] = this.#session.inputNames;
    const [output = ''] = this.#session.outputNames;
    const feeds = { [input]: new this.#ort.Tensor('float32', data, dims) };
    const fetches = [output];
    return async () => (await this.#session.run(feeds, fetches))[output]?.data as Float32Array;
  }

  async release(): Promise<void> {
    await this.#session.release();
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
