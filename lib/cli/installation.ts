/** What is installed here, for bug reports and for programs that ask. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import type { Isa } from '../native.js';
import { codeAndMessage } from './output.js';

export interface Addon {
  /** In the package. */
  readonly path: string;
  readonly buildId: string;
  /** The one that is used where nobody asks for another. */
  readonly isa: Isa;
  readonly isas: readonly { readonly name: Isa; readonly supported: boolean }[];
}

/** A part of the report, or why there is none. */
export type Found<T> = T | { readonly code: string; readonly message: string };

export interface Installation {
  /** Versions. */
  readonly bitpath: string;
  readonly node: string;
  /** Of Node-API, the newest that this Node has. */
  readonly napi: number;
  /** Such as `linux-x64`. */
  readonly platform: string;
  readonly libc: string | null;
  /** Versions of the optional ones; null where they are not installed. */
  readonly packages: Readonly<Record<string, string | null>>;
  readonly addon: Found<Addon>;
}

export async function findInstallation(): Promise<Installation> {
  const [{ libc }, { packageVersion }] = await Promise.all([import('../native.js'), import('../root.js')]);
  const { platform, arch, version: node, versions } = process;
  return {
    bitpath: packageVersion(),
    node,
    napi: Number(versions.napi),
    platform: `${platform}-${arch}`,
    libc: libc(),
    packages: Object.fromEntries(['sharp', 'onnxruntime-node'].map((name) => [name, installed(name)])),
    addon: await attempt(findAddon),
  };
}

export async function attempt<T>(work: () => Promise<T>): Promise<Found<T>> {
  try {
    return await work();
  } catch (error) {
    return codeAndMessage(error);
  }
}

async function findAddon(): Promise<Addon> {
  const [{ native }, { packageRoot }] = await Promise.all([import('../native.js'), import('../root.js')]);
  const { buildId, isas, selectIsa } = native();
  const root = packageRoot();
  const finder = createRequire(join(root, 'package.json'))('node-gyp-build') as { resolve(root: string): string };
  return { path: relative(root, finder.resolve(root)), buildId, isa: selectIsa(process.env.BITPATH_ISA ?? null), isas };
}

/** The version of a package beside ours; null where there is none. Not every package lets its package.json be required. */
function installed(name: string): string | null {
  try {
    const entry = createRequire(import.meta.url).resolve(name);
    const folder = entry.slice(0, entry.lastIndexOf(join('node_modules', name)) + join('node_modules', name).length);
    return (JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string }).version;
  } catch {
    return null;
  }
}
