/** The rivals: onnxruntime-node running ResNet18 in float32 and in int8, both made here from our own float network. */
import type { Model } from '../model.js';
import { exportModel } from '../onnx/export.js';
import { OnnxSession, onnxruntimeVersion } from '../onnx/diff/onnxruntime.js';
import type { ModelProto } from '../onnx/proto/onnx_pb.js';
import { quantizeModel } from '../onnx/quantize/index.js';
import { checkFused } from './fused.js';
import { pictures } from './inputs.js';

export type PeerKind = 'float32' | 'int8';
export const PEER_KINDS: readonly PeerKind[] = ['float32', 'int8'];

/** Pictures that the activations' ranges are taken from; those that are timed and checked are others. */
const CALIBRATION_PICTURES = 8;
const CALIBRATION_SEED = 1000;

/** One model in one session, with its input bound. */
export interface Peer {
  readonly kind: PeerKind;
  readonly run: () => Promise<Float32Array>;
  release(): Promise<void>;
}

export class Peers {
  readonly version: string;
  readonly #models: Readonly<Record<PeerKind, ModelProto>>;
  readonly #size: number;

  private constructor(version: string, models: Readonly<Record<PeerKind, ModelProto>>, size: number) {
    this.version = version;
    this.#models = models;
    this.#size = size;
  }

  /**
   * Both models of `model`, a float network.
   *
   * @throws `ERR_BITPATH_MISSING_PACKAGE` where onnxruntime-node is not installed; `ERR_BITPATH_BENCH` where it would run part of
   *   the int8 model in float.
   */
  static async create(model: Model, size: number, threads: number): Promise<Peers> {
    const version = await onnxruntimeVersion('Timing the peers');
    const float32 = exportModel(model).model;
    const { tensor } = pictures(CALIBRATION_SEED, CALIBRATION_PICTURES, size, normalizationOf(model));
    const calibration = { data: tensor, dims: [3, size, size] };
    const int8 = await quantizeModel(float32, { calibration, threads, file: `${model.name} for onnxruntime` });
    await checkFused(float32, int8);
    return new Peers(version, { float32, int8 }, size);
  }

  /** A session as onnxruntime's users would make it: all optimisations, shapes known, threads that spin as they do by default. */
  async open(
    kind: PeerKind,
    tensor: Float32Array,
    { threads, batch }: { threads: number; batch: number },
  ): Promise<Peer> {
    const file = `${kind} ResNet18`;
    const session = await OnnxSession.create(this.#models[kind], [], { file, threads, optimize: true, batch });
    const run = session.bind(tensor, [batch, 3, this.#size, this.#size]);
    return { kind, run, release: () => session.release() };
  }
}

/** Of the model's preprocessing; those that are made from an architecture have one. */
export function normalizationOf({ preprocessing }: Model) {
  return preprocessing ?? { mean: [0, 0, 0], std: [1, 1, 1] };
}
