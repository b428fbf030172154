/** Builds and runs the native tests where CMake is. Where it is not this says so; CI sets BITPATH_REQUIRE_CMAKE. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { it } from 'node:test';
import { root } from './root.js';

function run(command: string, ...args: string[]): string {
  const child = spawnSync(command, args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 });
  assert.equal(child.status, 0, `${command} ${args.join(' ')}:\n${child.stdout}${child.stderr}`);
  return child.stdout;
}

const version = /cmake version (\d+)\.(\d+)/.exec(spawnSync('cmake', ['--version'], { encoding: 'utf8' }).stdout ?? '');
const usable = version !== null && (Number(version[1]) > 3 || Number(version[2]) >= 22);

it('native tests', { timeout: 600_000 }, (t) => {
  if (!usable) {
    assert.ok(!process.env['BITPATH_REQUIRE_CMAKE'], 'CMake 3.22 or later is required here and was not found');
    console.log('SKIPPED: the native tests need CMake 3.22 or later (Debian: apt-get install cmake)');
    t.skip('no CMake 3.22');
    return;
  }
  run('cmake', '--preset', 'dev');
  run('cmake', '--build', '--preset', 'dev');
  const output = run('ctest', '--preset', 'dev');
  const summary = /100% tests passed, 0 tests failed out of (\d+)/.exec(output);
  assert.ok(summary && Number(summary[1]) >= 6, output);
  t.diagnostic(`${summary[1]} groups of native tests`);
});
