/** Networks that PyTorch exported (make_fixtures.py), against onnxruntime on the same input. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { fromOnnx } from 'bitpath/onnx';
import type { NoteKind } from '#lib/onnx/import/report.js';
import { input } from './make.js';
import { runBoth } from './runBoth.js';

const FOLDER = new URL('../../../test/onnx/fixtures/', import.meta.url);

interface Expected {
  readonly binary: number;
  readonly real: number;
  readonly notes: readonly NoteKind[];
  readonly padValues?: readonly number[];
  readonly channelsLast?: boolean;
  readonly after?: (logits: Float32Array, classes: number) => Float32Array;
}
const EXPECTED: Record<string, Expected> = {
  bireal: { binary: 3, real: 3, notes: ['estimator', 'sign-zero'] },
  reactnet: { binary: 3, real: 2, notes: ['estimator', 'sign-zero'] },
  irnet: { binary: 4, real: 3, notes: ['sign-zero'] },
  forms: { binary: 12, real: 1, notes: ['estimator', 'sign-zero'] },
  padded: { binary: 3, real: 2, notes: ['sign-zero'], padValues: [-1, 1, 1] }, // the last pads x with 0, and 0 ≥ 0,
  scaled: { binary: 2, real: 2, notes: ['sign-zero'] },
  mixed: { binary: 1, real: 4, notes: ['sign-zero', 'sign-as-float', 'softmax'], after: logSoftmax },
  linear: { binary: 2, real: 0, notes: ['sign-zero'] },
  later: { binary: 2, real: 5, notes: [] },
  nhwc: { binary: 1, real: 1, notes: ['input-nhwc', 'softmax'], channelsLast: true, after: softmax },
};

describe('networks from PyTorch', () => {
  const files = readdirSync(FOLDER).filter((file) => file.endsWith('.onnx'));
  for (const file of files) {
    it(file, async (t) => {
      const expected = EXPECTED[file.split('.')[0] ?? ''];
      assert.ok(expected, 'nothing is expected of it');
      const path = fileURLToPath(new URL(file, FOLDER));
      const { model, report } = await fromOnnx(path);
      const layers = report.convolutions;
      assert.equal(layers.filter(({ binary }) => binary).length, expected.binary);
      assert.equal(layers.filter(({ binary }) => !binary).length, expected.real);
      const kinds = new Set(report.notes.map(({ kind }) => kind));
      for (const kind of expected.notes) assert.ok(kinds.has(kind), `no note of ${kind}`);
      for (const kind of kinds) assert.ok(kind === 'inexact' || expected.notes.includes(kind), `a note of ${kind}`);
      // Where the exporter worked out s − p + p itself, the weights are ±s to 1e-7 only, and the report says so.
      assert.equal(kinds.has('inexact'), file.endsWith('.dynamo.onnx') && /^(bireal|reactnet)/.test(file));
      if (expected.padValues) {
        assert.deepEqual(
          layers.filter(({ binary }) => binary).map(({ padValue }) => padValue),
          expected.padValues,
        );
      }
      const [channels, height, width] = report.input.shape;
      const images = 2; // the batch of those whose batch is fixed
      const { worst, elements } = await runBoth(
        readFileSync(path),
        model,
        withoutZeros(input(images * channels * height * width)),
        report.input.shape,
        expected,
      );
      t.diagnostic(`${elements} outputs within ${worst.toExponential(1)}`);
      assert.ok(elements >= 6);
      assert.ok(worst < 1e-5, `differs by ${worst}`);
    });
  }
  it('covers every fixture in both exporters’ forms', () => {
    assert.equal(files.length, 2 * Object.keys(EXPECTED).length);
  });
});

/** torch.sign(0) is 0, and ours +1: the report says so. */
function withoutZeros(data: Float32Array): Float32Array {
  return data.map((x, i) => (x === 0 ? 0.01 * ((i % 7) + 1) : x));
}

/** Of rows of `classes` logits: what the file has at its end and the import leaves out. */
function softmax(logits: Float32Array, classes: number): Float32Array {
  return rows(logits, classes, (row, sum) => row.map((x) => Math.exp(x) / sum));
}
function logSoftmax(logits: Float32Array, classes: number): Float32Array {
  return rows(logits, classes, (row, sum) => row.map((x) => x - Math.log(sum)));
}
function rows(
  logits: Float32Array,
  classes: number,
  change: (row: Float32Array, sum: number) => Float32Array,
): Float32Array {
  const result = new Float32Array(logits.length);
  for (let at = 0; at < logits.length; at += classes) {
    const row = logits.subarray(at, at + classes);
    result.set(
      change(
        row,
        row.reduce((sum, x) => sum + Math.exp(x), 0),
      ),
      at,
    );
  }
  return result;
}
