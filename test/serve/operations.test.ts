/** What keeps a server up: limits, keys, certificates, full queues, callers that go away, an orderly end. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import * as grpc from '@grpc/grpc-js';
import fastify from 'fastify';
import { bitpath, createServer } from '#lib/serve/index.js';
import { root } from '../build/root.js';
import { floats, picture, type Running, SIDE, start, temporaryFolder, tinyModel, until } from './servers.js';

// biome-ignore lint/suspicious/noExplicitAny: documents of several forms, each looked at by a test
type Json = any;

const body = JSON.stringify({
  inputs: [{ name: 'input', datatype: 'FP32', shape: [1, 3, SIDE, SIDE], data: [...floats(1)] }],
});
const INFER = '/v2/models/tiny/infer';
/** One request waits for company that does not come. */
const WAITS = { max_queue_delay_microseconds: 3_600_000_000 };

const post = async (
  url: string,
  what: NonNullable<RequestInit['body']> = body,
  init: RequestInit = {},
): Promise<{ status: number; headers: Headers; body: Json }> => {
  const response = await fetch(url, { method: 'POST', body: what, ...init });
  return { status: response.status, headers: response.headers, body: await response.json() };
};
const served = ({ server }: Running) => server.service.repository.resolve('tiny');

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
    assert.ok([400, 413].includes(none.status), String(none.status));
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
    const long = await talk(url, `GET /v2 HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(4000)}\r\n\r\n`);
    assert.match(long, /^HTTP\/1\.1 431 .*ERR_BITPATH_ARGUMENT/s);
    const slow = await talk(url, 'GET /v2 HTTP/1.1\r\nHost: a\r\n');
    assert.match(slow, /^HTTP\/1\.1 408 .*ERR_BITPATH_ARGUMENT/s);
    const slowBody = await talk(url, `POST ${INFER} HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{`);
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

describe('keys', () => {
  const key = 'correct-horse-battery';
  it('are asked for by every route but the probes and the pages', async () => {
    const running = await start({ api_keys: [key, 'another-one-of-length'], grpc_port: 0 });
    const { url } = running;
    for (const path of ['/v2/health/live', '/v2/health/ready', '/', '/page/main.js', '/docs', '/docs/openapi.json']) {
      assert.equal((await fetch(url + path)).status, 200, path);
    }
    for (const path of ['/v2', '/v2/models/tiny', '/metrics', '/none', '/page/none.js', '/page/../v2', '//v2']) {
      const response = await fetch(url + path);
      assert.equal(response.status, 401, path);
      assert.equal(response.headers.get('www-authenticate'), 'Bearer');
      assert.equal(((await response.json()) as Json).code, 'ERR_BITPATH_UNAUTHORIZED');
    }
    for (const headers of [{ authorization: `Bearer ${key}` }, { 'x-api-key': 'another-one-of-length' }] as Record<
      string,
      string
    >[]) {
      assert.equal((await post(url + INFER, body, { headers })).status, 200);
    }
    for (const headers of [{ authorization: `Bearer ${key}x` }, { authorization: key }, { 'x-api-key': '' }] as Record<
      string,
      string
    >[]) {
      assert.equal((await post(url + INFER, body, { headers })).status, 401);
    }
    const client = new grpc.Client(running.grpc!, grpc.credentials.createInsecure());
    const live = (metadata: grpc.Metadata) =>
      new Promise<number>((resolve) => {
        const same = (bytes: Buffer) => bytes;
        client.makeUnaryRequest(
          '/inference.GRPCInferenceService/ServerLive',
          same,
          same,
          Buffer.alloc(0),
          metadata,
          {},
          (error) => resolve(error?.code ?? 0),
        );
      });
    const metadata = new grpc.Metadata();
    assert.equal(await live(metadata), grpc.status.UNAUTHENTICATED);
    metadata.set('authorization', `Bearer ${key}`);
    assert.equal(await live(metadata), grpc.status.OK);
    client.close();
  });
});

