/** docs/serving.md: its curl examples work, its tables have every key and every metric. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { parseConfig } from '#lib/serve/config.js';
import { root } from '../build/root.js';
import { picture, type Running, start, temporaryFolder } from '../serve/servers.js';

const text = readFileSync(`${root}docs/serving.md`, 'utf8');

describe('docs/serving.md', () => {
  let running: Running;
  const folder = temporaryFolder();
  before(async () => {
    running = await start({ models: ['igp-resnet37-41-reactnet-tiny-imagenet'] });
    await writeFile(join(folder, 'photo.jpg'), await picture(1, 'jpeg', 160, 120));
    await writeFile(join(folder, 'other.png'), await picture(2, 'png', 160, 120));
  });

  it('has examples that work', async (context) => {
    if (spawnSync('curl', ['--version']).error !== undefined) return context.skip('there is no curl');
    const [, script] = /<!-- run -->\n```sh\n(.*?)```/s.exec(text)!;
    const commands = script!.replaceAll('localhost:8000', running.url).split(/\n(?=curl )/);
    assert.ok(commands.length >= 12);
    for (const command of commands) {
      const { stdout } = await promisify(execFile)(
        'bash',
        ['-c', command.replace('curl -s', 'curl -sS --fail-with-body')],
        { cwd: folder, maxBuffer: 2 ** 24 },
      );
      if (stdout.startsWith('{')) assert.equal(JSON.parse(stdout).error, undefined);
    }
  });

  it('lists every key of the configuration', async () => {
    const keys = (value: object): string[] =>
      Object.entries(value).flatMap(([key, inner]) =>
        typeof inner === 'object' && inner !== null && !Array.isArray(inner) ? [key, ...keys(inner)] : [key],
      );
    const all = [...new Set(keys(await parseConfig('options', {})))];
    assert.ok(all.length > 30);
    for (const key of [...all, 'models']) assert.ok(new RegExp(`\`([a-z_]+\\.)*${key}[.\`]`).test(text), key);
  });

  it('lists every metric of ours', async () => {
    const metrics = await (await fetch(`${running.url}/metrics`)).text();
    const names = [...metrics.matchAll(/^# TYPE (bitpath_\w+)/gm)].map(([, name]) => name!);
    assert.ok(names.length >= 13);
    for (const name of names) assert.ok(text.includes(`\`${name}\``), name);
    for (const [, name] of text.matchAll(/`(bitpath_\w+)`/g)) assert.ok(names.includes(name!), name);
  });
});
