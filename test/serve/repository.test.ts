/** The model repository: versions, hot reload without a dropped request, files that are no models. */
import assert from 'node:assert/strict';
import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import {
  CLASSES,
  floats,
  picture,
  publish,
  type Running,
  SIDE,
  start,
  temporaryFolder,
  tinyModel,
  until,
} from './servers.js';

// biome-ignore lint/suspicious/noExplicitAny: documents of several forms, each looked at by a test
type Json = any;

const ask = async ({ url }: Running, path: string, body?: string): Promise<{ status: number; body: Json }> => {
  const response = await fetch(url + path, body === undefined ? {} : { method: 'POST', body });
  return { status: response.status, body: await response.json() };
};
const data = [...floats(1)];
const inferBody = JSON.stringify({
  inputs: [{ name: 'input', datatype: 'FP32', shape: [1, 3, SIDE, SIDE], data }],
  outputs: [{ name: 'logits' }],
});
const logits = async (seed: number): Promise<number[]> => {
  using executor = await tinyModel(seed).compile();
  return [...(await executor.run(floats(1)))['logits']!.data];
};
const index = async (running: Running) =>
  (await ask(running, '/v2/repository/index', '{}')).body.map(
    ({ name, version, state }: Json) => `${name}/${version} ${state}`,
  );