describe('TLS', () => {
  const fixtures = `${root}test/serve/fixtures`;
  it('is spoken by REST and gRPC', async () => {
    const running = await start({ tls: { cert: `${fixtures}/cert.pem`, key: `${fixtures}/key.pem` }, grpc_port: 0 });
    const ca = readFileSync(`${fixtures}/cert.pem`);
    assert.match(running.url, /^https:/);
    const headers = await new Promise<http.IncomingHttpHeaders>((resolve, reject) => {
      https
        .get(`${running.url}/v2`, { ca, agent: false }, (response) => resolve(response.resume().headers))
        .on('error', reject);
    });
    assert.match(headers['strict-transport-security']!, /max-age/);
    const client = new grpc.Client(running.grpc!, grpc.credentials.createSsl(ca));
    const same = (bytes: Buffer) => bytes;
    const error = await new Promise((resolve) => {
      client.makeUnaryRequest('/inference.GRPCInferenceService/ServerLive', same, same, Buffer.alloc(0), resolve);
    });
    assert.equal(error, null);
    client.close();
  });

  it('without its files is an error that names them', async () => {
    await assert.rejects(start({ tls: { cert: `${fixtures}/none.pem`, key: `${fixtures}/key.pem` } }), {
      code: 'ERR_BITPATH_CONFIG',
    });
  });
});

