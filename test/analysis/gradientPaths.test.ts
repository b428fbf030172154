/** Path counts against walking every path, on random graphs; and what happens at the edges of the API. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { binaryResidual, buildArchitecture, type Graph, GraphBuilder, igpResNet, nodeCost } from 'bitpath';
import {
  type Block,
  blockGraph,
  enumeratePaths,
  type GradientPath,
  type GradientPathOptions,
  gradientPaths,
  type PathLevel,
  pathSpectrum,
} from 'bitpath/analysis';
import fc from 'fast-check';
import { buildGraph, recipe } from '../properties/randomGraph.js';

/** All paths by recursion, written apart from the library's own walk; undefined where there are too many to walk. */
function walk(
  graph: Graph,
  costOf: (name: string) => number,
  sideInputs = false,
): { cost: number; length: number; gain: number }[] | undefined {
  const paths: { cost: number; length: number; gain: number }[] = [];
  const visit = (id: number, cost: number, length: number, gain: number): boolean => {
    const node = graph.nodes.find(({ output }) => output === id)!;
    if (node.op === 'input') return paths.push({ cost, length, gain }) < 20_000;
    const isConv = node.op === 'binaryConv' ? 1 : 0;
    const factor = node.op === 'scale' ? node.attrs.factor : 1;
    const [first, second] = node.inputs.map((input) => Object.values(graph.values[input]!.shape).join());
    const isSide = node.op === 'mul' && first !== second && !sideInputs;
    return (isSide ? node.inputs.slice(0, 1) : node.inputs).every((input) =>
      visit(input, cost + costOf(node.name), length + isConv, gain * factor),
    );
  };
  return visit(graph.outputs[0]!.value, 0, 0, 1) ? paths : undefined;
}

const binaryMacs = (graph: Graph) => {
  const costs = new Map(graph.nodes.map((node) => [node.name, nodeCost(graph, node).binaryMacs]));
  return (name: string) => costs.get(name)!;
};

function expected(paths: readonly { cost: number; length: number; gain: number }[], tolerance = 0) {
  const levels: { cost: number; maxCost: number; lengths: Map<number, bigint>; count: bigint; gain: number }[] = [];
  for (const { cost, length, gain } of paths.toSorted((a, b) => a.cost - b.cost)) {
    let last = levels.at(-1);
    if (last === undefined || cost > last.cost * (1 + tolerance)) {
      last = { cost, maxCost: cost, lengths: new Map(), count: 0n, gain: 0 };
      levels.push(last);
    }
    last.maxCost = cost;
    last.count += 1n;
    last.gain += gain;
    last.lengths.set(length, (last.lengths.get(length) ?? 0n) + 1n);
  }
  return levels;
}

function assertLevels(actual: readonly PathLevel[], wanted: ReturnType<typeof expected>): void {
  assert.equal(actual.length, wanted.length);
  actual.forEach((level, i) => {
    const want = wanted[i]!;
    assert.equal(level.cost, want.cost);
    assert.equal(level.maxCost, want.maxCost);
    assert.equal(level.count, want.count);
    const lengths = [...want.lengths].sort(([a], [b]) => a - b).map(([length, count]) => ({ length, count }));
    assert.deepEqual(level.lengths, lengths);
    assert.equal(level.length, lengths[0]!.length);
    assert.ok(Math.abs(level.gain - want.gain) <= 1e-9 * (1 + Math.abs(want.gain)) * Number(want.count));
  });
}

