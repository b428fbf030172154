/** What keeps a server up: limits, full queues, callers that go away; its log, and life inside another app. */
import assert from 'node:assert/strict';
import net, { type AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import fastify from 'fastify';
import { bitpath, createServer } from '#lib/serve/index.js';
import { body, INFER, type Json, post, served, WAITS } from './requests.js';
import { floats, picture, SIDE, start, temporaryFolder, tinyModel, until } from './servers.js';

/** Writes `text` to a server and returns all that it answers until it closes the connection. */
function talk(url: string, text: string | Uint8Array, end = false): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    let answer = '';
    const socket = net.connect(Number(port), hostname, () => (end ? socket.end(text) : socket.write(text)));
    socket.setEncoding('latin1');
    socket.on('data', (chunk) => (answer += chunk));
    socket.on('close', () => resolve(answer));
    socket.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'ECONNRESET' ? resolve(answer) : reject(error),
    );
  });
}

describe('limits', () => {
  it('of bodies: as they come, chunked, and expanded', async () => {
    const { url } = await start({ limits: { body_bytes: 20_000 } });
    const large = new Uint8Array(20_001);
    for (const path of [INFER, '/classify']) {
      const { status, body } = await post(url + path, large);
      assert.deepEqual([status, body.code], [413, 'ERR_BITPATH_TOO_LARGE'], path);
    }
    const small = gzipSync(new Uint8Array(1_000_000));
    const expanded = await post(url + INFER, new Uint8Array(small), { headers: { 'content-encoding': 'gzip' } });
    assert.deepEqual([expanded.status, expanded.body.code], [413, 'ERR_BITPATH_TOO_LARGE']);
    assert.match(expanded.body.error, /expanded, is over the limit of 20000 bytes/);

    const form = new FormData();
    form.append('a', new Blob([large]), 'a.png');
    const multipart = await post(`${url}/classify`, form);
    assert.deepEqual([multipart.status, multipart.body.code], [413, 'ERR_BITPATH_TOO_LARGE']);
  });

  it('of the JSON in a body, whose binary data may be larger', async () => {
    const { url } = await start({ limits: { json_bytes: 2000, body_bytes: 20_000 } });
    const packed = new Uint8Array(gzipSync(body));
    for (const [what, headers] of [
      [body, {}],
      [packed, { 'content-encoding': 'gzip' }],
    ] as const) {
      const { status, body } = await post(url + INFER, what, { headers });
      assert.deepEqual([status, body.code], [413, 'ERR_BITPATH_TOO_LARGE']);
      assert.match(body.error, /^The JSON is over the limit of 2000 bytes/);
    }
    const shape = [2, 3, SIDE, SIDE];
    const header = JSON.stringify({
      inputs: [{ name: 'input', datatype: 'FP32', shape, parameters: { binary_data_size: 4 * 6 * SIDE * SIDE } }],
      outputs: [{ name: 'logits' }],
    }).padEnd(2000);
    const binary = Buffer.concat([Buffer.from(header), new Uint8Array(floats(2).buffer)]);
    const headers = { 'inference-header-content-length': '2000' };
    assert.equal((await post(url + INFER, binary, { headers })).status, 200);
  });

  it('of pictures: pixels before they are decoded, and how many wait', async () => {
    const { url } = await start({ limits: { picture_pixels: 1000, decoders: 1, decode_queue: 0 } });
    const fine = new Uint8Array(await picture(1, 'png', 40, 25));
    assert.equal((await post(`${url}/classify`, fine)).status, 200);
    const { status, body } = await post(`${url}/classify`, new Uint8Array(await picture(1, 'png', 40, 26)));
    assert.deepEqual([status, body.code], [400, 'ERR_BITPATH_IMAGE']);
    assert.match(body.error, /pixel limit/);

    const form = new FormData();
    for (const name of ['a', 'b']) form.append(name, new Blob([fine]), name);
    const two = await post(`${url}/classify`, form);
    assert.deepEqual([two.status, two.body.code, two.headers.get('retry-after')], [503, 'ERR_BITPATH_QUEUE_FULL', '1']);
  });

  it('of a form: files and their number', async () => {
    const { url } = await start();
    const form = new FormData();
    for (let i = 0; i < 70; i++) form.append(`f${i}`, new Blob(['x']), `f${i}`);
    const many = await post(`${url}/classify`, form);
    assert.deepEqual([many.status, many.body.code], [413, 'ERR_BITPATH_TOO_LARGE']);
    const fields = new FormData();
    fields.append('a', 'text');
    const none = await post(`${url}/classify`, fields);
    assert.deepEqual([none.status, none.body.code], [400, 'ERR_BITPATH_ARGUMENT']);
    assert.match(none.body.error, /a file for the form’s field "a" but received text/);
    const nine = new FormData();
    const bytes = new Uint8Array(await picture(1));
    for (let i = 0; i < 9; i++) nine.append(`f${i}`, new Blob([bytes]), `f${i}`);
    const batches = await post(`${url}/classify`, nine); // more than a batch holds
    assert.deepEqual([batches.status, batches.body.results.length], [200, 9]);
    for (const { predictions } of batches.body.results)
      assert.deepEqual(predictions, batches.body.results[0].predictions);
  });

  it('of headers, and of the time that they take', async () => {
    const { url } = await start({ limits: { header_bytes: 2048, headers_timeout_ms: 200, request_timeout_ms: 400 } });
    const long = await talk(url, `GET /v2 HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(4000)}\r\n\r\n`);
    assert.match(long, /^HTTP\/1\.1 431 .*ERR_BITPATH_ARGUMENT/s);
    const slow = await talk(url, 'GET /v2 HTTP/1.1\r\nHost: localhost\r\n');
    assert.match(slow, /^HTTP\/1\.1 408 .*ERR_BITPATH_ARGUMENT/s);
    const slowBody = await talk(url, `POST ${INFER} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{`);
    assert.match(slowBody, /^HTTP\/1\.1 408 /);
    assert.match(await talk(url, 'garbage\r\n\r\n'), /^HTTP\/1\.1 400 .*ERR_BITPATH_ARGUMENT/s);
    assert.equal((await fetch(`${url}/v2`)).status, 200);
  });

  it('of connections', async () => {
    const { url } = await start({ limits: { connections: 2 } });
    const { hostname, port } = new URL(url);
    const sockets = Array.from({ length: 4 }, () => net.connect(Number(port), hostname));
    let closed = 0;
    for (const socket of sockets) {
      socket.on('close', () => closed++);
      socket.on('error', () => {});
    }
    await until(() => closed === 2);
    for (const socket of sockets) socket.destroy();
  });
});

