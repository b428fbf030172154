/** Where the package lies, its addon, models and package.json; and what that says of it. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

let root: string | undefined;
let version: string | undefined;

/**
 * The package's folder, with a separator at its end. Code that a bundler has copied elsewhere finds it as any module there would
 * find `bitpath`.
 */
export function packageRoot(): string {
  root ??= find();
  return root;
}

/** The package's own version. */
export function packageVersion(): string {
  version ??= (JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as { version: string }).version;
  return version;
}

function find(): string {
  // Bundles in CommonJS form have no import.meta.url.
  const here = import.meta.url ?? pathToFileURL(join(process.cwd(), 'bundle.cjs')).href;
  const parent = fileURLToPath(new URL('..', here));
  if (isPackage(parent)) return parent;
  try {
    return dirname(createRequire(here).resolve('bitpath/package.json')) + sep;
  } catch {
    return parent; // whoever needs a file of the package says which one is missing
  }
}

function isPackage(folder: string): boolean {
  try {
    return (JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { name?: unknown }).name === 'bitpath';
  } catch {
    return false;
  }
}
