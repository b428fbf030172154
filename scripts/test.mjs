// Runs the compiled tests. Node 20's test runner takes no glob and later ones take no folder, so this names the files.
//   node scripts/test.mjs [text …]   only the files whose path contains one of the texts
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const filters = process.argv.length > 2 ? process.argv.slice(2) : [''];

const files = readdirSync(`${root}out/test`, { recursive: true, encoding: 'utf8' })
  .map((path) => `out/test/${path.replaceAll('\\', '/')}`)
  .filter((path) => path.endsWith('.test.js') && filters.some((text) => path.includes(text)))
  .sort();

if (files.length === 0) {
  console.error(`error: no compiled test matches ${filters.join(', ')}`);
  process.exitCode = 1;
} else {
  // Node's default leaves one core idle, which is half of two.
  const concurrency = `--test-concurrency=${availableParallelism()}`;
  const run = spawnSync(process.execPath, ['--test', '--test-reporter=spec', concurrency, ...files], {
    cwd: root,
    stdio: 'inherit',
  });
  process.exitCode = run.status ?? 1;
}
