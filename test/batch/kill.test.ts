/** A job that is killed at any moment and run again gives what an undisturbed one gives, without computing anything twice. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { root, start, temporaryFolder } from '../cli/run.js';
import { batch, has, makeModel, makePictures } from './job.js';

const COUNT = 40;
const folder = temporaryFolder();

/** Numbers in [0, 1) that are the same each time. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

describe('kill -9', () => {
  before(async () => {
    await Promise.all([makePictures(folder, COUNT), makeModel(folder)]);
  });

  for (const [seed, format] of [
    [1, 'jsonl'],
    [2, 'csv'],
    [3, 'parquet'],
  ] as const) {
    it(`at random moments, seed ${seed}: the same ${format}`, async () => {
      const plain = await batch(folder, ['pictures', '--out', `plain.${format}`]);
      assert.equal(plain.code, 3, plain.stderr);
      const expected = readFileSync(join(folder, `plain.${format}`));
      const out = `killed.${format}`;
      const args = ['batch', '-m', 'small.safetensors', '-t', '1', '-b', '2', 'pictures', '--out', out];
      const next = random(seed);
      let kills = 0;
      for (let round = 0; round < 4 && !has(folder, out); round++) {
        const child = start(args, { cwd: folder });
        const closed = new Promise<NodeJS.Signals | null>((resolve) =>
          child.on('close', (_, signal) => resolve(signal)),
        );
        const started = async () => {
          while (!has(folder, `${out}.job`) && child.exitCode === null) await sleep(1);
          await sleep(next() * 25 * (round + 1)); // 40 pictures take about 200 ms
          return 'kill' as const;
        };
        const done = await Promise.race([closed, started()]);
        if (done === 'kill' && child.kill('SIGKILL')) kills += Number((await closed) === 'SIGKILL');
      }
      assert.ok(kills > 0, 'no round was killed');
      const last = await batch(folder, ['pictures', '--out', out]);
      assert.equal(last.code, 3, last.stderr);
      assert.deepEqual(readFileSync(join(folder, out)), expected);
    });
  }
});

/** A job without a network: results are made up, each is on the disk before the next. Prints the numbers that it computed. */
const RUN = `
  const { BatchJob } = await import(${JSON.stringify(new URL('dist/batch/index.js', `file://${root}`).href)});
  const identity = { bitpath: '1', decoder: '1', model: { name: 'm', digest: 'd' }, top: 1, logits: false, format: 'jsonl' };
  const columns = { top: 1, logits: 0 };
  const job = await BatchJob.open({ sources: ['list.jsonl'], out: 'turn.jsonl', identity, columns, restart: false });
  for await (const { index, image } of job.pending()) {
    await job.record(index, { predictions: [{ index, id: image, name: image, probability: 1 }] });
    await job.flush();
    process.stdout.write(index + ' ');
  }
  await job.finish();
  await job.close();`;

/** Kills the process right after its n-th write or sync, a moment that no timer hits. */
const killAfter = (n: number) => `
  const { open } = await import('node:fs/promises');
  const file = await open(process.execPath);
  const prototype = Object.getPrototypeOf(file);
  await file.close();
  let left = ${n};
  for (const name of ['write', 'writeFile', 'sync', 'datasync', 'truncate']) {
    const original = prototype[name];
    prototype[name] = async function (...args) {
      const result = await original.apply(this, args);
      if (--left === 0) process.kill(process.pid, 'SIGKILL');
      return result;
    };
  }`;

function runJob(cwd: string, before = ''): { signal: NodeJS.Signals | null; computed: number[]; stderr: string } {
  const args = ['--input-type=module', '-e', before + RUN];
  const { signal, stdout, stderr } = spawnSync(process.execPath, args, { cwd, encoding: 'utf8' });
  return { signal, stderr, computed: stdout.split(' ').filter(Boolean).map(Number) };
}

describe('a death after each write in turn', () => {
  it('loses at most the result under way, computes no other twice, and gives the same bytes', () => {
    const pictures = ['a', 'b', 'c', 'd', 'e'];
    let expected: string | null = null;
    let deaths = 0;
    for (let n = 0; ; n++) {
      const cwd = mkdtempSync(join(folder, 'turn-'));
      writeFileSync(join(cwd, 'list.jsonl'), pictures.map((image) => `{"image":"${image}"}\n`).join(''));
      const killed = n === 0 ? null : runJob(cwd, killAfter(n));
      const last = runJob(cwd);
      assert.equal(last.signal, null);
      assert.equal(last.stderr, '', `after ${n} writes`);
      const output = readFileSync(join(cwd, 'turn.jsonl'), 'utf8');
      expected ??= output;
      assert.equal(output, expected, `after ${n} writes`);
      const twice = last.computed.filter((index) => killed?.computed.includes(index));
      assert.deepEqual(twice, [], `after ${n} writes`);
      assert.deepEqual(readdirSync(join(cwd, 'turn.jsonl.job')), ['manifest.json']);
      if (n === 0) continue;
      if (killed?.signal !== 'SIGKILL') break;
      deaths++;
    }
    assert.ok(deaths >= 15, `only ${deaths} moments`);
  });
});
