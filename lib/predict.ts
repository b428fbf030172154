/** Pictures to logits, with decoding running ahead of the network. */
import { BitpathError } from './errors.js';
import type { Executor } from './executor.js';
import type { RgbImage } from './images/decode.js';
import { preprocess } from './images/preprocess.js';
import type { Model } from './model.js';
import type { Tensor } from './tensor.js';

export interface Answer<Item> {
  readonly item: Item;
  /** Null where the picture could not be decoded. */
  readonly logits: Float32Array | null;
  /** Why there are no logits. */
  readonly error: BitpathError | null;
  /** Milliseconds, of this picture; of `run`, its share of a batch. */
  readonly times: { readonly decode: number; readonly preprocess: number; readonly run: number };
}

export interface PredictOptions<Item> {
  readonly model: Model;
  readonly executor: Executor;
  readonly decode: (item: Item) => Promise<RgbImage>;
  /** What error messages call it. */
  readonly nameOf: (item: Item) => string;
  /** Pictures decoded at the same time. 1 overlaps nothing, so that `times` are of one step alone. */
  readonly concurrency: number;
}

interface Decoded<Item> extends Omit<Answer<Item>, 'logits'> {
  readonly pixels: Uint8Array | null;
}

/**
 * The logits of each picture, in order of `items`. A picture that cannot be decoded gets an answer with its error; any other
 * error ends it all.
 */
export async function* predict<Item>(
  items: AsyncIterable<Item> | Iterable<Item>,
  { model, executor, decode, nameOf, concurrency }: PredictOptions<Item>,
): AsyncGenerator<Answer<Item>, void, undefined> {
  const preprocessing = picturePreprocessing(model);
  const output = model.graph.outputs[0]?.name ?? '';
  const load = async (item: Item): Promise<Decoded<Item>> => {
    const start = performance.now();
    try {
      const image = await decode(item);
      const decoded = performance.now();
      const { data } = await preprocess(image, preprocessing);
      const times = { decode: decoded - start, preprocess: performance.now() - decoded, run: 0 };
      return { item, pixels: data, error: null, times };
    } catch (error) {
      const fault = faultOfPicture(error, nameOf(item));
      return { item, pixels: null, error: fault, times: { decode: performance.now() - start, preprocess: 0, run: 0 } };
    }
  };

  let turn: Promise<unknown> = Promise.resolve();
  const run = async (batch: readonly Decoded<Item>[]): Promise<Answer<Item>[]> => {
    const pixels = batch.flatMap(({ pixels }) => pixels ?? []);
    // One run at a time, or its time would hold the waiting for the one before.
    const mine = turn.then(async () => {
      if (pixels.length === 0) return { logits: new Float32Array(0), time: 0 };
      const start = performance.now();
      const outputs = await executor.run(joined(pixels));
      return { logits: (outputs[output] as Tensor<'float32'>).data, time: (performance.now() - start) / pixels.length };
    });
    turn = mine;
    const { logits, time } = await mine;
    const classes = logits.length / pixels.length;
    let done = 0;
    return batch.map(({ item, pixels, error, times }) => {
      if (pixels === null) return { item, logits: null, error, times };
      const start = done++ * classes;
      return { item, logits: logits.slice(start, start + classes), error, times: { ...times, run: time } };
    });
  };

  const decoded = ahead(items, concurrency, load);
  // While one batch runs, the next is decoded.
  for await (const answers of ahead(inBatches(decoded, executor.batch), concurrency === 1 ? 1 : 2, run)) yield* answers;
}

/**
 * `error` if it is about one picture: it cannot be decoded, or is drawn out so far that preprocessing refuses it. Throws any
 * other, which would meet the next picture as well.
 */
function faultOfPicture(error: unknown, image: string): BitpathError {
  if (error instanceof BitpathError) {
    if (error.code === 'ERR_BITPATH_IMAGE') return error;
    const { argument, received } = error.details;
    if (error.code === 'ERR_BITPATH_ARGUMENT' && argument === 'images') {
      const reason = `it is too drawn out (${received})`;
      return new BitpathError('ERR_BITPATH_IMAGE', { image, reason }, { cause: error });
    }
  }
  throw error;
}

/** The model's preprocessing. Throws `ERR_BITPATH_ARGUMENT` for a model that does not classify pictures. */
export function picturePreprocessing({ name, preprocessing, graph }: Model): NonNullable<Model['preprocessing']> {
  const output = graph.values[graph.outputs[0]?.value ?? 0];
  const isClassifier = output?.shape.height === 1 && output.shape.width === 1;
  if (preprocessing !== null && isClassifier) return preprocessing;
  throw new BitpathError('ERR_BITPATH_ARGUMENT', {
    argument: 'the model',
    expected: 'a classifier of pictures',
    received: `${name}, which ${preprocessing === null ? 'has no preprocessing for pictures' : 'gives a map, not classes'}`,
  });
}

/**
 * `work` applied to each item, up to `limit` at the same time; results in order of the items. At most `limit` results wait to
 * be taken.
 */
export async function* ahead<Item, Result>(
  items: AsyncIterable<Item> | Iterable<Item>,
  limit: number,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result, void, undefined> {
  const pending: Promise<Result>[] = [];
  for await (const item of items) {
    const result = work(item);
    // Its turn to be awaited comes later; until then a rejection is not unhandled.
    result.catch(() => {});
    pending.push(result);
    if (pending.length >= limit) yield await (pending.shift() as Promise<Result>);
  }
  for (const result of pending) yield await result;
}

async function* inBatches<Item>(items: AsyncIterable<Item>, size: number): AsyncGenerator<Item[], void, undefined> {
  let batch: Item[] = [];
  for await (const item of items) {
    batch.push(item);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

function joined(pictures: readonly Uint8Array[]): Uint8Array {
  const [first = new Uint8Array(0)] = pictures;
  if (pictures.length === 1) return first;
  const all = new Uint8Array(first.length * pictures.length);
  for (const [i, pixels] of pictures.entries()) all.set(pixels, i * first.length);
  return all;
}
