/** The service's figures in docs/benchmark.md are what the committed results give, and nobody's typing. */
import { spawnSync } from 'node:child_process';
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';

it('docs/benchmark.md has the figures of the newest results of the service', () => {
  const script = fileURLToPath(new URL('../../bench/serving.js', import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
  assert.equal(status, 0, stdout + stderr);
});
