import assert from 'node:assert/strict';
import test from 'node:test';
import { compile, type Graph, GraphBuilder, randomParams, type Value } from 'bitpath';
import { native } from '#lib/native.js';

const NORMALIZATION = { mean: [0.4, 0.5, 0.6], std: [0.2, 0.3, 0.25] };

interface Case {
  readonly size: readonly [number, number];
  readonly channels: number;
  readonly conv: { kernel: number; stride: number; padding: number };
  readonly pool: { kernel: number; stride: number; padding: number };
}

/** Conv, BatchNorm, max pool, and a unit's sign after it; `watched`: the map in between is an output too, so nothing is merged. */
function stemGraph({ size: [height, width], channels, conv, pool }: Case, watched: boolean): Graph {
  const b = new GraphBuilder('stem');
  const x = b.input({ channels: 3, height, width });
  const between = b.batchNorm(b.conv(x, { name: 'conv', outChannels: channels, bias: false, ...conv }), { name: 'bn' });
  const pooled: Value = b.maxPool(b.relu(between), pool);
  const bits = b.binaryConv(b.sign(pooled), { name: 'bits', outChannels: 9, kernel: 3, padding: 1 });
  b.output('pooled', pooled);
  b.output('bits', bits);
  if (watched) b.output('between', between);
  return b.build();
}

const CASES: readonly Case[] = [
  {
    size: [32, 32],
    channels: 64,
    conv: { kernel: 7, stride: 2, padding: 3 },
    pool: { kernel: 3, stride: 2, padding: 1 },
  },
  {
    size: [61, 47],
    channels: 41,
    conv: { kernel: 7, stride: 2, padding: 3 },
    pool: { kernel: 3, stride: 2, padding: 1 },
  },
  {
    size: [9, 130],
    channels: 5,
    conv: { kernel: 3, stride: 1, padding: 1 },
    pool: { kernel: 2, stride: 2, padding: 0 },
  },
  {
    size: [40, 8],
    channels: 17,
    conv: { kernel: 1, stride: 1, padding: 0 },
    pool: { kernel: 5, stride: 3, padding: 2 },
  },
  {
    size: [12, 12],
    channels: 3,
    conv: { kernel: 3, stride: 1, padding: 0 },
    pool: { kernel: 2, stride: 4, padding: 1 },
  },
  { size: [1, 7], channels: 8, conv: { kernel: 1, stride: 1, padding: 0 }, pool: { kernel: 3, stride: 1, padding: 1 } },
  {
    size: [257, 300],
    channels: 24,
    conv: { kernel: 3, stride: 1, padding: 1 },
    pool: { kernel: 3, stride: 2, padding: 1 },
  },
];

test('a pooled conv gives the bits of the conv and the pool, for both inputs, on every ISA, with 1 to 3 threads', async (t) => {
  let compared = 0;
  for (const made of CASES) {
    const merged = stemGraph(made, false);
    const apart = stemGraph(made, true);
    const params = randomParams(merged, 7);
    const pixels = 3 * made.size[0] * made.size[1];
    const inputs = [
      Float32Array.from({ length: 3 * pixels }, (_, i) => Math.sin(i * 1.7) * 2),
      Uint8Array.from({ length: 3 * pixels }, (_, i) => (i * 2654435761) >>> 24),
    ];
    for (const { name: isa, supported } of native().isas) {
      if (!supported) continue;
      for (const [threads, batch] of [
        [1, 1],
        [2, 1],
        [3, 2],
        [2, 3],
      ] as const) {
        using one = await compile(merged, params, { isa, threads, batch, normalization: NORMALIZATION });
        using two = await compile(apart, params, { isa, threads, batch, normalization: NORMALIZATION });
        const kernels = one.describe().instructions.map(({ kernel }) => kernel);
        assert.equal(kernels.filter((kernel) => kernel.endsWith('_max_pooled')).length, 2, kernels.join());
        assert.ok(two.describe().instructions.some(({ op }) => op === 'maxPool'));
        for (const input of inputs) {
          const actual = one.runSync(input);
          const expected = two.runSync(input);
          for (const output of ['pooled', 'bits']) {
            assert.deepEqual(
              actual[output]?.data,
              expected[output]?.data,
              `${output} of ${JSON.stringify(made)} on ${isa}`,
            );
            compared++;
          }
        }
      }
    }
  }
  t.diagnostic(`${compared} outputs equal`);
  assert.ok(compared >= CASES.length * 16);
});

test('a map that somebody else reads, or that goes into a concat, is not merged away', async () => {
  const build = (add: (b: GraphBuilder, conv: Value, pooled: Value) => Value) => {
    const b = new GraphBuilder('apart');
    const x = b.input({ channels: 3, height: 8, width: 8 });
    const conv = b.conv(x, { name: 'conv', outChannels: 4, kernel: 3, padding: 1 });
    b.output('y', add(b, conv, b.maxPool(conv, { kernel: 3, stride: 1, padding: 1 })));
    return b.build();
  };
  for (const graph of [
    build((b, conv, pooled) => b.add(pooled, conv)),
    build((b, conv, pooled) => b.concat([conv, pooled])),
    build((b, conv, pooled) =>
      b.add(b.binaryConv(b.sign(conv), { name: 'bits', outChannels: 4, kernel: 3, padding: 1 }), pooled),
    ),
  ]) {
    using executor = await compile(graph, randomParams(graph, 1));
    const described = executor.describe().instructions;
    assert.ok(
      described.some(({ op }) => op === 'maxPool'),
      described.map(({ kernel }) => kernel).join(),
    );
  }
});
