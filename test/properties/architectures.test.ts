/**
 * Every architecture, and units of others in some, with random parameters, on every ISA, equals the reference interpreter bit for bit. Inputs are 64 × 64
 * here, to keep the interpreter short; BITPATH_TEST_INPUT_SIZE=224 is the paper's size.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { buildArchitecture, compile, listArchitectures, listUnits, randomParams } from 'bitpath';
import { native } from '#lib/native.js';
import { interpret } from '../reference/interpreter.js';
import { Picker } from './randomGraph.js';

const SHORT = 64;
const inputSize = Number(process.env.BITPATH_TEST_INPUT_SIZE ?? SHORT);
const CLASSES = 23;
const isas = native()
  .isas.filter(({ supported }) => supported)
  .map(({ name }) => name);
/** Topologies with other units: each unit on IGP-ResNet, and each kind of block with a unit that works after the add. */
const COMBINATIONS = [
  ...listUnits().map(({ name }) => `igp-resnet21-53+${name}`),
  'igp-resnet37-41+reactnet',
  'ebireal-resnet18-64+ir',
  'binary-resnet18+real-to-binary',
  'bireal-resnet34-64+xnor-net-pp',
  'igp-densenet51-53+reactnet',
  'binary-densenet51-32+ternary',
];
/** At other sizes than the short one: each graph once, and no combinations. */
const distinct = listArchitectures().filter(({ sameGraphAs }) => inputSize === SHORT || sameGraphAs === null);
const NAMES = [...distinct.map(({ name }) => name), ...(inputSize === SHORT ? COMBINATIONS : [])];
let checked = 0;

for (const name of NAMES) {
  test(`${name} at ${inputSize}×${inputSize} equals the reference`, async (t) => {
    const graph = buildArchitecture(name, { inputSize, classes: CLASSES });
    const params = randomParams(graph, 11);
    const random = new Picker(5);
    const input = Float32Array.from({ length: 3 * inputSize * inputSize }, () => (random.pick(4001) - 2000) / 1000);
    const expected = interpret(graph, params, input, { folded: true });
    for (const isa of isas) {
      for (const threads of [1, 2]) {
        using executor = await compile(graph, params, { isa, threads });
        const outputs = await executor.run(input);
        for (const [output, reference] of expected) {
          assert.ok(reference.length >= CLASSES && new Set(reference).size > 1, 'a reference that tells values apart');
          assert.deepEqual(outputs[output]?.data, reference, `${output} on ${isa} with ${threads} threads`);
        }
        checked++;
      }
    }
    t.diagnostic(isas.join(', '));
  });
}

test('all architectures were compared', (t) => {
  t.diagnostic(`${checked} compiled networks`);
  assert.equal(checked, NAMES.length * isas.length * 2);
  assert.ok(checked > 0);
});
