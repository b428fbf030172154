/**
 * The trained networks against PyTorch's tensors, layer by layer.
 *
 * Comparing endings would prove little: one flipped sign cascades through a binary network, and real bugs hide in that noise.
 * So each part is fed PyTorch's own input and held to PyTorch's output, and for each check there is a wrong network that it
 * must tell from the right one.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { loadModel, type Model, openDataset } from 'bitpath';
import { decodeImage, preprocess } from 'bitpath/images';
import { Npz } from './npz.js';
import { agrees, type Change, compare, minusOnes, part, run, scoped, TIGHT, wrongEps } from './part.js';
import { missing, NETWORKS, shared } from './shared.js';

const unpadded: Change = (op, attrs) => (op === 'maxPool' ? { ...attrs, padding: [0, 0, 0, 0] } : attrs);

/** Max pool 3×3, stride 2, padding 1 of C × H × W, to pad it with something else than the graph's −∞. */
function maxPool(map: Float32Array, channels: number, height: number, width: number, pad: number): Float32Array {
  const [rows, columns] = [Math.floor((height - 1) / 2) + 1, Math.floor((width - 1) / 2) + 1];
  const result = new Float32Array(channels * rows * columns);
  for (let i = 0; i < result.length; i++) {
    const [c, y, x] = [Math.floor(i / columns / rows), Math.floor(i / columns) % rows, i % columns];
    let max = -Infinity;
    for (let tap = 0; tap < 9; tap++) {
      const [row, column] = [2 * y - 1 + Math.floor(tap / 3), 2 * x - 1 + (tap % 3)];
      const inside = row >= 0 && row < height && column >= 0 && column < width;
      max = Math.max(max, inside ? (map[(c * height + row) * width + column] as number) : pad);
    }
    result[i] = max;
  }
  return result;
}

/** Enlarges height × width × 3 and normalises, plainly: what `preprocess` does, and what it must not. */
function enlarge(
  pixels: Uint8Array,
  size: number,
  to: number,
  { alignCorners = false, divisor = 255 } = {},
): Float32Array {
  const [mean, std] = [
    [0.485, 0.456, 0.406],
    [0.229, 0.224, 0.225],
  ] as const;
  const source = (o: number) =>
    alignCorners ? (o * (size - 1)) / (to - 1) : Math.max(0, ((o + 0.5) * size) / to - 0.5);
  const at = (y: number, x: number, c: number) =>
    pixels[(Math.min(y, size - 1) * size + Math.min(x, size - 1)) * 3 + c] as number;
  return Float32Array.from({ length: 3 * to * to }, (_, i) => {
    const [c, y, x] = [Math.floor(i / to / to), source(Math.floor(i / to) % to), source(i % to)];
    const [y0, x0] = [Math.floor(y), Math.floor(x)];
    const row = (yy: number) => at(yy, x0, c) * (1 - (x - x0)) + at(yy, x0 + 1, c) * (x - x0);
    const level = row(y0) * (1 - (y - y0)) + row(y0 + 1) * (y - y0);
    return (level / divisor - (mean[c] as number)) / (std[c] as number);
  });
}

const largestDifference = (a: Float32Array, b: Float32Array) =>
  a.reduce((max, value, i) => Math.max(max, Math.abs(value - (b[i] as number))), 0);

