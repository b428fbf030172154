import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { getEventListeners } from 'node:events';
import test from 'node:test';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import type { Outputs } from 'bitpath';
import { failsWith, IMAGE, NORMALIZATION, ramp, SLOW_LENGTH, slow, small } from './helpers.js';

const helpers = new URL('./helpers.js', import.meta.url).href;
const run = promisify(execFile);
/** Runs a module's text in a process of its own, after `import * as h from helpers`. */
function child(body: string, flags: readonly string[] = []) {
  const text = `const h = await import(${JSON.stringify(helpers)}); ${body}`;
  return run(process.execPath, [...flags, '--input-type=module', '-e', text], { timeout: 60_000 });
}

test('timers fire during run(), and not during runSync()', async () => {
  using executor = await slow();
  const input = ramp(4 * SLOW_LENGTH);
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  await executor.run(input);
  const during = ticks;
  executor.runSync(input);
  clearInterval(timer);
  assert.ok(during >= 3, `${during} ticks`);
  assert.equal(ticks, during);
});

test('concurrent runs queue and do not mix', async () => {
  using executor = await small();
  using other = executor.clone();
  const inputs = Array.from({ length: 40 }, (_, i) => ramp((1 + (i % 3)) * IMAGE, i + 1));
  const expected = inputs.map((input) => executor.runSync(input));
  const actual = await Promise.all(inputs.map((input, i) => (i % 2 === 0 ? executor : other).run(input)));
  assert.deepEqual(actual, expected);
  assert.notDeepEqual(expected[0]?.['logits']?.data, expected[3]?.['logits']?.data);
});

test('runSync() may come between queued runs', async () => {
  using executor = await slow();
  const queued = [executor.run(ramp(SLOW_LENGTH)), executor.run(ramp(SLOW_LENGTH, 2))];
  const now = executor.runSync(ramp(SLOW_LENGTH, 2));
  const [, second] = await Promise.all(queued);
  assert.deepEqual(now, second);
});

test('an aborted signal stops a run before, while and after it waits', async () => {
  using executor = await slow();
  const input = ramp(20 * SLOW_LENGTH);
  const reason = new Error('enough');
  await assert.rejects(executor.run(input, { signal: AbortSignal.abort(reason) }), (error) => error === reason);

  const running = new AbortController();
  const waiting = new AbortController();
  const first = executor.run(input, { signal: running.signal });
  const second = executor.run(input, { signal: waiting.signal });
  const third = executor.run(input.subarray(0, SLOW_LENGTH));
  const start = performance.now();
  setTimeout(() => {
    waiting.abort();
    running.abort(reason);
  }, 20);
  await assert.rejects(first, (error) => error === reason);
  await assert.rejects(second, { name: 'AbortError' });
  assert.deepEqual(await third, executor.runSync(input.subarray(0, SLOW_LENGTH)), 'the arena is sound afterwards');
  const elapsed = performance.now() - start;

  const full = performance.now();
  const done = new AbortController();
  await executor.run(input, { signal: done.signal });
  const whole = performance.now() - full;
  assert.ok(elapsed < 2 * whole, `aborting two runs took ${elapsed} ms, one whole run takes ${whole} ms`);
  done.abort();
  for (const { signal } of [running, waiting, done]) assert.equal(getEventListeners(signal, 'abort').length, 0);
  await assert.rejects(executor.run(input, { signal: {} as AbortSignal }), failsWith('ERR_BITPATH_ARGUMENT', /signal/));
  await assert.rejects(executor.run(input, { singal: 1 } as object), failsWith('ERR_BITPATH_UNKNOWN_OPTION', /signal/));
});

test('no listener stays on a signal when a run cannot start', async () => {
  using executor = await small();
  const { signal } = new AbortController();
  await assert.rejects(executor.run(new Float32Array(1), { signal }));
  assert.equal(getEventListeners(signal, 'abort').length, 0);
});

test('dispose() twice is harmless; afterwards everything else is ERR_BITPATH_DISPOSED', async () => {
  const executor = await small();
  const clone = executor.clone();
  executor.dispose();
  executor.dispose();
  executor[Symbol.dispose]();
  const disposed = failsWith('ERR_BITPATH_DISPOSED', /disposed/);
  await assert.rejects(executor.run(ramp(IMAGE)), disposed);
  await assert.rejects(executor.warmup(), disposed);
  assert.throws(() => executor.runSync(ramp(IMAGE)), disposed);
  assert.throws(() => executor.describe(), disposed);
  assert.throws(() => executor.clone(), disposed);
  assert.equal((await clone.run(ramp(IMAGE)))['logits']?.shape[1], 4, 'a clone lives on');
  clone.dispose();
});