describe('a model repository', () => {
  it('serves several models and versions; the highest version is meant where none is named', async () => {
    const folder = temporaryFolder();
    await publish(folder, 'one', '2', tinyModel(2));
    await publish(folder, 'one', '10', tinyModel(10));
    await tinyModel(7).save(join(folder, 'plain.safetensors'));
    await mkdir(join(folder, 'one', 'not-a-version'));
    await mkdir(join(folder, '.hidden'));
    await writeFile(join(folder, 'notes.txt'), '');
    const running = await start({ model_repository: folder });
    assert.deepEqual(await index(running), ['one/2 READY', 'one/10 READY', 'plain/1 READY']);
    assert.deepEqual((await ask(running, '/v2/models/one')).body.versions, ['2', '10']);
    const output = async (path: string) => (await ask(running, path, inferBody)).body;
    assert.deepEqual((await output('/v2/models/one/infer')).outputs[0].data, await logits(10));
    assert.equal((await output('/v2/models/one/infer')).model_version, '10');
    assert.deepEqual((await output('/v2/models/one/versions/2/infer')).outputs[0].data, await logits(2));
    assert.deepEqual((await output('/v2/models/plain/infer')).outputs[0].data, await logits(7));
  });

  it('replaces a version under load without dropping a request or mixing answers', async () => {
    const folder = temporaryFolder();
    await publish(folder, 'one', '1', tinyModel(1));
    const running = await start({ model_repository: folder });
    const expected = new Set((await Promise.all([1, 2, 3, 4].map(logits))).map((row) => row.join()));
    const seen = new Set<string>();
    let asked = 0;
    let stop = false;
    const askAll = async () => {
      while (!stop) {
        asked++;
        const { status, body } = await ask(running, '/v2/models/one/infer', inferBody);
        assert.equal(status, 200, JSON.stringify(body));
        assert.equal(body.outputs[0].data.length, CLASSES);
        seen.add(body.outputs[0].data.join());
      }
    };
    const load = Promise.all(Array.from({ length: 8 }, askAll));
    for (const seed of [2, 3, 4]) {
      await publish(folder, 'one', '1', tinyModel(seed));
      assert.equal((await ask(running, '/v2/repository/models/one/load', '')).status, 200);
      const { body } = await ask(running, '/v2/models/one/infer', inferBody);
      assert.deepEqual(body.outputs[0].data, await logits(seed), 'the new one answers once load has');
    }
    stop = true;
    await load;
    assert.ok(asked > 8);
    for (const row of seen) assert.ok(expected.has(row));
  });

  it('keeps what serves where the file that should replace it is no model', async () => {
    const folder = temporaryFolder();
    await publish(folder, 'one', '1', tinyModel(1));
    const running = await start({ model_repository: folder });
    await writeFile(join(folder, 'one/1/model.safetensors'), 'garbage');
    const { status, body } = await ask(running, '/v2/repository/models/one/load', '{}');
    assert.deepEqual([status, body.code], [400, 'ERR_BITPATH_MODEL_FILE']);
    assert.deepEqual((await ask(running, '/v2/models/one/infer', inferBody)).body.outputs[0].data, await logits(1));
    const [entry] = (await ask(running, '/v2/repository/index', '')).body;
    assert.equal(entry.state, 'READY');
    assert.match(entry.reason, /was not taken/);
    await publish(folder, 'one', '1', tinyModel(5));
    assert.equal((await ask(running, '/v2/repository/models/one/load', '{}')).status, 200);
    assert.deepEqual((await ask(running, '/v2/models/one/infer', inferBody)).body.outputs[0].data, await logits(5));
  });

  it('starts although one of its files is no model, and says so', async () => {
    const folder = temporaryFolder();
    await publish(folder, 'good', '1', tinyModel(1));
    await mkdir(join(folder, 'bad/1'), { recursive: true });
    await writeFile(join(folder, 'bad/1/model.safetensors'), 'garbage');
    const running = await start({ model_repository: folder });
    assert.deepEqual(await index(running), ['bad/1 UNAVAILABLE', 'good/1 READY']);
    const bad = await ask(running, '/v2/models/bad/infer', inferBody);
    assert.deepEqual([bad.status, bad.body.code], [503, 'ERR_BITPATH_UNAVAILABLE']);
    assert.equal((await ask(running, '/v2/models/bad/ready')).status, 503);
    const ready = (await ask(running, '/v2/repository/index', '{"ready":true}')).body;
    assert.deepEqual(
      ready.map(({ name }: Json) => name),
      ['good'],
    );
  });

  it('loads, unloads and forgets', async () => {
    const folder = temporaryFolder();
    await publish(folder, 'one', '1', tinyModel(1));
    const running = await start({ model_repository: folder });
    assert.equal((await ask(running, '/v2/repository/models/one/unload', '')).status, 200);
    assert.deepEqual(await index(running), ['one/1 UNAVAILABLE']);
    assert.equal((await ask(running, '/v2/models/one/infer', inferBody)).status, 503);
    assert.equal((await ask(running, '/v2/health/ready')).status, 200);
    assert.equal((await ask(running, '/v2/repository/models/one/load', '')).status, 200);
    assert.equal((await ask(running, '/v2/models/one/infer', inferBody)).status, 200);
    await publish(folder, 'one', '2', tinyModel(2));
    await rm(join(folder, 'one/1'), { recursive: true });
    await ask(running, '/v2/repository/models/one/load', '');
    assert.deepEqual(await index(running), ['one/2 READY']);
    for (const name of ['two', '..', '%2e%2e%2fone', 'one%00']) {
      const path = `/v2/repository/models/${name}/load`;
      assert.equal((await ask(running, path, '')).status, 404, name);
    }
  });

  it('is looked through from time to time, where the configuration says so', async () => {
    const folder = temporaryFolder();
    await publish(folder, 'one', '1', tinyModel(1));
    const running = await start({ model_repository: folder, repository_poll_secs: 1 });
    await publish(folder, 'one', '2', tinyModel(2));
    await publish(folder, 'two', '1', tinyModel(3));
    await until(async () => (await index(running)).length === 3);
    await rm(join(folder, 'two'), { recursive: true });
    await until(async () => (await index(running)).length === 2);
    assert.deepEqual(await index(running), ['one/1 READY', 'one/2 READY']);
  });

  it('refuses two models of one name', async () => {
    const folder = temporaryFolder();
    const elsewhere = temporaryFolder();
    await publish(folder, 'one', '1', tinyModel(1));
    await cp(join(folder, 'one/1/model.safetensors'), join(elsewhere, 'one.safetensors'));
    await assert.rejects(start({ model_repository: folder, models: [join(elsewhere, 'one.safetensors')] }), {
      code: 'ERR_BITPATH_CONFIG',
    });
    await assert.rejects(start({ models: [join(elsewhere, 'none.safetensors')] }), { code: 'ERR_BITPATH_MODEL_FILE' });
    await assert.rejects(start({ model_repository: join(folder, 'none') }), { code: 'ERR_BITPATH_CONFIG' });
  });

  it('serves each model that was named as its own configuration says, and classifies with the first', async () => {
    const folder = temporaryFolder();
    const path = (name: string) => join(folder, `${name}.safetensors`);
    for (const [i, name] of ['zeta', 'alpha'].entries()) await tinyModel(i).save(path(name));
    const running = await start({
      models: [
        { source: path('zeta'), config: { max_batch_size: 2 } },
        { name: 'two', source: path('alpha'), config: { max_batch_size: 3 } },
        { name: 'two', version: '2', source: path('alpha'), config: { max_batch_size: 5 } },
        path('alpha'),
      ],
    });
    const size = async (model: string) => (await ask(running, `/v2/models/${model}/config`)).body.max_batch_size;
    assert.deepEqual(await Promise.all(['zeta', 'two/versions/1', 'two/versions/2', 'alpha'].map(size)), [2, 3, 5, 8]);
    const body = new Uint8Array(await picture(1));
    const classify = async (query: string) => {
      const response = await fetch(`${running.url}/classify${query}`, { method: 'POST', body });
      const { model, version, code } = (await response.json()) as Json;
      return [response.status, model, version, code];
    };
    assert.deepEqual(await classify(''), [200, 'zeta', '1', undefined]);
    assert.deepEqual(await classify('?model=two'), [200, 'two', '2', undefined]);
    assert.deepEqual(await classify('?model=two&version=1'), [200, 'two', '1', undefined]);
    assert.deepEqual(await classify('?version=1'), [200, 'zeta', '1', undefined]);
    const [unknown, twice] = [
      [404, 'ERR_BITPATH_UNKNOWN_NAME'],
      [400, 'ERR_BITPATH_ARGUMENT'],
    ] as const;
    assert.deepEqual((await classify('?model=two&version=3')).filter(Boolean), unknown);
    assert.deepEqual((await classify('?version=1&version=2')).filter(Boolean), twice);
  });

  it('reads a file that is no model once, unless it is told to load it', async () => {
    const folder = temporaryFolder();
    await publish(folder, 'good', '1', tinyModel(1));
    await mkdir(join(folder, 'bad/1'), { recursive: true });
    await writeFile(join(folder, 'bad/1/model.safetensors'), 'garbage');
    const lines: Json[] = [];
    const running = await start(
      { model_repository: folder },
      { logger: { level: 'info', stream: { write: (line: string) => void lines.push(JSON.parse(line)) } } },
    );
    const { repository } = running.server.service;
    const failed = () => lines.filter(({ msg }) => msg === 'model not loaded').length;
    for (let i = 0; i < 3; i++) assert.deepEqual(await repository.refresh(), []);
    assert.equal(failed(), 1);
    await writeFile(join(folder, 'good/1/model.safetensors'), 'garbage');
    assert.equal((await repository.refresh()).length, 1);
    assert.equal((await repository.refresh()).length, 0);
    for (const name of ['bad', 'good', 'good']) {
      const { status, body } = await ask(running, `/v2/repository/models/${name}/load`, '');
      assert.deepEqual([status, body.code], [400, 'ERR_BITPATH_MODEL_FILE'], name);
    }
    assert.deepEqual(await index(running), ['bad/1 UNAVAILABLE', 'good/1 READY']);
  });

  it('serves the first of two files of a version, says so once, and loads all others', async () => {
    const folder = temporaryFolder();
    await publish(folder, 'good', '1', tinyModel(1));
    const lines: Json[] = [];
    const running = await start(
      { model_repository: folder },
      { logger: { level: 'info', stream: { write: (line: string) => void lines.push(JSON.parse(line)) } } },
    );
    for (const name of ['good', 'other']) await tinyModel(2).save(join(folder, `${name}.safetensors`));
    const { repository } = running.server.service;
    assert.equal((await repository.refresh()).length, 1);
    assert.equal((await repository.refresh()).length, 0);
    assert.deepEqual(await index(running), ['good/1 READY', 'other/1 READY']);
    assert.equal((await ask(running, '/v2/repository/models/other/load', '')).status, 200);
    assert.equal(lines.filter(({ msg }) => msg === 'a file of the model is left out').length, 1);
    const [entry] = (await ask(running, '/v2/repository/index', '')).body;
    assert.match(entry.reason, /two of version 1/);
    await rm(join(folder, 'good.safetensors'));
    await repository.refresh();
    assert.equal((await ask(running, '/v2/repository/index', '')).body[0].reason, '');
  });
});
