import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DEFAULT_COST_MODEL, familyFigures, fitCostModel, predictMilliseconds } from 'bitpath/analysis';

const work = [
  { binaryMacs: 2e9, realMacs: 1e8, convs: 16 },
  { binaryMacs: 1e9, realMacs: 3e8, convs: 56 },
  { binaryMacs: 4e9, realMacs: 2e8, convs: 4 },
  { binaryMacs: 3e9, realMacs: 5e8, convs: 30 },
];
const timed = (model: typeof DEFAULT_COST_MODEL) =>
  work.map((item) => ({ ...item, milliseconds: predictMilliseconds(model, item) }));

describe('cost model', () => {
  it('is linear in the work', () => {
    const model = { msPerBinaryGmac: 0.5, msPerRealGmac: 10, msPerConv: 0.01 };
    assert.equal(predictMilliseconds(model, { binaryMacs: 2e9, realMacs: 1e8, convs: 30 }), 1 + 1 + 0.3);
  });

  it('is found again from times that it predicts', () => {
    const model = { msPerBinaryGmac: 0.7, msPerRealGmac: 8, msPerConv: 0.02 };
    const fitted = fitCostModel(timed(model));
    for (const name of ['msPerBinaryGmac', 'msPerRealGmac', 'msPerConv'] as const) {
      assert.ok(Math.abs(fitted[name] / model[name] - 1) < 1e-6, `${name}: ${fitted[name]}`);
    }
  });

  it('weighs relative errors, and has no negative rates', () => {
    // A quarter less for each conv than nothing: the best that is not negative has 0 there.
    const samples = timed({ msPerBinaryGmac: 2, msPerRealGmac: 10, msPerConv: -0.005 });
    const fitted = fitCostModel(samples);
    assert.equal(fitted.msPerConv, 0);
    assert.ok(fitted.msPerBinaryGmac > 0 && fitted.msPerRealGmac > 0);
    for (const sample of samples) {
      assert.ok(Math.abs(predictMilliseconds(fitted, sample) / sample.milliseconds - 1) < 0.1);
    }
  });

  it('knows the figures of the family', () => {
    const figures = familyFigures({ kind: 'igp', columns: 3, width: 41, blocksPerStage: [2, 2, 2, 2] });
    assert.ok(predictMilliseconds(DEFAULT_COST_MODEL, figures) > 0);
  });

  it('BAD CALL too few samples, a time that is none', () => {
    const bad = (samples: unknown, message: RegExp) =>
      assert.throws(() => fitCostModel(samples as never), { code: 'ERR_BITPATH_ARGUMENT', message });
    bad(timed(DEFAULT_COST_MODEL).slice(0, 2), /at least 3 networks/);
    bad(null, /for samples but received null/);
    bad([...timed(DEFAULT_COST_MODEL), { ...work[0], milliseconds: 0 }], /> 0 for samples\[4\]\.milliseconds/);
  });
});
