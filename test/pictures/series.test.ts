/** Networks as series of parts: nothing is lost, and parts are what people call blocks. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { buildArchitecture, GraphBuilder, listArchitectures } from 'bitpath';
import { blockScope, seriesOf } from '#lib/pictures/series.js';

describe('seriesOf', () => {
  for (const { name } of listArchitectures()) {
    it(`${name}: each node once, each part reads the one before`, () => {
      const graph = buildArchitecture(name, { inputSize: 64 });
      const parts = seriesOf(graph);
      assert.deepEqual(
        parts.flatMap(({ nodes }) => nodes),
        graph.nodes.slice(1),
      );
      let input = graph.nodes[0]!.output;
      for (const part of parts) {
        assert.equal(part.input, input);
        const own = new Set([input, ...part.nodes.map(({ output }) => output)]);
        for (const node of part.nodes)
          for (const id of node.inputs) assert.ok(own.has(id), `${node.name} reads outside`);
        input = part.output;
      }
      assert.equal(input, graph.outputs[0]!.value);
      const names = parts.map((part) => part.name);
      assert.equal(new Set(names).size, names.length, 'names tell parts apart');
    });
  }

  const namesOf = (name: string) => seriesOf(buildArchitecture(name)).map((part) => part.name);

  it('finds the blocks, transitions, stem and classifier of an IGP-ResNet', () => {
    const body = Array.from({ length: 11 }, (_, i) => `body.${i}`);
    assert.deepEqual(namesOf('igp-resnet37-41'), ['stem', ...body, 'pool … fc']);
    const parts = seriesOf(buildArchitecture('igp-resnet37-41'));
    assert.deepEqual(
      parts.map(({ convs }) => convs),
      [0, 7, 7, 0, 7, 7, 0, 7, 7, 0, 7, 7, 0],
    );
    assert.deepEqual(
      parts.map(({ branches }) => branches),
      parts.map(({ convs }) => convs > 0),
    );
  });

  it('finds each layer of a dense network', () => {
    assert.equal(namesOf('binary-densenet51-32').length, 51);
  });

  it('keeps two units of one block together where they stand in a row', () => {
    const graph = new GraphBuilder('row');
    const unit = (x: Parameters<typeof graph.sign>[0], name: string) =>
      graph.scope(name, () =>
        graph.batchNorm(graph.binaryConv(graph.sign(x), { name: 'conv', outChannels: 4, kernel: 3, padding: 1 }), {
          name: 'bn',
        }),
      );
    let x = graph.input({ channels: 4, height: 8, width: 8 });
    for (const name of ['body.0.a', 'body.0.b', 'body.1.a']) x = unit(x, name);
    graph.output('y', x);
    assert.deepEqual(
      seriesOf(graph.build()).map(({ name, convs }) => [name, convs]),
      [
        ['body.0', 2],
        ['body.1.a', 1],
      ],
    );
  });

  it('leaves out what does not lead to the output', () => {
    const graph = new GraphBuilder('dead');
    const x = graph.input({ channels: 2, height: 4, width: 4 });
    graph.relu(x, { name: 'dead' });
    graph.output('y', graph.relu(x, { name: 'live' }));
    assert.deepEqual(
      seriesOf(graph.build()).map(({ name }) => name),
      ['live'],
    );
  });
});

describe('blockScope', () => {
  for (const [name, scope] of [
    ['body.3.a.u.conv', 'body.3'],
    ['layer1.0.conv1', 'layer1.0'],
    ['/layer1/layer1.0/conv1/Conv', '/layer1/layer1.0'],
    ['stem.0', 'stem'],
    ['stem.pool', 'stem'],
    ['fc', ''],
  ] as const) {
    it(`of ${name} is "${scope}"`, () => assert.equal(blockScope(name), scope));
  }
});
