/** A batch job on the disk: begun, gone on with, finished. Who computes the results is no matter here. */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, rename, rm, rmdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { BitpathError } from '../errors.js';
import { syncFolder, writing } from './disk.js';
import { type Columns, openWriter } from './formats/index.js';
import { difference, type Identity } from './identity.js';
import { listInputs } from './inputs.js';
import { Journal } from './journal.js';
import { type Lock, takeLock } from './lock.js';
import { type Manifest, MANIFEST_SCHEMA, readManifest, writeManifest } from './manifest.js';
import type { Picture, Result } from './result.js';
import { compareSnapshot, digestInputs, readSnapshot, writeSnapshot } from './snapshot.js';

export interface JobOptions {
  /** Folders, lists, patterns, pictures. */
  readonly sources: readonly string[];
  readonly out: string;
  readonly identity: Identity;
  readonly columns: Columns;
  /** Forgets what an earlier run computed, and replaces its output. */
  readonly restart: boolean;
}

/** Files of the job, in a folder beside the output. */
function jobFiles(out: string) {
  const folder = `${out}.job`;
  return {
    folder,
    lock: join(folder, 'lock'),
    manifest: join(folder, 'manifest.json'),
    inputs: join(folder, 'inputs.jsonl'),
    journal: join(folder, 'journal'),
    output: join(folder, `${basename(out)}.tmp`),
  };
}

export type JobSummary = NonNullable<Manifest['results']>;

/**
 * An open job. Between runs it is a folder beside the output: `manifest.json` says what it is, `inputs.jsonl` its pictures,
 * `journal` the results so far, in any order; `lock` is there while somebody writes. At the end only the manifest stays.
 */
export class BatchJob {
  readonly #options: JobOptions;
  readonly #files: ReturnType<typeof jobFiles>;
  readonly #lock: Lock;
  readonly #manifest: Manifest;
  /** Null once the job is complete. */
  readonly #journal: Journal | null;

  private constructor(options: JobOptions, lock: Lock, manifest: Manifest, journal: Journal | null) {
    this.#options = options;
    this.#files = jobFiles(options.out);
    this.#lock = lock;
    this.#manifest = manifest;
    this.#journal = journal;
  }

  /**
   * Opens the job of `out`, a new one where there is none.
   *
   * @throws `ERR_BITPATH_BATCH_LOCKED`, `ERR_BITPATH_BATCH_CHANGED` where model, options or pictures are not those that it was
   *   begun with, `ERR_BITPATH_BATCH_INPUT`, `ERR_BITPATH_BATCH_OUTPUT` also for an output that no job has made,
   *   `ERR_BITPATH_DISK_FULL`.
   */
  static async open(options: JobOptions): Promise<BatchJob> {
    const { out, restart } = options;
    const files = jobFiles(out);
    if (!(await isFolder(dirname(out)))) {
      throw new BitpathError('ERR_BITPATH_BATCH_OUTPUT', { file: out, reason: 'its folder is not there' });
    }
    await writing(out, () => mkdir(files.folder, { recursive: true }));
    let lock: Lock | null = null;
    try {
      lock = await takeLock(files.lock, out);
      if (restart) await forget(files);
      const found = restart ? null : await readManifest(files.manifest);
      const manifest = found === null ? await begin(options, files) : await goOn(options, files, found);
      const { run, inputs, state } = manifest;
      if (state === 'complete') await rmLeftovers(files);
      const journal = state === 'complete' ? null : await Journal.open(files.journal, run, inputs.count, lock.check);
      return new BatchJob(options, lock, manifest, journal);
    } catch (error) {
      await lock?.release();
      await rmdir(files.folder).catch(() => {}); // where nothing has come of it
      throw error;
    }
  }

  /** Of this job and no other, whatever is begun anew. */
  get run(): string {
    return this.#manifest.run;
  }

  /** What its results have. */
  get columns(): Columns {
    return this.#options.columns;
  }

  get total(): number {
    return this.#manifest.inputs.count;
  }

  get done(): number {
    return this.#journal?.done ?? this.total;
  }

  /** What the output says, once it is written. */
  get summary(): JobSummary | null {
    return this.#manifest.results ?? null;
  }

  /** Bytes of half-written records that a crash had left. */
  get droppedBytes(): number {
    return this.#journal?.droppedBytes ?? 0;
  }

  has(index: number): boolean {
    return this.#journal?.has(index) ?? true;
  }