for (const { model: name, golden: file } of NETWORKS) {
  describe(`${name} equals PyTorch`, { skip: missing }, () => {
    let model: Model;
    let golden: Npz;
    /** Units' inputs in order of the network, without `.in`. */
    let units: string[];
    before(async () => {
      model = await loadModel(name);
      golden = new Npz(join(shared, `weights/golden/${file}.npz`));
      units = golden.names.filter((array) => array.endsWith('.in')).map((array) => array.slice(0, -'.in'.length));
    });

    it('decodes and preprocesses the picture', async () => {
      const dataset = await openDataset(join(shared, 'data/tiny-imagenet-200/val.bin'), { classes: 200, labels: null });
      const samples = dataset.samples();
      const { value: first } = await samples.next();
      await samples.return();
      assert.ok(first && model.preprocessing);
      const image = await decodeImage(first.bytes);
      const pixels = golden.get('pixels').data as Uint8Array;
      assert.deepEqual(Buffer.compare(image.pixels, pixels), 0, 'other pixels');

      const expected = golden.floats('input');
      const tensor = await preprocess(image, model.preprocessing, { dtype: 'float32' });
      assert.deepEqual(tensor.shape, golden.get('input').shape);
      assert.ok(largestDifference(tensor.data, expected) <= 1e-5);

      assert.ok(largestDifference(enlarge(pixels, 64, 128), expected) <= 1e-5);
      assert.ok(
        largestDifference(enlarge(pixels, 64, 128, { alignCorners: true }), expected) > 1e-5,
        'align_corners passed',
      );
      assert.ok(largestDifference(enlarge(pixels, 64, 128, { divisor: 256 }), expected) > 1e-5, '÷256 passed');
    });

    it('stem', async () => {
      const { data, shape } = golden.get('input');
      const input = data as Float32Array;
      const expected = golden.floats('stem.out');
      const stem = (change?: Change) => run(model, part(model.graph, scoped('stem'), shape, change), input);
      assert.ok(agrees(compare(await stem(), expected)));
      assert.ok(!agrees(compare(await stem(wrongEps), expected)), 'BatchNorm with eps 1e-3 passed');
      assert.ok(!agrees(compare(await stem(unpadded), expected)), 'max pool without padding passed');

      const select = (node: string) => node.startsWith('stem.') && node !== 'stem.pool';
      const map = await run(model, part(model.graph, select, shape), input);
      const channels = golden.get('stem.out').shape[1] as number;
      assert.ok(agrees(compare(maxPool(map, channels, 64, 64, -Infinity), expected)));
      assert.ok(!agrees(compare(maxPool(map, channels, 64, 64, 0), expected)), 'max pool padded with 0 passed');
    });

    it('every unit', async (t) => {
      let values = 0;
      let flips = 0;
      let worst = 0;
      for (const unit of units) {
        const { data, shape } = golden.get(`${unit}.in`);
        const expected = golden.floats(`${unit}.out`);
        const difference = compare(
          await run(model, part(model.graph, scoped(unit), shape), data as Float32Array),
          expected,
        );
        assert.ok(agrees(difference, TIGHT), `${unit}: ${JSON.stringify(difference)}`);
        values += expected.length;
        flips += difference.flips;
        worst = Math.max(worst, difference.relative);
      }
      assert.ok(units.length >= 16);
      assert.equal(flips, 0);
      t.diagnostic(
        `${units.length} units, ${values} values, ${flips} flips, largest difference ${worst.toExponential(1)} of the largest value`,
      );
    });

    for (const [what, change] of [
      ['BatchNorm eps 1e-3', wrongEps],
      ['borders of −1', minusOnes],
    ] as const) {
      it(`every unit can fail: ${what}`, async (t) => {
        let told = 0;
        for (const unit of units) {
          const { data, shape } = golden.get(`${unit}.in`);
          const graph = part(model.graph, scoped(unit), shape, change);
          if (!agrees(compare(await run(model, graph, data as Float32Array), golden.floats(`${unit}.out`)), TIGHT))
            told++;
        }
        t.diagnostic(`${told} of ${units.length} units told`);
        assert.ok(change === minusOnes ? told === units.length : told > units.length / 2);
      });
    }

    it('every block with its shortcuts and joins', async (t) => {
      // A block is fed what its first unit reads, and must give what the next block's first unit reads (body.out after the
      // last one). Transitions have no tensor of their own: they belong to the block before them.
      const starts = [...new Set(units.map((unit) => Number(unit.split('.')[1])))];
      const end = 1 + Math.max(...model.graph.nodes.map((node) => Number(/^body\.(\d+)\./.exec(node.name)?.[1] ?? 0)));
      let least = 1;
      for (const [i, start] of starts.entries()) {
        const next = starts[i + 1] ?? end;
        const select = (node: string) => {
          const index = Number(/^body\.(\d+)\./.exec(node)?.[1] ?? -1);
          return index >= start && index < next;
        };
        const { data, shape } = golden.get(`body.${start}.u.in`);
        const expected = golden.floats(next === end ? 'body.out' : `body.${next}.u.in`);
        const { within, relative } = compare(
          await run(model, part(model.graph, select, shape), data as Float32Array),
          expected,
        );
        // A Bi-Real block is one unit, and no sign lies between input and output. In an IGP block a value within rounding of 0
        // may flip at the second unit of a column, and reach 9 · C outputs.
        const single = units.filter((unit) => unit.startsWith(`body.${start}.`)).length === 1;
        assert.ok(single ? relative <= 1e-4 : within >= 0.9, `body.${start}: ${within} within, ${relative}`);
        least = Math.min(least, within);
      }
      t.diagnostic(`${starts.length} blocks, at least ${(100 * least).toFixed(2)} % of a block's values within 1e-4`);
      assert.ok(starts.length >= 8);
    });

    it('classifier', async () => {
      const { data, shape } = golden.get('body.out');
      const select = (node: string) => node === 'pool' || node === 'fc';
      const logits = await run(model, part(model.graph, select, shape), data as Float32Array);
      assert.ok(agrees(compare(logits, golden.floats('logits'))));
      const swapped = Float32Array.from(logits).reverse();
      assert.ok(!agrees(compare(swapped, golden.floats('logits'))));
    });
  });
}
