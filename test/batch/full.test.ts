/** A full disk: a clear error, nothing lost, and once there is room the same bytes. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { temporaryFolder } from '../cli/run.js';
import { batch, has, makeModel, makePictures } from './job.js';

const folder = temporaryFolder();
const FULL = /the disk is full \(ENOSPC.*\); nothing that was written before is lost: .*\(ERR_BITPATH_DISK_FULL\)\n$/s;

before(async () => {
  await Promise.all([makePictures(folder, 12), makeModel(folder)]);
  const { code, stderr } = await batch(folder, ['pictures', '--out', 'plain.jsonl', '--logits']);
  assert.equal(code, 3, stderr);
});

describe('a full disk', () => {
  // Each place where it can happen, by how many bytes find room: list, manifest, journal, output.
  for (const room of [0, 100, 700, 1500, 3000, 6500, 9500]) {
    it(`after ${room} bytes`, async () => {
      const preload = `import { open } from 'node:fs/promises';
        const file = await open(process.execPath); const prototype = Object.getPrototypeOf(file); await file.close();
        let room = ${room};
        for (const name of ['write', 'writeFile']) {
          const original = prototype[name];
          prototype[name] = async function (data, offset = 0, length = data.length - offset, ...rest) {
            const taken = Math.min(room, length);
            room -= taken;
            if (taken === 0) throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
            if (name === 'writeFile') return original.call(this, data);
            return original.call(this, data, offset, taken, ...rest);
          };
        }`;
      const env = {
        NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(preload).replace(/[()']/g, escape)}`,
      };
      const out = `full-${room}.jsonl`;
      const full = await batch(folder, ['pictures', '--out', out, '--logits'], { env });
      assert.equal(full.code, 1);
      assert.match(full.stderr, FULL);
      assert.ok(!has(folder, out));
      const again = await batch(folder, ['pictures', '--out', out, '--logits']);
      assert.equal(again.code, 3, again.stderr);
      assert.deepEqual(readFileSync(join(folder, out)), readFileSync(join(folder, 'plain.jsonl')));
    });
  }
});

describe('a file system that is really full', () => {
  const small = join(folder, 'small');
  mkdirSync(small);
  const mounted =
    process.platform === 'linux' && spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', small]).status === 0;
  after(() => mounted && spawnSync('umount', ['-l', small]));

  it('is told, and goes on once there is room', {
    skip: !mounted && 'mounting a small file system needs root',
  }, async () => {
    const ballast = join(small, 'ballast');
    writeFileSync(ballast, Buffer.alloc(45_000));
    const args = ['pictures', '--out', 'small/out.jsonl', '--logits'];
    const full = await batch(folder, args);
    assert.equal(full.code, 1);
    assert.match(full.stderr, FULL);
    rmSync(ballast);
    const again = await batch(folder, args);
    assert.equal(again.code, 3, again.stderr);
    assert.deepEqual(readFileSync(join(small, 'out.jsonl')), readFileSync(join(folder, 'plain.jsonl')));
  });
});