test('dispose() during runs ends them with ERR_BITPATH_DISPOSED, with a stack that names the caller', async () => {
  const executor = await slow();
  const input = ramp(20 * SLOW_LENGTH);
  async function theCaller(): Promise<Outputs> {
    return await executor.run(input);
  }
  const runs = [theCaller(), theCaller()];
  setTimeout(() => executor.dispose(), 10);
  for (const result of await Promise.allSettled(runs)) {
    assert.equal(result.status, 'rejected');
    assert.ok(failsWith('ERR_BITPATH_DISPOSED')(result.reason));
    assert.match((result.reason as Error).stack ?? '', /at (async )?theCaller/);
  }
});

test('warmup() changes no result', async () => {
  using executor = await small({ batch: 2, normalization: NORMALIZATION });
  const before = executor.runSync(ramp(IMAGE));
  assert.equal(await executor.warmup(), undefined);
  assert.deepEqual(executor.runSync(ramp(IMAGE)), before);
});

test('worker threads have executors of their own, and may be terminated during a run', async () => {
  const text = (body: string) => `
    const { parentPort } = require('node:worker_threads');
    import(${JSON.stringify(helpers)}).then(async (h) => { ${body} });`;
  using executor = await small();
  const expected = executor.runSync(ramp(IMAGE))['logits']?.data;

  const answers = [1, 2, 3].map(() =>
    firstMessage(
      new Worker(
        text(`
          const executor = await h.small();
          const { logits } = await executor.run(h.ramp(h.IMAGE));
          parentPort.postMessage(logits.data);`),
        { eval: true },
      ),
    ),
  );
  for (const answer of await Promise.all(answers)) assert.deepEqual(answer, expected);

  const busy = new Worker(
    text(`
    const executor = await h.slow({ threads: 2 });
    executor.run(h.ramp(40 * h.SLOW_LENGTH));
    executor.run(h.ramp(h.SLOW_LENGTH));
    parentPort.postMessage('started');`),
    { eval: true },
  );
  await firstMessage(busy);
  const start = performance.now();
  assert.equal(await busy.terminate(), 1);
  assert.ok(performance.now() - start < 20_000, 'the run was stopped');
  assert.deepEqual((await executor.run(ramp(IMAGE)))['logits']?.data, expected, 'the pool is sound afterwards');
});

test('a process may exit during a run, and an idle executor does not keep one alive', async () => {
  const start = performance.now();
  const busy = await child(`
    const executor = await h.slow({ threads: 2 });
    executor.run(h.ramp(60 * h.SLOW_LENGTH));
    setTimeout(() => { console.log('leaving'); process.exit(0); }, 30);`);
  assert.equal(busy.stdout, 'leaving\n');
  const idle = await child(
    `const executor = await h.small(); console.log((await executor.run(h.ramp(h.IMAGE))).logits.shape.join());`,
  );
  assert.equal(idle.stdout, '1,4\n');
  const pending = await child(`
    const executor = await h.slow();
    executor.run(h.ramp(h.SLOW_LENGTH)).then(() => console.log('done'));`);
  assert.equal(pending.stdout, 'done\n', 'a pending run does keep it alive');
  assert.ok(performance.now() - start < 50_000);
});

test('executors that nobody holds are collected, also with a run under way', async () => {
  const { stdout } = await child(
    `
    const weak = [];
    async function abandon() {
      const executor = await h.slow();
      weak.push(new WeakRef(executor));
      executor.run(h.ramp(h.SLOW_LENGTH)).then(() => {});
    }
    for (let i = 0; i < 5; i++) {
      await abandon();
      gc();
    }
    let held = weak.length; // counted after the gc() of the same turn: deref() keeps its target until the turn ends
    for (let i = 0; i < 800 && held > 0; i++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      gc();
      held = weak.filter((w) => w.deref()).length;
    }
    console.log(weak.length, held);`,
    ['--expose-gc'],
  );
  assert.equal(stdout, '5 0\n');
});

function firstMessage(worker: Worker): Promise<unknown> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve).once('error', reject);
    worker.once('exit', (code) => reject(new Error(`the worker ended with exit code ${code}`)));
  });
}
