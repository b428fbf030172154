import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The package's root folder, with a slash at its end. This file runs as out/test/build/root.js. */
export const root = fileURLToPath(new URL('../../../', import.meta.url));

/** Files under `folder` of the package whose name matches, relative to the package root, with forward slashes. */
export function filesUnder(folder: string, pattern: RegExp): string[] {
  return readdirSync(root + folder, { recursive: true, encoding: 'utf8' })
    .map((path) => `${folder}/${path.replaceAll('\\', '/')}`)
    .filter((path) => pattern.test(path))
    .sort();
}
