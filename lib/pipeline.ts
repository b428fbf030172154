/** Pictures to labels in one call, in the manner of transformers.js. What works with pictures is loaded when it is made. */
import { checkInteger, checkOptions, checkString, unknownName } from './check.js';
import { BitpathError } from './errors.js';
import type { CompileOptions, Executor } from './executor.js';
import type { PictureInput } from './images/source.js';
import { loadModel, Model } from './model.js';

export type { PictureInput } from './images/source.js';

/** How the network of a pipeline is compiled. */
export type PipelineOptions = Pick<CompileOptions, 'threads' | 'batch' | 'isa' | 'pixelStem'>;

/** Options of a call of an {@link ImageClassificationPipeline}. */
export interface ImageClassificationPipelineOptions {
  /** Classes to give for each picture, 0 … 2³¹ − 1; 0 for all. Default 5. */
  readonly top_k?: number | undefined;
}

/** A class of a picture. */
export interface ImageClassificationSingle {
  /** Name of the class, or `class <index>` where the model has no labels. */
  readonly label: string;
  /** Softmax over all classes, 0 … 1. */
  readonly score: number;
}

/** Classes of one picture, the likeliest first. */
export type ImageClassificationOutput = ImageClassificationSingle[];

/**
 * A compiled classifier, to be called as a function as often as need be, also while earlier calls are under way: the network takes
 * them one after another, and decodes for the next ones meanwhile.
 *
 * Calls reject with `ERR_BITPATH_ARGUMENT` or `ERR_BITPATH_UNKNOWN_OPTION` before anything is done, `ERR_BITPATH_IMAGE` for the
 * first picture that cannot be decoded, `ERR_BITPATH_MISSING_PACKAGE` without sharp, `ERR_BITPATH_DISPOSED`, `ERR_BITPATH_MEMORY`.
 * In an array, `details.index` says which picture an error is about.
 */
export interface ImageClassificationPipeline extends AsyncDisposable {
  /** The classes of one picture. */
  (picture: PictureInput, options?: ImageClassificationPipelineOptions): Promise<ImageClassificationOutput>;
  /** The classes of each picture, in order; `batch` of them are computed together. */
  (
    pictures: readonly PictureInput[],
    options?: ImageClassificationPipelineOptions,
  ): Promise<ImageClassificationOutput[]>;
  /** The one or the other. */
  (
    input: PictureInput | readonly PictureInput[],
    options?: ImageClassificationPipelineOptions,
  ): Promise<ImageClassificationOutput | ImageClassificationOutput[]>;
  /** What it was made for. */
  readonly task: 'image-classification';
  /** The network, with its labels. */
  readonly model: Model;
  /** Frees the network's memory. Calls under way are rejected with `ERR_BITPATH_DISPOSED`. Calling it twice is harmless. */
  dispose(): Promise<void>;
  /** {@link ImageClassificationPipeline.dispose}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

const TASKS = ['image-classification'];
/** As many as libuv's threads, which decode. */
const DECODERS = 4;

/**
 * A function that says what is on pictures.
 *
 * @param model What {@link loadModel} takes, or a {@link Model}; the default network where it is left out or null.
 * @throws `ERR_BITPATH_UNKNOWN_NAME` for another task, `ERR_BITPATH_ARGUMENT` for a model that does not classify pictures, and
 *   what {@link loadModel} and {@link Model.compile} throw. All of them reject the promise.
 * @example
 * ```ts
 * const classify = await pipeline('image-classification');
 * const output = await classify('photo.jpg', { top_k: 3 }); // [{ label, score }, …]
 * ```
 */
export async function pipeline(
  task: 'image-classification',
  model?: string | URL | Uint8Array | Model | null,
  options: PipelineOptions = {},
): Promise<ImageClassificationPipeline> {
  if (!TASKS.includes(checkString('task', task))) throw unknownName('task', task, TASKS);
  checkOptions('options', options, ['threads', 'batch', 'isa', 'pixelStem']);
  const network = model instanceof Model ? model : await loadModel(model ?? undefined);
  const { picturePreprocessing } = await import('./predict.js');
  picturePreprocessing(network);
  return classifier(network, await network.compile(options));
}

function classifier(model: Model, executor: Executor): ImageClassificationPipeline {
  let isDisposed = false;
  async function classify(
    input: PictureInput | readonly PictureInput[],
    options: ImageClassificationPipelineOptions = {},
  ): Promise<ImageClassificationOutput | ImageClassificationOutput[]> {
    checkOptions('options', options, ['top_k']);
    const { top_k = 5 } = options;
    checkInteger('options.top_k', top_k, 0, 2 ** 31 - 1);
    const isList = Array.isArray(input);
    const pictures: readonly PictureInput[] = Array.from(isList ? input : [input]); // the caller's may change meanwhile
    const [{ pictureSource }, { topK }, { predict }] = await Promise.all([
      import('./images/source.js'),
      import('./images/predictions.js'),
      import('./predict.js'),
    ]);
    const sources = pictures.map((picture, index) =>
      isList ? within(index, () => pictureSource(`pictures[${index}]`, picture)) : pictureSource('picture', picture),
    );
    if (isDisposed) throw new BitpathError('ERR_BITPATH_DISPOSED', { what: 'The pipeline' });

    const outputs: ImageClassificationOutput[] = [];
    const decode = ({ decode }: (typeof sources)[number]) => decode();
    const nameOf = ({ name }: (typeof sources)[number]) => name;
    for await (const { logits, error } of predict(sources, {
      model,
      executor,
      decode,
      nameOf,
      concurrency: DECODERS,
    })) {
      if (logits === null) throw isList ? ofPicture(outputs.length, error) : error;
      const predictions = topK(logits, model.labels, top_k || logits.length);
      outputs.push(predictions.map(({ name, probability }) => ({ label: name, score: probability })));
    }
    return isList ? outputs : (outputs[0] as ImageClassificationOutput);
  }
  const dispose = async (): Promise<void> => {
    isDisposed = true;
    executor.dispose();
  };
  const properties = { task: 'image-classification', model, dispose, [Symbol.asyncDispose]: dispose } as const;
  return Object.freeze(Object.assign(classify as ImageClassificationPipeline, properties));
}

/** Runs `call`; its error says that it is about the picture at `index`. */
function within<T>(index: number, call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw ofPicture(index, error);
  }
}

function ofPicture(index: number, error: unknown): unknown {
  if (!(error instanceof BitpathError)) return error;
  return new BitpathError(error.code, { ...error.details, index }, { cause: error.cause });
}
