/** One chunk of pictures, as a worker computes it. */
import { readdir, realpath } from 'node:fs/promises';
import { hostname } from 'node:os';
import { isAbsolute, normalize, resolve, sep } from 'node:path';
import { computeResults, difference, type Picture } from '../batch/index.js';
import { describe } from '../check.js';
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

/**
 * Throws `ERR_BITPATH_ARGUMENT` for a root that is no folder or has nothing in it, as a mount that was forgotten: whatever is
 * asked for would be missing.
 */
export async function checkRoot(root: string): Promise<void> {
  const names = await readdir(root).catch((cause: Error) => cause);
  if (Array.isArray(names) && names.length > 0) return;
  const received = `${describe(root)}, ${Array.isArray(names) ? 'which is empty' : `which cannot be read (${names.message})`}`;
  throw new BitpathError('ERR_BITPATH_ARGUMENT', { argument: '--root', expected: 'a folder of pictures', received });
}

/** Computes the chunk on `executor`, calling `progressed` after each batch. */
export async function processChunk(
  chunk: Chunk,
  { model, root }: ProcessOptions,
  executor: Executor,
  progressed: (done: number) => Promise<void>,
): Promise<ChunkResult> {
  const { top, logits } = chunk.identity;
  const worker = `worker ${process.pid} on ${hostname()}, ${root === null ? 'without --root' : `--root ${root}`},`;
  const real = root === null ? null : await realpath(root).catch(() => resolve(root));
  const pictures = await Promise.all(
    chunk.pictures.map(async (picture) => ({ ...picture, path: await pathBelow(root, real, picture) })),
  );
  const results: [number, ChunkResult['results'][number][1]][] = [];
  for await (const { picture, result } of computeResults(pictures, { model, executor, top, logits, worker })) {
    results.push([picture.index, result]);
    if (results.length % executor.batch === 0) await progressed(results.length);
  }
  return { results };
}

/** Whoever can write to the queue names files: with a root, none outside it, by its name or through links. */
async function pathBelow(root: string | null, real: string | null, { path, image }: Picture): Promise<string> {
  if (root === null || real === null) return path;
  const outside = () =>
    new BitpathError('ERR_BITPATH_QUEUE_MISMATCH', { what: '--root', worker: root, job: `${image}, outside it` });
  const below = normalize(path);
  if (isAbsolute(below) || below === '..' || below.startsWith(`..${sep}`)) throw outside();
  // Not `join`, which leaves a path that begins with `file:` as it is below the root `.`.
  const named = resolve(real, below);
  // What is not there says so when it is opened.
  const file = await realpath(named).catch(() => named);
  if (!file.startsWith(real.endsWith(sep) ? real : real + sep)) throw outside();
  return file;
}