describe('gradient paths of random graphs', () => {
  const options = fc.record({ count: fc.integer({ min: 1, max: 9 }), tolerance: fc.constantFrom(0, 0, 0.01, 0.3, 1) });

  it('are those of a walk, by cost', () => {
    let walked = 0;
    fc.assert(
      fc.property(recipe, options, (r, { count, tolerance }) => {
        const graph = buildGraph(r);
        const paths = walk(graph, binaryMacs(graph));
        if (paths === undefined) return;
        if (paths.length > 2) walked++;
        const found = gradientPaths(graph, { count, tolerance });
        assertLevels(found.levels, expected(paths, tolerance).slice(0, count));
        assert.equal(found.total, BigInt(paths.length));
        assert.equal(found.longest, Math.max(...paths.map(({ length }) => length)));
        assert.equal(found.maxCost, Math.max(...paths.map(({ cost }) => cost)));
      }),
      { numRuns: 300 },
    );
    assert.ok(walked > 25, `only ${walked} graphs had more than two paths`);
  });

  it('are those of a walk, with measured times that are no integers', () => {
    fc.assert(
      fc.property(recipe, fc.nat(1000), (r, seed) => {
        const graph = buildGraph(r);
        // Multiples of 2⁻²⁰, so that the walk's sums are exact too.
        const times = new Map(graph.nodes.map(({ name }, i) => [name, ((i * 7919 + seed) % 1009) / 2 ** 20]));
        const paths = walk(graph, (name) => times.get(name)!);
        if (paths === undefined) return;
        assertLevels(gradientPaths(graph, { cost: times, count: 5 }).levels, expected(paths).slice(0, 5));
      }),
      { numRuns: 100 },
    );
  });

  it('are those of a walk, by length', () => {
    fc.assert(
      fc.property(recipe, (r) => {
        const graph = buildGraph(r);
        const paths = walk(graph, binaryMacs(graph));
        if (paths === undefined) return;
        const { levels } = gradientPaths(graph, { groupBy: 'length', count: Number.POSITIVE_INFINITY });
        const lengths = [...new Set(paths.map(({ length }) => length))].sort((a, b) => a - b);
        assert.deepEqual(
          levels.map(({ length }) => length),
          lengths,
        );
        for (const level of levels) {
          const same: NonNullable<typeof paths> = paths.filter(({ length }) => length === level.length);
          assert.equal(level.count, BigInt(same.length));
          assert.equal(level.cost, Math.min(...same.map(({ cost }) => cost)));
          assert.equal(level.maxCost, Math.max(...same.map(({ cost }) => cost)));
          const squares = same.reduce((sum, { gain }) => sum + gain * gain, 0);
          assert.ok(Math.abs(level.gainSquared - squares) <= 1e-9 * (1 + squares));
        }
      }),
      { numRuns: 100 },
    );
  });

  it('are walked one by one by enumeratePaths, and examples are among them', () => {
    fc.assert(
      fc.property(recipe, (r) => {
        const graph = buildGraph(r);
        const paths = walk(graph, binaryMacs(graph));
        if (paths === undefined || paths.length > 2000) return;
        const key = ({ cost, length, gain }: { cost: number; length: number; gain: number }) =>
          `${cost} ${length} ${gain.toPrecision(12)}`;
        const walked: GradientPath[] = [...enumeratePaths(graph)];
        assert.deepEqual(walked.map(key).sort(), paths.map(key).sort());
        const trails = new Set(walked.map(({ nodes, branches }) => `${nodes} ${branches}`));
        assert.equal(trails.size, walked.length, 'a path twice');
        const byNodes = new Map(walked.map((path) => [path.nodes.join(), path]));
        for (const groupBy of ['cost', 'length'] as const) {
          for (const level of gradientPaths(graph, { groupBy, count: 4 }).levels) {
            assert.equal(byNodes.get(level.example.join())?.cost, level.cost);
          }
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe('gradient paths of gated units', () => {
  const input = { channels: 64, height: 56, width: 56 };
  const N = 64 * 64 * 9 * 56 * 56;
  for (const unit of ['xnor', 'real-to-binary'] as const) {
    const block: Block = (g, x) => binaryResidual(g, x, { name: 'b', unit });
    const costs = (options: GradientPathOptions) =>
      gradientPaths(block, { input, ...options }).levels.map(({ cost }) => cost);
    it(`${unit}: go through the data, as in Figure 2; with sideInputs also through factors`, () => {
      assert.deepEqual(costs({}), [0, 2 * N]);
      assert.deepEqual(costs({ sideInputs: true }), [0, N, 2 * N]);
      const lengths = (sideInputs: boolean) =>
        pathSpectrum(block, { input, sideInputs }).byLength.map(({ length }) => length);
      assert.deepEqual(
        [lengths(false), lengths(true)],
        [
          [0, 2],
          [0, 1, 2],
        ],
      );
      for (const sideInputs of [false, true]) {
        const walked = [...enumeratePaths(block, { input, sideInputs })];
        assert.equal(BigInt(walked.length), gradientPaths(block, { input, sideInputs }).total);
      }
    });
  }

  it('are those of a walk with side inputs, too', () => {
    let differ = 0;
    fc.assert(
      fc.property(recipe, (r) => {
        const graph = buildGraph(r);
        const paths = walk(graph, binaryMacs(graph), true);
        if (paths === undefined) return;
        const found = gradientPaths(graph, { sideInputs: true });
        assert.equal(found.total, BigInt(paths.length));
        assertLevels(found.levels, expected(paths).slice(0, 3));
        if (gradientPaths(graph).total !== found.total) differ++;
      }),
      { numRuns: 100 },
    );
    assert.ok(differ > 0);
  });
});

describe('gradient paths', () => {
  it('of a value read twice by one node are two', () => {
    const graph = blockGraph((g, x) => g.add(x, x));
    assert.equal(gradientPaths(graph).total, 2n);
    assert.equal(gradientPaths((g, x) => g.concat([x, x, x])).total, 3n);
  });

  it('of a place to itself are one, and none where nothing leads there', () => {
    const graph = blockGraph((g, x) => g.add(g.relu(x, { name: 'a' }), g.relu(x, { name: 'b' })));
    const one = gradientPaths(graph, { from: 'a', to: 'a' });
    assert.deepEqual([one.total, one.levels.length, one.levels[0]?.example], [1n, 1, ['a']]);
    const none = gradientPaths(graph, { from: 'a', to: 'b' });
    assert.deepEqual(none.levels, []);
    assert.equal(none.total, 0n);
  });

  it('are counted where nobody could walk them', () => {
    const builder = new GraphBuilder('long');
    let x = builder.input({ channels: 64, height: 8, width: 8 });
    for (let i = 0; i < 200; i++) {
      const name = `${i}`;
      x = builder.add(builder.binaryConv(builder.sign(x), { name, outChannels: 64, kernel: 3, padding: 1 }), x);
    }
    builder.output('y', x);
    const graph = builder.build();
    const { levels, total, longest, maxCost } = gradientPaths(graph, { count: 4 });
    const macs = 64 * 64 * 9 * 64;
    assert.equal(total, 2n ** 200n);
    assert.equal(longest, 200);
    assert.equal(maxCost, 200 * macs);
    assert.deepEqual(
      levels.map(({ cost, count, length }) => [cost, count, length]),
      [
        [0, 1n, 0],
        [macs, 200n, 1],
        [2 * macs, 19900n, 2],
        [3 * macs, 1313400n, 3],
      ],
    );
    const spectrum = gradientPaths(graph, { groupBy: 'length', count: Number.POSITIVE_INFINITY }).levels;
    assert.equal(spectrum.length, 201);
    assert.equal(
      spectrum.reduce((sum, { count }) => sum + count, 0n),
      2n ** 200n,
    );
  });

  it('of a scope in a network are those of the block alone', () => {
    const network = buildArchitecture('igp-resnet37-41');
    const inside = gradientPaths(network, { scope: 'body.1' });
    const alone = gradientPaths((g, x) => igpResNet(g, x, { name: 'body.1', convs: 7 }), {
      input: { channels: 41, height: 56, width: 56 },
    });
    assert.deepEqual(
      inside.levels.map(({ example, ...level }) => ({ ...level, example: example.slice(1) })),
      alone.levels.map(({ example, ...level }) => ({ ...level, example: example.slice(1) })),
    );
    assert.equal(inside.total, alone.total);
    const both = gradientPaths(network, { from: 'body.0', to: 'body.1' });
    assert.equal(both.total, inside.total ** 2n);
    assert.equal(both.levels[1]?.count, 2n * inside.levels[1]!.count * inside.levels[0]!.count);
  });

  it('take costs by op, too', () => {
    const graph = buildArchitecture('resnet18');
    const counted = (node: { op: string }) => node.op === 'conv';
    const { levels, longest } = gradientPaths(graph, { cost: { conv: 1 }, counted, scope: 'layer1.0' });
    const macs = 64 * 64 * 9 * 56 * 56;
    assert.deepEqual(
      levels.map(({ cost, length }) => [cost, length]),
      [
        [0, 0],
        [2 * macs, 2],
      ],
    );
    assert.equal(longest, 2);
  });
});

describe('bad calls of gradientPaths', () => {
  const graph = buildArchitecture('bireal-resnet18-64', { inputSize: 32, classes: 10 });
  const cases: [options: object, message: RegExp, code?: string][] = [
    [{ to: {} }, /a value, a node or a scope for to but received an object/],
    [{ from: null }, /for from but received null/],
    [{ sideInputs: 1 }, /true or false for sideInputs/],
    [{ count: 0 }, /Expected an integer from 1 to 4096 for count but received 0/],
    [{ count: 2.5 }, /for count/],
    [{ tolerance: -1 }, /Expected a number ≥ 0 for tolerance/],
    [{ tolerance: Number.NaN }, /a finite number for tolerance/],
    [{ groupBy: 'time' }, /"cost" or "length" for groupBy/],
    [{ scope: 'body.99' }, /a value, a node or a scope .* but received "body.99"/],
    [{ from: -1 }, /for from but received -1/],
    [{ from: 100000 }, /for from/],
    [{ from: 'stem.pool', scope: 'body.0' }, /either a scope, or from and to/],
    [{ input: { channels: 1, height: 1, width: 1 } }, /no input for a graph/],
    [{ cost: 3 }, /factors by op, a Map or a function for cost/],
    [{ cost: () => -1 }, /for cost of .* but received -1/],
    [{ cost: { binaryConv: '2' } }, /for cost of body/],
    [{ cost: new Map([['fc', Number.NaN]]) }, /for cost of fc but received NaN/],
    [{ counted: 1 }, /for counted/],
    [{ cout: 1 }, /Unknown option "cout" .*did you mean "count"/, 'ERR_BITPATH_UNKNOWN_OPTION'],
  ];
  for (const [options, message, code = 'ERR_BITPATH_ARGUMENT'] of cases) {
    it(`BAD CALL ${JSON.stringify(options)}`, () => {
      assert.throws(() => gradientPaths(graph, options as GradientPathOptions), { code, message });
    });
  }
  it('BAD CALL without a graph', () => {
    for (const target of [undefined, null, {}, 'bireal-resnet18-64', structuredClone(graph)]) {
      assert.throws(() => gradientPaths(target as Graph), { code: 'ERR_BITPATH_ARGUMENT', message: /for graph/ });
    }
  });
  it('BAD CALL for a scope with two ends', () => {
    const two = blockGraph((g, x) => {
      const [a, b] = g.scope('s', () => [g.relu(x), g.hardtanh(x)] as const);
      return g.add(a, b);
    });
    assert.throws(
      () => gradientPaths(two, { scope: 's' }),
      /a scope that writes one value for to but received "s, which writes 2"/,
    );
  });
  it('BAD CALL for more distinct costs than can be kept', () => {
    const chain = blockGraph(
      (g, x) => {
        for (let i = 0; i < 16; i++) x = g.add(g.relu(x, { name: `n${i}` }), x);
        return x;
      },
      { channels: 1, height: 1, width: 1 },
    );
    const cost = new Map(Array.from({ length: 16 }, (_, i) => [`n${i}`, 2 ** i]));
    const all = { cost, count: Number.POSITIVE_INFINITY };
    assert.throws(() => gradientPaths(chain, all), { code: 'ERR_BITPATH_ARGUMENT', message: /16384 distinct costs/ });
    // Early where many nodes would have to keep as many: it ran out of memory.
    const network = buildArchitecture('igp-resnet69-31');
    const real = new Map(network.nodes.map(({ name, op }, i) => [name, op === 'binaryConv' ? Math.sqrt(i + 2) : 0]));
    assert.throws(() => gradientPaths(network, { cost: real, count: Number.POSITIVE_INFINITY }), {
      code: 'ERR_BITPATH_ARGUMENT',
      message: /distinct costs at each value/,
    });
    assert.equal(gradientPaths(chain, { cost, count: 9 }).levels[8]?.cost, 8);
  });
});
