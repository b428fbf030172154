/** The reference against sums done by hand: whatever is compared with it stands on these. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GraphBuilder, graphParams, type Params, Tensor, type Value } from 'bitpath';
import { storedAs } from '#lib/graph/index.js';
import { fmaf } from './fma.js';
import { type InterpretOptions, interpret } from './interpreter.js';

type Data = Record<string, readonly number[]>;
const ARRAYS = { uint8: Uint8Array, float32: Float32Array, int32: Int32Array };

/** Runs the op that `make` puts on a map of `shape`; parameters are given by full name. */
function run(
  shape: readonly [number, number, number],
  input: readonly number[],
  make: (graph: GraphBuilder, x: Value) => Value,
  data: Data = {},
  options: InterpretOptions = {},
): Map<string, Float32Array> {
  const graph = new GraphBuilder('case');
  const x = graph.input({ channels: shape[0], height: shape[1], width: shape[2] });
  graph.output('y', make(graph, x));
  const built = graph.build();
  const params: Params = new Map(
    graphParams(built).map((spec) => {
      const { dtype, shape: stored } = storedAs(spec);
      const numbers = data[spec.name] ?? [];
      return [spec.name, new Tensor(dtype, stored, ARRAYS[dtype].from(numbers) as Float32Array)];
    }),
  );
  return interpret(built, params, Float32Array.from(input), options);
}
const y = (...args: Parameters<typeof run>) => [...(run(...args).get('y') ?? [])];
const f = Math.fround;

test('sign: NaN is −1, −0 is +1, thresholds per channel', () => {
  const of = (input: number[], data: Data, threshold: boolean) =>
    run(
      [2, 1, input.length / 2],
      input,
      (g, x) => g.binaryConv(g.sign(x, { threshold }), { outChannels: 1, kernel: 1, name: 'c' }),
      { 'c.bits': [3], ...data },
      { every: true },
    ).get('sign');
  assert.deepEqual([...(of([NaN, -0, 0, -1e-45, 1, -Infinity], {}, false) ?? [])], [-1, 1, 1, -1, 1, -1]);
  assert.deepEqual(
    [...(of([0.5, 0.4, 1, -2, -2.5, NaN], { 'sign.threshold': [0.5, -2] }, true) ?? [])],
    [1, -1, 1, 1, -1, -1],
  );
});

test('binaryConv: borders, bit order, several outputs', () => {
  // One channel, 2×3, 3×3 kernel. Signs: + − + / − − +
  const input = [1, -1, 1, -1, -1, 1];
  const bits = { 'c.bits': [0b11111111, 1, 0b00010000, 0] }; // all +1; only the centre tap (4) +1
  const conv = (padValue: 0 | 1 | -1) => (g: GraphBuilder, x: Value) =>
    g.binaryConv(g.sign(x), { name: 'c', outChannels: 2, kernel: 3, padding: 1, padValue });
  // All +1: the sum of the signs under the window: columns 0 and 1, all, columns 1 and 2. Centre alone +1: 2·x − that sum.
  assert.deepEqual(y([1, 2, 3], input, conv(0), bits), [-2, 0, 0, -2, 0, 0, 4, -2, 2, 0, -2, 2]);
  // Five taps at the left and right, three in the middle, lie outside.
  assert.deepEqual(y([1, 2, 3], input, conv(1), bits), [3, 3, 5, 3, 3, 5, -1, -5, -3, -5, -5, -3]);
  assert.deepEqual(y([1, 2, 3], input, conv(-1), bits), [-7, -3, -5, -7, -3, -5, 9, 1, 7, 5, 1, 7]);
});

