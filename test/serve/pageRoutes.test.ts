/** The files of the page as a server sends them: types, policy, caching. What they do is tested in a browser. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import Fastify from 'fastify';
import { bitpath } from '#lib/serve/index.js';
import { type Running, start } from './servers.js';

describe('the files of the page', () => {
  let running: Running;
  before(async () => {
    running = await start();
  });

  /** Everything that the page names, and everything that those name. */
  async function all(): Promise<string[]> {
    const found = new Set(['/']);
    for (const path of found) {
      const text = await (await fetch(running.url + path)).text();
      for (const [, relative] of text.matchAll(/(?:src|href|from|import)(?:=| )['"](\.?[\w./]+\.(?:js|css|svg))['"]/g))
        found.add(new URL(relative!, running.url + path).pathname);
    }
    return [...found];
  }

  it('are all there, with types, and no policy lets anything else in', async () => {
    const paths = await all();
    assert.ok(paths.length > 10, paths.join());
    for (const path of paths) {
      const { status, headers } = await fetch(running.url + path);
      assert.equal(status, 200, path);
      const type =
        { js: 'text/javascript', css: 'text/css', svg: 'image/svg+xml' }[path.split('.')[1] ?? ''] ?? 'text/html';
      assert.ok(headers.get('content-type')!.startsWith(type), path);
      assert.equal(headers.get('x-content-type-options'), 'nosniff');
      assert.equal(headers.get('x-frame-options'), 'DENY');
      const policy = headers.get('content-security-policy')!;
      assert.match(policy, /^default-src 'none';/);
      assert.doesNotMatch(policy, /unsafe|https?:|\*|data:/);
    }
  });

  it('say nothing of elsewhere', async () => {
    for (const path of await all()) {
      const text = await (await fetch(running.url + path)).text();
      assert.doesNotMatch(text.replaceAll('http://www.w3.org/2000/svg', ''), /https?:\/\/|["'(]\/\//, path);
      assert.doesNotMatch(text, /sourceMappingURL/, path);
    }
  });

  it('are sent once', async () => {
    for (const path of await all()) {
      const first = await fetch(running.url + path);
      assert.equal(first.headers.get('cache-control'), 'no-cache');
      const etag = first.headers.get('etag')!;
      for (const known of [etag, `"other", ${etag}`, '*']) {
        const again = await fetch(running.url + path, { headers: { 'if-none-match': known } });
        assert.equal(again.status, 304, path);
        assert.equal(again.headers.get('etag'), etag);
        assert.equal(await again.text(), '');
      }
      assert.equal((await fetch(running.url + path, { headers: { 'if-none-match': '"other"' } })).status, 200);
      const head = await fetch(running.url + path, { method: 'HEAD' });
      assert.deepEqual([head.status, head.headers.get('etag'), await head.text()], [200, etag, '']);
    }
    const { headers } = await fetch(`${running.url}/page/style.css`, { headers: { 'accept-encoding': 'gzip' } });
    assert.equal(headers.get('content-encoding'), 'gzip');
    assert.match(headers.get('vary')!, /accept-encoding/i);
  });

  it('tell the page what the server takes', async () => {
    const { url } = await start({ limits: { body_bytes: 12_345 } });
    assert.match(await (await fetch(url)).text(), /data-body-bytes="12345"/);
  });

  it('lie below a prefix, and the page itself where its addresses are right', async () => {
    const app = Fastify();
    await app.register(bitpath, { prefix: '/a/vision', threads: 1 });
    try {
      const bare = await app.inject('/a/vision?x=1');
      assert.deepEqual([bare.statusCode, bare.headers.location], [302, './vision/']);
      for (const path of ['/a/vision/', '/a/vision/?x=1', '/a/vision/page/main.js', '/a/vision/page/style.css'])
        assert.equal((await app.inject(path)).statusCode, 200, path);
      for (const path of [
        '/',
        '/page/main.js',
        '/a/vision/page/',
        '/a/vision/page/..%2f..%2fserver.js',
        '/a/vision/page/main.d.ts',
      ])
        assert.equal((await app.inject(path)).statusCode, 404, path);
    } finally {
      await app.close();
    }
  });
});
