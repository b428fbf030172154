/** Diagrams keep all paths' costs, and levels are drawn where paths of that cost run. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { buildArchitecture, type Graph, GraphBuilder, listArchitectures, type Value } from 'bitpath';
import { gradientPaths } from 'bitpath/analysis';
import fc from 'fast-check';
import { blockDiagram } from '#lib/pictures/blockDiagram.js';
import type { Box, Diagram } from '#lib/pictures/diagram.js';
import { analyseNetwork } from '#lib/pictures/networkAnalysis.js';
import { pathLevels } from '#lib/pictures/paths.js';
import { seriesOf } from '#lib/pictures/series.js';

/** Every path, as edges. */
function enumerate({ boxes, edges }: Diagram): number[][] {
  const walk = (box: number): number[][] =>
    box === boxes.length - 1
      ? [[]]
      : edges.flatMap(({ from, to }, edge) => (from === box ? walk(to).map((rest) => [edge, ...rest]) : []));
  return walk(0);
}

const box = (cost: number, id: number): Box => ({
  id: `b${id}`,
  kind: 'step',
  title: '',
  lines: [],
  name: '',
  cost,
  length: Math.sign(cost),
});

describe('pathLevels', () => {
  it('agrees with every path of random diagrams', () => {
    const diagrams = fc
      .array(fc.tuple(fc.nat(3), fc.array(fc.nat(100), { minLength: 1, maxLength: 3 })), { minLength: 1, maxLength: 9 })
      .map(
        (rows): Diagram => ({
          boxes: [box(0, 0), ...rows.map(([cost], i) => box(i === rows.length - 1 ? 0 : cost, i + 1))],
          edges: rows.flatMap(([, sources], i) => sources.map((source) => ({ from: source % (i + 1), to: i + 1 }))),
        }),
      );
    fc.assert(
      fc.property(
        diagrams,
        fc.constantFrom('cost' as const, 'length' as const),
        fc.integer({ min: 1, max: 5 }),
        (diagram, by, count) => {
          const paths = enumerate(diagram);
          const keyOf = (path: number[]) =>
            path.reduce((sum, edge) => sum + diagram.boxes[diagram.edges[edge]!.to]![by], 0);
          const keys = [...new Set(paths.map(keyOf))].sort((a, b) => a - b).slice(0, count);
          const levels = pathLevels(diagram, by, count);
          assert.deepEqual(
            levels.map(({ key }) => key),
            keys,
          );
          for (const { key, example, edges } of levels) {
            const own = paths.filter((path) => keyOf(path) === key);
            assert.deepEqual(new Set(own.flat()), edges);
            assert.ok(
              own.some((path) => path.join() === example.join()),
              'the example is one of them',
            );
            assert.equal(example.length, Math.min(...own.map((path) => path.length)), 'and none is shorter');
          }
        },
      ),
    );
  });

  for (const { name } of listArchitectures()) {
    it(`${name}: a block’s diagram has the levels of its graph`, () => {
      for (const groupBy of ['cost', 'length'] as const) {
        const { block } = analyseNetwork(buildArchitecture(name), { levels: 5, groupBy });
        assert.deepEqual(
          block.drawn.map(({ key }) => key),
          block.paths.levels.map((level) => level[groupBy]),
        );
      }
    });
  }
});

/** A block with something in it that a careless contraction would hide. */
function graphOf(body: (graph: GraphBuilder, x: Value) => Value): Graph {
  const graph = new GraphBuilder('block');
  graph.output('y', body(graph, graph.input({ channels: 4, height: 8, width: 8 })));
  return graph.build();
}

describe('blockDiagram', () => {
  const titles = ({ boxes }: Diagram) => boxes.map(({ title }) => title);
  const diagramOf = (graph: Graph) => blockDiagram(graph, seriesOf(graph));
  const conv = { outChannels: 4, kernel: 3, padding: 1 };

  it('draws a unit as one box, with what belongs to it', () => {
    const graph = graphOf((g, x) =>
      g.add(
        x,
        g.scope('u', () => g.batchNorm(g.binaryConv(g.sign(x), { name: 'conv', ...conv }), { name: 'bn' })),
      ),
    );
    const diagram = diagramOf(graph);
    assert.deepEqual(titles(diagram), ['input 4 × 8 × 8', '1-bit conv 3×3', 'add', 'output 4 × 8 × 8']);
    assert.deepEqual(diagram.boxes[1]!.lines, ['Sign · conv · BatchNorm', '4 → 4, N = 9.216\u00a0k']);
    assert.deepEqual(diagram.edges, [
      { from: 0, to: 1 },
      { from: 0, to: 2 },
      { from: 1, to: 2 },
      { from: 2, to: 3 },
    ]);
  });

  it('shows a way round a 1-bit conv that lies inside its scope', () => {
    const graph = graphOf((g, x) => {
      const inner = g.scope('u', () => g.add(g.binaryConv(g.sign(x), { name: 'conv', ...conv }), x));
      return g.add(inner, x);
    });
    const diagram = diagramOf(graph);
    assert.deepEqual(titles(diagram).slice(1, -1), ['1-bit conv 3×3', 'add', 'add']);
    assert.deepEqual(
      pathLevels(diagram, 'cost', 3).map(({ key }) => key),
      gradientPaths(graph).levels.map(({ cost }) => cost),
    );
  });

  it('draws factors, and has no paths through them', () => {
    for (const name of ['xnor-resnet18', 'real-to-bin-resnet18', 'binary-resnet18+xnor']) {
      const { block } = analyseNetwork(buildArchitecture(name, { inputSize: 64 }));
      assert.deepEqual(
        block.drawn.map(({ key }) => key),
        block.paths.levels.map(({ cost }) => cost),
        name,
      );
    }
    const gate = (g: GraphBuilder, x: Value) => g.sigmoid(g.globalAvgPool(x));
    const diagram = diagramOf(graphOf((g, x) => g.mul(g.binaryConv(g.sign(x), { name: 'conv', ...conv }), gate(g, x))));
    const side = diagram.edges.filter(({ isSide }) => isSide);
    assert.equal(side.length, 1);
    assert.deepEqual(
      pathLevels(diagram, 'cost', 3).map(({ key }) => key > 0),
      [true],
    );
  });

  it('counts both branches of an add of a value with itself', () => {
    const diagram = diagramOf(graphOf((g, x) => g.add(x, x)));
    assert.equal(diagram.edges.filter(({ from, to }) => from === 0 && to === 1).length, 2);
  });

  it('calls an add with the ½ after it a mean, and an op that it has no word for by its name', () => {
    const mean = diagramOf(graphOf((g, x) => g.scale(g.add(x, g.relu(x)), { factor: 0.5 })));
    assert.deepEqual(titles(mean).slice(1, -1), ['ReLU', 'mean']);
  });
});
