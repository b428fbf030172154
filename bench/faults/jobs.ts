/** Faults of offline jobs have tests of their own: they are run, and counted. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../service/save.js';
import { type Fault, hold } from './fault.js';

/** @param tests Names of files in test/batch/. */
export function jobs(...tests: readonly string[]): Fault {
  return async () => {
    const files = tests.map((name) => join(root, `out/test/batch/${name}.test.js`));
    const missing = files.filter((file) => !existsSync(file));
    if (missing.length > 0) throw new MissingTests(tests.map((name) => `test/batch/${name}.test.ts`).join(', '));
    const run = spawnSync(process.execPath, ['--test', '--test-reporter=tap', ...files], {
      cwd: root,
      encoding: 'utf8',
    });
    const count = (name: string) => Number(new RegExp(`^# ${name} (\\d+)$`, 'm').exec(run.stdout)?.[1] ?? Number.NaN);
    const counts = { tests: count('tests'), passed: count('pass'), failed: count('fail'), skipped: count('skipped') };
    const names = [...run.stdout.matchAll(/^ *ok \d+ - (.*)$/gm)].map(([, name = '']) => name);
    hold(run.status === 0 && counts.failed === 0, `${tests.join(', ')} pass:\n${run.stdout.slice(-2000)}`);
    return { counts, held: names };
  };
}

/** This tree has no offline jobs. */
export class MissingTests extends Error {}
