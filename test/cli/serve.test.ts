import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import sharp from 'sharp';
import { bitpath, drawing, ended, start, temporaryFolder } from './run.js';

/** The first line of stdout: the server is ready. */
const firstLine = (child: ChildProcess) =>
  new Promise<string>((resolve) => child.stdout?.once('data', (chunk) => resolve(String(chunk).split('\n')[0]!)));

describe('bitpath serve', () => {
  const folder = temporaryFolder();
  const config = async (name: string, value: unknown) => {
    const file = join(folder, name);
    await writeFile(file, typeof value === 'string' ? value : JSON.stringify(value));
    return file;
  };

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`serves the default model until ${signal}, then exits with 0`, async () => {
      const child = start(['serve', '--port', '0', '--threads', '1']);
      const result = ended(child);
      const line = await firstLine(child);
      const [url, model] = line.split('  ');
      assert.match(url!, /^http:\/\/127\.0\.0\.1:\d+$/);
      assert.equal(model, 'igp-resnet37-41-reactnet-tiny-imagenet');
      const picture = await sharp(Buffer.from(drawing(1, 200, 150)))
        .jpeg()
        .toBuffer();
      const response = await fetch(`${url}/classify?k=1`, { method: 'POST', body: new Uint8Array(picture) });
      assert.equal(response.status, 200);
      child.kill(signal);
      const { code, stdout, stderr } = await result;
      assert.equal(code, 0, stderr);
      assert.equal(stdout, `${line}\n`);
      const logs = stderr
        .trimEnd()
        .split('\n')
        .map((text) => JSON.parse(text) as { msg: string });
      assert.ok(logs.some(({ msg }) => msg === 'model loaded') && logs.some(({ msg }) => msg === 'request'));
    });
  }

  it('takes what a file says, and the command line’s word over it', async () => {
    const file = await config('server.json', {
      port: 1,
      log_level: 'silent',
      grpc_port: 0,
      models: [{ name: 'mine', source: 'igp-resnet21-53-tiny-imagenet', version: '3' }],
    });
    const child = start(['serve', '--config', file, '--port', '0']);
    const result = ended(child);
    const [url, model] = (await firstLine(child)).split('  ');
    assert.equal(model, 'mine');
    const { versions } = (await (await fetch(`${url}/v2/models/mine`)).json()) as { versions: string[] };
    assert.deepEqual(versions, ['3']);
    child.kill();
    const { code, stdout, stderr } = await result;
    assert.equal(code, 0);
    assert.match(stdout, /\ngrpc:\/\/127\.0\.0\.1:\d+\n/);
    assert.equal(stderr, '');
  });

  it('says what is wrong with the configuration, and does nothing', async () => {
    const cases: [string, RegExp][] = [
      [
        await config('key.json', { prot: 8000 }),
        /key\.json: Expected only known keys for the configuration but received "prot" \(ERR_BITPATH_CONFIG\)/,
      ],
      [await config('text.json', '{'), /text\.json: Expected a JSON object for the file .*\(ERR_BITPATH_CONFIG\)/],
      [join(folder, 'none.json'), /none\.json: Expected a JSON object .*ENOENT.*\(ERR_BITPATH_CONFIG\)/],
    ];
    for (const [file, message] of cases) {
      const { code, stdout, stderr } = await bitpath(['serve', '--config', file]);
      assert.deepEqual([code, stdout], [1, '']);
      assert.match(stderr, message);
    }
    assert.equal((await bitpath(['serve', '--port', '70000'])).code, 2);
    assert.match(
      (await bitpath(['serve', 'no-such-model', '--port', '0', '--log-level', 'silent'])).stderr,
      /No model is called "no-such-model".*\(ERR_BITPATH_UNKNOWN_NAME\)/,
    );
  });

  it('says that a port is taken', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as { port: number };
    const { code, stderr } = await bitpath(['serve', '--port', String(port), '--log-level', 'silent']);
    assert.equal(code, 1);
    assert.match(
      stderr,
      new RegExp(`Cannot listen on 127\\.0\\.0\\.1:${port}: something listens there already \\(ERR_BITPATH_LISTEN\\)`),
    );
    other.close();
  });

  it('names the one command that installs what is missing', async () => {
    const hook =
      "export async function resolve(s, c, n) { if (s === 'prom-client') throw new Error('Cannot find package prom-client'); return n(s, c); }";
    const preload = `import { register } from 'node:module'; register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(hook)}));`;
    const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(preload)}` };
    const { code, stderr } = await bitpath(['serve', '--port', '0'], { env });
    assert.equal(code, 1);
    assert.match(
      stderr,
      /npm install fastify @fastify\/multipart prom-client zod @grpc\/grpc-js @grpc\/reflection grpc-health-check \(ERR_BITPATH_MISSING_PACKAGE\)/,
    );
  });

  it('warns where anybody can ask', async () => {
    const child = start(['serve', '--port', '0', '--host', '0.0.0.0', '--log-level', 'silent']);
    const result = ended(child);
    await firstLine(child);
    child.kill();
    assert.match((await result).stderr, /warning: anybody who reaches 0\.0\.0\.0 can ask/);
  });
});
