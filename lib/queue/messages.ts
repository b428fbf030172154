/** What goes through the queue: names of pictures one way, results the other. Neither side believes the other. */
import type { Identity } from '../batch/identity.js';
import type { Columns } from '../batch/formats/index.js';
import type { Picture, Result } from '../batch/result.js';
import { describe } from '../check.js';
import { BitpathError, type ErrorCode, ERRORS } from '../errors.js';

const CHUNK_SCHEMA = 'bitpath.chunk/1';

/** What the results depend on; the format of the output is the collector's alone. */
export type WorkIdentity = Omit<Identity, 'format'>;

export interface Chunk {
  readonly identity: WorkIdentity;
  /** Whether the paths are below each side's own `--root`. */
  readonly rooted: boolean;
  readonly pictures: readonly Picture[];
}

export interface ChunkResult {
  readonly results: readonly (readonly [index: number, result: Result])[];
}

/** As JSON; a path that is the picture's name is not said twice. */
export function encodeChunk({ identity, rooted, pictures }: Chunk): object {
  const rows = pictures.map(({ index, image, path }) => (path === image ? [index, image] : [index, image, path]));
  return { schema: CHUNK_SCHEMA, identity, rooted, pictures: rows };
}

/** Throws `ERR_BITPATH_QUEUE` for what no `bitpath batch` of this version sends. */
export function decodeChunk(queue: string, data: unknown): Chunk {
  const { schema, identity, rooted, pictures } = (data ?? {}) as Record<string, unknown>;
  const fail = (reason: string) => new BitpathError('ERR_BITPATH_QUEUE', { queue, reason });
  if (schema !== CHUNK_SCHEMA) throw fail(`expected a job of form ${CHUNK_SCHEMA} but received ${describe(schema)}`);
  const { model, top, logits, bitpath, decoder } = (identity ?? {}) as Partial<WorkIdentity>;
  const isIdentity =
    typeof model?.name === 'string' &&
    typeof model.digest === 'string' &&
    Number.isInteger(top) &&
    typeof logits === 'boolean' &&
    typeof bitpath === 'string' &&
    typeof decoder === 'string';
  if (!isIdentity || typeof rooted !== 'boolean' || !Array.isArray(pictures))
    throw fail('a job lacks some of its fields');
  return {
    identity: identity as WorkIdentity,
    rooted,
    pictures: pictures.map((row: unknown): Picture => {
      const [index, image, path = image] = Array.isArray(row) ? (row as unknown[]) : [];
      if (Number.isInteger(index) && typeof image === 'string' && typeof path === 'string' && path !== '') {
        return { index: index as number, image, path };
      }
      throw fail(`a job has ${describe(row)} as a picture`);
    }),
  };
}

/**
 * The results that a worker returned, and of them what a result has; `columns` says of how many classes. Throws
 * `ERR_BITPATH_QUEUE`.
 */
export function decodeResults(queue: string, data: unknown, columns: Columns): ChunkResult['results'] {
  const { results } = (data ?? {}) as { results?: unknown };
  const fail = () =>
    new BitpathError('ERR_BITPATH_QUEUE', { queue, reason: 'a worker returned something that is no result' });
  if (!Array.isArray(results)) throw fail();
  return results.map((row: unknown): [number, Result] => {
    const [index, value] = Array.isArray(row) ? (row as unknown[]) : [];
    const result = decodeResult(value, columns);
    if (!Number.isInteger(index) || result === null) throw fail();
    return [index as number, result];
  });
}

function decodeResult(value: unknown, { top, logits: classes }: Columns): Result | null {
  const { predictions, logits, error } = (value ?? {}) as Record<string, unknown>;
  if (error !== undefined) {
    const { code, message } = (error ?? {}) as Record<string, unknown>;
    const isError = typeof code === 'string' && Object.hasOwn(ERRORS, code) && typeof message === 'string';
    return isError ? { error: { code, message } } : null;
  }
  if (!Array.isArray(predictions) || predictions.length !== top) return null;
  const checked = predictions.map((prediction: unknown) => {
    const { index, id, name, probability } = (prediction ?? {}) as Record<string, unknown>;
    const isOne =
      Number.isInteger(index) && typeof id === 'string' && typeof name === 'string' && isFigure(probability);
    return isOne ? { index: index as number, id, name, probability } : null;
  });
  if (!checked.every((prediction) => prediction !== null)) return null;
  if (classes === 0) return { predictions: checked };
  const isAll = Array.isArray(logits) && logits.length === classes && logits.every(isFigure);
  return isAll ? { predictions: checked, logits: logits as number[] } : null;
}

/** What is no number is null in JSON, also in the job's own journal. */
function isFigure(value: unknown): value is number {
  return typeof value === 'number' || value === null;
}

/** An error as the one text that a job keeps of it. */
export function encodeFailure(error: unknown): string {
  if (error instanceof BitpathError) return `${error.message} (${error.code})`;
  return error instanceof Error ? error.message : String(error);
}

/** The error that the text was made of; one of the queue where it was none of ours. */
export function decodeFailure(queue: string, text: string): BitpathError {
  const [, message = text, code = ''] = /^(.*) \((ERR_BITPATH_\w+)\)$/s.exec(text) ?? [];
  if (!Object.hasOwn(ERRORS, code)) {
    return new BitpathError('ERR_BITPATH_QUEUE', { queue, reason: `a worker gave a job up (${text})` });
  }
  const error = new BitpathError(code as ErrorCode);
  error.message = message;
  return error;
}