describe('the end', () => {
  it('is orderly: not ready at once, what is on its way is answered, then nothing listens', async () => {
    const running = await start({ model_defaults: { max_batch_size: 2, dynamic_batching: WAITS }, grpc_port: 0 });
    const agent = new http.Agent({ keepAlive: true });
    const send = (path: string, what?: string) =>
      new Promise<{ status: number; text: string }>((resolve, reject) => {
        const request = http.request(
          running.url + path,
          { agent, method: what === undefined ? 'GET' : 'POST' },
          (response) => {
            let text = '';
            response.setEncoding('utf8').on('data', (chunk) => (text += chunk));
            response.on('end', () => resolve({ status: response.statusCode!, text }));
          },
        );
        request.on('error', reject);
        request.end(what);
      });
    const waiting = send(INFER, body);
    await until(() => served(running).pending === 1);
    const closing = running.server.close();
    assert.equal(running.server.close(), closing);
    assert.equal((await send('/v2/health/ready')).status, 503);
    assert.equal((await send('/v2/health/live')).status, 200);
    assert.equal((await send('/v2/models/tiny/ready')).status, 503);
    const second = send(INFER, body); // still answered, and fills the batch
    assert.equal((await waiting).status, 200);
    assert.equal((await second).status, 200);
    await closing;
    await assert.rejects(fetch(`${running.url}/v2`));
    agent.destroy();
  });

  it('drops no request of those that never cease to come', async () => {
    const { url, server } = await start({ drain_secs: 2 });
    const statuses: number[] = [];
    const errors: string[] = [];
    const agent = new http.Agent({ keepAlive: true });
    const lane = async () => {
      for (;;) {
        try {
          await new Promise<void>((resolve, reject) => {
            const request = http.request(url + INFER, { agent, method: 'POST' }, (response) => {
              statuses.push(response.statusCode!);
              response.resume().on('end', resolve);
            });
            request.on('error', reject);
            request.end(body);
          });
        } catch (error) {
          errors.push((error as NodeJS.ErrnoException).code!);
          return;
        }
      }
    };
    const lanes = Promise.all(Array.from({ length: 8 }, lane));
    await until(() => statuses.length > 50);
    await server.close();
    await lanes;
    assert.deepEqual([...new Set(statuses)], [200]);
    // Nobody listens any more; what stood in the system's queue at that moment is reset.
    assert.ok(
      errors.every((code) => code === 'ECONNREFUSED' || code === 'ECONNRESET'),
      errors.join(),
    );
    agent.destroy();
  });

  it('does not wait for who sends nothing', async () => {
    const { url, server } = await start({ drain_secs: 60 });
    const { hostname, port } = new URL(url);
    const silent = net.connect(Number(port), hostname);
    const half = net.connect(Number(port), hostname, () => half.write('GET /v2 HTTP/1.1\r\nHost: local'));
    const idle = net.connect(Number(port), hostname, () => idle.write('GET /v2 HTTP/1.1\r\nHost: localhost\r\n\r\n'));
    const sockets = [silent, half, idle];
    for (const socket of sockets) socket.on('error', () => {});
    const closed = Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('close', resolve))));
    await new Promise((resolve) => idle.once('data', resolve));
    const began = performance.now();
    await server.close();
    await closed;
    assert.ok(performance.now() - began < 20_000);
  });

  it('waits for a body that does not come, but not beyond the limit', async () => {
    const { url, server } = await start({ drain_secs: 1 });
    const { hostname, port } = new URL(url);
    const socket = net.connect(Number(port), hostname);
    let closed = false;
    socket.on('close', () => {
      closed = true;
    });
    socket.on('error', () => {});
    socket.write(`POST ${INFER} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{`);
    await until(
      async () => new Promise((resolve) => server.app.server.getConnections((_, count) => resolve(count === 1))),
    );
    const began = performance.now();
    await server.close();
    assert.ok(performance.now() - began < 20_000);
    await until(() => closed);
  });

  it('waits for an upload that is under way, and answers it', async () => {
    const { url, server } = await start({ drain_secs: 30 });
    const { hostname, port } = new URL(url);
    let answer = '';
    const socket = net.connect(Number(port), hostname);
    socket.setEncoding('latin1').on('data', (chunk) => (answer += chunk));
    const ended = new Promise((resolve) => socket.once('close', resolve));
    const head = `POST ${INFER} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n`;
    socket.write(head + body.slice(0, 50));
    const entered = new Promise<void>((resolve) => {
      const { enter } = server.service;
      server.service.enter = function () {
        resolve();
        return enter.call(this);
      };
    });
    await entered;
    const closing = server.close();
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.equal((await fetch(`${url}/v2/health/ready`)).status, 503);
    socket.write(body.slice(50));
    await ended;
    assert.match(answer, /^HTTP\/1\.1 200 .*"outputs"/s);
    await closing;
  });

  it('answers an upload that outlasts it with 503', async () => {
    const { url, server } = await start({ drain_secs: 0 });
    const { hostname, port } = new URL(url);
    let answer = '';
    const socket = net.connect(Number(port), hostname);
    socket.setEncoding('latin1').on('data', (chunk) => (answer += chunk));
    const ended = new Promise((resolve) => socket.once('close', resolve));
    const head = `POST ${INFER} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n`;
    socket.write(head + body.slice(0, 50));
    await until(() => server.app.server.listening && socket.bytesWritten > 0);
    await new Promise((resolve) => setTimeout(resolve, 200));
    const closing = server.close();
    await new Promise((resolve) => setTimeout(resolve, 200));
    socket.write(body.slice(50));
    await ended;
    assert.match(answer, /^HTTP\/1\.1 503 .*ERR_BITPATH_UNAVAILABLE/s);
    await closing;
  });

  it('rejects what waits for a version that was unloaded', async () => {
    const running = await start({ model_defaults: { dynamic_batching: WAITS }, drain_secs: 0 });
    const waiting = post(running.url + INFER);
    await until(() => served(running).pending === 1);
    assert.equal((await post(`${running.url}/v2/repository/models/tiny/unload`, '')).status, 200);
    await running.server.close();
    const { status, body: answer } = await waiting;
    assert.deepEqual([status, answer.code], [503, 'ERR_BITPATH_UNAVAILABLE']);
  });

  it('may come while models are loaded: then nothing was started', async () => {
    const folder = temporaryFolder();
    await tinyModel().save(`${folder}/tiny.safetensors`);
    const options = { port: 0, grpc_port: 0, threads: 1, models: [`${folder}/tiny.safetensors`] };
    const server = await createServer(options, { logger: false });
    const { repository } = server.service;
    const { refresh } = repository;
    let closing: Promise<void> | undefined;
    repository.refresh = function () {
      const refreshed = refresh.call(this);
      closing = server.close();
      return refreshed;
    };
    await assert.rejects(server.listen(), { code: 'ERR_BITPATH_UNAVAILABLE', message: /closed/ });
    await closing;
    assert.deepEqual(repository.served(), []);
    assert.equal(server.app.server.listening, false);
    await assert.rejects(server.listen(), { code: 'ERR_BITPATH_UNAVAILABLE' });
  });

  it('comes within the limit, also where requests would wait for ever', async () => {
    const running = await start({ model_defaults: { dynamic_batching: WAITS }, drain_secs: 0 });
    const waiting = post(running.url + INFER);
    await until(() => served(running).pending === 1);
    await running.server.close();
    const { status, body: answer } = await waiting;
    assert.deepEqual([status, answer.code], [503, 'ERR_BITPATH_UNAVAILABLE']);
  });

  it('leaves the port to the next', async () => {
    const first = await start();
    const port = Number(new URL(first.url).port);
    await assert.rejects(start({ port }), {
      code: 'ERR_BITPATH_LISTEN',
      message: `Cannot listen on 127.0.0.1:${port}: something listens there already`,
    });
    const grpcServer = await start({ grpc_port: 0 });
    await assert.rejects(start({ grpc_port: Number(grpcServer.grpc!.split(':')[1]) }), { code: 'ERR_BITPATH_LISTEN' });
    await first.server.close();
    const second = await start({ port });
    assert.equal((await fetch(`${second.url}/v2/health/ready`)).status, 200);
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
});
