import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { native } from '#lib/native.js';
import { bitpath } from './run.js';

describe('bitpath doctor', () => {
  it('passes on this machine and says what it is', async () => {
    const { code, stdout, stderr } = await bitpath(['doctor']);
    assert.equal(code, 0, stderr);
    assert.match(stdout, new RegExp(`^Node\\.js +${process.version}, ${process.platform}-${process.arch}`, 'm'));
    assert.match(stdout, /^self-test +passed: /m);
    for (const { name } of native().isas) assert.ok(stdout.includes(name), name);
    assert.doesNotMatch(stdout, /S C A L A R/);
  });

  it('says so in large letters where kernels are scalar', async () => {
    const { code, stdout } = await bitpath(['doctor'], { env: { BITPATH_ISA: 'scalar' } });
    assert.equal(code, 0);
    assert.match(stdout, /^S C A L A R {3}F A L L B A C K$/m);
  });

  it('fails, and still reports, where an instruction set is asked for that is not there', async () => {
    const { code, stdout } = await bitpath(['doctor', '--json'], { env: { BITPATH_ISA: 'mmx' } });
    assert.equal(code, 1);
    const report = JSON.parse(stdout);
    assert.equal(report.schema, 'bitpath.doctor/1');
    assert.equal(report.addon.code, 'ERR_BITPATH_ISA');
    assert.equal(report.healthy, false);
    assert.equal(report.node, process.version);
  });
});
