// The list of native sources, for binding.gyp and for the build id.
//   node scripts/native-sources.mjs            prints native/sources.txt, one path a line
//   node scripts/native-sources.mjs --inputs   prints every file that the build id covers
import { readdirSync, readFileSync, realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = new URL('../', import.meta.url);

/** Files that decide what the addon is. Anything else in native/ (notes, for one) does not make a binary stale. */
const HASHED = /\.(cpp|h|inl|inc|def|txt|map)$/;

/**
 * The .cpp files of native/sources.txt, relative to the package root, in its order.
 * @param {'core' | 'node'} [section] only this section; both if left out
 * @returns {string[]}
 */
export function nativeSources(section) {
  const sources = [];
  let current = '';
  for (const line of readFileSync(new URL('native/sources.txt', root), 'utf8').split(/\r?\n/)) {
    const entry = line.replace(/#.*/, '').trim();
    if (entry === '') continue;
    const heading = /^\[(core|node)\]$/.exec(entry);
    if (heading) current = heading[1];
    else if (!/^native\/[\w/-]+\.cpp$/.test(entry))
      throw new Error(`native/sources.txt: "${entry}" is no native/….cpp`);
    else if (current === '') throw new Error(`native/sources.txt: "${entry}" comes before the first [section]`);
    else if (section === undefined || section === current) sources.push(entry);
  }
  if (new Set(sources).size !== sources.length) throw new Error('native/sources.txt names a file twice');
  return sources;
}

/**
 * Every file that the build id covers, relative to the package root, sorted by code unit.
 * @returns {string[]}
 */
export function buildInputs() {
  const files = readdirSync(new URL('native/', root), { recursive: true, encoding: 'utf8' })
    .map((path) => `native/${path.replaceAll('\\', '/')}`)
    .filter((path) => HASHED.test(path));
  return [...files, 'binding.gyp'].sort();
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  console.log((process.argv[2] === '--inputs' ? buildInputs() : nativeSources()).join('\n'));
}
