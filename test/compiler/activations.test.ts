import assert from 'node:assert/strict';
import test from 'node:test';
import { BitpathError, compile, GraphBuilder, type Params, randomParams, Tensor } from 'bitpath';
import { ternaryBits, ternaryPlaces, ternaryRules } from '#lib/compiler/activations.js';
import { rearrangeBits } from '#lib/compiler/bitRows.js';
import { interpret } from '../reference/interpreter.js';

const node = {} as Parameters<typeof ternaryRules>[0];

test('two signs are the ternary value, at every threshold’s edge', () => {
  const f = Math.fround;
  const next = (x: number, by: number) => {
    const word = new Int32Array(Float32Array.of(x).buffer);
    word[0] = (word[0] ?? 0) + by;
    return new Float32Array(word.buffer)[0] as number;
  };
  for (const t of [0, f(1e-45), f(0.4), 1, f(3e38)]) {
    const [upper, lower] = ternaryRules(node, Float32Array.of(t));
    const edges = [0, -0, Infinity, -Infinity, next(0, 1), -next(0, 1)];
    if (t > 0) for (const by of [-1, 0, 1]) edges.push(next(t, by), -next(t, by));
    for (const x of edges) {
      const signs = [upper, lower].map((rule) => (x >= (rule?.threshold?.[0] ?? NaN) ? 1 : -1));
      assert.equal(((signs[0] ?? 0) + (signs[1] ?? 0)) / 2, Number(x >= t) - Number(x <= -t), `${x} with ${t}`);
    }
  }
});

test('weights of both planes are the same, without gaps', () => {
  // Two taps of 3 bits: 101, 011 (channel 0 first: bits 0, 2, then 1, 2).
  const bits = Uint8Array.of(0b110101);
  const spread = ternaryBits(bits, { rows: 1, taps: 2, channels: 3 });
  const ones = [...Array(12).keys()].filter((i) => ((spread[i >> 3] ?? 0) >> (i & 7)) & 1);
  assert.deepEqual(ones, [0, 2, 3, 5, 7, 8, 10, 11]);
  assert.deepEqual(ternaryPlaces(53), [
    { first: 0, tail: 96 },
    { first: 48, tail: 101 },
  ]);
});

test('runs of bits go where they are sent, and nothing else is set', () => {
  const rows = { rows: 2, taps: 2, fromBits: 3, toBits: 5 };
  const from = Uint8Array.of(0b111111, 0b000001);
  const result = rearrangeBits(from, rows, [{ from: 1, to: 3, count: 2 }]);
  assert.deepEqual([...result], [0b00011000, 0b11, 0, 0], 'bit 0 of a tap has nowhere to go');
});

test('zeros that are only signed take no more room than their bits', async () => {
  const b = new GraphBuilder('zeros');
  const x = b.input({ channels: 64, height: 56, width: 56 });
  const bits = b.sign(b.padChannels(x, { before: 64 }));
  b.output('y', b.binaryConv(bits, { outChannels: 64, kernel: 3, padding: 1, stride: 2 }));
  const graph = b.build();
  const params = randomParams(graph);
  const input = Float32Array.from({ length: 64 * 56 * 56 }, (_, i) => Math.sin(i));
  const reference = interpret(graph, params, input, { folded: true });
  using executor = await compile(graph, params, { threads: 1, batch: 1 });
  assert.deepEqual(executor.runSync(input).y?.data, reference.get('y'));
});

test('a negative threshold is refused by name', async () => {
  const b = new GraphBuilder('negative');
  const x = b.input({ channels: 2, height: 3, width: 3 });
  b.output('y', b.binaryConv(b.ternary(x, { name: 't' }), { outChannels: 1, kernel: 1 }));
  const graph = b.build();
  const params: Params = new Map([
    ...randomParams(graph),
    ['t.threshold', new Tensor('float32', [2], Float32Array.of(0.5, -0.5))],
  ]);
  await assert.rejects(compile(graph, params), (error) => {
    assert.ok(error instanceof BitpathError);
    assert.equal(error.code, 'ERR_BITPATH_PARAM');
    assert.match(error.message, /t\.threshold: element 1 is -0\.5, expected no negative numbers/);
    return true;
  });
});

test('pairs of channels that are not there are refused by name', async () => {
  const b = new GraphBuilder('pairs');
  b.output('y', b.channelInteraction(b.input({ channels: 2, height: 1, width: 1 }), { name: 'ci', pairs: 1 }));
  const graph = b.build();
  const bad: readonly (readonly [readonly number[], RegExp])[] = [
    [[0, 2, 1], /ci\.pairs: element 1 is 2, expected a channel, 0 to 1/],
    [[-1, 0, 1], /element 0 is -1/],
    [[0, 1, 0], /element 2 is 0, expected a sign, not 0/],
  ];
  for (const [pairs, message] of bad) {
    const params: Params = new Map([['ci.pairs', new Tensor('int32', [1, 3], Int32Array.from(pairs))]]);
    await assert.rejects(compile(graph, params), message);
  }
});