  /** All pictures in order. */
  async *pictures(): AsyncGenerator<Picture & { readonly id: string | null }, void, undefined> {
    let index = 0;
    for await (const input of readSnapshot(this.#files.inputs)) yield { index: index++, ...input };
  }

  /** Those without a result. */
  async *pending(): AsyncGenerator<Picture, void, undefined> {
    if (this.#journal === null) return;
    for await (const picture of this.pictures()) {
      if (!this.#journal.has(picture.index)) yield picture;
    }
  }

  /** Takes a result; it is safe after {@link flush}, or a moment later. A second one for the same picture changes nothing. */
  async record(index: number, result: Result): Promise<void> {
    await this.#journal?.append(index, result);
  }

  async flush(): Promise<void> {
    await this.#journal?.flush();
  }

  /** Writes the output, once all pictures have a result: it appears whole. */
  async finish(): Promise<JobSummary> {
    const journal = this.#journal;
    if (journal === null) return this.summary as JobSummary;
    const { out } = this.#options;
    await this.#lock.check();
    const count = { answered: 0, failed: new Map<string, number>() };
    const bytes = await writing(out, () => this.#writeOutput(journal, count));
    const digest = await digestOf(out);
    const failed = Object.fromEntries([...count.failed].sort(([a], [b]) => (a < b ? -1 : 1)));
    const results = { bytes, digest, answered: count.answered, failed };
    await writeManifest(this.#files.manifest, { ...this.#manifest, state: 'complete', results });
    await rmLeftovers(this.#files);
    return results;
  }

  async #writeOutput(journal: Journal, count: { answered: number; failed: Map<string, number> }): Promise<number> {
    const { out, identity, columns } = this.#options;
    const file = await open(this.#files.output, 'w');
    let bytes: number;
    try {
      const writer = await openWriter(identity.format, file, columns);
      const results = journal.results();
      for await (const input of readSnapshot(this.#files.inputs)) {
        const { value } = await results.next();
        const result = value as Result;
        if ('error' in result) count.failed.set(result.error.code, (count.failed.get(result.error.code) ?? 0) + 1);
        else count.answered++;
        await writer.write(input, result);
      }
      bytes = await writer.end();
      await file.sync();
    } catch (error) {
      await file.close();
      await rm(this.#files.output, { force: true });
      throw error;
    }
    await file.close();
    await this.#lock.check();
    await rename(this.#files.output, out);
    await syncFolder(dirname(out));
    return bytes;
  }

  async close(): Promise<void> {
    await this.#journal?.close();
    await this.#lock.release();
  }

  /** For the way out, where nothing can be awaited any more. What was recorded and not flushed is computed again. */
  abandon(): void {
    this.#lock.releaseSync();
  }
}

type Files = ReturnType<typeof jobFiles>;

async function begin({ sources, out, identity, restart }: JobOptions, files: Files): Promise<Manifest> {
  if (!restart && (await stat(out).catch(() => null)) !== null) {
    const reason = 'it exists, and no batch job of it is known; --restart replaces it';
    throw new BitpathError('ERR_BITPATH_BATCH_OUTPUT', { file: out, reason });
  }
  const inputs = await writeSnapshot(files.inputs, listInputs(sources, out));
  const manifest: Manifest = { schema: MANIFEST_SCHEMA, state: 'running', run: randomUUID(), identity, inputs };
  await writeManifest(files.manifest, manifest);
  return manifest;
}

async function goOn(options: JobOptions, files: Files, found: Manifest): Promise<Manifest> {
  const { sources, out, identity } = options;
  const differs = difference(found.identity, identity);
  if (differs !== null) throw new BitpathError('ERR_BITPATH_BATCH_CHANGED', { out, ...differs });
  if (found.state === 'running') {
    await compareSnapshot(files.inputs, listInputs(sources, out), out);
    return found;
  }
  const { count, digest } = await digestInputs(listInputs(sources, out));
  if (digest !== found.inputs.digest) {
    const text = (list: { count: number; digest: string }) => `${list.count} (${list.digest.slice(0, 19)}…)`;
    const details = { out, what: 'the list of pictures', before: text(found.inputs), now: text({ count, digest }) };
    throw new BitpathError('ERR_BITPATH_BATCH_CHANGED', details);
  }
  const info = await stat(out).catch(() => null);
  // Whoever took the output away wants it made again.
  if (info === null) return begin(options, files);
  if (info.size !== found.results?.bytes || (await digestOf(out)) !== found.results.digest) {
    const reason = 'it has been changed since its batch job ended; --restart makes it anew';
    throw new BitpathError('ERR_BITPATH_BATCH_OUTPUT', { file: out, reason });
  }
  return found;
}

/** The manifest first: without it the others mean nothing. */
async function forget(files: Files): Promise<void> {
  await rm(files.manifest, { force: true });
  await rmLeftovers(files);
}

async function rmLeftovers({ inputs, journal, output }: Files): Promise<void> {
  for (const file of [journal, inputs, output]) await rm(file, { force: true });
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  const file = await open(path, 'r');
  try {
    for await (const chunk of file.createReadStream({ autoClose: false })) hash.update(chunk as Uint8Array);
  } finally {
    await file.close();
  }
  return `sha256:${hash.digest('hex')}`;
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isDirectory() ?? false;
}
