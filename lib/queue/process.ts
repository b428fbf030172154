/** One chunk of pictures, as a worker computes it. */
import { isAbsolute, join, normalize, sep } from 'node:path';
import { computeResults, difference, type Picture } from '../batch/index.js';
import { BitpathError } from '../errors.js';
import type { Executor } from '../executor.js';
import type { Model } from '../model.js';
import type { Chunk, ChunkResult, WorkIdentity } from './messages.js';

/** What a worker is, as far as results depend on it. */
export type WorkerIdentity = Pick<WorkIdentity, 'bitpath' | 'decoder' | 'model'>;

export interface ProcessOptions {
  readonly identity: WorkerIdentity;
  readonly model: Model;
  /** The folder that paths are below, or null: paths are then the file system's. */
  readonly root: string | null;
}

/**
 * Throws `ERR_BITPATH_QUEUE_MISMATCH` naming the first thing that the worker has and the job does not want: another model,
 * another version, another idea of where paths begin. Trying again would not help.
 */
export function checkChunk({ identity, rooted }: Chunk, { identity: own, root }: ProcessOptions): void {
  const { top, logits } = identity;
  const differs = difference({ ...identity, format: 'jsonl' }, { ...own, top, logits, format: 'jsonl' });
  if (differs !== null) throw mismatch(differs.what, differs.now, differs.before);
  if (rooted !== (root !== null)) {
    throw mismatch('--root', root === null ? 'none' : JSON.stringify(root), rooted ? 'one' : 'none');
  }
}

function mismatch(what: string, worker: string, job: string): BitpathError {
  return new BitpathError('ERR_BITPATH_QUEUE_MISMATCH', { what, worker, job });
}

/** Computes the chunk on `executor`, calling `progressed` after each batch. */
export async function processChunk(
  chunk: Chunk,
  { model, root }: ProcessOptions,
  executor: Executor,
  progressed: (done: number) => Promise<void>,
): Promise<ChunkResult> {
  const { top, logits } = chunk.identity;
  const pictures = chunk.pictures.map((picture) => ({ ...picture, path: pathBelow(root, picture) }));
  const results: [number, ChunkResult['results'][number][1]][] = [];
  for await (const { picture, result } of computeResults(pictures, { model, executor, top, logits })) {
    results.push([picture.index, result]);
    if (results.length % executor.batch === 0) await progressed(results.length);
  }
  return { results };
}

/** Whoever can write to the queue names files: with a root, none outside it. */
function pathBelow(root: string | null, { path, image }: Picture): string {
  if (root === null) return path;
  const below = normalize(path);
  if (!isAbsolute(below) && below !== '..' && !below.startsWith(`..${sep}`)) return join(root, below);
  throw new BitpathError('ERR_BITPATH_QUEUE_MISMATCH', { what: '--root', worker: root, job: `${image}, outside it` });
}
