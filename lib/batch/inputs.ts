/** What a batch job is about: pictures by name, in a fixed order, one at a time. */
import { realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';
import { BitpathError } from '../errors.js';
import { globFiles, isPattern } from './glob.js';
import { readList } from './listFile.js';
import { walk } from './walk.js';

export interface Input {
  /** The name in the results: the path as a person would give it, in a list as it stands there. */
  readonly image: string;
  /** Where the file is, from the current folder. */
  readonly path: string;
  /** A list's own name of it, or null. */
  readonly id: string | null;
}

const PICTURE = /\.(jpe?g|png|webp|avif|gif|tiff?|svg)$/i;
const LIST = /\.(jsonl|ndjson)$/i;

/**
 * The pictures of each source in turn: those in a folder and the folders in it, by their names' endings; those of a list
 * (`.jsonl`); all files that a pattern matches; or a single picture. One that is named twice comes twice. What a folder or a
 * pattern finds of `out`'s own, itself and the folder of its job, is left out: it comes and goes.
 *
 * @throws `ERR_BITPATH_BATCH_INPUT` for a source that is none of these, cannot be read, or has no picture.
 */
export async function* listInputs(sources: readonly string[], out: string): AsyncGenerator<Input, void, undefined> {
  const isOwn = await ownFiles(out);
  for (const source of sources) {
    let count = 0;
    for await (const input of await open(source, isOwn)) {
      yield input;
      count++;
    }
    if (count === 0) throw new BitpathError('ERR_BITPATH_BATCH_INPUT', { input: source, reason: 'it has no pictures' });
  }
}

type Test = (path: string) => boolean | Promise<boolean>;

/** Whether a file is `out` or in the folder of its job, by whatever way its path leads there. */
async function ownFiles(out: string): Promise<Test> {
  const real = join(await realpath(dirname(out)), basename(out));
  const part = basename(out);
  return async (path) => {
    if (!path.includes(part)) return false;
    const file = join(await realpath(dirname(path)), basename(path));
    return file === real || file.startsWith(`${real}.job${sep}`);
  };
}

async function open(source: string, isOwn: Test): Promise<AsyncGenerator<Input, void, undefined>> {
  const info = await stat(source).catch(() => null);
  // A file of that name, brackets and all, is what was meant.
  if (info === null && isPattern(source)) return named(globFiles(source), '', isOwn);
  if (info?.isDirectory()) return named(walk(source), source, isOwn, PICTURE);
  if (info?.isFile() && LIST.test(source)) return readList(source);
  if (info?.isFile() && PICTURE.test(source)) return single(source);
  const reason = info === null ? 'there is no such file or folder' : 'it is no folder, no .jsonl list and no picture';
  throw new BitpathError('ERR_BITPATH_BATCH_INPUT', { input: source, reason });
}

async function* named(
  paths: AsyncIterable<string>,
  folder: string,
  isOwn: Test,
  pattern = /(?:)/,
): AsyncGenerator<Input, void, undefined> {
  const prefix = folder === '' || folder.endsWith('/') ? folder : `${folder}/`;
  for await (const path of paths) {
    if (!pattern.test(path) || (await isOwn(prefix + path))) continue;
    yield { image: prefix + path, path: prefix + path, id: null };
  }
}

async function* single(path: string): AsyncGenerator<Input, void, undefined> {
  yield { image: path, path, id: null };
}
