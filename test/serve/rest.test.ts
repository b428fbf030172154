/** REST, route by route. What a server answers is what a bare executor computes, bit for bit. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { deflateSync, gunzipSync, gzipSync } from 'node:zlib';
import { type Executor, loadModel } from 'bitpath';
import { decodeImage, preprocess, topK } from 'bitpath/images';
import {
  decodeClassification,
  decodeInferResponse,
  HEADER_LENGTH,
  type InferRequest,
  type InferResponse,
  type Parameters,
  parseHeaderLength,
} from '#lib/protocol/index.js';
import { type Body, getJson, inferRest, input, type Json, postJson, request } from './client.js';
import { CLASSES, floats, picture, type Running, SIDE, start, temporaryFolder, tinyModel } from './servers.js';

/** The files of the page, and the server's metadata under their second spelling. */
const UNDOCUMENTED = [/^get \/page\/[\w./-]+$/, /^get \/v2\/$/];

/** `method path` of each route in Fastify's drawing of its tree, but for the HEAD that belongs to each GET. */
function routesOf(tree: string): string[] {
  const ends: string[] = [];
  return tree.split('\n').flatMap((line) => {
    const [, indent, end, methods] = /^([ │]*)[├└]── (.*?)(?: \(([A-Z, ]+)\))?$/.exec(line) ?? [];
    if (indent === undefined || end === undefined) return [];
    ends.length = indent.length / 4;
    ends.push(end);
    const own = methods?.split(', ').filter((method) => method !== 'HEAD') ?? [];
    return own.map((method) => `${method.toLowerCase()} ${ends.join('')}`);
  });
}

