/** Single operators and spellings, written by hand, against onnxruntime. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fromOnnx } from 'bitpath/onnx';
import { CASES } from './forms.js';
import { ACTIVATION_CASES, type LaterCase, MAP_CASES } from './laterForms.js';
import { input, makeOnnx } from './make.js';
import { runBoth } from './runBoth.js';

const ALL: Record<string, (typeof CASES)[string] & Partial<LaterCase>> = {
  ...CASES,
  ...ACTIVATION_CASES,
  ...MAP_CASES,
};

describe('importing', () => {
  for (const [what, { binary, slack = 0, reference, ops = [], ...made }] of Object.entries(ALL)) {
    it(what, async () => {
      const bytes = makeOnnx(made);
      const { model, report } = await fromOnnx(bytes);
      assert.equal(report.convolutions.filter((layer) => layer.binary).length, binary);
      for (const op of ops)
        assert.ok(
          model.graph.nodes.some((each) => each.op === op),
          `no ${op}`,
        );
      const [channels, height, width] = report.input.shape;
      const known = reference === undefined ? bytes : makeOnnx({ ...made, nodes: reference });
      const { worst, elements } = await runBoth(known, model, input(2 * channels * height * width), report.input.shape);
      assert.ok(elements > 0);
      assert.ok(worst <= slack, `differs by ${worst}`);
    });
  }
});
