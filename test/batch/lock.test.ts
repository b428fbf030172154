/** One writer at a time, and a dead one holds nothing. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { readlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { Journal } from '#lib/batch/journal.js';
import { takeLock } from '#lib/batch/lock.js';
import { ended, start, temporaryFolder } from '../cli/run.js';
import { batch, makeModel, makePictures } from './job.js';

const folder = temporaryFolder();
const path = join(folder, 'lock');
const write = (holder: object) => writeFileSync(path, JSON.stringify(holder));
const namespace = await readlink('/proc/self/ns/pid').catch(() => '');
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
      { host: hostname(), namespace, pid, started: '1', token: 'a' },
      { host: hostname(), namespace, pid: process.ppid, started: '1', token: 'a' },
      { host: hostname(), namespace, pid: process.pid, started: '', token: 'a' },
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

  it('of another container is respected alike, whatever its process’s number is here', async () => {
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    for (const number of [pid, process.pid, process.ppid, 1]) {
      for (const other of [{ namespace: 'pid:[1]' }, {}]) {
        write({ host: hostname(), ...other, pid: number, started: '1', token: 'a' });
        await assert.rejects(takeLock(path, 'out'), isLocked);
      }
      const past = new Date(Date.now() - 90_000);
      utimesSync(path, past, past);
      await (await takeLock(path, 'out')).release();
    }
  });

  it('that this very process has by another copy of the code is respected', async () => {
    const lock = await takeLock(path, 'out');
    const holder = JSON.parse(readFileSync(path, 'utf8'));
    await lock.release();
    if (holder.started === '') return; // nothing tells it from a dead process
    write({ ...holder, token: 'a' });
    await assert.rejects(takeLock(path, 'out'), isLocked);
    write({ ...holder, started: '1', token: 'a' });
    await (await takeLock(path, 'out')).release();
  });

  it('is another’s once that has taken it over: it is not removed, and nothing more is written', async () => {
    for (const holder of [{ host: 'elsewhere', namespace, pid: 1, started: '1', token: 'a' }, null]) {
      const lock = await takeLock(path, 'out');
      const journal = await Journal.open(join(folder, 'journal'), 'run', 5, lock.check);
      await journal.append(0, { predictions: [] });
      await journal.flush();
      const before = readFileSync(join(folder, 'journal'));
      if (holder === null) rmSync(path);
      else write(holder);
      await journal.append(1, { predictions: [] });
      const message = holder === null ? /this run’s lock is gone/ : /process 1 on elsewhere/;
      await assert.rejects(journal.flush(), { ...isLocked, message });
      await assert.rejects(lock.check(), isLocked);
      await journal.close();
      await lock.release();
      assert.deepEqual(readFileSync(join(folder, 'journal')), before);
      assert.equal(existsSync(path), holder !== null);
      for (const file of [path, join(folder, 'journal')]) rmSync(file, { force: true });
    }
  });

  it('takes away what killed runs have left beside it, and no living one’s', async () => {
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    const dead = { host: hostname(), namespace, pid, started: '1', token: 'a' };
    writeFileSync(`${path}.a`, JSON.stringify(dead));
    writeFileSync(`${path}.a.old`, JSON.stringify(dead));
    writeFileSync(`${path}.b`, JSON.stringify({ ...dead, host: 'elsewhere' }));
    writeFileSync(join(folder, 'locker'), '');
    await (await takeLock(path, 'out')).release();
    assert.deepEqual(readdirSync(folder).sort(), ['lock.b', 'locker']);
    for (const name of ['lock.b', 'locker']) rmSync(join(folder, name));
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

  it('the first, after a long sleep in which the second took it for dead: it gives up and leaves the lock alone', async () => {
    const first = start(['batch', '-m', 'small.safetensors', '-t', '1', 'pictures', '--out', 'slept.jsonl'], {
      cwd: folder,
    });
    const result = ended(first);
    const lock = join(folder, 'slept.jsonl.job/lock');
    while (!existsSync(lock)) await new Promise((resolve) => setTimeout(resolve, 5));
    first.kill('SIGSTOP');
    writeFileSync(lock, JSON.stringify({ host: 'elsewhere', namespace, pid: 7, started: '1', token: 'a' }));
    first.kill('SIGCONT');
    const { code, stderr } = await result;
    assert.equal(code, 1);
    assert.match(stderr, /slept\.jsonl: .*process 7 on elsewhere.*\(ERR_BITPATH_BATCH_LOCKED\)\n$/);
    assert.match(readFileSync(lock, 'utf8'), /elsewhere/);
    assert.ok(!existsSync(join(folder, 'slept.jsonl')));
  });
});