describe('REST', () => {
  let running: Running;
  let executor: Executor;
  let bytes: Buffer;
  before(async () => {
    running = await start({ model_defaults: { max_batch_size: 4 } });
    executor = await tinyModel().compile();
    bytes = await picture(1);
  });
  after(() => executor.dispose());

  const get = (path: string) => getJson(running.url + path);
  const post = (path: string, body: Body | null, headers: Record<string, string> = {}) =>
    postJson(running.url + path, body, headers);
  const infer = (what: InferRequest, path = '/v2/models/tiny/infer') => inferRest(running.url + path, what);
  const output = ({ outputs }: InferResponse, name = 'logits') => outputs.find((tensor) => tensor.name === name)!;

  it('says what the server and its models are', async () => {
    const server = await get('/v2');
    assert.equal(server.status, 200);
    assert.equal(server.body.name, 'bitpath');
    assert.ok(server.body.extensions.includes('binary_tensor_data'));
    assert.deepEqual((await get('/v2/')).body, server.body);
    assert.deepEqual((await get('/v2/health/live')).body, { live: true });
    assert.deepEqual((await get('/v2/health/ready')).body, { ready: true });
    for (const path of ['/v2/models/tiny', '/v2/models/tiny/versions/1']) {
      const { status, body } = await get(path);
      assert.equal(status, 200);
      assert.deepEqual(body.inputs, [{ name: 'input', datatype: 'FP32', shape: [-1, 3, SIDE, SIDE] }]);
      assert.deepEqual(body.outputs, [
        { name: 'logits', datatype: 'FP32', shape: [-1, CLASSES] },
        { name: 'map', datatype: 'FP32', shape: [-1, 4, SIDE, SIDE] },
        { name: 'probabilities', datatype: 'FP32', shape: [-1, CLASSES] },
      ]);
      assert.deepEqual(Object.keys(body.properties), ['input.UINT8', 'input.BYTES']);
      assert.deepEqual((await get(`${path}/ready`)).body, { name: 'tiny', ready: true });
      const config = (await get(`${path}/config`)).body;
      assert.equal(config.max_batch_size, 4);
      assert.deepEqual(config.input, [
        { name: 'input', data_type: 'TYPE_FP32', dims: [3, SIDE, SIDE], format: 'FORMAT_NCHW' },
      ]);
      assert.equal(config.dynamic_batching.default_queue_policy.max_queue_size, 256);
    }
  });

  it('answers binary tensors with the bits of a bare executor', async () => {
    for (const count of [1, 2, 4]) {
      const data = floats(count, count);
      const expected = await executor.run(data);
      const response = await infer(
        request(input({ shape: [count, 3, SIDE, SIDE], data }), { id: 'a', parameters: { binary_data_output: true } }),
      );
      assert.deepEqual([response.model_name, response.model_version, response.id], ['tiny', '1', 'a']);
      assert.deepEqual(output(response).data, expected['logits']!.data);
      assert.deepEqual(output(response).shape, [count, CLASSES]);
      assert.deepEqual(output(response, 'map').data, expected['map']!.data);
      assert.deepEqual(output(response, 'map').shape, [count, 4, SIDE, SIDE]);
      assert.equal(response.outputs.length, 3);
    }
  });

  it('answers JSON with JSON, and the same values', async () => {
    const data = floats(1, 7);
    const expected = (await executor.run(data))['logits']!.data;
    const { status, headers, body } = await post(
      '/v2/models/tiny/versions/1/infer',
      JSON.stringify({
        id: 'x',
        inputs: [{ name: 'input', datatype: 'FP32', shape: [3, SIDE, SIDE], data: [...data] }],
        outputs: [{ name: 'logits' }],
      }),
      { 'content-type': 'application/json' },
    );
    assert.equal(status, 200);
    assert.match(headers.get('content-type')!, /^application\/json/);
    assert.equal(body.id, 'x');
    assert.deepEqual(body.outputs, [{ name: 'logits', datatype: 'FP32', shape: [1, CLASSES], data: [...expected] }]);
  });

  it('takes pixels, and pictures in files', async () => {
    const tensor = await preprocess(await decodeImage(bytes), tinyModel().preprocessing!);
    const expected = (await executor.run(tensor))['logits']!.data;
    const pixels = await infer(request(input({ datatype: 'UINT8', shape: [1, SIDE, SIDE, 3], data: tensor.data })));
    assert.deepEqual(output(pixels).data, expected);
    for (const shape of [[1], [1, 1]])
      assert.deepEqual(output(await infer(request(input({ datatype: 'BYTES', shape, data: [bytes] })))).data, expected);

    const other = await picture(2, 'jpeg');
    const both = await infer(request(input({ datatype: 'BYTES', shape: [2], data: [other, bytes] })));
    assert.deepEqual((output(both).data as Float32Array).subarray(CLASSES), expected);

    const json = {
      inputs: [
        {
          name: 'input',
          datatype: 'BYTES',
          shape: [1],
          parameters: { content_type: 'base64' },
          data: [bytes.toString('base64')],
        },
      ],
    };
    const { body } = await post('/v2/models/tiny/infer', JSON.stringify(json));
    assert.deepEqual(new Float32Array(body.outputs[0].data), expected);
  });

  it('takes a body that is nothing but the input', async () => {
    const data = floats(1, 9);
    const expected = (await executor.run(data))['logits']!.data;
    const send = async (body: Uint8Array<ArrayBuffer>, type: string) => {
      const response = await fetch(`${running.url}/v2/models/tiny/infer`, {
        method: 'POST',
        body,
        headers: { [HEADER_LENGTH]: '0', 'content-type': type },
      });
      assert.equal(response.status, 200);
      const headerLength = parseHeaderLength(response.headers.get(HEADER_LENGTH)!);
      return output(decodeInferResponse({ headerLength, bytes: new Uint8Array(await response.arrayBuffer()) }));
    };
    assert.deepEqual((await send(new Uint8Array(data.buffer), 'application/octet-stream')).data, expected);
    const decoded = (await executor.run(await preprocess(await decodeImage(bytes), tinyModel().preprocessing!)))[
      'logits'
    ]!.data;
    assert.deepEqual((await send(new Uint8Array(bytes), 'image/png')).data, decoded);
  });

  it('gives the outputs that are asked for, each as it is asked for', async () => {
    const data = floats(2, 3);
    const logits = (await executor.run(data))['logits']!.data;
    const ask = (name: string, parameters: Parameters = {}) => ({ name, parameters });
    const outputs = [
      ask('probabilities'),
      ask('logits', { binary_data: true, classification: 2 }),
      ask('logits', { binary_data: true }),
    ];
    const response = await infer(request(input({ shape: [2, 3, SIDE, SIDE], data }), { outputs }));
    assert.deepEqual(
      response.outputs.map(({ name, datatype, shape }) => [name, datatype, shape]),
      [
        ['probabilities', 'FP32', [2, CLASSES]],
        ['logits', 'BYTES', [2, 2]],
        ['logits', 'FP32', [2, CLASSES]],
      ],
    );
    assert.deepEqual(response.outputs[2]!.data, logits);
    const classes = (response.outputs[1]!.data as readonly Uint8Array[]).map(decodeClassification);
    for (let n = 0; n < 2; n++) {
      const row = logits.subarray(n * CLASSES, (n + 1) * CLASSES);
      const best = topK(row, tinyModel().labels, CLASSES);
      for (let i = 0; i < 2; i++) {
        const { value, index, label } = classes[2 * n + i]!;
        assert.deepEqual([index, label], [best[i]!.index, best[i]!.name]);
        assert.ok(Math.abs(value - best[i]!.logit) <= 5e-7);
      }
      for (const { index, probability } of best)
        assert.equal((response.outputs[0]!.data as Float32Array)[n * CLASSES + index], Math.fround(probability));
    }
    const all = await infer(request(input({}), { outputs: [ask('logits', { classification: 1000 })] }));
    assert.deepEqual(output(all).shape, [1, CLASSES]);
  });

  it('expands compressed bodies and compresses answers', async () => {
    const body = JSON.stringify({
      inputs: [{ name: 'input', datatype: 'FP32', shape: [1, 3, SIDE, SIDE], data: [...floats(1)] }],
      outputs: [{ name: 'map' }],
    });
    const plain = (await post('/v2/models/tiny/infer', body)).body;
    for (const [encoding, packed] of [
      ['gzip', gzipSync(body)],
      ['deflate', deflateSync(body)],
    ] as const) {
      assert.deepEqual(
        (await post('/v2/models/tiny/infer', new Uint8Array(packed), { 'content-encoding': encoding })).body,
        plain,
      );
    }
    const { app } = running.server;
    const packed = await app.inject({
      method: 'POST',
      url: '/v2/models/tiny/infer',
      payload: body,
      headers: { 'accept-encoding': 'gzip' },
    });
    assert.equal(packed.headers['content-encoding'], 'gzip');
    assert.deepEqual(JSON.parse(gunzipSync(packed.rawPayload).toString()), plain);
    const whole = await app.inject({
      method: 'POST',
      url: '/v2/models/tiny/infer',
      payload: body,
      headers: { 'accept-encoding': 'gzip;q=0, br' },
    });
    assert.equal(whole.headers['content-encoding'], undefined);
  });

  it('classifies a picture, or several of a form', async () => {
    const tensor = await preprocess(await decodeImage(bytes), tinyModel().preprocessing!);
    const expected = topK((await executor.run(tensor))['logits']!.data, tinyModel().labels, 2).map(
      ({ logit: _, ...rest }) => rest,
    );
    const one = await post('/classify?k=2', new Uint8Array(bytes));
    assert.equal(one.status, 200);
    assert.deepEqual([one.body.model, one.body.version], ['tiny', '1']);
    assert.deepEqual(one.body.results, [{ predictions: expected }]);
    for (const time of ['decode_ms', 'queue_ms', 'compute_ms']) assert.ok(one.body.timings[time] >= 0);
    assert.equal(
      (await post('/classify?model=tiny', new Uint8Array(bytes))).body.results[0].predictions.length,
      CLASSES,
    );

    const form = new FormData();
    form.append('a', new Blob([(await picture(5)) as Uint8Array<ArrayBuffer>]), 'five.png');
    form.append('b', new Blob([new Uint8Array(bytes)]), 'one.png');
    const two = await post('/classify?k=2', form);
    assert.equal(two.status, 200);
    assert.deepEqual(
      two.body.results.map(({ name }: { name: string }) => name),
      ['five.png', 'one.png'],
    );
    assert.deepEqual(two.body.results[1].predictions, expected);
  });

  it('counts what it does, in Triton’s form', async () => {
    const before = (await get('/v2/models/tiny/stats')).body.model_stats[0];
    await infer(request(input({ shape: [3, 3, SIDE, SIDE], data: floats(3) })));
    await post('/v2/models/tiny/infer', JSON.stringify({ inputs: [] }));
    const { body } = await get('/v2/models/stats');
    const [after] = body.model_stats;
    assert.deepEqual([after.name, after.version], ['tiny', '1']);
    assert.equal(after.inference_count - before.inference_count, 3);
    assert.equal(after.execution_count - before.execution_count, 1);
    assert.equal(after.inference_stats.success.count - before.inference_stats.success.count, 1);
    assert.equal(after.inference_stats.fail.count - before.inference_stats.fail.count, 1);
    assert.ok(after.last_inference > 1.7e12);
    for (const part of ['queue', 'compute_input', 'compute_infer', 'compute_output']) {
      assert.equal(after.inference_stats[part].count, after.inference_stats.success.count);
      assert.ok(Number.isInteger(after.inference_stats[part].ns));
    }
    assert.ok(after.batch_stats.some(({ batch_size }: { batch_size: number }) => batch_size === 3));
    assert.deepEqual((await get('/v2/models/tiny/versions/1/stats')).body.model_stats.length, 1);
  });

  it('shows metrics, ours and Triton’s', async () => {
    await infer(request(input({})));
    const text = await (await fetch(`${running.url}/metrics`)).text();
    for (const name of [
      'bitpath_inference_requests_total{model="tiny",version="1",code="OK"}',
      'bitpath_inference_queue_requests{model="tiny",version="1"} 0',
      'bitpath_ready 1',
      'nv_inference_request_success{model="tiny",version="1"}',
      'nv_inference_pending_request_count{model="tiny",version="1"} 0',
      'process_resident_memory_bytes',
    ]) {
      assert.ok(text.includes(name), `${name} is missing`);
    }
    assert.ok(text.includes('nodejs_eventloop_lag_seconds'));
    assert.ok(!text.includes('nodejs_eventloop_lag_p99_seconds'), 'what is sampled wakes an idle server all the time');
  });

  it('documents every route that it has', async () => {
    const { body } = await get('/docs/openapi.json');
    assert.match(body.openapi, /^3\.1/);
    const documented = Object.entries(body.paths as Record<string, object>).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
    const served = routesOf(running.server.app.printRoutes({ commonPrefix: false }))
      .map((route) => route.replace(/:(\w+)/g, '{$1}'))
      .filter((route) => !UNDOCUMENTED.some((each) => each.test(route)));
    assert.deepEqual([...new Set(served)].sort(), documented.sort());
    const page = await fetch(`${running.url}/docs`);
    assert.match(page.headers.get('content-security-policy')!, /default-src 'none'/);
    const html = await page.text();
    assert.doesNotMatch(html, /<script|https?:\/\/(?!localhost)/);
    assert.match(html, /POST<\/span> <code>\/classify/);
  });

  it('serves a network that takes no pictures and has no labels', async () => {
    const { GraphBuilder, Model, randomParams } = await import('bitpath');
    const builder = new GraphBuilder('plain');
    builder.output(
      'y',
      builder.conv(builder.input({ channels: 1, height: 4, width: 4 }), { outChannels: 1, kernel: 1, bias: false }),
    );
    const graph = builder.build();
    const folder = temporaryFolder();
    await new Model({ graph, params: randomParams(graph, 1) }).save(`${folder}/plain.safetensors`);
    const { url } = await start({ models: [`${folder}/plain.safetensors`] });
    const { outputs, properties } = (await (await fetch(`${url}/v2/models/plain`)).json()) as Json;
    assert.deepEqual(outputs, [{ name: 'y', datatype: 'FP32', shape: [-1, 1, 4, 4] }]);
    assert.equal(properties, undefined);
    const classify = await fetch(`${url}/classify`, { method: 'POST', body: new Uint8Array(bytes) });
    assert.equal(classify.status, 400);
    const send = (tensor: object) =>
      fetch(`${url}/v2/models/plain/infer`, { method: 'POST', body: JSON.stringify({ inputs: [tensor] }) });
    assert.equal(
      (await send({ name: 'input', datatype: 'UINT8', shape: [1, 4, 4, 1], data: Array(16).fill(0) })).status,
      400,
    );
    const response = (await (
      await send({ name: 'input', datatype: 'FP32', shape: [1, 1, 4, 4], data: Array(16).fill(1) })
    ).json()) as Json;
    assert.equal(response.outputs[0].data.length, 16);
  });

  it('gives each output its own values, also where names are numbers, which JavaScript puts in their order', async () => {
    const { GraphBuilder, Model, randomParams } = await import('bitpath');
    const builder = new GraphBuilder('numbers');
    const x = builder.input({ channels: 3, height: 2, width: 2 });
    builder.output('20', builder.linear(builder.globalAvgPool(x), { outFeatures: 5 }));
    builder.output('3', builder.relu(x));
    const graph = builder.build();
    const folder = temporaryFolder();
    const model = new Model({ graph, params: randomParams(graph, 1) });
    await model.save(`${folder}/numbers.safetensors`);
    const { url } = await start({ models: [`${folder}/numbers.safetensors`] });
    const values = Float32Array.from({ length: 12 }, (_, i) => i - 6);
    const asked = input({ shape: [1, 3, 2, 2], data: values });
    const { outputs } = await inferRest(`${url}/v2/models/numbers/infer`, request(asked));
    using bare = await model.compile();
    const expected = await bare.run(values);
    for (const name of ['20', '3'])
      assert.deepEqual([...outputs.find((tensor) => tensor.name === name)!.data], [...expected[name]!.data], name);
  });

  it('answers the shipped model from a file as the library does', async () => {
    const { url } = await start({ models: ['igp-resnet37-41-reactnet-tiny-imagenet'] });
    const model = await loadModel();
    using bare = await model.compile();
    const pictureBytes = await picture(3, 'jpeg', 200, 150);
    const expected = topK(
      (await bare.run(await preprocess(await decodeImage(pictureBytes), model.preprocessing!)))['logits']!.data,
      model.labels,
      3,
    );
    const response = await fetch(`${url}/classify?k=3`, { method: 'POST', body: new Uint8Array(pictureBytes) });
    const { results } = (await response.json()) as Json;
    assert.deepEqual(
      results[0].predictions,
      expected.map(({ logit: _, ...rest }) => rest),
    );
  });
});