describe('a queue', () => {
  it('that is full refuses at once, and says when to ask again', async () => {
    const running = await start({
      model_defaults: { dynamic_batching: { ...WAITS, default_queue_policy: { max_queue_size: 1 } } },
    });
    const controller = new AbortController();
    const first = post(running.url + INFER, body, { signal: controller.signal }).catch(() => 'given up');
    await until(() => served(running).pending === 1);
    const { status, headers, body: answer } = await post(running.url + INFER);
    assert.deepEqual([status, answer.code, headers.get('retry-after')], [503, 'ERR_BITPATH_QUEUE_FULL', '1']);
    controller.abort();
    assert.equal(await first, 'given up');
    await until(() => served(running).pending === 0);
    assert.equal(served(running).active, 0);
  });

  it('keeps the timeout that a request names', async () => {
    const running = await start({ model_defaults: { dynamic_batching: WAITS } });
    const { inputs } = JSON.parse(body);
    const { status, body: answer } = await post(
      running.url + INFER,
      JSON.stringify({ inputs, parameters: { timeout: 1000 } }),
    );
    assert.deepEqual([status, answer.code], [503, 'ERR_BITPATH_TIMEOUT']);
  });

  it('computes requests that come together in one batch', async () => {
    const running = await start({ model_defaults: { max_batch_size: 4, dynamic_batching: WAITS } });
    const answers = await Promise.all(Array.from({ length: 4 }, () => post(running.url + INFER)));
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200, 200],
    );
    const { execution_count, inference_count } = served(running).statistics();
    assert.deepEqual([execution_count, inference_count], [1, 4]);
    const [first, ...others] = answers.map(({ body }) => body.outputs[0].data);
    for (const other of others) assert.deepEqual(other, first);
  });
});

