import assert from 'node:assert/strict';
import test from 'node:test';
import { compile, type Executor, type Graph, type Isa } from 'bitpath';
import fc from 'fast-check';
import { OP_NAMES } from '#lib/graph/index.js';
import { native } from '#lib/native.js';
import { interpret } from '../reference/interpreter.js';
import { buildGraph, recipe, roughInput, roughParams } from './randomGraph.js';

/** Fewer where a machine is emulated. */
const RUNS = Number(process.env['BITPATH_PROPERTY_RUNS'] ?? 600);
const IMAGES = 4;
const isas = native()
  .isas.filter(({ supported }) => supported)
  .map(({ name }) => name);
const MODES = isas.flatMap((isa) => [1, 2].flatMap((threads) => [1, 3].map((batch) => ({ isa, threads, batch }))));

test('a compiled graph gives the bits of the reference, on every ISA, with 1 and 2 threads, in batches of 1 and 3', async (t) => {
  const seen = { graphs: 0, comparisons: 0, values: 0, nan: 0, multiOutput: 0 };
  const ops = new Map<string, number>();
  const fused = new Map<string, number>();

  const property = fc.asyncProperty(recipe, fc.boolean(), async (made, special) => {
    const graph = buildGraph(made);
    const params = roughParams(graph, made.seed);
    const length = made.channels * made.height * made.width;
    const input = roughInput(IMAGES * length, made.seed, special);
    const expected = Array.from({ length: IMAGES }, (_, n) =>
      interpret(graph, params, input.subarray(n * length, (n + 1) * length), { folded: true }),
    );
    for (const mode of MODES) {
      using executor = await compile(graph, params, mode);
      const outputs = mode.threads === 1 ? executor.runSync(input) : await executor.run(input);
      for (const { name } of graph.outputs) {
        const actual = outputs[name]?.data as Float32Array;
        const reference = Float32Array.from(expected.flatMap((image) => [...(image.get(name) ?? [])]));
        assert.deepEqual(bitsOf(actual), bitsOf(reference), `output ${name} with ${JSON.stringify(mode)}`);
        seen.comparisons++;
        seen.values += actual.length;
        seen.nan += actual.findIndex(Number.isNaN) >= 0 ? 1 : 0;
      }
      if (mode === MODES[0]) countSteps(executor, fused);
    }
    seen.graphs++;
    seen.multiOutput += graph.outputs.length > 1 ? 1 : 0;
    countOps(graph, ops);
  });
  await fc.assert(property, { numRuns: RUNS, seed: 20, endOnFailure: false });

  t.diagnostic(`${isas.join(', ')}: ${JSON.stringify(seen)}`);
  t.diagnostic(`nodes: ${JSON.stringify(Object.fromEntries(ops))}`);
  t.diagnostic(`instructions and steps: ${JSON.stringify(Object.fromEntries(fused))}`);
  assert.equal(seen.graphs, RUNS);
  assert.ok(seen.comparisons >= RUNS * MODES.length && seen.values > 1e3 * RUNS);
  assert.ok(seen.nan > 0 && seen.multiOutput > RUNS / 4);
  assert.equal(ops.size, OP_NAMES.length, 'every op is covered');
  for (const name of [
    'binaryConv',
    'conv',
    'maxPool',
    'avgPool',
    'map',
    'affine',
    'add',
    'scale',
    'relu',
    'prelu',
    'hardtanh',
    'store',
    'storeMaxPooled',
    'sign',
    'mul',
    'mulPixels',
    'sigmoid',
    'fill',
    'channelMean',
    'channelInteraction',
  ]) {
    assert.ok((fused.get(name) ?? 0) > RUNS / 30, `${name} is covered`);
  }
});

test('the comparison sees a single wrong bit', () => {
  assert.notDeepEqual(bitsOf(Float32Array.of(1, 2)), bitsOf(Float32Array.of(1, 2 + 2 ** -22)));
  assert.notDeepEqual(bitsOf(Float32Array.of(0)), bitsOf(Float32Array.of(-0)));
  assert.deepEqual(bitsOf(Float32Array.of(NaN)), bitsOf(Float32Array.of(-NaN)));
});

test('every ISA of this binary runs here, or is known not to', (t) => {
  const missing = native()
    .isas.filter(({ supported }) => !supported)
    .map(({ name }) => name);
  if (missing.length > 0) t.diagnostic(`not supported by this machine, so not tested: ${missing.join(', ')}`);
  const known = (process.env.BITPATH_UNTESTED_ISAS ?? '').split(',').filter((name) => name !== '');
  assert.deepEqual(
    missing.filter((name) => !known.includes(name)),
    [] satisfies Isa[],
  );
});

/** Bit patterns; all NaNs are one, as their payloads are the hardware's. */
function bitsOf(values: Float32Array): Int32Array {
  const bits = new Int32Array(values.slice().buffer);
  values.forEach((value, i) => {
    if (Number.isNaN(value)) bits[i] = 0x7fc00000;
  });
  return bits;
}

function countOps(graph: Graph, counts: Map<string, number>): void {
  for (const { op } of graph.nodes) counts.set(op, (counts.get(op) ?? 0) + 1);
}

function countSteps(executor: Executor, counts: Map<string, number>): void {
  for (const { op, steps } of executor.describe().instructions) {
    for (const name of [op, ...steps]) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
}
