/** Who may ask a server, and over what: keys, pages of other sites, certificates. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { describe, it } from 'node:test';
import * as grpc from '@grpc/grpc-js';
import fastify from 'fastify';
import { bitpath } from '#lib/serve/index.js';
import { root } from '../build/root.js';
import { body, INFER, type Json, post } from './requests.js';
import { start, temporaryFolder, tinyModel } from './servers.js';

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

describe('pages of others', () => {
  const UNLOAD = '/v2/repository/models/tiny/unload';
  /** Sends what a browser would; `fetch` sets `Host` and the like itself. */
  const send = (url: string, method: string, path: string, headers: Record<string, string>) =>
    new Promise<{ status: number; body: Json }>((resolve, reject) => {
      const request = http.request(url + path, { method, headers, agent: false }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk) => (text += chunk));
        response.on('end', () => resolve({ status: response.statusCode!, body: JSON.parse(text) }));
      });
      request.on('error', reject);
      request.end();
    });

  it('cannot unload a model, nor ask for anything else', async () => {
    const { url } = await start();
    const { host } = new URL(url);
    for (const headers of [
      { origin: 'http://evil.example', 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'cross-site' },
      { origin: 'http://evil.example' },
      { origin: 'http://localhost:1', 'sec-fetch-site': 'same-site' },
      { origin: 'null' },
      { origin: '' },
    ] as Record<string, string>[]) {
      for (const path of [UNLOAD, INFER, '/classify', '/none']) {
        const { status, body } = await send(url, 'POST', path, headers);
        assert.deepEqual([status, body.code], [403, 'ERR_BITPATH_FORBIDDEN'], JSON.stringify(headers));
      }
    }
    for (const headers of [
      {},
      { origin: `http://${host}` },
      { origin: 'https://vision.example', 'sec-fetch-site': 'same-origin' },
      { 'sec-fetch-site': 'none' },
    ] as Record<string, string>[]) {
      assert.equal((await send(url, 'POST', '/v2/repository/index', headers)).status, 200, JSON.stringify(headers));
    }
    assert.equal((await send(url, 'GET', '/v2', { 'sec-fetch-site': 'cross-site' })).status, 200);
  });

  it('do not pass for this machine under another name', async () => {
    const { url } = await start();
    const ask = (to: string, host: string, headers = {}) => send(to, 'GET', '/v2', { host, ...headers });
    for (const host of ['evil.example', 'evil.example:8000', 'localhost.evil.example', '127.0.0.1.evil.example']) {
      const { status, body } = await ask(url, host);
      assert.deepEqual([status, body.code], [403, 'ERR_BITPATH_FORBIDDEN'], host);
    }
    for (const host of ['localhost', 'LOCALHOST:8000', '127.0.0.1:1', '[::1]:8000', '10.0.0.1'])
      assert.equal((await ask(url, host)).status, 200, host);
    const key = 'correct-horse-battery';
    const withKeys = await start({ api_keys: [key] });
    assert.equal((await ask(withKeys.url, 'vision.example', { 'x-api-key': key })).status, 200);
    const open = await start({ host: '0.0.0.0' });
    assert.equal((await ask(open.url, 'vision.example')).status, 200);
  });

  it('are the matter of an app that answers CORS', async () => {
    const folder = temporaryFolder();
    await tinyModel().save(`${folder}/tiny.safetensors`);
    const app = fastify();
    app.addHook('onRequest', async ({ headers }, reply) => {
      if (headers.origin === 'https://friend.example') reply.header('access-control-allow-origin', headers.origin);
    });
    await app.register(bitpath, { models: [`${folder}/tiny.safetensors`], threads: 1 });
    const ask = (origin: string) => app.inject({ method: 'POST', url: INFER, payload: body, headers: { origin } });
    assert.equal((await ask('https://friend.example')).statusCode, 200);
    assert.equal((await ask('https://evil.example')).statusCode, 403);
    assert.equal((await app.inject({ url: '/v2', headers: { host: 'vision.example' } })).statusCode, 200);
    await app.close();
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
