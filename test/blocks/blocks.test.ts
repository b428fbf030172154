/** Each block's wiring, as an equation over named units: the graph is printed as one and compared. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  biReal,
  binaryDense,
  binaryResidual,
  binaryUnit,
  denseTransition,
  denseUnit,
  downsample,
  eBiReal,
  floatResidual,
  type Graph,
  GraphBuilder,
  graphParams,
  igpDense,
  igpResNet,
  igpTransition,
  stem,
  type Unit,
  type Value,
} from 'bitpath';

const CHANNELS = 4;
/** A stand-in for a unit, which prints as `name(x)`; the 1×1 conv keeps shapes right. */
const unit: Unit = (graph, x, { name, outChannels, stride }) =>
  graph.conv(x, { name, outChannels, kernel: 1, stride, bias: false });

function build(block: (graph: GraphBuilder, x: Value) => Value, [channels, height, width] = [CHANNELS, 8, 12]): Graph {
  const graph = new GraphBuilder('block');
  const x = graph.input({ channels, height, width });
  graph.output('y', block(graph, x));
  return graph.build();
}

/** The output as an expression in x. Convs print as `name(…)`, everything else as its op. */
function equation(graph: Graph): string {
  const text = (id: number): string => {
    const node = graph.nodes[id] as Graph['nodes'][number];
    const args = node.inputs.map(text);
    if (node.op === 'input') return 'x';
    if (node.op === 'add') return `(${args.join(' + ')})`;
    if (node.op === 'scale') return `${node.attrs.factor}·${args[0]}`;
    if (node.op === 'conv') return `${node.name.replace(/^B\./, '')}(${args[0]})`;
    return `${node.op}(${args.join(', ')})`;
  };
  return text(graph.outputs[0]?.value ?? -1);
}
const outShape = (graph: Graph) => Object.values(graph.values[graph.outputs[0]?.value ?? -1]?.shape ?? {});
const names = (graph: Graph) => graphParams(graph).map(({ name }) => name);
const bn = (name: string) => ['weight', 'bias', 'running_mean', 'running_var'].map((role) => `${name}.${role}`);

test('residual blocks that keep their shape', () => {
  const equationOf = (block: (graph: GraphBuilder, x: Value) => Value) => equation(build(block));
  assert.equal(
    equationOf((g, x) => binaryResidual(g, x, { name: 'B', unit })),
    '(b.u(a.u(x)) + x)',
  );
  assert.equal(
    equationOf((g, x) => biReal(g, x, { name: 'B', unit })),
    '(u(x) + x)',
  );
  assert.equal(
    equationOf((g, x) => eBiReal(g, x, { name: 'B', unit })),
    '0.5·((b.u((a.u(x) + x)) + (a.u(x) + x)) + x)',
  );
  assert.equal(
    equationOf((g, x) => eBiReal(g, x, { name: 'B', unit, join: 'sum' })),
    '((b.u((a.u(x) + x)) + (a.u(x) + x)) + x)',
  );
});

test('residual blocks that downsample', () => {
  const options = { name: 'B', unit, outChannels: 6, stride: 2 };
  const down = 'batchNorm(down.1(avgPool(x)))';
  const equationOf = (block: (graph: GraphBuilder, x: Value) => Value) => equation(build(block));
  assert.equal(
    equationOf((g, x) => binaryResidual(g, x, options)),
    `(b.u(a.u(x)) + ${down})`,
  );
  assert.equal(
    equationOf((g, x) => biReal(g, x, options)),
    `(u(x) + ${down})`,
  );
  assert.equal(
    equationOf((g, x) => biReal(g, x, { ...options, downsample: 'binary' })),
    '(u(x) + batchNorm(binaryConv(sign(x))))',
  );
  assert.equal(
    equationOf((g, x) => eBiReal(g, x, options)),
    `0.5·((b.u((a.u(x) + ${down})) + (a.u(x) + ${down})) + ${down})`,
  );
  // One shortcut, not three: no parameters are added.
  assert.equal(names(build((g, x) => eBiReal(g, x, options))).filter((name) => name.includes('down.1')).length, 1);
  // A block that only widens has no pool.
  assert.equal(
    equationOf((g, x) => biReal(g, x, { ...options, stride: 1 })),
    '(u(x) + batchNorm(down.1(x)))',
  );
});

