/** The resize against PyTorch's pixels (make_resize.py made resize.npz), and wrong resizes against the same check. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { resizeBilinear } from '#lib/images/preprocess.js';
import { Npz } from './npz.js';

const golden = new Npz(join(import.meta.dirname, '../../../test/golden/resize.npz'));
const cases = golden.names.filter((name) => name.endsWith('.pixels')).map((name) => name.slice(0, -'.pixels'.length));

async function resize(name: string): Promise<Float32Array> {
  const { shape, data } = golden.get(`${name}.pixels`);
  const geometry = [...golden.get(`${name}.geometry`).data];
  const [resizedHeight, resizedWidth, cropTop, cropLeft, cropHeight, cropWidth] = geometry as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const [height, width] = shape as [number, number];
  return resizeBilinear(
    { pixels: data as Uint8Array, height, width },
    { resizedHeight, resizedWidth, antialias: true, cropTop, cropLeft, cropHeight, cropWidth },
  );
}

/** Largest difference in grey levels. */
function difference(a: Float32Array, b: Float32Array): number {
  assert.equal(a.length, b.length);
  return a.reduce((max, value, i) => Math.max(max, Math.abs(value - (b[i] as number))), 0);
}

const TOLERANCE = 1; // grey level; what the network was trained with

describe('resizeBilinear equals PyTorch', () => {
  let largest = 0;
  for (const name of cases) {
    it(name, async () => {
      const off = difference(await resize(name), golden.floats(`${name}.resized`));
      largest = Math.max(largest, off);
      assert.ok(off <= TOLERANCE, `${off} grey levels off`);
      // The arithmetic is the same but for the order of rounding, so it is far better than asked.
      assert.ok(off <= 1e-3, `${off} grey levels off`);
    });
  }

  it('over all cases', (t) => {
    assert.ok(cases.length >= 12);
    t.diagnostic(`largest difference of ${cases.length} cases: ${largest} grey levels`);
  });

  it('can fail: corners aligned', async () => {
    let told = 0;
    for (const name of cases) {
      if (difference(await resize(name), golden.floats(`${name}.align_corners`)) > TOLERANCE) told++;
    }
    // Same size, and a picture of one pixel, are the same either way.
    assert.equal(told, cases.length - 2);
  });

  it('can fail: no antialiasing where the picture shrinks', async () => {
    const shrinking = cases.filter((name) => golden.has(`${name}.no_antialias`));
    assert.ok(shrinking.length >= 6);
    for (const name of shrinking) {
      const off = difference(await resize(name), golden.floats(`${name}.no_antialias`));
      assert.ok(off > TOLERANCE, `${name}: ${off}`);
    }
  });
});
