import assert from 'node:assert/strict';
import test from 'node:test';
import { GraphBuilder, randomParams } from 'bitpath';
import fc from 'fast-check';
import { floatToOrder, orderToFloat } from '#lib/compiler/float32.js';
import { fold } from '#lib/compiler/fold.js';
import type { SignRule } from '#lib/compiler/ir.js';
import { foldThresholds, thresholdRule } from '#lib/compiler/thresholds.js';
import { fmaf } from '../reference/fma.js';

const PLAIN: SignRule = { threshold: null, flip: null };
const RUNS = 3000;

/** As native code does it: (x xor flip) ≥ threshold. */
function bit({ threshold, flip }: SignRule, x: number): boolean {
  return ((flip?.[0] ?? 0) === 0 ? x : -x) >= (threshold?.[0] ?? 0);
}

test('a threshold on x is the sign of the affine of x, for every x next to it and every special x', (t) => {
  const special = [
    0,
    -0,
    Infinity,
    -Infinity,
    NaN,
    2 ** -149,
    -(2 ** -149),
    3.4028234663852886e38,
    -3.4028234663852886e38,
  ];
  let checked = 0;
  const finite = fc.float({ noNaN: true, noDefaultInfinity: true });
  const near = fc.float({ min: -4, max: 4, noNaN: true });
  fc.assert(
    fc.property(
      fc.oneof(finite, near),
      fc.oneof(finite, near),
      fc.oneof(fc.constant(0), near),
      near,
      (s, b, own, other) => {
        fc.pre(s !== 0);
        const rule = thresholdRule(
          { mul: Float32Array.of(s), add: Float32Array.of(b) },
          own === 0 ? PLAIN : { threshold: Float32Array.of(own), flip: null },
        );
        assert.ok(rule?.threshold);
        const at = (rule.threshold[0] as number) * (rule.flip === null ? 1 : -1);
        const order = floatToOrder(at);
        const neighbours = [-3, -2, -1, 0, 1, 2, 3].map((step) => order + step);
        const inside = neighbours
          .filter((n) => n >= floatToOrder(-Infinity) && n <= floatToOrder(Infinity))
          .map(orderToFloat);
        for (const x of [...inside, ...special, other]) {
          assert.equal(bit(rule, x), fmaf(x, s, b) >= own, `x = ${x}, s = ${s}, b = ${b}, threshold ${own} → ${at}`);
          checked++;
        }
      },
    ),
    { numRuns: RUNS, seed: 2 },
  );
  t.diagnostic(`${checked} comparisons`);
  assert.ok(checked > RUNS * 10);
});

test('a channel with mul 0 or a non-finite affine has no threshold', () => {
  const rule = (mul: number, add: number) =>
    thresholdRule({ mul: Float32Array.of(1, mul), add: Float32Array.of(0, add) }, PLAIN);
  assert.equal(rule(0, 1), null);
  assert.equal(rule(-0, -1), null);
  assert.equal(rule(Infinity, 1), null);
  assert.equal(rule(1, NaN), null);
  assert.deepEqual(rule(2, -6), { threshold: Float32Array.of(-0, 3), flip: null });
  assert.deepEqual(rule(-2, -6)?.flip, Int32Array.of(0, -0x80000000));
});

/** input → batchNorm → sign → binaryConv; and what else reads the batchNorm. */
function graphWith(more: 'nothing' | 'relu' | 'output' | 'sign') {
  const b = new GraphBuilder('thresholds');
  const y = b.batchNorm(b.input({ channels: 3, height: 4, width: 5 }), { name: 'bn' });
  b.output('conv', b.binaryConv(b.sign(y, { name: 'sign' }), { outChannels: 2, kernel: 1 }));
  if (more === 'relu') b.output('relu', b.relu(y));
  if (more === 'output') b.output('bn', y);
  if (more === 'sign') b.output('second', b.binaryConv(b.sign(y, { threshold: true }), { outChannels: 4, kernel: 3 }));
  const graph = b.build();
  return foldThresholds(fold(graph, randomParams(graph, 1)));
}

test('an affine that only signs read disappears into them', () => {
  for (const more of ['nothing', 'sign'] as const) {
    const { nodes } = graphWith(more);
    assert.ok(nodes.every(({ work }) => work.op !== 'affine'));
    const signs = nodes.filter(({ work }) => work.op === 'sign');
    assert.equal(signs.length, more === 'sign' ? 2 : 1);
    for (const { names, inputs, work } of signs) {
      assert.equal(names[0], 'bn');
      assert.deepEqual(inputs, [0]);
      assert.ok(work.op === 'sign' && work.rule.threshold?.length === 3);
    }
  }
});

test('an affine that anything else reads stays', () => {
  for (const more of ['relu', 'output'] as const) {
    assert.equal(graphWith(more).nodes.filter(({ work }) => work.op === 'affine').length, 1, more);
  }
});