describe('logs', () => {
  it('have a line for each request, with the id that the caller gave or a new one', async () => {
    const lines: Json[] = [];
    const { url } = await start(
      {},
      { logger: { level: 'info', stream: { write: (line: string) => void lines.push(JSON.parse(line)) } } },
    );
    await fetch(`${url}/v2`, { headers: { 'x-request-id': 'mine-1' } });
    await fetch(`${url}/none`, { headers: { 'x-request-id': 'not mine\t' } });
    await until(() => lines.filter(({ msg }) => msg === 'request').length === 2);
    const [first, second] = lines.filter(({ msg }) => msg === 'request');
    assert.deepEqual([first.reqId, first.method, first.url, first.status], ['mine-1', 'GET', '/v2', 200]);
    assert.match(second.reqId, /^[\da-f-]{36}$/);
    assert.equal(second.status, 404);
  });
});

describe('the plugin', () => {
  it('serves below a prefix of an app that has routes of its own', async () => {
    const folder = temporaryFolder();
    await tinyModel().save(`${folder}/tiny.safetensors`);
    const app = fastify();
    app.get('/', async () => 'mine');
    app.post('/echo', async (request) => request.body);
    await app.register(bitpath, { prefix: '/vision', models: [`${folder}/tiny.safetensors`], threads: 1 });
    const infer = await app.inject({ method: 'POST', url: `/vision${INFER}`, payload: body });
    assert.equal(infer.statusCode, 200);
    assert.equal((await app.inject('/')).payload, 'mine');
    assert.deepEqual((await app.inject({ method: 'POST', url: '/echo', payload: { a: 1 } })).json(), { a: 1 });
    assert.equal((await app.inject('/vision/none')).json().code, 'ERR_BITPATH_ROUTE');
    assert.equal((await app.inject('/none')).json().error, 'Not Found');
    assert.equal((await app.inject('/vision/v2/health/ready')).statusCode, 200);
    await app.close();
  });

  it('serves in the app of a server, too', async () => {
    const folder = temporaryFolder();
    await tinyModel().save(`${folder}/tiny.safetensors`);
    const models = [`${folder}/tiny.safetensors`];
    const server = await createServer({ port: 0, models, threads: 1 }, { logger: false });
    await server.app.register(bitpath, { prefix: '/vision', models, threads: 1 });
    const { url } = await server.listen();
    for (const prefix of ['', '/vision']) assert.equal((await post(url + prefix + INFER)).status, 200);
    await server.close();
  });

  it('does not wait for who left while a hook of the app was at work', { timeout: 20_000 }, async () => {
    const folder = temporaryFolder();
    await tinyModel().save(`${folder}/tiny.safetensors`);
    const app = fastify();
    let left = 0;
    app.addHook('onRequest', async ({ raw }) => {
      await new Promise((resolve) => raw.socket.once('close', resolve));
      await setImmediate();
      left++;
    });
    await app.register(bitpath, { models: [`${folder}/tiny.safetensors`], threads: 1, drain_secs: 40 });
    await app.listen({ port: 0 });
    const { port } = app.server.address() as AddressInfo;
    for (const part of [0, 0.5, 1]) {
      const socket = net.connect(port, '127.0.0.1', () => {
        socket.write(`POST ${INFER} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n`);
        socket.write(body.slice(0, body.length * part), () => socket.destroy());
      });
    }
    await until(() => left === 3);
    await app.close();
  });
});
