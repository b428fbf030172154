/** Labelled pictures: a `.bin` pack, or a folder with a folder of pictures for each class. Nothing is decoded here. */
import type { Dirent } from 'node:fs';
import { type FileHandle, open, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { checkInteger, checkOptions, checkString, nearest } from './check.js';
import { BitpathError, isNodeError } from './errors.js';
import { checkLabels, type Label } from './formats/model-file.js';

/** One picture with its class. */
export interface Sample {
  /** What a person would call it: its path, or the pack's path and `#` and its place there. */
  readonly name: string;
  /** Index of the class. */
  readonly label: number;
  /** The picture's file. */
  readonly bytes: Uint8Array;
}

/** Samples in a fixed order, read from disk as they are asked for. */
export interface Dataset {
  /** As it was given. */
  readonly path: string;
  /** A `.bin` pack, or a folder of folders. */
  readonly kind: 'pack' | 'folder';
  /** Number of samples, at least 1. */
  readonly size: number;
  /**
   * All samples in order, or `limit` of them, evenly spread over the whole (a folder's first ones are all of one class). Each
   * call reads anew. Throws `ERR_BITPATH_DATASET` where a file cannot be read.
   */
  samples(limit?: number): AsyncGenerator<Sample, void, undefined>;
}

/** What {@link openDataset} must know of the network. */
export interface DatasetOptions {
  /** Classes of the network, 1 … 2³¹ − 1. */
  readonly classes: number;
  /** Its labels, which the folders of classes are called after; null where it has none. */
  readonly labels: readonly Label[] | null;
}

/** Encoded pictures are far smaller. */
const MAX_IMAGE_BYTES = 2 ** 28;
const IMAGE_FILE = /\.(jpe?g|png|webp|avif|gif|tiff?|svg)$/i;
/** Folders within a class folder, such as Tiny-ImageNet's `images`; the bound is for links that go round in circles. */
const MAX_FOLDER_DEPTH = 4;

/**
 * Opens a data set and checks all that can be checked without decoding it.
 *
 * A folder holds one folder for each class, called after the label's id or one of its names (`n01443537`, `goldfish`); case
 * counts for nothing, and `_` is a space. Pictures may lie in folders below it. Files of other types and names with a leading
 * dot are passed over.
 *
 * A pack is little-endian: u32 count, then count × (u16 label, u32 byteLength), then the pictures' files back to back.
 *
 * @throws `ERR_BITPATH_DATASET` for a path that cannot be read, a pack whose lengths do not add up to its size exactly, a label
 *   that is no class, a folder that is called after none, or no picture at all; `ERR_BITPATH_ARGUMENT`,
 *   `ERR_BITPATH_UNKNOWN_OPTION`.
 */
export async function openDataset(path: string, options: DatasetOptions): Promise<Dataset> {
  checkString('path', path);
  checkOptions('options', options, ['classes', 'labels']);
  const classes = checkInteger('options.classes', options.classes, 1, 2 ** 31 - 1);
  const labels = options.labels === null ? null : checkLabels('options.labels', options.labels, classes);
  const info = await guard(path, () => stat(path));
  if (info.isDirectory()) return openFolder(path, labels);
  if (!info.isFile()) throw failure(path, 'it is neither a folder nor a regular file');
  return openPack(path, classes);
}

const COUNT_BYTES = 4;
const RECORD_BYTES = 6;

async function openPack(path: string, classes: number): Promise<Dataset> {
  const file = await guard(path, () => open(path));
  let fileBytes: number;
  let records: Buffer;
  try {
    fileBytes = (await guard(path, () => file.stat())).size;
    const count = (await readExactly(file, path, 0, COUNT_BYTES, 'the count')).readUInt32LE(0);
    if (count === 0) throw failure(path, 'it holds no pictures');
    // Compared before anything of that size is allocated.
    if (count * RECORD_BYTES > fileBytes - COUNT_BYTES) {
      throw failure(path, `${count} records do not fit into its ${fileBytes} bytes`);
    }
    records = await readExactly(file, path, COUNT_BYTES, count * RECORD_BYTES, 'the records');
  } finally {
    await file.close();
  }

  const count = records.length / RECORD_BYTES;
  const entry = (i: number) => ({
    label: records.readUInt16LE(i * RECORD_BYTES),
    bytes: records.readUInt32LE(i * RECORD_BYTES + 2),
  });
  const dataStart = COUNT_BYTES + records.length;
  let end = dataStart;
  for (let i = 0; i < count; i++) {
    const { label, bytes } = entry(i);
    if (label >= classes) throw failure(path, `picture ${i} has label ${label}, the network has ${classes} classes`);
    if (bytes === 0 || bytes > MAX_IMAGE_BYTES) throw failure(path, `picture ${i} has a length of ${bytes} bytes`);
    end += bytes;
  }
  if (end !== fileBytes) throw failure(path, `its pictures should end at byte ${end}, the file at ${fileBytes}`);

  return Object.freeze({
    path,
    kind: 'pack' as const,
    size: count,
    async *samples(limit = count) {
      checkInteger('limit', limit, 1, 2 ** 31 - 1);
      const file = await guard(path, () => open(path));
      try {
        let at = dataStart;
        for (let i = 0; i < count; i++) {
          const { label, bytes } = entry(i);
          if (isTaken(i, count, limit)) {
            yield { name: `${path}#${i}`, label, bytes: await readExactly(file, path, at, bytes, `picture ${i}`) };
          }
          at += bytes;
        }
      } finally {
        await file.close();
      }
    },
  });
}

async function openFolder(path: string, labels: readonly Label[] | null): Promise<Dataset> {
  if (labels === null) throw failure(path, 'the model has no labels to call folders after; use a pack');
  const folders = (await list(path)).filter((entry) => entry.isDirectory() || entry.isSymbolicLink());
  const classOf = classNames(labels);
  const files: { path: string; label: number }[] = [];
  for (const { name } of folders) {
    const label = classOf.get(normalise(name));
    if (label === undefined) {
      const guess = nearest(normalise(name), [...classOf.keys()]);
      const hint = guess === undefined ? '' : ` (did you mean ${guess}?)`;
      throw failure(path, `the folder ${JSON.stringify(name)} is called after no class of the model${hint}`);
    }
    for (const file of await imageFiles(join(path, name), MAX_FOLDER_DEPTH)) files.push({ path: file, label });
  }
  if (files.length === 0) throw failure(path, 'it holds no folder with pictures');

  return Object.freeze({
    path,
    kind: 'folder' as const,
    size: files.length,
    async *samples(limit = files.length) {
      checkInteger('limit', limit, 1, 2 ** 31 - 1);
      for (const [i, { path: file, label }] of files.entries()) {
        if (!isTaken(i, files.length, limit)) continue;
        yield { name: file, label, bytes: await guard(file, () => readFile(file)) };
      }
    },
  });
}

/** Whether item `i` of `count` is among `limit` evenly spread ones: 0 always is, and all are where `limit` reaches `count`. */
function isTaken(i: number, count: number, limit: number): boolean {
  if (limit >= count) return true;
  return Math.floor(((i - 1) * limit) / count) !== Math.floor((i * limit) / count);
}

/** Ids, whole names, and each comma-separated part of a name that only one class has. */
function classNames(labels: readonly Label[]): Map<string, number> {
  const names = new Map<string, number>();
  const shared = new Set<string>();
  labels.forEach(({ name }, label) => {
    for (const part of new Set(name.split(',').map(normalise))) {
      if (names.has(part)) shared.add(part);
      names.set(part, label);
    }
  });
  for (const name of shared) names.delete(name);
  for (const [label, { name }] of labels.entries()) names.set(normalise(name), label);
  for (const [label, { id }] of labels.entries()) names.set(normalise(id), label);
  return names;
}

function normalise(name: string): string {
  return name.trim().toLowerCase().replaceAll('_', ' ');
}

async function imageFiles(folder: string, depth: number): Promise<string[]> {
  const files: string[] = [];
  for (const entry of await list(folder)) {
    const path = join(folder, entry.name);
    const info = entry.isSymbolicLink() ? await guard(path, () => stat(path)) : entry;
    if (info.isFile() && IMAGE_FILE.test(entry.name)) files.push(path);
    if (info.isDirectory()) {
      if (depth === 0) throw failure(path, 'folders are nested too deep');
      files.push(...(await imageFiles(path, depth - 1)));
    }
  }
  return files;
}

/** Entries in order of their names' code units, which no locale changes; those with a leading dot left out. */
async function list(folder: string): Promise<Dirent[]> {
  const entries = await guard(folder, () => readdir(folder, { withFileTypes: true }));
  return entries.filter(({ name }) => !name.startsWith('.')).sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function readExactly(
  file: FileHandle,
  path: string,
  position: number,
  bytes: number,
  what: string,
): Promise<Buffer> {
  const buffer = Buffer.alloc(bytes);
  let done = 0;
  while (done < bytes) {
    const { bytesRead } = await guard(path, () => file.read(buffer, done, bytes - done, position + done));
    if (bytesRead === 0) throw failure(path, `it ends within ${what}`);
    done += bytesRead;
  }
  return buffer;
}

async function guard<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    throw failure(path, `it cannot be read (${isNodeError(cause) ? cause.message : String(cause)})`, cause);
  }
}

function failure(path: string, reason: string, cause?: unknown): BitpathError {
  return new BitpathError('ERR_BITPATH_DATASET', { path, reason }, { cause });
}
