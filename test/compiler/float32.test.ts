import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { floatToOrder, fma32, orderToFloat } from '#lib/compiler/float32.js';

const RUNS = 20_000;
const float = fc.oneof(
  fc.float({ noNaN: true, noDefaultInfinity: true }),
  fc.integer({ min: -64, max: 64 }),
  fc
    .tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: -30, max: 30 }))
    .map(([m, e]) => Math.fround((1 + m * 2 ** -23) * 2 ** e)),
);

/** A float32 in units of 2⁻¹⁴⁹. */
function units(value: number): bigint {
  return BigInt(value * 2 ** 149);
}

test('fma32 rounds the exact sum once', (t) => {
  let inexact = 0;
  fc.assert(
    fc.property(float, float, float, (x, y, z) => {
      const result = fma32(x, y, z);
      const exact = units(x) * units(y) + (units(z) << 149n); // in units of 2⁻²⁹⁸
      if (!Number.isFinite(result)) return assert.ok(exact * exact >= ((1n << 277n) * ((1n << 24n) - 1n)) ** 2n);
      const distance = (value: number) => {
        const difference = (units(value) << 149n) - exact;
        return difference < 0n ? -difference : difference;
      };
      const order = floatToOrder(result);
      for (const neighbour of [order - 1, order + 1].map(orderToFloat)) {
        if (!Number.isFinite(neighbour) || neighbour === result) continue; // −0 and +0 are one value
        assert.ok(
          distance(result) <= distance(neighbour),
          `fma32(${x}, ${y}, ${z}) = ${result}, nearer is ${neighbour}`,
        );
        const isTie = distance(result) === distance(neighbour);
        if (isTie) assert.ok(isEven(result), 'ties go to even');
      }
      if (distance(result) !== 0n) inexact++;
    }),
    { numRuns: RUNS, seed: 1 },
  );
  t.diagnostic(`${inexact} of ${RUNS} results are rounded`);
  assert.ok(inexact > RUNS / 10);
});

function isEven(value: number): boolean {
  return (new Int32Array(Float32Array.of(value).buffer)[0] as number) % 2 === 0;
}

test('fma32 where rounding to double first gives another answer', () => {
  // z is odd in its last place 2⁻²², the product is 2⁻²³ − 2⁻⁶¹: just under half of that place. A double rounds it up to the
  // half, which then goes to even, away from z.
  const [x, y, z] = [2 ** -23 * (1 + 2 ** -19), 1 - 2 ** -19, 3 + 2 ** -22];
  assert.equal(x * y, 2 ** -23 - 2 ** -61);
  assert.equal(Math.fround(x * y + z), 3 + 2 ** -21);
  assert.equal(fma32(x, y, z), z);
  assert.equal(fma32(-x, y, -z), -z);
});

test('fma32 passes infinities, NaN and signed zeros on', () => {
  assert.equal(fma32(Infinity, -1, 5), -Infinity);
  assert.ok(Number.isNaN(fma32(Infinity, 1, -Infinity)));
  assert.ok(Number.isNaN(fma32(Infinity, 0, 1)));
  assert.ok(Object.is(fma32(-0, 1, -0), -0));
  assert.ok(Object.is(fma32(-0, 1, 0), 0));
  assert.ok(Object.is(fma32(-(2 ** -100), 2 ** -100, 0), -0), 'underflow keeps its sign');
  assert.equal(fma32(3e38, 3, -1), Infinity);
});

test('the order of floats has neighbours at distance 1 and comes back', () => {
  assert.equal(floatToOrder(0), 0);
  assert.equal(floatToOrder(-0), -1);
  assert.equal(orderToFloat(1), 2 ** -149);
  assert.equal(orderToFloat(floatToOrder(1) + 1), 1 + 2 ** -23);
  assert.equal(orderToFloat(floatToOrder(-1) + 1), -(1 - 2 ** -24));
  fc.assert(
    fc.property(fc.float({ noNaN: true }), fc.float({ noNaN: true }), (a, b) => {
      assert.ok(Object.is(orderToFloat(floatToOrder(a)), a));
      if (a < b) assert.ok(floatToOrder(a) < floatToOrder(b));
    }),
  );
});
