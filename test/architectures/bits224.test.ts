/** Every architecture at its own size, 224×224, with random weights: the compiled Program gives the reference interpreter's bits. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { buildArchitecture, compile, listArchitectures, randomParams } from 'bitpath';
import { native } from '#lib/native.js';
import { interpret } from '../reference/interpreter.js';

const SIZE = 224;
const CLASSES = 50; // a classifier of a width that is no multiple of the lanes

const isas = native()
  .isas.filter(({ name, supported }) => supported && name !== 'scalar')
  .map(({ name }) => name);
const names = listArchitectures().map(({ name }) => name);

test('there are architectures and instruction sets to compare', () => {
  assert.ok(names.length >= 23, `${names.length} architectures`);
  assert.ok(isas.length >= 1);
});

for (const [index, name] of names.entries()) {
  test(`${name} at ${SIZE}×${SIZE} is the reference's, bit for bit`, async (t) => {
    const graph = buildArchitecture(name, { classes: CLASSES, inputSize: SIZE });
    const params = randomParams(graph, index + 1);
    const input = Float32Array.from({ length: 3 * SIZE * SIZE }, (_, i) => Math.sin(i * 12.9898 + index) * 2);
    const expected = interpret(graph, params, input, { folded: true });
    let compared = 0;
    for (const isa of isas) {
      using executor = await compile(graph, params, { isa, threads: 2 });
      const outputs = await executor.run(input);
      for (const [output, values] of expected) {
        assert.ok(values.every(Number.isFinite), 'a reference worth comparing with');
        assert.deepEqual(outputs[output]?.data, values, `${output} on ${isa}`);
        compared += values.length;
      }
    }
    assert.equal(compared, isas.length * CLASSES);
    t.diagnostic(`${isas.join(', ')}: ${compared} logits equal`);
  });
}
