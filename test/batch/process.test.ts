/** What a worker reads: files below its root by whatever name, and no others. */
import assert from 'node:assert/strict';
import { mkdirSync, renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createModel } from 'bitpath';
import { computeResults } from '#lib/batch/result.js';
import { processChunk } from '#lib/queue/process.js';
import { temporaryFolder, writePicture } from '../cli/run.js';
import { batch, makeModel, rows } from './job.js';

const folder = temporaryFolder();
const root = join(folder, 'root');
const model = createModel('bireal-resnet18-64', { classes: 4, inputSize: 32, seed: 1 });
const executor = await model.compile({ threads: 1, batch: 2 });
const start = process.cwd();

/** The result of one picture. */
async function result(rootOption: string | null, path: string) {
  const chunk = {
    identity: {
      model: { name: '', digest: '' },
      top: 1,
      logits: false,
      bitpath: '',
      decoder: '',
    },
    rooted: rootOption !== null,
    pictures: [{ index: 0, image: 'the picture', path }],
  };
  const { results } = await processChunk(
    chunk,
    { identity: chunk.identity, model, root: rootOption },
    executor,
    async () => {},
  );
  return results[0]?.[1];
}

describe('a worker', () => {
  before(async () => {
    mkdirSync(join(root, 'below'), { recursive: true });
    await Promise.all([
      writePicture(join(folder, 'secret.jpg'), 1),
      writePicture(join(root, 'a.jpg'), 2),
      writePicture(join(root, 'below/b.jpg'), 3),
      makeModel(folder),
    ]);
    renameSync(join(root, 'a.jpg'), join(root, 'file:a.jpg'));
    symlinkSync('../secret.jpg', join(root, 'link.jpg'));
    symlinkSync('..', join(root, 'up'));
    symlinkSync('below/b.jpg', join(root, 'inside.jpg'));
    process.chdir(root);
  });
  after(() => {
    process.chdir(start);
    executor.dispose();
  });

  it('reads what lies below its root, also through links and where a name looks like a URL', async () => {
    for (const own of [root, '.', '../root', '']) {
      for (const path of ['file:a.jpg', 'below/b.jpg', 'inside.jpg', 'below/../inside.jpg']) {
        assert.ok('predictions' in ((await result(own, path)) ?? {}), `${own} ${path}`);
      }
    }
    assert.ok('predictions' in ((await result(null, join(root, 'file:a.jpg'))) ?? {}));
  });

  it('EXPECTED FAILURE reads nothing outside its root', async () => {
    const outside = { code: 'ERR_BITPATH_QUEUE_MISMATCH', message: /the picture, outside it/ };
    for (const own of [root, '.', '']) {
      for (const path of [
        '../secret.jpg',
        'below/../../secret.jpg',
        'link.jpg',
        'up/secret.jpg',
        join(folder, 'secret.jpg'),
      ]) {
        await assert.rejects(result(own, path), outside, `${own} ${path}`);
      }
      // No URLs: names of files that are not there.
      for (const path of [`file:${folder}/secret.jpg`, `file://${folder}/secret.jpg`]) {
        await assert.rejects(
          result(own, path),
          { code: 'ERR_BITPATH_BATCH_INPUT', message: /ENOENT/ },
          `${own} ${path}`,
        );
      }
    }
  });

  it('EXPECTED FAILURE takes a file that it cannot see for its own fault, and names itself', async () => {
    for (const path of ['gone.jpg', 'file:a.jpg/x.jpg']) {
      await assert.rejects(result(root, path), {
        code: 'ERR_BITPATH_BATCH_INPUT',
        message: new RegExp(
          `^the picture: worker ${process.pid} on .*, --root ${root}, cannot read it .*without --queue$`,
        ),
      });
    }
    await assert.rejects(result(null, join(folder, 'gone.jpg')), { message: /, without --root, cannot read it/ });
  });

  it('is not what a run without a queue is: that records what is missing', async () => {
    const pictures = [{ index: 0, image: 'gone.jpg', path: 'gone.jpg' }];
    for await (const { result } of computeResults(pictures, { model, executor, top: 1, logits: false })) {
      assert.equal('error' in result && result.error.code, 'ERR_BITPATH_IMAGE');
    }
  });

  it('has the names of bitpath batch, which may look like URLs too', async () => {
    const { code, stderr } = await batch(folder, ['root/file:a.jpg', 'root/*.jpg', '--out', 'names.jsonl']);
    assert.equal(code, 0, stderr);
    process.chdir(folder);
    assert.equal(rows('names.jsonl').length, 4);
  });
});
