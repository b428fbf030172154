// Runs the compiled tests. Node 20's test runner takes no glob and later ones take no folder, so this names the files.
//   node scripts/test.mjs [text]   only the files whose path contains `text`
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const filter = process.argv[2] ?? '';

const files = readdirSync(`${root}out/test`, { recursive: true, encoding: 'utf8' })
  .map((path) => `out/test/${path.replaceAll('\\', '/')}`)
  .filter((path) => path.endsWith('.test.js') && path.includes(filter))
  .sort();

if (files.length === 0) {
  console.error(`error: no compiled test matches "${filter}"`);
  process.exitCode = 1;
} else {
  const run = spawnSync(process.execPath, ['--test', '--test-reporter=spec', ...files], {
    cwd: root,
    stdio: 'inherit',
  });
  process.exitCode = run.status ?? 1;
}
