/** The journal believes no byte that a crash may have left. */
import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Journal } from '#lib/batch/journal.js';
import type { Result } from '#lib/batch/result.js';
import { temporaryFolder } from '../cli/run.js';

const folder = temporaryFolder();
const result = (index: number): Result => ({ error: { code: `E${index}`, message: 'ü\n'.repeat(index) } });

async function filled(name: string, indices: readonly number[], count = 5): Promise<string> {
  const path = join(folder, name);
  const journal = await Journal.open(path, 'run', count);
  for (const index of indices) await journal.append(index, result(index));
  await journal.flush();
  await journal.close();
  return path;
}

async function found(path: string, run = 'run', count = 5): Promise<{ indices: number[]; dropped: number }> {
  const journal = await Journal.open(path, run, count);
  const indices = Array.from({ length: count }, (_, i) => i).filter((i) => journal.has(i));
  assert.equal(journal.done, indices.length);
  await journal.close();
  return { indices, dropped: journal.droppedBytes };
}

describe('journal', () => {
  it('gives back results in order, whatever order they came in', async () => {
    const path = await filled('order', [3, 0, 4, 2, 1]);
    const journal = await Journal.open(path, 'run', 5);
    const results: Result[] = [];
    for await (const one of journal.results()) results.push(one);
    assert.deepEqual(results, [0, 1, 2, 3, 4].map(result));
    await journal.close();
  });

  it('gives back results far apart and longer than what is read at once', async () => {
    const path = join(folder, 'long');
    const count = 40;
    const long = (index: number): Result => ({
      error: { code: 'E', message: String(index).repeat(index === 7 ? 900_000 : 20_000) },
    });
    const journal = await Journal.open(path, 'run', count);
    for (let i = 0; i < count; i++) await journal.append((i * 7) % count, long((i * 7) % count));
    let index = 0;
    for await (const one of journal.results()) assert.deepEqual(one, long(index++));
    assert.equal(index, count);
    await journal.close();
  });

  it('counts the first of two results of a picture', async () => {
    const path = await filled('twice', [1]);
    const journal = await Journal.open(path, 'run', 5);
    await journal.append(1, result(4));
    assert.equal(journal.done, 1);
    await journal.close();
  });

  it('cut anywhere keeps the whole records before the cut, and goes on from there', async () => {
    const whole = readFileSync(await filled('whole', [0, 1, 2]));
    const ends = [...whole.keys()].filter((i) => whole[i] === 10).map((i) => i + 1);
    assert.equal(ends.length, 4); // with the header
    for (let length = 0; length < whole.length; length++) {
      const path = join(folder, 'cut');
      writeFileSync(path, whole.subarray(0, length));
      const records = Math.max(0, ends.filter((end) => end <= length).length - 1);
      const { indices, dropped } = await found(path);
      assert.deepEqual(indices, [0, 1, 2].slice(0, records), `cut at ${length}`);
      const kept = ends.filter((end) => end <= length).at(-1) ?? 0;
      assert.equal(dropped, kept === 0 ? 0 : length - kept);
      await (async () => {
        const journal = await Journal.open(path, 'run', 5);
        for (const index of [0, 1, 2]) await journal.append(index, result(index));
        await journal.flush();
        await journal.close();
      })();
      assert.deepEqual(readFileSync(path), whole, `cut at ${length}`);
    }
  });

  it('with any byte changed loses only what stands behind it', async () => {
    const whole = readFileSync(await filled('bytes', [0, 1, 2]));
    const ends = [...whole.keys()].filter((i) => whole[i] === 10).map((i) => i + 1);
    for (let at = 0; at < whole.length; at++) {
      const bytes = Buffer.from(whole);
      bytes[at] = bytes[at]! ^ 0x11;
      const path = join(folder, 'changed');
      writeFileSync(path, bytes);
      const { indices } = await found(path);
      const intact = Math.max(0, ends.filter((end) => end <= at).length - 1);
      assert.deepEqual(indices, [0, 1, 2].slice(0, intact), `byte ${at}`);
    }
  });

  it('passes over zeros, junk and numbers that are no picture’s', async () => {
    for (const junk of ['\0'.repeat(5000), 'junk\n', '00000000 [1,{}]\n', `${'x'.repeat(100_000)}`]) {
      const path = await filled('junk', [0]);
      const size = statSync(path).size;
      appendFileSync(path, junk);
      assert.deepEqual(await found(path), { indices: [0], dropped: junk.length });
      assert.equal(statSync(path).size, size);
    }
    const path = await filled('beyond', [0, 4]);
    assert.deepEqual((await found(path, 'run', 3)).indices, [0]);
  });

  it('of another run is begun anew', async () => {
    const path = await filled('other', [0, 1, 2]);
    assert.deepEqual(await found(path, 'another'), { indices: [], dropped: 0 });
    assert.deepEqual(await found(path), { indices: [], dropped: 0 });
  });
});
