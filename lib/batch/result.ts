/** What is found out about one picture: a function of its file, the model and the options, whoever computes it. */
import { BitpathError, isNodeError } from '../errors.js';
import type { Executor } from '../executor.js';
import { decodeImage } from '../images/decode.js';
import { topK } from '../images/predictions.js';
import type { Model } from '../model.js';
import { predict } from '../predict.js';

export interface Answered {
  readonly predictions: readonly {
    readonly index: number;
    readonly id: string;
    readonly name: string;
    readonly probability: number;
  }[];
  readonly logits?: readonly number[];
}

export interface Failed {
  readonly error: { readonly code: string; readonly message: string };
}

export type Result = Answered | Failed;

/** A picture by its number in the job. */
export interface Picture {
  readonly index: number;
  /** What messages call it. */
  readonly image: string;
  readonly path: string;
}

export interface ComputeOptions {
  readonly model: Model;
  readonly executor: Executor;
  /** Classes to keep. */
  readonly top: number;
  readonly logits: boolean;
}

/** The result of each picture, in order. Pictures are decoded ahead of the network, a few more than it has threads. */
export async function* computeResults(
  pictures: AsyncIterable<Picture> | Iterable<Picture>,
  { model, executor, top, logits: withLogits }: ComputeOptions,
): AsyncGenerator<{ picture: Picture; result: Result }, void, undefined> {
  const decode = ({ path, image }: Picture) => decodeImage(path, { name: image });
  const nameOf = ({ image }: Picture) => image;
  const concurrency = executor.threads + 3;
  for await (const answer of predict(pictures, { model, executor, decode, nameOf, concurrency })) {
    const { item: picture, logits, error } = answer;
    if (logits === null) {
      yield { picture, result: { error: faultOf(error as BitpathError, picture) } };
      continue;
    }
    const predictions = topK(logits, model.labels, top).map(({ index, id, name, probability }) => {
      return { index, id, name, probability };
    });
    yield { picture, result: withLogits ? { predictions, logits: Array.from(logits) } : { predictions } };
  }
}

/** Faults of the machine: the same picture may be read a minute later, and the next one cannot be read now either. */
const MACHINE = [
  'EMFILE',
  'ENFILE',
  'ENOMEM',
  'EIO',
  'ESTALE',
  'ENOTCONN',
  'ETIMEDOUT',
  'EHOSTDOWN',
  'ENODEV',
  'ENXIO',
];

/** What is recorded of a picture that cannot be read. Throws `ERR_BITPATH_BATCH_INPUT` where that is not the picture's fault. */
function faultOf({ code, message, cause }: BitpathError, { image }: Picture): Failed['error'] {
  if (isNodeError(cause) && MACHINE.includes(cause.code ?? '')) {
    const reason = `it cannot be read for now (${cause.message}); run the same command again once it can`;
    throw new BitpathError('ERR_BITPATH_BATCH_INPUT', { input: image, reason }, { cause });
  }
  return { code, message };
}
