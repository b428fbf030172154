/** Faults of offline jobs have tests of their own: they are run, and counted. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from '../service/save.js';
import { type Fault, hold } from './fault.js';

/** @param tests Names of files in test/batch/. */
export function jobs(...tests: readonly string[]): Fault {
  return async () => {
    const files = tests.map((name) => join(root, `out/test/batch/${name}.test.js`));
    const run = spawnSync(process.execPath, ['--test', '--test-reporter=tap', ...files], {
      cwd: root,
      encoding: 'utf8',
    });
    const count = (name: string) => Number(new RegExp(`^# ${name} (\\d+)$`, 'm').exec(run.stdout)?.[1] ?? Number.NaN);
    const counts = { tests: count('tests'), passed: count('pass'), failed: count('fail'), skipped: count('skipped') };
    const names = [...run.stdout.matchAll(/^ *ok \d+ - (.*)$/gm)].map(([, name = '']) => name);
    const output = run.stdout.slice(-2000);
    hold(run.status === 0 && counts.failed === 0 && counts.passed > 0, `${tests.join(', ')} pass:\n${output}`);
    // What was left out has not held.
    hold(counts.skipped === 0, `nothing of ${tests.join(', ')} is skipped:\n${output}`);
    return { counts, held: names };
  };
}
