/** What is found out about one picture: a function of its file, the model and the options, whoever computes it. */
import { resolve } from 'node:path';
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
  /** What a worker calls itself. A file that it does not see says more of it than of the picture, and is no result. */
  readonly worker?: string;
}

/** The result of each picture, in order. Pictures are decoded ahead of the network, a few more than it has threads. */
export async function* computeResults(
  pictures: AsyncIterable<Picture> | Iterable<Picture>,
  { model, executor, top, logits: withLogits, worker }: ComputeOptions,
): AsyncGenerator<{ picture: Picture; result: Result }, void, undefined> {
  // Resolved, since a file may be called `file:a.jpg` and that is no URL.
  const decode = ({ path, image }: Picture) => decodeImage(resolve(path), { name: image });
  const nameOf = ({ image }: Picture) => image;
  const concurrency = executor.threads + 3;
  for await (const answer of predict(pictures, { model, executor, decode, nameOf, concurrency })) {
    const { item: picture, logits, error } = answer;
    if (logits === null) {
      yield { picture, result: { error: faultOf(error as BitpathError, picture, worker) } };
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

/** What a worker meets that has another file system than the batch, or other rights. */
const UNSEEN = ['ENOENT', 'ENOTDIR', 'EACCES'];

/** What is recorded of a picture that cannot be read. Throws `ERR_BITPATH_BATCH_INPUT` where that is not the picture's fault. */
function faultOf({ code, message, cause }: BitpathError, { image }: Picture, worker?: string): Failed['error'] {
  const system = isNodeError(cause) ? (cause.code ?? '') : '';
  const fail = (reason: string) => new BitpathError('ERR_BITPATH_BATCH_INPUT', { input: image, reason }, { cause });
  if (MACHINE.includes(system)) {
    throw fail(`it cannot be read for now (${(cause as Error).message}); run the same command again once it can`);
  }
  if (worker !== undefined && UNSEEN.includes(system)) {
    throw fail(`${worker} cannot read it (${(cause as Error).message}); if nobody can, run the batch without --queue`);
  }
  return { code, message };
}
