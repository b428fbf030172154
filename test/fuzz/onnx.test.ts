/** The fuzzer of the ONNX import: a short run, and bugs planted in the import, which it must find. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fuzz } from './engine.js';
import type { Plant } from './instrument.js';
import { onnx } from './onnx.js';

describe('fuzzing ONNX files', () => {
  it('finds nothing', async (t) => {
    const { failure, ...report } = await fuzz(onnx, { runs: 8000 });
    t.diagnostic(JSON.stringify(report));
    assert.equal(failure, null, String((failure?.error as Error)?.stack));
    assert.ok(report.branches > 2500 && report.models > 300 && report.corpus > 300, 'it reaches little');
  });

  const plants: Record<string, Plant> = {
    'padding in another order': {
      file: 'onnx/import/window.js',
      find: 'return [a[0] + b[0], a[1] + b[1],',
      replace: 'return [a[1] + b[1], a[0] + b[0],',
    },
    'shapes that are not compared': {
      file: 'onnx/import/elementwise.js',
      find: 'if (dims === null) {',
      replace: 'if (false) {',
    },
    'an error that is let out': {
      file: 'onnx/import/index.js',
      find: 'throw onnxError(file, cause.message, {}, cause)',
      replace: 'throw cause',
    },
  };
  for (const [what, plant] of Object.entries(plants)) {
    it(`finds ${what}`, async (t) => {
      const { failure, runs } = await fuzz(onnx, { runs: 40000, plant });
      assert.ok(failure !== null, 'it found nothing');
      t.diagnostic(`after ${runs} runs: ${failure.error}`);
    });
  }
});
