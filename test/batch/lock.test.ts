/** One writer at a time, and a dead one holds nothing. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { takeLock } from '#lib/batch/lock.js';
import { ended, start, temporaryFolder } from '../cli/run.js';
import { batch, makeModel, makePictures } from './job.js';

const folder = temporaryFolder();
const path = join(folder, 'lock');
const write = (holder: object) => writeFileSync(path, JSON.stringify(holder));
const isLocked = { code: 'ERR_BITPATH_BATCH_LOCKED' };

describe('lock', () => {
  it('is held once, and free again once released', async () => {
    const lock = await takeLock(path, 'out');
    await assert.rejects(takeLock(path, 'out'), { ...isLocked, message: new RegExp(`process ${process.pid} on`) });
    await lock.release();
    await (await takeLock(path, 'out')).release();
    assert.ok(!existsSync(path));
  });

  it('goes to one of many that want it at once', async () => {
    const tries = await Promise.allSettled(Array.from({ length: 20 }, () => takeLock(path, 'out')));
    const locks = tries.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    assert.equal(locks.length, 1);
    await locks[0]?.release();
    assert.deepEqual(readdirSync(folder), []);
  });

  it('of a dead process is taken over, also where its number lives on in another', async () => {
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    for (const holder of [
      { host: hostname(), pid, started: '1', token: 'a' },
      { host: hostname(), pid: process.ppid, started: '1', token: 'a' },
      { host: hostname(), pid: process.pid, started: '', token: 'a' },
      {},
    ]) {
      if (holder.pid === process.ppid && !existsSync('/proc/self/stat')) continue;
      write(holder);
      await (await takeLock(path, 'out')).release();
    }
    writeFileSync(path, '');
    await (await takeLock(path, 'out')).release();
  });

  it('of another machine is respected until that has been silent for a minute', async () => {
    write({ host: 'elsewhere', pid: 1, started: '1', token: 'a' });
    await assert.rejects(takeLock(path, 'out'), { ...isLocked, message: /process 1 on elsewhere/ });
    const past = new Date(Date.now() - 90_000);
    utimesSync(path, past, past);
    await (await takeLock(path, 'out')).release();
  });
});

describe('two runs at once', () => {
  before(() => Promise.all([makePictures(folder, 60), makeModel(folder)]));

  it('on one output: the second is refused, the first goes on', async () => {
    const args = ['batch', '-m', 'small.safetensors', '-t', '1', 'pictures', '--out', 'out.jsonl'];
    const first = start(args, { cwd: folder });
    const lock = join(folder, 'out.jsonl.job/lock');
    while (!existsSync(lock)) await new Promise((resolve) => setTimeout(resolve, 5));
    first.kill('SIGSTOP'); // or it may be done before the second has begun
    const second = await batch(folder, ['pictures', '--out', 'out.jsonl']);
    first.kill('SIGCONT');
    assert.equal(second.code, 1);
    assert.match(
      second.stderr,
      new RegExp(`out\\.jsonl: .*process ${first.pid} on .*\\(ERR_BITPATH_BATCH_LOCKED\\)\n$`),
    );
    assert.equal((await ended(first)).code, 3);
    assert.equal(readFileSync(join(folder, 'out.jsonl'), 'utf8').split('\n').length, 62);
  });
});
