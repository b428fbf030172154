/** Our own networks, compiled and checked. */
import type { CompileOptions, Executor } from '../executor.js';
import type { Isa } from '../native.js';
import { createModel, type Model } from '../model.js';
import { checkEqual } from './check.js';
import { type Picture, pictures } from './inputs.js';
import { normalizationOf } from './peers.js';

export interface Entry {
  readonly network: string;
  readonly input: 'uint8' | 'float32';
  /** Weights of the first convolution. */
  readonly stem: 'float32' | 'int16' | 'int8';
  /** Null: the best of this machine. */
  readonly isa: Isa | null;
}

export interface Contender extends Entry {
  readonly executor: Executor;
  readonly data: Uint8Array | Float32Array;
  /** The answer, which has been checked. */
  readonly logits: Float32Array;
  readonly run: () => Float32Array;
}

/** Models, pictures and answers of the scalar kernels, each made once. */
export class Workshop {
  readonly size: number;
  readonly #models = new Map<string, Model>();
  readonly #pictures = new Map<number, Picture>();
  readonly #references = new Map<string, Float32Array>();
  /** Images that the scalar kernels, which are slow, compute for each network and kind of input. */
  readonly referenceImages: number;

  constructor(size: number, referenceImages: number) {
    this.size = size;
    this.referenceImages = referenceImages;
  }

  model(network: string): Model {
    return cached(this.#models, network, () => createModel(network, { inputSize: this.size }));
  }

  /** The pictures of a batch; those of a smaller one are the first of a larger one. */
  pictures(batch: number): Picture {
    // All networks by name are given the same normalisation.
    return cached(this.#pictures, batch, () => {
      return pictures(0, batch, this.size, normalizationOf(this.model('bireal-resnet18-64')));
    });
  }

  /**
   * Compiles an entry and checks its answer: the first images bit for bit against the scalar kernels, all of them against the
   * same network one image at a time. Throws `ERR_BITPATH_BENCH` where it is wrong.
   */
  async prepare(entry: Entry, { threads, batch }: { threads: number; batch: number }): Promise<Contender> {
    const data = this.#data(entry, batch);
    const executor = await this.#compile(entry, { threads, batch });
    const run = () => logitsOf(executor, data);
    const what = `${entry.network} (${entry.input}, ${executor.isa}, threads ${threads}, batch ${batch})`;
    try {
      const logits = run();
      const reference = await this.#reference(entry);
      const checked = Math.min(batch, this.referenceImages) * (reference.length / this.referenceImages);
      checkEqual(what, logits.subarray(0, checked), reference.subarray(0, checked), 'the scalar kernel');
      if (batch > this.referenceImages) {
        using single = await this.#compile(entry, { threads: 1, batch: 1 });
        checkEqual(what, logits, logitsOf(single, data), 'a run image by image');
      }
      return { ...entry, executor, data, logits, run };
    } catch (error) {
      executor.dispose();
      throw error;
    }
  }

  #data({ input }: Entry, batch: number): Uint8Array | Float32Array {
    const { pixels, tensor } = this.pictures(batch);
    return input === 'uint8' ? pixels : tensor;
  }

  async #reference(entry: Entry): Promise<Float32Array> {
    const key = `${entry.network} ${entry.input} ${entry.stem}`;
    const found = this.#references.get(key);
    if (found !== undefined) return found;
    using scalar = await this.#compile({ ...entry, isa: 'scalar' }, { threads: 2, batch: 1 });
    const logits = logitsOf(scalar, this.#data(entry, this.referenceImages));
    this.#references.set(key, logits);
    return logits;
  }

  #compile({ network, isa, stem }: Entry, sizes: { threads: number; batch: number }): Promise<Executor> {
    const options: CompileOptions & { pixelStem?: 'int8' } = {
      ...sizes,
      ...(isa !== null && { isa }),
      ...(stem === 'int8' && { pixelStem: 'int8' }),
    };
    return this.model(network).compile(options);
  }
}

function logitsOf(executor: Executor, data: Uint8Array | Float32Array): Float32Array {
  return executor.runSync(data)['logits']?.data as Float32Array;
}

function cached<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  return made;
}
