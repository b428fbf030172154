/** The trained networks over all 5000 pictures of val.bin, through the float stem and through the integer stem. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { type Dataset, loadModel, openDataset } from 'bitpath';
import { decodeImage, preprocess, type RgbImage } from 'bitpath/images';
import { Npz } from './npz.js';
import { missing, NETWORKS, shared } from './shared.js';

const BATCH = 50;

/** Index of the largest of each `classes` values. */
function winners(logits: Float32Array, classes: number): number[] {
  return Array.from({ length: logits.length / classes }, (_, n) => {
    const row = logits.subarray(n * classes, (n + 1) * classes);
    return row.reduce((best, value, i) => (value > (row[best] as number) ? i : best), 0);
  });
}

describe('accuracy', { skip: missing }, () => {
  let dataset: Dataset;
  const images: RgbImage[] = [];
  const labels: number[] = [];
  before(async () => {
    dataset = await openDataset(join(shared, 'data/tiny-imagenet-200/val.bin'), { classes: 200, labels: null });
    for await (const { bytes, label } of dataset.samples()) {
      images.push(await decodeImage(bytes));
      labels.push(label);
    }
    assert.equal(images.length, 5000);
  });

  for (const { model: name, golden, top1 } of NETWORKS) {
    it(`of ${name}`, async (t) => {
      const model = await loadModel(name);
      assert.ok(model.preprocessing);
      using executor = await model.compile({ threads: 2, batch: 10 });
      const answers: Record<'float32' | 'uint8', number[]> = { float32: [], uint8: [] };
      for (let i = 0; i < images.length; i += BATCH) {
        for (const dtype of ['float32', 'uint8'] as const) {
          const input = await preprocess(images.slice(i, i + BATCH), model.preprocessing, { dtype });
          const { logits } = await executor.run(input);
          assert.ok(logits);
          answers[dtype].push(...winners(logits.data, 200));
        }
      }
      const accuracy = (list: number[]) =>
        (100 * list.filter((answer, i) => answer === labels[i]).length) / labels.length;
      const [float, picture] = [accuracy(answers.float32), accuracy(answers.uint8)];
      const differ = (100 * answers.float32.filter((answer, i) => answer !== answers.uint8[i]).length) / labels.length;
      t.diagnostic(
        `top-1 ${float.toFixed(2)} from float tensors, ${picture.toFixed(2)} from pictures, ${top1} by PyTorch`,
      );
      t.diagnostic(`${differ.toFixed(1)} % of single answers differ between the two`);
      assert.ok(Math.abs(float - top1) <= 0.3, `${float} from float tensors`);
      assert.ok(Math.abs(picture - top1) <= 1.2, `${picture} from pictures`);

      // A correct engine gives PyTorch's own answer for 98 % or more of the pictures; of 64, one or two may differ.
      const theirs = winners(new Npz(join(shared, `weights/golden/${golden}.npz`)).floats('logits64'), 200);
      const same = theirs.filter((answer, i) => answer === answers.float32[i]).length;
      t.diagnostic(`${same} of the first ${theirs.length} answers are PyTorch's`);
      assert.equal(theirs.length, 64);
      assert.ok(same >= 60);
    });
  }
});
