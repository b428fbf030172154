/** Files below a folder, in an order that no locale and no file system changes. */
import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { BitpathError, isNodeError } from '../errors.js';

/** Deeper trees are taken for mistakes. */
const MAX_DEPTH = 256;

export interface WalkOptions {
  /** Whether to go into a folder, by its path below the root (with slashes). */
  readonly enters?: (path: string) => boolean;
  /** Names with a leading dot too. */
  readonly dots?: boolean;
}

/**
 * Paths below `root` with slashes, of regular files and of links to them, by the code units of their names, a folder's files
 * where its name stands. Holds one folder's names a level. A link to a folder around it is left out: it would go round for ever.
 *
 * @throws `ERR_BITPATH_BATCH_INPUT` for a folder that cannot be read.
 */
export async function* walk(root: string, options: WalkOptions = {}): AsyncGenerator<string, void, undefined> {
  yield* walkFolder(root, '', [], options);
}

async function* walkFolder(
  root: string,
  below: string,
  ancestors: readonly string[],
  options: WalkOptions,
): AsyncGenerator<string, void, undefined> {
  const folder = below === '' ? root : `${root}/${below}`;
  let entries: Dirent[];
  let real: string;
  try {
    [entries, real] = await Promise.all([readdir(folder, { withFileTypes: true }), realpath(folder)]);
  } catch (cause) {
    const reason = `it cannot be read (${isNodeError(cause) ? cause.message : String(cause)})`;
    throw new BitpathError('ERR_BITPATH_BATCH_INPUT', { input: folder, reason }, { cause });
  }
  if (ancestors.some((ancestor) => `${ancestor}/`.startsWith(real === '/' ? real : `${real}/`))) return;
  if (ancestors.length > MAX_DEPTH) {
    throw new BitpathError('ERR_BITPATH_BATCH_INPUT', { input: folder, reason: 'folders are nested too deep' });
  }
  const { enters = () => true, dots = false } = options;
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    if (!dots && entry.name.startsWith('.')) continue;
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    // A link that leads nowhere is no file; whoever asked for it by name hears so when it is opened.
    const info = entry.isSymbolicLink() ? await stat(`${root}/${path}`).catch(() => null) : entry;
    if (info?.isFile()) yield path;
    else if (info?.isDirectory() && enters(path)) yield* walkFolder(root, path, [...ancestors, real], options);
  }
}
