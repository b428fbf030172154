/** The drawings in examples/ are classified right, by every shipped model, from pictures and from float tensors. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { listModels, loadModel } from 'bitpath';
import { decodeImage, preprocess, topK } from 'bitpath/images';

const folder = join(import.meta.dirname, '../../../examples');
const expected: Record<string, string> = { 'goldfish.svg': 'n01443537', 'school-bus.svg': 'n04146614' };

describe('examples', () => {
  it('are all listed here', () => {
    assert.deepEqual(
      readdirSync(folder)
        .filter((name) => name.endsWith('.svg'))
        .sort(),
      Object.keys(expected),
    );
  });

  for (const [name, id] of Object.entries(expected)) {
    it(`${name} is recognised`, async (t) => {
      const image = await decodeImage(join(folder, name));
      assert.deepEqual([image.height, image.width], [512, 512]);
      for (const info of await listModels()) {
        const model = await loadModel(info.name);
        assert.ok(model.preprocessing);
        using executor = await model.compile({ threads: 1 });
        for (const dtype of ['uint8', 'float32'] as const) {
          const { logits } = await executor.run(await preprocess(image, model.preprocessing, { dtype }));
          const [first, second] = topK(logits?.data ?? new Float32Array(0), model.labels, 2);
          t.diagnostic(`${info.name}, ${dtype}: ${first?.name} ${first?.probability.toFixed(2)}`);
          assert.equal(first?.id, id);
          assert.ok(first.probability > 0.4 && first.probability > 3 * (second?.probability ?? 1));
        }
      }
    });
  }
});