test('binaryConv: (kh, kw, channel) order of bits, stride, dilation, groups, scale', () => {
  // Two channels, 1×3, kernel 1×2, dilation 2: taps (0, c0) (0, c1) (2, c0) (2, c1).
  const input = [1, 1, -1, -1, 1, 1]; // channel 0: + + −, channel 1: − + +
  const conv = (options: object) => (g: GraphBuilder, x: Value) =>
    g.binaryConv(g.sign(x), { name: 'c', outChannels: 2, kernel: [1, 2], ...options });
  assert.deepEqual(y([2, 1, 3], input, conv({ dilation: [1, 2] }), { 'c.bits': [0b1001, 0b0001] }), [4, 2]);
  // Groups: output 0 reads channel 0, output 1 channel 1.
  assert.deepEqual(y([2, 1, 3], input, conv({ groups: 2 }), { 'c.bits': [0b11, 0b10] }), [2, 0, 2, 0]);
  assert.deepEqual(
    y([2, 1, 3], input, conv({ groups: 2, stride: 2, padding: [0, 0, 0, 1], scale: true }), {
      'c.bits': [0b11, 0b10],
      'c.scale': [0.1, -3],
    }),
    [f(0.2), f(-0.1), -6, 3],
  );
  // A dot product of 0 times a negative scale is +0.
  assert.ok(
    Object.is(
      y([2, 1, 2], [1, 1, -1, -1], conv({ scale: true }), { 'c.bits': [0b1111, 0b1111], 'c.scale': [-1, -2] })[0],
      0,
    ),
  );
});

test('conv: one fused multiply-add a tap, in (kh, kw, channel) order, bias last', () => {
  const conv = (options: object) => (g: GraphBuilder, x: Value) =>
    g.conv(x, { name: 'c', outChannels: 1, kernel: 2, ...options });
  // Weights are [O, I, kh, kw]; two channels of 2×2 under a 2×2 kernel.
  const input = [1, 2, 3, 4, 10, 20, 30, 40];
  const weight = { 'c.weight': [1, 0, 0, 1, 0, 1, 0.5, 0], 'c.bias': [0.25] };
  assert.deepEqual(y([2, 2, 2], input, conv({}), weight), [1 + 4 + 20 + 15 + 0.25]);
  // Order: 2^24, then 1, then −2^24: 1 is lost only if it comes between them. Channel order: (c0, c1) for each tap.
  const order = { 'c.weight': [1, 1, 1, 1] };
  assert.deepEqual(y([2, 1, 2], [2 ** 24, -(2 ** 24), 1, 3], conv({ kernel: [1, 2], bias: false }), order), [3]); // 2^24 + 1 = 2^24; −2^24 → 0; + 3
  // Fused: (1 + e)(1 − e) − 1 = −e², which a rounded product would lose.
  const e = 2 ** -12;
  assert.deepEqual(y([1, 1, 2], [-1, 1 + e], conv({ kernel: [1, 2], bias: false }), { 'c.weight': [1, 1 - e] }), [
    -e * e,
  ]);
  // The bias is added after rounding the sum.
  assert.deepEqual(y([1, 1, 1], [2 ** 24], conv({ kernel: 1 }), { 'c.weight': [1], 'c.bias': [1] }), [2 ** 24]);
});

test('conv: padding, stride, groups, dilation', () => {
  const conv = (options: object) => (g: GraphBuilder, x: Value) =>
    g.conv(x, { name: 'c', outChannels: 1, kernel: 3, bias: false, ...options });
  const ones = { 'c.weight': new Array(9).fill(1) };
  assert.deepEqual(y([1, 2, 3], [1, 2, 3, 4, 5, 6], conv({ padding: 1 }), ones), [12, 21, 16, 12, 21, 16]);
  assert.deepEqual(y([1, 2, 3], [1, 2, 3, 4, 5, 6], conv({ padding: [1, 1, 0, 0], stride: 2 }), ones), [12]);
  assert.deepEqual(
    y([1, 1, 5], [1, 2, 3, 4, 5], conv({ kernel: [1, 3], dilation: [1, 2] }), { 'c.weight': [1, 10, 100] }),
    [531],
  );
  assert.deepEqual(
    y([2, 1, 2], [1, 2, 3, 4], conv({ kernel: [1, 2], groups: 2, outChannels: 4 }), {
      'c.weight': [1, 0, 0, 1, 1, 0, 0, 1],
    }),
    [1, 2, 3, 4],
  );
});

test('linear', () => {
  const data = { 'l.weight': [1, 2, 3, -1, 0, 0.5], 'l.bias': [10, -0.5] };
  assert.deepEqual(
    y([3, 1, 1], [1, 10, 100], (g, x) => g.linear(x, { name: 'l', outFeatures: 2 }), data),
    [331, 48.5],
  );
});

