// Formats the C++ sources.
//   node scripts/clang-format.mjs           rewrites them
//   node scripts/clang-format.mjs --check   fails if one would change
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';

const VERSION = '14';
const check = process.argv.includes('--check');

const command = ['clang-format-14', 'clang-format'].find((name) => {
  const version = spawnSync(name, ['--version'], { encoding: 'utf8' }).stdout ?? '';
  return version.includes(`version ${VERSION}.`);
});

const files = ['native', 'test/native'].flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.(cpp|h|inl)$/.test(path))
    .map((path) => `${folder}/${path}`),
);

if (command === undefined) {
  const message = `clang-format ${VERSION} was not found (Debian 12: apt-get install clang-format)`;
  if (process.env.CI === 'true' || !check) {
    console.error(`error: ${message}`);
    process.exitCode = 1;
  } else {
    console.warn(`SKIPPED: ${files.length} C++ files were not checked, because ${message}`);
  }
} else if (files.length === 0) {
  console.error('error: no C++ file found; run this from the package root');
  process.exitCode = 1;
} else {
  const options = check ? ['--dry-run', '-Werror'] : ['-i'];
  process.exitCode = spawnSync(command, [...options, '--style=file', ...files], { stdio: 'inherit' }).status ?? 1;
  if (process.exitCode === 0) console.log(`${files.length} C++ files ${check ? 'are formatted' : 'formatted'}`);
}