test('odd sizes: shortcut and unit agree', () => {
  for (const [height, width] of [
    [7, 9],
    [8, 5],
    [1, 2],
  ]) {
    for (const type of ['real', 'binary'] as const) {
      const graph = build(
        (g, x) => biReal(g, x, { name: 'B', outChannels: 6, stride: 2, downsample: type }),
        [CHANNELS, height ?? 0, width ?? 0],
      );
      assert.deepEqual(outShape(graph), [6, Math.ceil((height ?? 0) / 2), Math.ceil((width ?? 0) / 2)]);
    }
  }
});

test('IGP-ResNet block: a fractal of M units', () => {
  const block = (convs: number, join: 'mean' | 'sum') =>
    build((g, x) => igpResNet(g, x, { name: 'B', unit, convs, join }));
  const f1 = (x: string, scope: string) => `(${scope}u(${x}) + ${x})`;
  const f = (c: number, x: string, scope: string, join: string): string => {
    if (c === 1) return f1(x, scope);
    const series = f(c - 1, f(c - 1, x, `${scope}a.`, join), `${scope}b.`, join);
    return join === 'mean' ? `0.5·(${series} + (${x} + ${scope}u(${x})))` : `(${series} + ${scope}u(${x}))`;
  };
  assert.equal(equation(block(3, 'mean')), '0.5·((b.u((a.u(x) + x)) + (a.u(x) + x)) + (x + u(x)))');
  for (const [convs, columns] of [
    [3, 2],
    [7, 3],
    [15, 4],
    [31, 5],
  ] as const) {
    for (const join of ['mean', 'sum'] as const) {
      const graph = block(convs, join);
      assert.equal(equation(graph), f(columns, 'x', '', join));
      assert.equal(graph.nodes.filter(({ op }) => op === 'conv').length, convs);
    }
  }
  // u(x) comes first and the join last, so that the compiler can put the join into the last unit's epilogue.
  assert.deepEqual(
    block(3, 'mean')
      .nodes.filter(({ op }) => op === 'conv')
      .map(({ name }) => name),
    ['B.u', 'B.a.u', 'B.b.u'],
  );
  assert.throws(() => block(5, 'mean'), /3, 7, 15, 31 … \(2\^c − 1\) for convs but received 5/);
  assert.throws(() => block(1, 'mean'), /convs/);
});

test('dense blocks', () => {
  const block = (options: object) => build((g, x) => igpDense(g, x, { name: 'B', unit, growth: 3, ...options }));
  assert.equal(equation(build((g, x) => binaryDense(g, x, { name: 'B', unit, growth: 3 }))), 'concat(x, u(x))');
  assert.equal(equation(block({})), 'concat(x, 0.5·((d.u(b.u(x)) + b.u(x)) + a.u(x)))');
  assert.equal(equation(block({ join: 'sum' })), 'concat(x, ((d.u(b.u(x)) + b.u(x)) + a.u(x)))');
  assert.equal(equation(block({ shortcut: false })), 'concat(x, 0.5·(d.u(b.u(x)) + a.u(x)))');
  assert.deepEqual(outShape(block({})), [CHANNELS + 3, 8, 12]);
});