test('batchNorm: the affine is computed in double and rounded once', () => {
  const data = { 'b.weight': [2, 0.3], 'b.bias': [1, 0.7], 'b.running_mean': [3, -0.1], 'b.running_var': [4, 0.2] };
  const s = f(f(0.3) / Math.sqrt(f(0.2) + 1e-3));
  const t = f(f(0.7) - (f(-0.1) * f(0.3)) / Math.sqrt(f(0.2) + 1e-3));
  const s0 = f(2 / Math.sqrt(4 + 1e-3));
  const t0 = f(1 - (3 * 2) / Math.sqrt(4 + 1e-3));
  assert.deepEqual(
    y([2, 1, 1], [5, 7], (g, x) => g.batchNorm(x, { name: 'b', eps: 1e-3 }), data),
    [fmaf(5, s0, t0), fmaf(7, s, t)],
  );
});

test('scale and batchNorm after a binaryConv: one affine where it is folded', () => {
  const SCALED = { name: 'c', outChannels: 2, kernel: 1, scale: true } as const;
  const scale = f(0.9);
  const data = {
    'c.bits': [0b111, 0b101],
    'c.scale': [scale, 0.1],
    'b.weight': [f(0.7), 1],
    'b.bias': [f(0.1), 0],
    'b.running_mean': [0, 0],
    'b.running_var': [1, 1],
  };
  const unit = (g: GraphBuilder, x: Value) => g.batchNorm(g.binaryConv(g.sign(x), SCALED), { name: 'b', eps: 0 });
  const stepwise = [fmaf(f(3 * scale), f(0.7), f(0.1)), f(f(0.1))];
  const folded = [fmaf(3, f(scale * f(0.7)), f(0.1)), f(f(0.1))];
  assert.notEqual(stepwise[0], folded[0]);
  assert.deepEqual(y([3, 1, 1], [1, 1, 1], unit, data), stepwise);
  assert.deepEqual(y([3, 1, 1], [1, 1, 1], unit, data, { folded: true }), folded);
  // Not where somebody else reads the scaled value.
  const shared = (g: GraphBuilder, x: Value) => {
    const c = g.binaryConv(g.sign(x), SCALED);
    return g.concat([g.batchNorm(c, { name: 'b', eps: 0 }), c]);
  };
  assert.deepEqual(y([3, 1, 1], [1, 1, 1], shared, data, { folded: true }), [...stepwise, f(3 * scale), f(0.1)]);
  // A reader that no output needs does not count.
  const dead = (g: GraphBuilder, x: Value) => {
    const c = g.binaryConv(g.sign(x), SCALED);
    g.relu(c);
    return g.batchNorm(c, { name: 'b', eps: 0 });
  };
  assert.deepEqual(y([3, 1, 1], [1, 1, 1], dead, data, { folded: true }), folded);
});

test('element-wise ops round once', () => {
  assert.deepEqual(
    y([1, 1, 2], [2 ** 24, 0.1], (g, x) => g.add(x, g.relu(x))),
    [2 ** 25, f(f(0.1) + f(0.1))],
  );
  assert.deepEqual(
    y([1, 1, 2], [3, -0.1], (g, x) => g.scale(x, { factor: 0.1 })),
    [f(3 * f(0.1)), f(-f(0.1) * f(0.1))],
  );
  assert.deepEqual(
    y([1, 1, 4], [-1, -0, NaN, 2], (g, x) => g.relu(x)),
    [0, -0, NaN, 2],
  );
  assert.deepEqual(
    y([2, 1, 2], [-1, 3, -4, NaN], (g, x) => g.prelu(x, { name: 'p' }), { 'p.weight': [0.1, 0.25] }),
    [f(-0.1), 3, -1, NaN],
  );
  assert.deepEqual(
    y([2, 1, 2], [1, 2, 3, 4], (g, x) => g.concat([g.scale(x, { factor: 10 }), x])),
    [10, 20, 30, 40, 1, 2, 3, 4],
  );
});

