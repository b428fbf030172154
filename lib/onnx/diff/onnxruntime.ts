/** onnxruntime-node, which is not among bitpath's dependencies: whoever compares with it installs it. */
import { create } from '@bufbuild/protobuf';
import { BitpathError } from '../../errors.js';
import { onnxError } from '../error.js';
import { writeModelProto } from '../proto/model.js';
import { type ModelProto, ValueInfoProtoSchema } from '../proto/onnx_pb.js';

/** Of onnxruntime-node, what is used here. Its own types would be a dependency of ours. */
interface Ort {
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
  run(feeds: Record<string, OrtTensor>, fetches: readonly string[]): Promise<Record<string, OrtTensor>>;
  release(): Promise<void>;
}

/** Throws `ERR_BITPATH_MISSING_PACKAGE`. */
async function loadOnnxruntime(): Promise<Ort> {
  const name = 'onnxruntime-node';
  try {
    const module = (await import(name)) as Ort & { default?: Ort };
    return module.default ?? module;
  } catch (cause) {
    const reason = (cause instanceof Error ? cause.message : String(cause)).split('\n')[0];
    throw new BitpathError(
      'ERR_BITPATH_MISSING_PACKAGE',
      { feature: 'Comparing with ONNX', package: name, reason },
      { cause },
    );
  }
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
   * @param optimize Lets onnxruntime fuse and reorder, as it does by default. Off, every node is computed as it is written.
   * @throws `ERR_BITPATH_MISSING_PACKAGE`; `ERR_BITPATH_ONNX` where onnxruntime refuses the model.
   */
  static async create(
    model: ModelProto,
    names: Iterable<string>,
    { file, threads, optimize = false }: { file: string; threads: number; optimize?: boolean },
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

  async release(): Promise<void> {
    await this.#session.release();
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