test('stems, transitions and the float block', () => {
  const equationOf = (block: (graph: GraphBuilder, x: Value) => Value) => equation(build(block));
  assert.equal(
    equationOf((g, x) => stem(g, x, { outChannels: 5 })),
    'maxPool(batchNorm(stem.0(x)))',
  );
  assert.equal(
    equationOf((g, x) => stem(g, x, { outChannels: 5, activation: 'relu' })),
    'maxPool(relu(batchNorm(stem.0(x))))',
  );
  assert.equal(
    equationOf((g, x) => igpTransition(g, x, { name: 'B', outChannels: 8 })),
    'batchNorm(1(avgPool(x)))',
  );
  assert.equal(
    equationOf((g, x) => denseTransition(g, x, { name: 'B', outChannels: 2 })),
    '3(relu(maxPool(batchNorm(x))))',
  );
  assert.equal(
    equationOf((g, x) => floatResidual(g, x, { name: 'B' })),
    'relu((batchNorm(conv2(relu(batchNorm(conv1(x))))) + x))',
  );
  assert.equal(
    equationOf((g, x) => floatResidual(g, x, { name: 'B', outChannels: 8, stride: 2 })),
    'relu((batchNorm(conv2(relu(batchNorm(conv1(x))))) + batchNorm(downsample.0(x))))',
  );
  assert.deepEqual(outShape(build((g, x) => stem(g, x, { outChannels: 5 }), [3, 64, 96])), [5, 16, 24]);
});

test('units: order, padding and names', () => {
  const ops = (graph: Graph) => graph.nodes.slice(1).map(({ op }) => op);
  const binary = build((g, x) => binaryUnit(g, x, { name: 'u', outChannels: 5, stride: 2 }));
  assert.deepEqual(ops(binary), ['sign', 'binaryConv', 'batchNorm']);
  assert.deepEqual(names(binary), ['u.conv.bits', 'u.conv.scale', ...bn('u.bn')]);
  assert.deepEqual(outShape(binary), [5, 4, 6]);
  const dense = build((g, x) => denseUnit(g, x, { name: 'u', outChannels: 5, stride: 1 }));
  assert.deepEqual(ops(dense), ['batchNorm', 'sign', 'binaryConv']);
  assert.deepEqual(names(dense), [...bn('u.bn'), 'u.conv.bits', 'u.conv.scale']);
  for (const graph of [binary, dense]) {
    const conv = graph.nodes.find((node) => node.op === 'binaryConv');
    assert.deepEqual(conv?.attrs, { ...conv?.attrs, kernel: [3, 3], padding: [1, 1, 1, 1], padValue: 0 });
  }
});

test('parameter names of blocks', () => {
  const options = { name: 'body.4', outChannels: 8, stride: 2 };
  assert.deepEqual(
    names(build((g, x) => biReal(g, x, options))).filter((name) => name.includes('down')),
    ['body.4.down.1.weight', ...bn('body.4.down.2')],
  );
  assert.deepEqual(
    names(build((g, x) => biReal(g, x, { ...options, downsample: 'binary' }))).filter((name) => name.includes('down')),
    ['body.4.down.conv.bits', 'body.4.down.conv.scale', ...bn('body.4.down.bn')],
  );
  assert.deepEqual(names(build((g, x) => igpTransition(g, x, { name: 'body.2', outChannels: 8 }))), [
    'body.2.1.weight',
    ...bn('body.2.2'),
  ]);
  assert.deepEqual(names(build((g, x) => denseTransition(g, x, { name: 'body.2', outChannels: 8 }))), [
    ...bn('body.2.0'),
    'body.2.3.weight',
  ]);
});

test('BAD CALL: blocks', () => {
  const make = (block: (graph: GraphBuilder, x: Value) => Value) => () => build(block);
  assert.throws(
    make((g, x) => biReal(g, x, { name: 'B', strides: 2 } as never)),
    /"strides" for biReal \(did you mean "stride"/,
  );
  assert.throws(
    make((g, x) => eBiReal(g, x, { name: 'B', join: 'max' as never })),
    /"mean" or "sum" for join but received "max"/,
  );
  assert.throws(
    make((g, x) => igpDense(g, x, { name: 'B', growth: 3, shortcut: 1 as never })),
    /true or false for shortcut/,
  );
  assert.throws(
    make((g, x) => biReal(g, x, { name: 'B', unit: 3 as never })),
    /a function \(graph, x, options\)/,
  );
  assert.throws(
    make((g, x) => downsample(g, x, { outChannels: 3, type: 'float' as never })),
    /"real" or "strided" or "binary"/,
  );
  assert.throws(
    make((g, x) => stem(g, x, { outChannels: 0 })),
    /outChannels of conv "stem.0" but received 0/,
  );
});
