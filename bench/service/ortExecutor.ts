/**
 * onnxruntime in the place of an executor, so that everything around it (HTTP, bodies, batching, metrics, answers) is the same code.
 * It is given what suits it: all optimisations, the batch known in advance where that is one picture, any batch otherwise.
 */
import type { Executor, Normalization } from '#lib/executor.js';
import type { Shape } from '#lib/graph/types.js';
import { inputShape, loadModel, type Model } from '#lib/model.js';
import { OnnxSession } from '#lib/onnx/diff/onnxruntime.js';
import { exportModel } from '#lib/onnx/export.js';
import type { Loader } from '#lib/serve/models/loading.js';
import { Tensor } from '#lib/tensor.js';

interface Sessions {
  readonly one: OnnxSession;
  readonly any: OnnxSession;
}

type Pixels = Float32Array | Uint8Array;

export class OrtExecutor {
  readonly isa = 'onnxruntime';
  readonly threads: number;
  readonly #sessions: Sessions;
  readonly #names: readonly [input: string, output: string];
  readonly inputShape: Shape;
  readonly #table: Float32Array;

  private constructor(
    threads: number,
    sessions: Sessions,
    names: readonly [string, string],
    shape: Shape,
    table: Float32Array,
  ) {
    this.threads = threads;
    this.#sessions = sessions;
    this.#names = names;
    this.inputShape = shape;
    this.#table = table;
  }

  static async create(model: Model, threads: number): Promise<OrtExecutor> {
    const proto = exportModel(model).model;
    const open = (batch?: number) =>
      OnnxSession.create(proto, [], {
        file: model.name,
        threads,
        optimize: true,
        ...(batch !== undefined && { batch }),
      });
    const names = [proto.graph?.input[0]?.name ?? '', proto.graph?.output[0]?.name ?? ''] as const;
    const { mean, std } = model.preprocessing as Normalization;
    // What each value of a pixel stands for, by channel: a look-up is all that a picture costs on its way to floats.
    const table = Float32Array.from({ length: 3 * 256 }, (_, i) => {
      const c = i >> 8;
      return ((i & 255) / 255 - (mean[c] as number)) / (std[c] as number);
    });
    return new OrtExecutor(threads, { one: await open(1), any: await open() }, names, inputShape(model.graph), table);
  }

  run(input: Pixels): Promise<Record<string, Tensor<'float32'>>> {
    return this.runAll([input]);
  }

  async runAll(parts: readonly Pixels[]): Promise<Record<string, Tensor<'float32'>>> {
    const { height, width } = this.inputShape;
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    const count = length / (3 * height * width);
    const tensor = new Float32Array(length);
    let at = 0;
    for (const part of parts) {
      if (part instanceof Uint8Array) this.#look(part, tensor.subarray(at, at + part.length));
      else tensor.set(part, at);
      at += part.length;
    }
    const session = count === 1 ? this.#sessions.one : this.#sessions.any;
    const [name, output] = this.#names;
    const outputs = await session.run(name, tensor, [count, 3, height, width], [output], 'ResNet18');
    const { dims = [], data: values = new Float32Array() } = outputs.get(output) ?? {};
    return { logits: new Tensor('float32', [...dims], values) };
  }

  #look(pixels: Uint8Array, out: Float32Array): void {
    const plane = this.inputShape.height * this.inputShape.width;
    const table = this.#table;
    for (let from = 0, image = 0; from < pixels.length; image += 3 * plane) {
      for (let i = 0, to = image; i < plane; i++, to++) {
        out[to] = table[pixels[from++] as number] as number;
        out[to + plane] = table[256 + (pixels[from++] as number)] as number;
        out[to + 2 * plane] = table[512 + (pixels[from++] as number)] as number;
      }
    }
  }

  /** onnxruntime computes one batch at a time either way: its call blocks the JavaScript thread. */
  clone(): OrtExecutor {
    return this;
  }

  dispose(): void {
    void Promise.all([this.#sessions.one.release(), this.#sessions.any.release()]);
  }
}

/** A model file for a server that runs it with onnxruntime. */
export const loadOrt: Loader = async (path, { threads }) => {
  const model = await loadModel(path);
  const executor = await OrtExecutor.create(model, threads);
  const { graph, labels, preprocessing } = model;
  const outputs = graph.outputs.map(({ name, value }) => ({ name, shape: graph.values[value]?.shape as Shape }));
  return { executor: executor as unknown as Executor, outputs, labels, preprocessing };
};
