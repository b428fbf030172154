import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fmaf } from './fma.js';

/** Exact value of a float32 or double as integer · 2^exponent. */
function exact(value: number): { mantissa: bigint; exponent: number } {
  const bits = new BigUint64Array(Float64Array.of(value).buffer)[0] as bigint;
  const biased = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & 0xfffffffffffffn;
  const magnitude = biased === 0 ? fraction : fraction | 0x10000000000000n;
  return { mantissa: bits >> 63n ? -magnitude : magnitude, exponent: Math.max(biased, 1) - 1075 };
}

/** The slow way, on integers: a·b + c exactly, then one rounding to nearest, ties to even. */
function slowFmaf(a: number, b: number, c: number): number {
  const [x, y, z] = [exact(a), exact(b), exact(c)];
  const productExponent = x.exponent + y.exponent;
  const exponent = Math.min(productExponent, z.exponent);
  const total =
    ((x.mantissa * y.mantissa) << BigInt(productExponent - exponent)) + (z.mantissa << BigInt(z.exponent - exponent));
  if (total === 0n) return a * b + c; // only the sign of zero is left to decide
  const magnitude = total < 0n ? -total : total;
  const bits = magnitude.toString(2).length;
  // The last place of the result: 24 bits, but not below 2^−149.
  const drop = Math.max(bits - 24, -149 - exponent);
  let rounded: bigint;
  if (drop <= 0) rounded = magnitude << BigInt(-drop);
  else {
    const unit = 1n << BigInt(drop);
    rounded = magnitude / unit;
    const rest = (magnitude % unit) * 2n;
    if (rest > unit || (rest === unit && rounded % 2n === 1n)) rounded += 1n;
  }
  const value = Number(rounded) * 2 ** (exponent + drop); // exact: at most 25 bits, and 2^±… is a double
  return Math.fround(total < 0n ? -value : value);
}

const bitsOf = (value: number) => new Uint32Array(Float32Array.of(value).buffer)[0];
const floatOf = (bits: number) => new Float32Array(Uint32Array.of(bits).buffer)[0] as number;
const same = (a: number, b: number, c: number) => {
  assert.equal(bitsOf(fmaf(a, b, c)), bitsOf(slowFmaf(a, b, c)), `fma(${a}, ${b}, ${c})`);
};

test('cases that rounding twice gets wrong', () => {
  const cases: [number, number, number][] = [];
  // c + product: c even or odd in its last place, product half a place and a tiny bit more or less.
  for (const c of [1, 1 + 2 ** -23, 1.5, 2 - 2 ** -23, -1, -(1 + 2 ** -23), 1024, 2 ** -100]) {
    const half = Math.abs(c) >= 1024 ? 2 ** -14 : Math.abs(c) < 1 ? 2 ** -124 : 2 ** -24;
    for (const tiny of [2 ** -23, 2 ** -12, -(2 ** -23), -(2 ** -12)]) {
      // half·(1 + t)·(1 ∓ t) and half·(1 + t): the deviation lies far below the double's last place, or just above.
      for (const sign of [1, -1]) {
        cases.push([Math.fround(half * (1 + tiny)), sign * (1 - tiny), c]);
        cases.push([Math.fround(half * (1 + tiny)), sign * (1 + tiny), c]);
      }
    }
  }
  let naiveWrong = 0;
  for (const [a, b, c] of cases) {
    same(a, b, c);
    if (Math.fround(a * b + c) !== slowFmaf(a, b, c)) naiveWrong += 1;
  }
  assert.ok(naiveWrong >= 8, `the cases tell rounding twice apart ${naiveWrong} times`);
});

test('rounding that steps down over a power of two', () => {
  // 2^k minus a little: the double sum is 2^k, its odd neighbour lies in the binade below.
  for (const [a, b, c] of [
    [2 ** -60, -(2 ** -60), 1],
    [2 ** -30, -(2 ** -30), 2 ** 10],
    [-(2 ** -25), 1 + 2 ** -23, 1],
    [2 ** -25, -(1 - 2 ** -24), -1],
  ] as const) {
    same(a, b, c);
  }
});

test('subnormal results round at 2^−149', () => {
  const tiny = 2 ** -149;
  same(tiny, 0.5, tiny);
  same(tiny, 0.5, 0);
  same(tiny, 1.5, -tiny);
  same(2 ** -75, 2 ** -75, 0);
  same(2 ** -75, Math.fround(2 ** -75 * (1 + 2 ** -23)), 0);
  same(2 ** -75, -(2 ** -75), 3 * tiny);
  same(2 ** -140, 2 ** -140, 2 ** -126);
  same(2 ** -140, -(2 ** -140), 2 ** -126);
});

test('zeros, infinities, NaN and overflow', () => {
  assert.ok(Object.is(fmaf(-1, 0, 0), 0));
  assert.ok(Object.is(fmaf(-1, 0, -0), -0));
  assert.ok(Object.is(fmaf(2 ** -100, -(2 ** -100), 0), -0));
  assert.equal(fmaf(3e38, 3e38, 0), Infinity);
  assert.equal(fmaf(3e38, 3e38, -Infinity), -Infinity);
  assert.ok(Number.isNaN(fmaf(Infinity, 0, 1)));
  assert.ok(Number.isNaN(fmaf(Infinity, 1, -Infinity)));
  assert.equal(fmaf(Infinity, 1, -3e38), Infinity);
  const largest = floatOf(0x7f7fffff);
  same(largest, 1, 2 ** 102); // a quarter of the last place
  assert.equal(fmaf(largest, 1, 2 ** 103), Infinity); // a tie, away from the odd largest float
});

test('random floats of near exponents equal the slow way', () => {
  const float = fc
    .tuple(fc.boolean(), fc.integer({ min: 0, max: 0x7fffff }), fc.integer({ min: -40, max: 40 }))
    .map(([negative, fraction, exponent]) =>
      floatOf((negative ? 0x80000000 : 0) + ((127 + exponent) << 23) + fraction),
    );
  const sparse = fc
    .tuple(fc.integer({ min: 0, max: 15 }), fc.integer({ min: -40, max: 40 }))
    .map(([top, exponent]) => (1 + (top & 7) / 4 + (top & 8 ? 2 ** -23 : 0)) * 2 ** exponent);
  const any = fc.oneof(float, sparse);
  fc.assert(
    fc.property(any, any, any, (a, b, c) => same(Math.fround(a), Math.fround(b), Math.fround(c))),
    { numRuns: 20000, seed: 1 },
  );
});

test('random bit patterns equal the slow way', () => {
  const pattern = fc.integer({ min: 0, max: 0xffffffff }).map(floatOf).filter(Number.isFinite);
  fc.assert(
    fc.property(pattern, pattern, pattern, (a, b, c) => {
      if (Math.abs(a * b + c) < 3e38) same(a, b, c);
    }),
    { numRuns: 10000, seed: 2 },
  );
});
