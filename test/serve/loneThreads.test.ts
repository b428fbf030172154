/** A request that is alone has more threads; two have the usual ones. The answers are the same bits. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Executor } from '#lib/executor.js';
import { parseConfig } from '#lib/serve/config.js';
import { type Loader, load } from '#lib/serve/models/loading.js';
import { native } from '#lib/native.js';
import { inferRest, input, request } from './client.js';
import { INFER } from './requests.js';
import { floats, start, tinyModel } from './servers.js';

/** Loads as ever, and notes what each run is given. */
function noting(runs: number[]): Loader {
  return async (path, options) => {
    const model = await load(path, options);
    const { executor } = model;
    const runAll = executor.runAll.bind(executor);
    executor.runAll = (inputs, runOptions, threads) => {
      runs.push(threads as number);
      return runAll(inputs, runOptions, threads);
    };
    return model;
  };
}

describe('threads', () => {
  it('are more for a request that is alone, and as ever for two', async () => {
    const runs: number[] = [];
    const options = { threads: 1, lone_threads: 3, model_defaults: { max_batch_size: 1 } };
    const { url } = await start(options, { load: noting(runs) });
    using executor: Executor = await tinyModel().compile({ threads: 1 });
    const expected = (await executor.run(floats(1)))['logits']?.data;
    const one = () => inferRest(url + INFER, request(input({})));
    assert.deepEqual((await one()).outputs[0]?.data, expected);
    assert.deepEqual(runs, [3]);
    // Of some at a time, at most the last has no other beside it.
    const answers = await Promise.all(Array.from({ length: 8 }, one));
    for (const { outputs } of answers) assert.deepEqual(outputs[0]?.data, expected);
    assert.ok(runs.slice(1).filter((threads) => threads === 1).length >= 6, String(runs));
    await one();
    assert.equal(runs.at(-1), 3);
  });

  it('are those of the configuration: all CPUs where it says nothing, no more than it says', async () => {
    const threadsOf = async (value: object) => {
      const { threads, lone_threads } = await parseConfig('f.json', value);
      return [threads, lone_threads];
    };
    const cpus = native().availableThreads();
    assert.deepEqual(await threadsOf({}), [Math.max(1, cpus - 1), cpus]);
    assert.deepEqual(await threadsOf({ threads: 3 }), [3, 3]);
    assert.deepEqual(await threadsOf({ threads: 2, lone_threads: 5 }), [2, 5]);
    await assert.rejects(threadsOf({ threads: 2, lone_threads: 1 }), {
      code: 'ERR_BITPATH_CONFIG',
      message: 'f.json: Expected at least threads, 2 for lone_threads but received 1',
    });
  });
});
