/** The rivals: onnxruntime-node running ResNet18 in float32 and in int8, both made here from our own float network. */
import type { Model } from '../model.js';
import { exportModel } from '../onnx/export.js';
import { OnnxSession, onnxruntimeVersion } from '../onnx/diff/onnxruntime.js';
import type { ModelProto } from '../onnx/proto/onnx_pb.js';
import { quantizeModel } from '../onnx/quantize/index.js';
import { checkFloat, checkQuantized } from './check.js';
import { checkFused } from './fused.js';
import { pictures } from './inputs.js';

export type PeerKind = 'float32' | 'int8';

/** Pictures that the activations' ranges are taken from; those that are timed and checked are others. */
const CALIBRATION_PICTURES = 8;
const CALIBRATION_SEED = 1000;

interface PeerSizes {
  readonly threads: number;
  readonly batch: number;
}

/** One model in one session, with its input bound. */
export interface Peer {
  readonly kind: PeerKind;
  readonly engine: string;
  /** How its answer was checked. */
  readonly checked: string;
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

  /**
   * Both peers with `tensor`, a batch, as their input. Their answers are checked: float32 against `own`, the logits of our float
   * network, and int8 against float32.
   */
  async open(tensor: Float32Array, own: Float32Array, { threads, batch }: PeerSizes): Promise<Peer[]> {
    const peers: Peer[] = [];
    try {
      const float32 = await this.#session('float32', tensor, { threads, batch });
      peers.push({ ...float32, checked: '' });
      const expected = await float32.run();
      const off = checkFloat(`${float32.engine} against bitpath`, expected, own, batch);
      const int8 = await this.#session('int8', tensor, { threads, batch });
      peers.push({ ...int8, checked: '' });
      const cosine = checkQuantized(`${int8.engine} at ${this.#size}×${this.#size}`, await int8.run(), expected, batch);
      return [
        { ...float32, checked: `within ${off.toExponential(0)} of the other engine's largest logit` },
        { ...int8, checked: `cosine of logits with float32 ${cosine.toFixed(4)}` },
      ];
    } catch (error) {
      for (const peer of peers) await peer.release();
      throw error;
    }
  }

  /** As onnxruntime's users would make it: all optimisations, shapes known, threads that spin as they do by default. */
  async #session(kind: PeerKind, tensor: Float32Array, { threads, batch }: PeerSizes): Promise<Omit<Peer, 'checked'>> {
    const engine = engineOf(kind);
    const session = await OnnxSession.create(this.#models[kind], [], { file: engine, threads, optimize: true, batch });
    const run = session.bind(tensor, [batch, 3, this.#size, this.#size]);
    return { kind, engine, run, release: () => session.release() };
  }
}

export function engineOf(kind: PeerKind): string {
  return `onnxruntime ${kind}`;
}

/** Of the model's preprocessing; those that are made from an architecture have one. */
export function normalizationOf({ preprocessing }: Model) {
  return preprocessing ?? { mean: [0, 0, 0], std: [1, 1, 1] };
}
