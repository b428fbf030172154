import assert from 'node:assert/strict';
import test from 'node:test';
import { GraphBuilder, randomParams } from 'bitpath';
import { bareMs, withoutSteps } from '#lib/bench/bare.js';
import { compileProgram } from '#lib/compiler/index.js';
import { native } from '#lib/native.js';

const b = new GraphBuilder('bare');
const x = b.input({ channels: 20, height: 5, width: 6 });
const y = b.add(x, b.batchNorm(b.binaryConv(b.sign(x), { outChannels: 20, kernel: 3, padding: 1 })));
b.output('y', b.globalAvgPool(y));
b.output('z', b.globalAvgPool(b.binaryConv(b.sign(y), { outChannels: 4, kernel: 1 })));
const graph = b.build();
const params = randomParams(graph, 1);

test('only 1-bit convolutions lose their steps, and the Program still loads', () => {
  const { code, constants } = compileProgram(graph, params, { batch: 1, normalization: null });
  const { isa } = { isa: native().selectIsa(null) };
  const steps = (words: Int32Array) =>
    new (native().Program)(words, constants, isa)
      .describe()
      .map((instruction) => [instruction.op, instruction.steps.length]);
  const before = steps(code);
  const after = steps(withoutSteps(code));
  assert.ok(before.some(([op, count]) => op === 'binaryConv' && Number(count) > 2));
  assert.deepEqual(
    after,
    before.map(([op, count]) => [op, op === 'binaryConv' ? 0 : count]),
  );
});

test('both times are times', () => {
  const { bare, whole } = bareMs(graph, params, new Float32Array(20 * 30), native().selectIsa(null), 2);
  for (const ms of [bare, whole]) assert.ok(ms > 0 && ms < 1000, `${ms}`);
});
