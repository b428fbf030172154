/** The client against bitpath's own server, over both ways; what they say must be the same. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { createClient, type InferenceClient } from 'bitpath/client';
import { createGrpcClient } from 'bitpath/client/grpc';
import { CLASSES, floats, picture, publish, SIDE, start, temporaryFolder, tinyModel } from '../serve/servers.js';

const repository = temporaryFolder();
const KEY = 'a-key-of-some-length';
const clients = new Map<string, InferenceClient>();
let url = '';
let grpc = '';

before(async () => {
  await publish(repository, 'tiny', '1', tinyModel());
  const running = await start({ model_repository: repository, grpc_port: 0, api_keys: [KEY] });
  url = running.url;
  grpc = running.grpc as string;
  clients.set('REST', createClient(url, { apiKey: KEY }));
  clients.set('REST as JSON', createClient(`${url}/`, { apiKey: KEY, binary: false }));
  clients.set(
    'REST, zipped',
    createClient(new URL(url), { headers: { 'x-api-key': KEY }, gzip: true, timeoutMs: 60_000 }),
  );
  clients.set('gRPC', await createGrpcClient(grpc, { apiKey: KEY, timeoutMs: 60_000 }));
});

for (const way of ['REST', 'REST as JSON', 'REST, zipped', 'gRPC']) {
  const client = () => clients.get(way) as InferenceClient;

  describe(`client over ${way}`, () => {
    it('is told how the server and the model are', async () => {
      assert.deepEqual(await Promise.all([client().serverLive(), client().serverReady()]), [true, true]);
      const { name, extensions } = await client().serverMetadata();
      assert.equal(name, 'bitpath');
      assert.ok(extensions.includes('binary_tensor_data'));
      assert.equal(await client().modelReady('tiny'), true);
      const metadata = await client().modelMetadata('tiny', { version: '1' });
      assert.deepEqual(metadata.versions, ['1']);
      assert.ok(metadata.inputs.some(({ datatype, shape }) => datatype === 'FP32' && shape.length === 4));
    });

    it('gets the numbers that the network gives', async () => {
      const model = tinyModel();
      using executor = await model.compile({ threads: 1 });
      const data = floats(3);
      const { logits, map } = await executor.run(data);
      const input = { name: await inputName('FP32'), shape: [3, 3, SIDE, SIDE], data };
      const result = await client().infer('tiny', [input], { id: 'seven' });
      assert.equal(result.id, 'seven');
      assert.equal(result.modelName, 'tiny');
      const output = result.output('logits', 'FP32');
      assert.deepEqual(output.shape, [3, CLASSES]);
      assert.deepEqual(output.data, logits?.data);
      assert.deepEqual(result.output('map').data, map?.data);
      const one = await client().infer('tiny', [input], { outputs: ['map'], version: '1' });
      assert.deepEqual(
        one.outputs.map(({ name }) => name),
        ['map'],
      );
    });

    it('sends encoded pictures and gets classes', async () => {
      if (way === 'REST as JSON') return; // JSON has no bytes
      const pictures = await Promise.all([picture(1), picture(2, 'jpeg')]);
      const input = { name: await inputName('FP32'), shape: [2], data: pictures };
      const result = await client().infer('tiny', [input], { outputs: [{ name: 'logits', classification: 2 }] });
      const classes = result.classes('logits');
      assert.deepEqual(
        classes.map((row) => row.length),
        [2, 2],
      );
      for (const [first, second] of classes) {
        assert.ok(first && second && first.value >= second.value);
        assert.match(first.label ?? '', /class: \d/);
      }
      assert.equal(result.strings('logits').length, 4);
    });

    it('loads, unloads, lists and counts', async () => {
      await client().unloadModel('tiny');
      assert.equal(await client().modelReady('tiny'), false);
      assert.deepEqual(await client().repositoryIndex({ ready: true }), []);
      await client().loadModel('tiny');
      const index = await client().repositoryIndex();
      assert.deepEqual(
        index.map(({ name, version, state }) => [name, version, state]),
        [['tiny', '1', 'READY']],
      );
      const data = floats(1);
      await client().infer('tiny', [{ name: await inputName('FP32'), shape: [1, 3, SIDE, SIDE], data }]);
      const [statistics] = await client().statistics('tiny');
      assert.equal(statistics?.inference_count, 1);
      assert.equal(statistics?.inference_stats.success.count, 1);
      assert.equal((await client().statistics()).length, 1);
    });

    it('EXPECTED FAILURE gets the server’s own errors', async () => {
      await assert.rejects(client().modelMetadata('tinny'), {
        name: 'BitpathError',
        code: 'ERR_BITPATH_UNKNOWN_NAME',
        message: /tinny/,
      });
      const input = { name: await inputName('FP32'), shape: [1, 2], data: new Float32Array(2) };
      await assert.rejects(client().infer('tiny', [input]), { code: 'ERR_BITPATH_ARGUMENT' });
      const stranger = way === 'gRPC' ? await createGrpcClient(grpc) : createClient(url);
      await assert.rejects(stranger.serverMetadata(), { code: 'ERR_BITPATH_UNAUTHORIZED' });
      stranger.close();
    });

    it('is stopped by a signal', async () => {
      const reason = new Error('enough');
      await assert.rejects(client().serverMetadata({ signal: AbortSignal.abort(reason) }), reason);
      const controller = new AbortController();
      const asked = client().serverMetadata({ signal: controller.signal });
      controller.abort(reason);
      await assert.rejects(asked, reason);
    });

    it('BAD CALL finds mistakes before anything is sent', async () => {
      const data = new Float32Array(2);
      const cases: [object, RegExp][] = [
        [{ name: 'x', shape: [3], data }, /3 elements for the shape \[3\] for inputs\[0\]\.data/],
        [{ name: 'x', shape: [2], data, datatype: 'INT8' }, /elements of INT8/],
        [{ name: 'x', shape: [2], data: [1, 2] }, /a Uint8Array or a string for inputs\[0\]\.data\[0\]/],
        [{ name: '', shape: [2], data }, /inputs\[0\]\.name/],
        [{ name: 'x', shape: [2], data: new DataView(new ArrayBuffer(2)) }, /a typed array/],
      ];
      for (const [input, message] of cases) {
        await assert.rejects(client().infer('tiny', [input as never]), { code: 'ERR_BITPATH_ARGUMENT', message });
      }
      await assert.rejects(client().infer('tiny', [], { outpus: [] } as never), {
        code: 'ERR_BITPATH_UNKNOWN_OPTION',
        message: /did you mean "outputs"/,
      });
    });
  });
}

async function inputName(datatype: string): Promise<string> {
  const { inputs } = await (clients.get('REST') as InferenceClient).modelMetadata('tiny');
  return inputs.find((input) => input.datatype === datatype)?.name ?? '';
}

describe('a client without a server', () => {
  it('says so, and that it is closed', async () => {
    for (const client of [createClient('http://127.0.0.1:1'), await createGrpcClient('127.0.0.1:1')]) {
      await assert.rejects(client.serverLive(), { code: 'ERR_BITPATH_CONNECTION', message: /127\.0\.0\.1:1/ });
      client.close();
      await assert.rejects(client.serverLive(), { code: 'ERR_BITPATH_DISPOSED' });
    }
    for (const url of ['localhost:8000', 'ftp://localhost', '']) {
      assert.throws(() => createClient(url), { code: 'ERR_BITPATH_ARGUMENT' });
    }
  });

  it('BAD CALL quotes no secret of a URL, a key or a header', async () => {
    const calls: (() => unknown)[] = [
      ...[
        'http://user:SECRET@localhost',
        'http://SECRET@localhost',
        'http://localhost/?key=SECRET',
        'http://localhost/#SECRET',
        'http://user:SE/CRET@localhost',
        'SECRET:SECRET@localhost',
      ].flatMap((url) => [() => createClient(url), () => URL.canParse(url) && createClient(new URL(url))]),
      () => createClient('http://localhost', { apiKey: 'SECRET\nSECRET' }),
      () => createClient('http://localhost', { headers: { 'x-api-key': 'SECRET\nSECRET' } }),
      () => createGrpcClient('localhost:1', { apiKey: 'SECRET\nSECRET' }),
      () => createGrpcClient('localhost:1', { metadata: { 'Bad Key': 'SECRET' } }),
      () => createGrpcClient('localhost:1', { metadata: { key: 'SECRET\nSECRET' } }),
    ];
    for (const call of calls) {
      await assert.rejects(
        async () => (await call()) || Promise.reject(new TypeError('no URL')),
        (error: Error) => {
          if (error instanceof TypeError) return true;
          assert.equal((error as { code?: string }).code, 'ERR_BITPATH_ARGUMENT');
          assert.doesNotMatch(
            JSON.stringify([error.message, error.cause, (error as { details?: object }).details]),
            /SE\/?CRET/,
          );
          return true;
        },
      );
    }
  });

  it('BAD CALL checks how long a call may take', async () => {
    for (const client of [createClient('http://127.0.0.1:1'), await createGrpcClient('127.0.0.1:1')]) {
      for (const timeoutMs of [-1, 0, Number.NaN, 1.5, '5', 2 ** 31]) {
        const options = { timeoutMs: timeoutMs as number };
        const wrong = { code: 'ERR_BITPATH_ARGUMENT', message: /options\.timeoutMs/ };
        await assert.rejects(client.serverLive(options), wrong);
        await assert.rejects(client.infer('m', [{ name: 'x', shape: [1], data: new Float32Array(1) }], options), wrong);
      }
      client.close();
    }
  });
});
