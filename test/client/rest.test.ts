/** What the REST client makes of other servers' answers, and of a browser. */
import assert from 'node:assert/strict';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createServer, type RequestListener } from 'node:http';
import { getEventListeners } from 'node:events';
import { after, describe, it } from 'node:test';
import { createClient } from 'bitpath/client';
import { build } from 'esbuild';
import { root } from '../build/root.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const servers: ReturnType<typeof createServer>[] = [];
after(() => {
  for (const server of servers) server.close().closeAllConnections();
});

/** A client of a server that answers with `listener`. */
function clientOf(listener: RequestListener, options: Parameters<typeof createClient>[1] = {}) {
  return new Promise<ReturnType<typeof createClient>>((resolve) => {
    const server = createServer(listener).listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      resolve(createClient(`http://127.0.0.1:${port}/behind/a/path`, options));
    });
    servers.push(server);
  });
}

describe('other servers', () => {
  it('answer health with an empty body, a "no" with 400, 503 or false', async () => {
    const answers: [number, string, boolean][] = [
      [200, '', true],
      [200, '{"live":true}', true],
      [200, '{"ready":true}', true],
      [200, '{"ready":false}', false],
      [400, '', false],
      [503, '{"ready":false}', false],
    ];
    for (const [status, body, expected] of answers) {
      const client = await clientOf((request, response) => {
        assert.equal(request.url, '/behind/a/path/v2/health/ready');
        response.writeHead(status).end(body);
      });
      assert.equal(await client.serverReady(), expected, `${status} ${body}`);
    }
  });

  it('EXPECTED FAILURE are quoted where they fail', async () => {
    const answers: [number, string, RegExp][] = [
      [404, '{"error":"Request for unknown model"}', /answered with 404: Request for unknown model/],
      [502, '<html>Bad Gateway</html>', /answered with 502: <html>Bad Gateway/],
      [500, '', /answered with 500: it says nothing more/],
      [200, 'hello', /answered with 200: its answer is no JSON/],
    ];
    for (const [status, body, message] of answers) {
      const client = await clientOf((_, response) => response.writeHead(status).end(body));
      await assert.rejects(client.serverMetadata(), { code: 'ERR_BITPATH_SERVER', message });
    }
  });

  it('EXPECTED FAILURE may answer an inference with nonsense', async () => {
    const bodies = ['{}', '{"model_name":"m","outputs":[{"name":"y","datatype":"FP32","shape":[2],"data":[1]}]}', '['];
    for (const body of bodies) {
      const client = await clientOf((request, response) => {
        request.resume().on('end', () => response.end(body));
      });
      const input = { name: 'x', shape: [1], data: new Float32Array(1) };
      await assert.rejects(client.infer('m', [input]), { code: 'ERR_BITPATH_SERVER', message: /not the protocol's/ });
    }
  });

  it('get what the protocol says: binary tensors behind their JSON', async () => {
    let seen = Buffer.alloc(0);
    let header = '';
    const client = await clientOf((request, response) => {
      header = String(request.headers['inference-header-content-length']);
      request.on('data', (chunk: Buffer) => (seen = Buffer.concat([seen, chunk])));
      request.on('end', () =>
        response.end('{"model_name":"m","outputs":[{"name":"y","datatype":"INT64","shape":[1],"data":[7]}]}'),
      );
    });
    const inputs = [
      { name: 'x', shape: [2], data: Float32Array.of(1, 2) },
      { name: 's', shape: [2], data: ['é', new Uint8Array([1, 2])] },
    ];
    const result = await client.infer('m', inputs, { parameters: { priority: 1 } });
    assert.deepEqual(result.output('y', 'INT64').data, BigInt64Array.of(7n));
    const json = JSON.parse(seen.subarray(0, Number(header)).toString());
    assert.deepEqual(json, {
      parameters: { priority: 1, binary_data_output: true },
      inputs: [
        { name: 'x', datatype: 'FP32', shape: [2], parameters: { binary_data_size: 8 } },
        { name: 's', datatype: 'BYTES', shape: [2], parameters: { binary_data_size: 12 } },
      ],
    });
    const bytes = [0, 0, 128, 63, 0, 0, 0, 64, 2, 0, 0, 0, 0xc3, 0xa9, 2, 0, 0, 0, 1, 2];
    assert.deepEqual([...seen.subarray(Number(header))], bytes);
  });

  it('are called any number of times without leaving anything behind', async () => {
    const { signal } = new AbortController();
    const live = { fetch: async () => new Response('{}') };
    const client = createClient('http://localhost', { ...live, timeoutMs: 60_000 });
    const used = async (calls: number) => {
      for (let i = 0; i < calls; i++) await client.serverMetadata({ signal });
      assert.equal(getEventListeners(signal, 'abort').length, 0);
      collect();
      await new Promise((resolve) => setTimeout(resolve, 20));
      collect();
      return process.memoryUsage().heapUsed;
    };
    await used(5_000);
    const before = await used(5_000);
    const bytes = ((await used(20_000)) - before) / 20_000;
    assert.ok(bytes < 20, `${bytes.toFixed(1)} bytes a call`);
    assert.equal(process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length <= 1, true);
  });

  it('EXPECTED FAILURE stop being waited for when the client is closed', async () => {
    const client = await clientOf(() => {});
    const asked = [client.serverLive(), client.serverMetadata()];
    client.close();
    for (const call of asked) await assert.rejects(call, { code: 'ERR_BITPATH_DISPOSED' });
  });

  it('EXPECTED FAILURE may never answer', async () => {
    const client = await clientOf(() => {}, { timeoutMs: 50 });
    await assert.rejects(client.serverLive(), { code: 'ERR_BITPATH_CONNECTION', message: /no answer within 50 ms/ });
  });
});

describe('in a browser', () => {
  it('needs nothing of Node, and is small', async () => {
    const { outputFiles, metafile } = await build({
      stdin: { contents: "export * from 'bitpath/client';", resolveDir: root },
      bundle: true,
      write: false,
      minify: true,
      metafile: true,
      format: 'esm',
      platform: 'browser', // an import of node: is an error
      logLevel: 'silent',
    });
    const [file] = outputFiles;
    assert.doesNotMatch(file?.text ?? 'node:', /node:|\brequire\(|\bBuffer\b|\bprocess\./);
    for (const path of Object.keys(metafile.inputs)) assert.doesNotMatch(path, /node_modules/);
    assert.ok((file?.contents.length ?? 0) < 40_000, `${file?.contents.length} bytes`);
    // And it runs from that one file.
    const module = await import(`data:text/javascript;base64,${Buffer.from(file?.contents ?? '').toString('base64')}`);
    const client = await clientOf((_, response) => response.end('{"live":true}'));
    const again = module.createClient('http://localhost:1');
    assert.equal(typeof again.infer, 'function');
    assert.equal(await client.serverLive(), true);
  });
});
