/** docs/batch.md and docs/client.md: their commands and their code work as they stand. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { root } from '../build/root.js';
import { bitpath, temporaryFolder } from '../cli/run.js';
import { start } from '../serve/servers.js';

const read = (path: string) => readFileSync(`${root}${path}`, 'utf8');

describe('docs/batch.md', () => {
  it('has commands that work', async () => {
    const folder = temporaryFolder();
    // The drawings alone: what lies in folders beside them, installed packages too, is no part of the document's examples.
    const isDrawing = (path: string) => path === `${root}examples` || path.endsWith('.svg');
    cpSync(`${root}examples`, join(folder, 'examples'), { recursive: true, filter: isDrawing });
    writeFileSync(join(folder, 'list.jsonl'), '{"image":"examples/goldfish.svg","id":1}\n');
    const [, script = ''] = /<!-- run -->\n```sh\n(.*?)```/s.exec(read('docs/batch.md')) ?? [];
    const commands = [...script.matchAll(/^npx bitpath (.*)$/gm)].map(([, args = '']) => args.replaceAll('"', ''));
    assert.equal(commands.length, 3);
    for (const command of commands) {
      const { code, stderr } = await bitpath(command.split(' '), { cwd: folder });
      assert.equal(code, 0, stderr);
    }
    assert.equal(readFileSync(join(folder, 'results.csv'), 'utf8').split('\n').length, 4);
  });

  it('names every option of batch and worker that is there, and no other', async () => {
    const [{ stdout: first }, { stdout: second }] = await Promise.all([
      bitpath(['batch', '--help']),
      bitpath(['worker', '--help']),
    ]);
    for (const [flag] of read('docs/batch.md').matchAll(/--[a-z][a-z-]*(?=[` ])/g)) {
      assert.ok(`${first}${second}`.includes(flag), flag);
    }
  });
});

describe('docs/client.md', () => {
  const file = `${root}out/readme/client.mjs`;
  after(() => rmSync(file, { force: true }));

  it('has code that works', async () => {
    const { url } = await start({ models: ['igp-resnet37-41-reactnet-tiny-imagenet'] });
    const [, code = ''] = /<!-- run -->\n```js\n(.*?)```/s.exec(read('docs/client.md')) ?? [];
    mkdirSync(`${root}out/readme`, { recursive: true });
    writeFileSync(file, code.replace('http://localhost:8000', url));
    const cwd = temporaryFolder();
    await sharp(`${root}examples/school-bus.svg`).toFile(join(cwd, 'photo.jpg'));
    const { stdout } = await promisify(execFile)(process.execPath, [file], { cwd });
    assert.match(stdout, /^school bus -?\d+\.\d\d\n(.+ -?\d+\.\d\d\n){2}$/);
  });
});