test('pools', () => {
  const input = [1, 2, 3, 4, 5, 6]; // 2×3
  assert.deepEqual(
    y([1, 2, 3], input, (g, x) => g.maxPool(x, { kernel: 2, stride: 1 })),
    [5, 6],
  );
  assert.deepEqual(
    y(
      [1, 2, 3],
      input.map((v) => -v),
      (g, x) => g.maxPool(x, { kernel: 3, stride: 2, padding: 1 }),
    ),
    [-1, -2],
  );
  assert.deepEqual(
    y([1, 1, 4], [NaN, 1, 2, NaN], (g, x) => g.maxPool(x, { kernel: [1, 2] })),
    [NaN, NaN],
  );
  assert.deepEqual(
    y([1, 1, 2], [-Infinity, -Infinity], (g, x) => g.maxPool(x, { kernel: [1, 2] })),
    [-Infinity],
  );
  assert.ok(Object.is(y([1, 1, 2], [-0, 0], (g, x) => g.maxPool(x, { kernel: [1, 2] }))[0], -0)); // of equal ones the first
  assert.deepEqual(
    y([1, 2, 3], input, (g, x) => g.avgPool(x, { kernel: 2, stride: 1 })),
    [3, 4],
  );
  const padded = (countIncludePad: boolean) => (g: GraphBuilder, x: Value) =>
    g.avgPool(x, { kernel: 2, padding: [0, 0, 0, 1], countIncludePad });
  assert.deepEqual(y([1, 2, 3], input, padded(true)), [3, 2.25]);
  assert.deepEqual(y([1, 2, 3], input, padded(false)), [3, 4.5]);
  // In order, each sum rounded: 2^24 + 1 = 2^24, then − 2^24, then + 3.
  assert.deepEqual(
    y([1, 2, 2], [2 ** 24, 1, -(2 ** 24), 3], (g, x) => g.globalAvgPool(x)),
    [0.75],
  );
  assert.deepEqual(
    y([2, 1, 3], [0, 0, 1, 1, 1, 0], (g, x) => g.globalAvgPool(x)),
    [f(1 / 3), f(2 / 3)],
  );
});

test('outputs by name, or every value by its node', () => {
  const graph = new GraphBuilder('two');
  const x = graph.input({ channels: 1, height: 1, width: 3 });
  const double = graph.scale(x, { factor: 2, name: 'double' });
  graph.output('twice', double);
  graph.output('sum', graph.globalAvgPool(graph.relu(double, { name: 'r' }), { name: 'g' }));
  graph.scale(x, { factor: 5, name: 'unused' });
  const built = graph.build();
  const input = Float32Array.of(1, -2, 4);
  assert.deepEqual(
    interpret(built, new Map(), input),
    new Map([
      ['twice', Float32Array.of(2, -4, 8)],
      ['sum', Float32Array.of(10 / 3)],
    ]),
  );
  assert.deepEqual([...interpret(built, new Map(), input, { every: true }).keys()], ['input', 'double', 'r', 'g']);
  assert.deepEqual(input, Float32Array.of(1, -2, 4));
  assert.throws(() => interpret(built, new Map(), new Float32Array(2)), /the input has 2 elements/);
});

test('heaviside and ternary: their values, and convolutions of them', () => {
  const values = (op: 'heaviside' | 'ternary', input: number[], data: Data) =>
    run(
      [1, 1, input.length],
      input,
      (g, x) => {
        const activations = op === 'ternary' ? g.ternary(x) : g.heaviside(x, { threshold: true });
        return g.binaryConv(activations, { outChannels: 1, kernel: 1, name: 'c' });
      },
      { 'c.bits': [1], ...data },
      { every: true },
    ).get(op);
  const input = [0.5, 0.4, -0.5, -0.4, 0, NaN];
  assert.deepEqual([...(values('heaviside', input, { 'heaviside.threshold': [0.5] }) ?? [])], [1, 0, 0, 0, 0, 0]);
  assert.deepEqual([...(values('ternary', input, { 'ternary.threshold': [0.5] }) ?? [])], [1, 0, -1, 0, 0, -1]);
  assert.deepEqual([...(values('ternary', [0, -0, 1, -1], { 'ternary.threshold': [0] }) ?? [])], [0, 0, 1, -1]);
  // Three pixels under a kernel of three, weights + − +, padding 0.
  const conv = (activations: (g: GraphBuilder, x: Value) => Value, data: Data) =>
    y(
      [1, 1, 3],
      [1, -1, 2],
      (g, x) => g.binaryConv(activations(g, x), { outChannels: 1, kernel: [1, 3], padding: [0, 1], name: 'c' }),
      { 'c.bits': [0b101], ...data },
    );
  assert.deepEqual(
    conv((g, x) => g.heaviside(x), {}),
    [-1 * 1 + 0, 1 + 0 + 1, 0 - 1],
  );
  assert.deepEqual(
    conv((g, x) => g.ternary(x, { name: 't' }), { 't.threshold': [1] }),
    [-1 - 1, 1 + 1 + 1, -1 - 1],
  );
});

