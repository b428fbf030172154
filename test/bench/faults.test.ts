/** A fault that was not tried has not been survived. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { root, temporaryFolder } from '../cli/run.js';

describe('npm run fault', () => {
  it('EXPECTED FAILURE redis, where there is no redis-server', () => {
    const folder = temporaryFolder();
    symlinkSync(process.execPath, join(folder, 'node'));
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const run = spawnSync(process.execPath, [join(root, 'out/bench/faults.js'), 'redis', '--no-save'], {
      cwd: root,
      encoding: 'utf8',
      env: { ...env, PATH: folder },
    });
    assert.equal(run.status, 1, run.stdout + run.stderr);
    assert.match(run.stderr, /not so: (nothing of )?queue (pass|is skipped):/);
    assert.match(run.stderr, /redis-server is not installed/);
  });
});
