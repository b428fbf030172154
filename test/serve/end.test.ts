/** How a server ends: in order, and while it starts, is uploaded to, or waits. */
import assert from 'node:assert/strict';
import http from 'node:http';
import net from 'node:net';
import { describe, it } from 'node:test';
import { createServer } from '#lib/serve/index.js';
import { body, INFER, post, served, WAITS } from './requests.js';
import { start, temporaryFolder, tinyModel, until } from './servers.js';

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
