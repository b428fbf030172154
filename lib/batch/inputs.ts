/** What a batch job is about: pictures by name, in a fixed order, one at a time. */
import { stat } from 'node:fs/promises';
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
 * (`.jsonl`); all files that a pattern matches; or a single picture. One that is named twice comes twice.
 *
 * @throws `ERR_BITPATH_BATCH_INPUT` for a source that is none of these, cannot be read, or has no picture.
 */
export async function* listInputs(sources: readonly string[]): AsyncGenerator<Input, void, undefined> {
  for (const source of sources) {
    let count = 0;
    for await (const input of await open(source)) {
      yield input;
      count++;
    }
    if (count === 0) throw new BitpathError('ERR_BITPATH_BATCH_INPUT', { input: source, reason: 'it has no pictures' });
  }
}

async function open(source: string): Promise<AsyncGenerator<Input, void, undefined>> {
  const info = await stat(source).catch(() => null);
  // A file of that name, brackets and all, is what was meant.
  if (info === null && isPattern(source)) return named(globFiles(source), '');
  if (info?.isDirectory()) return named(walk(source), source, PICTURE);
  if (info?.isFile() && LIST.test(source)) return readList(source);
  if (info?.isFile() && PICTURE.test(source)) return single(source);
  const reason = info === null ? 'there is no such file or folder' : 'it is no folder, no .jsonl list and no picture';
  throw new BitpathError('ERR_BITPATH_BATCH_INPUT', { input: source, reason });
}

async function* named(
  paths: AsyncIterable<string>,
  folder: string,
  pattern = /(?:)/,
): AsyncGenerator<Input, void, undefined> {
  const prefix = folder === '' || folder.endsWith('/') ? folder : `${folder}/`;
  for await (const path of paths) {
    if (pattern.test(path)) yield { image: prefix + path, path: prefix + path, id: null };
  }
}

async function* single(path: string): AsyncGenerator<Input, void, undefined> {
  yield { image: path, path, id: null };
}
