/** Export, then import: the same network, to the last bit of its compiled form. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createModel, type Graph, graphToJson, listArchitectures, type Model, type Params, type Tensor } from 'bitpath';
import { fromOnnx, toOnnx } from 'bitpath/onnx';
import fc from 'fast-check';
import { compileProgram } from '#lib/compiler/index.js';
import { networks } from './networks.js';
import { buildGraph, recipe, roughInput, roughParams } from '../properties/randomGraph.js';

const OPSETS = [9, 11, 13, 17, 18, 23, 28];

function assertSameProgram(a: { graph: Graph; params: Params }, b: { graph: Graph; params: Params }, pixels: boolean) {
  const normalization = pixels ? { mean: [0.4, 0.5, 0.6] as const, std: [0.2, 0.3, 0.25] as const } : null;
  const [one, two] = [a, b].map(({ graph, params }) => compileProgram(graph, params, { batch: 1, normalization }));
  assert.ok(one && two && one.code.length > 0);
  assert.deepEqual(two.code, one.code);
  assert.ok(Buffer.from(two.constants).equals(one.constants), 'constants differ');
}

async function logits(model: Model, images: Float32Array): Promise<Float32Array> {
  using executor = await model.compile({ threads: 1 });
  const [first] = Object.values(executor.runSync(images));
  return (first as Tensor).data as Float32Array;
}

describe('export and import', () => {
  const distinct = listArchitectures().filter(({ sameGraphAs }) => sameGraphAs === null);
  for (const [i, { name }] of distinct.entries()) {
    it(`of ${name}`, async () => {
      const model = createModel(name, { classes: 7, inputSize: 64, seed: i });
      const { model: found, report } = await fromOnnx(toOnnx(model, { opset: OPSETS[i % OPSETS.length] as number }));
      assert.deepEqual(graphToJson(found.graph), graphToJson(model.graph));
      assert.deepEqual(report.notes, []);
      assertSameProgram(model, found, true);
      assert.deepEqual(found.preprocessing, model.preprocessing);
      const images = roughInput(2 * 3 * 64 * 64, i, false);
      const [ours, theirs] = [await logits(model, images), await logits(found, images)];
      assert.equal(theirs.length, 14);
      assert.ok(Buffer.from(ours.buffer).equals(Buffer.from(theirs.buffer)), 'logits differ');
    });
  }

  for (const [name, network] of Object.entries(networks())) {
    it(`of ${name}`, async () => {
      for (const opset of OPSETS) {
        const { model: found, report } = await fromOnnx(toOnnx(network, { opset }));
        assert.deepEqual(graphToJson(found.graph), graphToJson(network.graph), `opset ${opset}`);
        assert.deepEqual(report.notes, []);
        for (const [param, { data }] of network.params) assert.deepEqual(found.params.get(param)?.data, data, param);
        assertSameProgram(network, found, false);
      }
    });
  }

  it('of random graphs', async (t) => {
    let graphs = 0;
    const property = fc.asyncProperty(recipe, fc.constantFrom(...OPSETS), async (made, opset) => {
      const graph = buildGraph(made);
      const params = roughParams(graph, made.seed);
      const { model } = await fromOnnx(toOnnx({ graph, params }, { opset }));
      assertSameProgram({ graph, params }, model, false);
      graphs++;
    });
    await fc.assert(property, { numRuns: 300, seed: 5, endOnFailure: false });
    t.diagnostic(`${graphs} graphs`);
    assert.equal(graphs, 300);
  });

  it('keeps labels', async () => {
    const { graph, params } = createModel('binary-resnet18', { classes: 2, inputSize: 32 });
    const labels = [
      { id: 'n1', name: 'goldfish' },
      { id: 'n2', name: 'school bus' },
    ];
    const { model } = await fromOnnx(toOnnx({ graph, params, labels }));
    assert.deepEqual(model.labels, labels);
    const { model: other } = await fromOnnx(toOnnx({ graph, params, labels }), { labels: null, name: 'other' });
    assert.equal(other.labels, null);
    assert.equal(other.name, 'other');
  });
});
