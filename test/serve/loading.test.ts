/** Model files are read and compiled aside while requests are served. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { Worker } from 'node:worker_threads';
import { load } from '#lib/serve/models/loading.js';
import { floats, publish, SIDE, start, temporaryFolder, tinyModel } from './servers.js';

const options = { batch: 2, threads: 1 };

/** What `call` gives, and how many threads it started. */
async function threadsOf<T>(call: () => Promise<T>, started: (worker: Worker) => void = () => {}) {
  let threads = 0;
  const count = (worker: Worker) => {
    threads++;
    started(worker);
  };
  process.on('worker', count);
  try {
    return { result: await call(), threads };
  } finally {
    process.off('worker', count);
  }
}

describe('loading', () => {
  it('gives the same here and in a thread of its own, also where that ends without a word', async () => {
    const path = join(temporaryFolder(), 'tiny.safetensors');
    await tinyModel(3).save(path);
    const kill = (worker: Worker) => void worker.terminate();
    const [here, aside, killed] = [
      await threadsOf(() => load(path, { ...options, isBusy: false })),
      await threadsOf(() => load(pathToFileURL(path), { ...options, isBusy: true })),
      await threadsOf(() => load(path, { ...options, isBusy: true }), kill),
    ];
    assert.deepEqual([here.threads, aside.threads, killed.threads], [0, 1, 1]);
    const { executor, ...rest } = here.result;
    const expected = await executor.run(floats(3));
    for (const { executor: other, ...same } of [aside.result, killed.result]) {
      assert.deepEqual(same, rest);
      assert.deepEqual(other.inputShape, { channels: 3, height: SIDE, width: SIDE });
      assert.deepEqual(await other.run(floats(3)), expected);
      assert.equal(other.batch, 2);
      other.dispose();
    }
    executor.dispose();
  });

  it('fails with the same error', async () => {
    const path = join(temporaryFolder(), 'bad.safetensors');
    await writeFile(path, 'garbage');
    for (const file of [path, join(path, 'none.safetensors')]) {
      const error = (isBusy: boolean) =>
        load(file, { ...options, isBusy }).then(
          () => assert.fail('it was loaded'),
          ({ name, code, message, details }) => ({ name, code, message, details }),
        );
      const here = await error(false);
      assert.match(here.code, /ERR_BITPATH_/);
      assert.equal(typeof here.details.reason, 'string');
      assert.deepEqual(await error(true), here);
    }
  });

  it('is done here before the server is ready, and aside from then on', async () => {
    const folder = temporaryFolder();
    for (const name of ['one', 'two']) await publish(folder, name, '1', tinyModel(1));
    const { result: running, threads } = await threadsOf(() => start({ model_repository: folder }));
    assert.equal(threads, 0);
    await publish(folder, 'one', '1', tinyModel(2));
    const { repository } = running.server.service;
    assert.equal((await threadsOf(() => repository.refresh())).threads, 1);
    const { outputs } = await running.server.service.infer(
      'one',
      '',
      {
        id: '',
        parameters: {},
        inputs: [{ name: 'input', datatype: 'FP32', shape: [1, 3, SIDE, SIDE], data: floats(1), parameters: {} }],
        outputs: [{ name: 'logits', parameters: {} }],
      },
      {},
    );
    using executor = await tinyModel(2).compile();
    assert.deepEqual(outputs[0]?.data, (await executor.run(floats(1)))['logits']?.data);
  });
});
