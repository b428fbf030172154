/**
 * Where models come from: those named at the start, and a folder. A folder holds
 *
 *     <model>/<version>/model.safetensors
 *     <model>.safetensors                    version 1
 *
 * Names come from listings, never from requests: a request's name is looked up among what a listing gave.
 */
import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { BitpathError } from '../../errors.js';
import { DEFAULT_MODEL, shippedNames } from '../../model.js';
import type { ModelSettings } from '../config.js';

/** A version of a model that could be loaded. */
export interface ModelFile {
  readonly name: string;
  readonly version: string;
  /** What `loadModel` takes. */
  readonly path: string | URL;
  /** Another one after the file has changed. */
  readonly stamp: string;
  /** How it is served, where that is not as all others are. */
  readonly settings?: ModelSettings | undefined;
  /** Another file of the same name and version, which is left out. */
  readonly conflict?: BitpathError;
}

export interface ModelSource {
  list(): Promise<readonly ModelFile[]>;
}

const EXTENSION = '.safetensors';
const FILE = `model${EXTENSION}`;
const NAME = /^[A-Za-z0-9][\w.-]{0,127}$/;
const VERSION = /^[1-9]\d{0,8}$/;

/** A model named at the start. */
export interface NamedModel {
  readonly name?: string | undefined;
  /** A shipped model's name or a path. */
  readonly source: string;
  readonly version: string;
  readonly config?: ModelSettings | undefined;
}

/** What a model named at the start is called. */
export function nameOf({ name, source }: Pick<NamedModel, 'name' | 'source'>): string {
  return name ?? basename(source, EXTENSION);
}

/** Each version once, of the first file that there is. The models of `named` (the default one where nothing else is given), and those in `folder`. */
export function modelSource(named: readonly NamedModel[] | undefined, folder: string | null): ModelSource {
  const models = named ?? (folder === null ? [{ source: DEFAULT_MODEL, version: '1' }] : []);
  return {
    list: async () => {
      const files = [
        ...(await Promise.all(models.map(namedFile))),
        ...(folder === null ? [] : await listFolder(folder)),
      ];
      const versions = new Map<string, ModelFile>();
      for (const file of files) {
        const key = `${file.name}/${file.version}`;
        const first = versions.get(key);
        versions.set(key, first === undefined ? file : { ...first, conflict: twice(file) });
      }
      return [...versions.values()];
    },
  };
}

function twice({ name, version }: ModelFile): BitpathError {
  return new BitpathError('ERR_BITPATH_CONFIG', {
    file: 'models',
    key: name,
    expected: 'one model of a name and version',
    received: `two of version ${version}`,
  });
}

async function namedFile(model: NamedModel): Promise<ModelFile> {
  const { source, version, config: settings } = model;
  const isShipped = (await shippedNames()).includes(source);
  // A file that is not there has no stamp; loading it says what is wrong.
  const stamp = isShipped ? 'shipped' : await stampOf(source).catch(() => '');
  return { name: nameOf(model), version, path: source, stamp, settings };
}

async function listFolder(folder: string): Promise<ModelFile[]> {
  const entries = await readdir(folder).catch((cause) => {
    throw new BitpathError(
      'ERR_BITPATH_CONFIG',
      {
        file: folder,
        key: 'model_repository',
        expected: 'a folder that can be read',
        received: (cause as Error).message,
      },
      { cause },
    );
  });
  const found = await Promise.all(
    entries.sort().map(async (entry): Promise<ModelFile[]> => {
      if (entry.endsWith(EXTENSION)) {
        const name = basename(entry, EXTENSION);
        return NAME.test(name) ? fileAt(name, '1', join(folder, entry)) : [];
      }
      if (!NAME.test(entry)) return [];
      const versions = await readdir(join(folder, entry)).catch(() => []);
      const files = versions
        .filter((version) => VERSION.test(version))
        .map((version) => fileAt(entry, version, join(folder, entry, version, FILE)));
      return (await Promise.all(files)).flat();
    }),
  );
  return found.flat();
}

/** The model at `path`, or nothing where there is no file: a version's folder appears before its file does. */
async function fileAt(name: string, version: string, path: string): Promise<ModelFile[]> {
  try {
    return [{ name, version, path: pathToFileURL(path), stamp: await stampOf(path) }];
  } catch {
    return [];
  }
}

async function stampOf(path: string): Promise<string> {
  const info = await stat(path);
  if (!info.isFile()) throw new Error('not a regular file');
  return `${info.dev}:${info.ino}:${info.size}:${info.mtimeMs}`;
}
