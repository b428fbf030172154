import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openDataset, type Sample } from 'bitpath';

const labels = [
  { id: 'n01', name: 'goldfish, Carassius auratus' },
  { id: 'n02', name: 'crane' },
  { id: 'n03', name: 'whooping crane, crane' },
];
const options = { classes: 3, labels };

/** A pack of these records and files; `count` and `lengths` lie. */
function pack(
  samples: readonly [number, string][],
  { count = samples.length, lengths = [] as number[], tail = '' } = {},
): Buffer {
  const head = Buffer.alloc(4 + samples.length * 6);
  head.writeUInt32LE(count, 0);
  samples.forEach(([label, content], i) => {
    head.writeUInt16LE(label, 4 + i * 6);
    head.writeUInt32LE(lengths[i] ?? content.length, 6 + i * 6);
  });
  return Buffer.concat([head, Buffer.from(samples.map(([, content]) => content).join('')), Buffer.from(tail)]);
}

describe('openDataset', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bitpath-'));
  });
  after(() => rm(folder, { recursive: true }));

  async function collect(path: string): Promise<[number, string][]> {
    const samples: Sample[] = [];
    const dataset = await openDataset(path, options);
    for await (const sample of dataset.samples()) samples.push(sample);
    assert.equal(samples.length, dataset.size);
    return samples.map(({ label, bytes }) => [label, Buffer.from(bytes).toString()]);
  }
  async function rejects(path: string, reason: RegExp): Promise<void> {
    await assert.rejects(openDataset(path, options), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'ERR_BITPATH_DATASET', error.stack);
      assert.match(error.message, reason);
      return true;
    });
  }
  async function file(name: string, content: Buffer): Promise<string> {
    const path = join(folder, name);
    await writeFile(path, content);
    return path;
  }

  describe('pack', () => {
    const samples: [number, string][] = [
      [2, 'first'],
      [0, 'the second'],
      [2, '3'],
    ];

    it('gives its pictures in order, again and again', async () => {
      const path = await file('good.bin', pack(samples));
      assert.deepEqual(await collect(path), samples);
      const dataset = await openDataset(path, options);
      assert.deepEqual([dataset.kind, dataset.size], ['pack', 3]);
      for (let round = 0; round < 2; round++) {
        for await (const { name, label } of dataset.samples()) {
          assert.deepEqual([name, label], [`${path}#0`, 2]);
          break;
        }
      }
    });

    it('refuses every truncation, and bytes to spare', async () => {
      const whole = pack(samples);
      for (let length = 0; length < whole.length; length++)
        await rejects(await file('cut.bin', whole.subarray(0, length)), /cut\.bin: /);
      await rejects(await file('long.bin', pack(samples, { tail: 'x' })), /should end at byte .*, the file at/);
    });

    it('refuses lengths and counts that lie', async () => {
      await rejects(await file('a.bin', pack(samples, { count: 2 ** 32 - 1 })), /4294967295 records do not fit/);
      await rejects(await file('b.bin', pack(samples, { count: 2 })), /should end at/);
      await rejects(
        await file('c.bin', pack(samples, { lengths: [2 ** 32 - 1] })),
        /picture 0 has a length of 4294967295/,
      );
      await rejects(await file('d.bin', pack(samples, { lengths: [0, 15] })), /picture 0 has a length of 0/);
      await rejects(await file('e.bin', pack(samples, { lengths: [5, 10, 2] })), /should end at/);
      await rejects(await file('f.bin', pack([])), /no pictures/);
      await rejects(await file('g.bin', pack([[3, 'x']])), /label 3, the network has 3 classes/);
    });

    it('says so where a file shrinks after it was opened', async () => {
      const path = await file('shrinks.bin', pack(samples));
      const dataset = await openDataset(path, options);
      await truncate(path, 25);
      await assert.rejects(
        async () => {
          for await (const _ of dataset.samples());
        },
        { code: 'ERR_BITPATH_DATASET', message: /ends within picture/ },
      );
    });
  });

  describe('folder', () => {
    async function tree(name: string, files: readonly string[]): Promise<string> {
      for (const path of files) {
        await mkdir(join(folder, name, path, '..'), { recursive: true });
        await writeFile(join(folder, name, path), path);
      }
      return join(folder, name);
    }

    it('matches ids, names and their parts', async () => {
      const path = await tree('good', [
        'n02/b.jpg',
        'n02/a.JPEG',
        'Goldfish/images/x.png',
        'whooping_crane/y.webp',
        'crane/z.svg',
        'n02/notes.txt',
        '.git/a.png',
        'list.txt',
      ]);
      await symlink(join(path, 'n02/a.JPEG'), join(path, 'n02/c.jpg'));
      assert.deepEqual(await collect(path), [
        [0, 'Goldfish/images/x.png'],
        [1, 'crane/z.svg'],
        [1, 'n02/a.JPEG'],
        [1, 'n02/b.jpg'],
        [1, 'n02/a.JPEG'],
        [2, 'whooping_crane/y.webp'],
      ]);
    });

    it('names the class that a misspelt folder meant', async () => {
      await rejects(
        await tree('misspelt', ['goldfsh/a.png']),
        /"goldfsh" is called after no class .*did you mean goldfish/,
      );
      await rejects(
        await tree('stranger', ['zebra finch/a.png']),
        /"zebra finch" is called after no class of the model$/,
      );
    });

    it('refuses to be empty, absent, or without labels', async () => {
      await rejects(await tree('empty', ['n01/readme.txt']), /no folder with pictures/);
      await rejects(join(folder, 'absent'), /cannot be read/);
      await rejects('/dev/null', /neither a folder nor a regular file/);
      await assert.rejects(openDataset(join(folder, 'good'), { classes: 3, labels: null }), {
        code: 'ERR_BITPATH_DATASET',
        message: /no labels/,
      });
    });

    it('ends where links go round in circles', async () => {
      const path = await tree('loop', ['n01/a.png']);
      await symlink(join(path, 'n01'), join(path, 'n01/again'));
      await rejects(path, /nested too deep/);
    });
  });

  it('checks its arguments', async () => {
    await assert.rejects(openDataset('', options), { code: 'ERR_BITPATH_ARGUMENT' });
    await assert.rejects(openDataset('x', { classes: 0, labels: null }), { code: 'ERR_BITPATH_ARGUMENT' });
    await assert.rejects(openDataset('x', { classes: 2, labels }), { code: 'ERR_BITPATH_ARGUMENT' });
    await assert.rejects(openDataset('x', { class: 2 } as never), { code: 'ERR_BITPATH_UNKNOWN_OPTION' });
  });
});