test('binaryWeightConv: ±1 times real numbers, then the scale', () => {
  const result = y(
    [2, 1, 2],
    [0.5, 1.5, -2, 4],
    (g, x) => g.binaryWeightConv(x, { name: 'c', outChannels: 2, kernel: 1, scale: true }),
    { 'c.bits': [0b11, 0b01], 'c.scale': [1, -0.5] },
  );
  assert.deepEqual(result, [-1.5, 5.5, -1.25, 1.25]);
});

test('operands that stand for all pixels, all channels or both', () => {
  const input = [1, 2, 3, 4, 5, 6, 7, 8]; // 2 channels of 2×2
  const of = (make: (g: GraphBuilder, x: Value) => Value) => y([2, 2, 2], input, make);
  assert.deepEqual(
    of((g, x) => g.mul(x, g.globalAvgPool(x))),
    [2.5, 5, 7.5, 10, 32.5, 39, 45.5, 52],
  );
  assert.deepEqual(
    of((g, x) => g.add(x, g.channelMean(x))),
    [4, 6, 8, 10, 8, 10, 12, 14],
  );
  assert.deepEqual(
    of((g, x) => g.add(x, g.scale(g.channelMean(g.globalAvgPool(x)), { factor: -1 }))),
    [-3.5, -2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 3.5],
  );
  assert.deepEqual(
    of((g, x) => g.mul(x, x)),
    input.map((v) => v * v),
  );
});

test('bias, abs, rank1Scale, slice, padChannels', () => {
  const one = (make: (g: GraphBuilder, x: Value) => Value, data: Data = {}) => y([2, 1, 2], [1, -2, 3, -4], make, data);
  assert.deepEqual(
    one((g, x) => g.bias(x, { name: 'b' }), { 'b.bias': [10, 20] }),
    [11, 8, 23, 16],
  );
  assert.deepEqual(
    one((g, x) => g.abs(x)),
    [1, 2, 3, 4],
  );
  assert.deepEqual(
    one((g, x) => g.rank1Scale(x, { name: 'r' }), { 'r.alpha': [2, 3], 'r.beta': [5], 'r.gamma': [1, -1] }),
    [10, 20, 45, 60],
  );
  assert.deepEqual(
    one((g, x) => g.slice(x, { from: 1, channels: 1 })),
    [3, -4],
  );
  assert.deepEqual(
    one((g, x) => g.padChannels(x, { before: 1, after: 1 })),
    [0, 0, 1, -2, 3, -4, 0, 0],
  );
});

test('sigmoid: the logistic function to seven digits, and its ends', () => {
  const input = [0, 1, -1, 5, -5, 20, -20, Infinity, -Infinity];
  const result = y([1, 1, input.length], input, (g, x) => g.sigmoid(x));
  input.forEach((x, i) => {
    assert.ok(Math.abs((result[i] ?? NaN) - 1 / (1 + Math.exp(-x))) < 2 ** -22, `${x}: ${result[i]}`);
  });
  assert.ok(result.every((v) => v >= 0 && v <= 1) && result[0] === 0.5);
  assert.ok(Number.isNaN(y([1, 1, 1], [NaN], (g, x) => g.sigmoid(x))[0]));
});

test('channelInteraction: pairs in order, each seeing what the ones before have done', () => {
  const result = y(
    [3, 1, 3],
    [5, -5, 0, 0, 0, 0, 1, 1, 1],
    (g, x) => g.channelInteraction(x, { name: 'ci', pairs: 3, threshold: 2, step: 4 }),
    // 0 excites 1; 1 (by then ±4) excites 2; 0 inhibits 0, whichever its sign.
    { 'ci.pairs': [0, 1, 1, 1, 2, 1, 0, 0, -1] },
  );
  assert.deepEqual(result, [1, -9, 0, 4, -4, 0, 5, -3, 1]);
});
