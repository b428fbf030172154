import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BitpathError, GraphBuilder, type Value } from 'bitpath';
import { checkGraph, OP_NAMES } from '#lib/graph/index.js';
import { everyOp } from './fixtures.js';

const fails = (code: string, message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof BitpathError, String(error));
  assert.match(error.message, message);
  assert.equal(error.code, code);
  return true;
};
const start = (channels = 3, height = 8, width = 6) => {
  const graph = new GraphBuilder('test');
  return { graph, x: graph.input({ channels, height, width }) };
};
const shapeOf = ({ shape }: Value) => [shape.channels, shape.height, shape.width];

test('every op has a method, and the fixture uses it', () => {
  const used = new Set<string>(everyOp().nodes.map(({ op }) => op));
  for (const op of OP_NAMES) {
    assert.equal(typeof (GraphBuilder.prototype as unknown as Record<string, unknown>)[op], 'function', op);
    assert.ok(used.has(op), op);
  }
});

test('the graph is frozen to the last attribute, and plain data', () => {
  const graph = everyOp();
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    assert.ok(Object.isFrozen(value));
    for (const part of Object.values(value)) visit(part);
  };
  visit(graph);
  assert.deepEqual(JSON.parse(JSON.stringify(graph)), graph);
  assert.deepEqual(structuredClone(graph), graph);
  graph.nodes.forEach((node, i) => {
    assert.equal(node.output, i);
    assert.equal(graph.values[i]?.id, i);
    for (const input of node.inputs) assert.ok(input < i);
  });
});

test('shape rules', () => {
  const { graph, x } = start(3, 224, 224);
  const bits = graph.sign(x);
  assert.equal(bits.type, 'bit');
  const conv = (options: object) => shapeOf(graph.conv(x, { outChannels: 8, kernel: 3, ...options }));
  assert.deepEqual(conv({ kernel: 7, stride: 2, padding: 3 }), [8, 112, 112]);
  assert.deepEqual(conv({}), [8, 222, 222]);
  assert.deepEqual(conv({ padding: [0, 1] }), [8, 222, 224]);
  assert.deepEqual(conv({ padding: [1, 2, 3, 4] }), [8, 226, 228]);
  assert.deepEqual(conv({ dilation: [2, 3], stride: [3, 1] }), [8, 74, 218]);
  assert.deepEqual(conv({ outChannels: 6, groups: 3 }), [6, 222, 222]);
  assert.deepEqual(shapeOf(graph.binaryConv(bits, { outChannels: 5, kernel: [1, 224] })), [5, 224, 1]);
  assert.deepEqual(shapeOf(graph.maxPool(x, { kernel: 3, stride: 2, padding: 1 })), [3, 112, 112]);
  assert.deepEqual(shapeOf(graph.maxPool(x, { kernel: [2, 3] })), [3, 112, 74]);
  assert.deepEqual(shapeOf(graph.concat([x, x, graph.relu(x)])), [9, 224, 224]);
  assert.deepEqual(shapeOf(graph.globalAvgPool(x)), [3, 1, 1]);
  assert.deepEqual(shapeOf(graph.channelMean(x)), [1, 224, 224]);
  assert.deepEqual(shapeOf(graph.slice(x, { from: 1, channels: 2 })), [2, 224, 224]);
  assert.deepEqual(shapeOf(graph.padChannels(x, { before: 1, after: 4 })), [8, 224, 224]);
  assert.deepEqual(
    shapeOf(graph.binaryWeightConv(x, { outChannels: 5, kernel: 3, stride: 2, padding: 1 })),
    [5, 112, 112],
  );
});

test('a second operand may stand for all pixels, all channels or both', () => {
  const { graph, x } = start();
  const pixel = graph.globalAvgPool(x);
  const channel = graph.channelMean(x);
  for (const operand of [x, pixel, channel, graph.channelMean(pixel)]) {
    assert.deepEqual(shapeOf(graph.mul(x, operand)), [3, 8, 6]);
    assert.deepEqual(shapeOf(graph.add(x, operand)), [3, 8, 6]);
  }
  assert.throws(() => graph.mul(pixel, x), fails('ERR_BITPATH_SHAPE', /but received 3×1×1 and 3×8×6/));
  const two = graph.slice(x, { channels: 2 });
  assert.throws(
    () => graph.add(x, two),
    fails('ERR_BITPATH_SHAPE', /C×1×1, 1×H×W or 1×1×1, but received 3×8×6 and 2×8×6/),
  );
});

test('binarised maps have their alphabets, and convolutions what each allows', () => {
  const { graph, x } = start(4);
  const conv = (activations: Value, options: object = {}) =>
    graph.binaryConv(activations, { outChannels: 4, kernel: 3, padding: 1, ...options });
  assert.deepEqual(
    [graph.sign(x), graph.heaviside(x), graph.ternary(x)].map(({ type }) => type),
    ['bit', 'bit01', 'ternary'],
  );
  for (const activations of [graph.heaviside(x), graph.ternary(x)]) {
    assert.deepEqual(shapeOf(conv(activations)), [4, 8, 6]);
    assert.throws(
      () => conv(activations, { padValue: -1 }),
      fails('ERR_BITPATH_SHAPE', /padValue of 0.*but received -1/),
    );
    assert.throws(() => graph.relu(activations), fails('ERR_BITPATH_SHAPE', /expected a float32 map/));
  }
  assert.deepEqual(shapeOf(conv(graph.heaviside(x), { groups: 2 })), [4, 8, 6]);
  assert.throws(() => conv(graph.ternary(x), { groups: 2 }), fails('ERR_BITPATH_SHAPE', /one group.*but received 2/));
  assert.throws(() => conv(x), fails('ERR_BITPATH_SHAPE', /expected a bit or bit01 or ternary map \(put a sign/));
});

test('options of slices, pads and interactions', () => {
  const { graph, x } = start();
  assert.throws(
    () => graph.slice(x, { from: 2, channels: 2 }),
    fails('ERR_BITPATH_SHAPE', /channels 2 to 3 but the map has 3/),
  );
  assert.throws(() => graph.slice(x, { channels: 0 }), fails('ERR_BITPATH_ARGUMENT', /channels of slice/));
  assert.throws(() => graph.padChannels(x, {}), fails('ERR_BITPATH_ARGUMENT', /a channel to add/));
  assert.throws(() => graph.channelInteraction(x, { pairs: 0 }), fails('ERR_BITPATH_ARGUMENT', /pairs of/));
  const bad = { pairs: 1, threshold: 0 };
  assert.throws(
    () => graph.channelInteraction(x, bad),
    fails('ERR_BITPATH_ARGUMENT', /greater than 0 for threshold of channelInteraction/),
  );
  assert.throws(() => graph.channelInteraction(x, { pairs: 1, step: NaN }), fails('ERR_BITPATH_ARGUMENT', /step of/));
});

test('defaults are PyTorch’s, and written out in the node', () => {
  const { graph, x } = start();
  const bits = graph.sign(x);
  const binary = graph.binaryConv(bits, { outChannels: 2, kernel: 3 });
  graph.maxPool(graph.batchNorm(binary), { kernel: 2 });
  graph.avgPool(graph.conv(x, { outChannels: 2, kernel: [3, 1] }), { kernel: [2, 1] });
  graph.output('y', x);
  const nodes = graph.build().nodes;
  const attrs = (op: string) => nodes.find((node) => node.op === op)?.attrs;
  const window = { stride: [1, 1], padding: [0, 0, 0, 0], dilation: [1, 1], groups: 1, outChannels: 2 };
  assert.deepEqual(attrs('sign'), { threshold: false });
  assert.deepEqual(attrs('binaryConv'), { ...window, kernel: [3, 3], padValue: 0, scale: false });
  assert.deepEqual(attrs('conv'), { ...window, kernel: [3, 1], bias: true });
  assert.deepEqual(attrs('batchNorm'), { eps: 1e-5 });
  assert.deepEqual(attrs('maxPool'), { kernel: [2, 2], stride: [2, 2], padding: [0, 0, 0, 0] });
  assert.deepEqual(attrs('avgPool'), { kernel: [2, 1], stride: [2, 1], padding: [0, 0, 0, 0], countIncludePad: true });
});

test('parameters: names, types and shapes', () => {
  const specs = everyOp()
    .nodes.flatMap(({ params }) => Object.values(params))
    .map(({ name, type, shape }) => `${name} ${type} ${shape.join('×')}`);
  assert.deepEqual(specs, [
    'sign.threshold float32 4',
    'binaryConv.bits bits 6×3×2×2',
    'binaryConv.scale float32 6',
    'batchNorm.weight float32 6',
    'batchNorm.bias float32 6',
    'batchNorm.running_mean float32 6',
    'batchNorm.running_var float32 6',
    'conv.weight float32 6×4×3×3',
    'conv.bias float32 6',
    'prelu.weight float32 6',
    'heaviside.threshold float32 6',
    'ternary.threshold float32 6',
    'binaryConv_2.bits bits 5×3×3×6',
    'binaryConv_3.bits bits 5×3×3×6',
    'binaryWeightConv.bits bits 5×1×1×6',
    'binaryWeightConv.scale float32 5',
    'linear.weight float32 5×5',
    'linear.bias float32 5',
    'channelInteraction.pairs int32 3×3',
    'rank1Scale.alpha float32 5',
    'rank1Scale.beta float32 5',
    'rank1Scale.gamma float32 6',
    'bias.bias float32 5',
    'linear_2.weight float32 5×18',
  ]);
});

test('names: scopes nest, automatic names are unique', () => {
  const { graph, x } = start();
  const names: string[] = [];
  const result = graph.scope('body.0', () => {
    graph.relu(x);
    graph.relu(x);
    graph.scope('u', () => graph.relu(x, { name: 'act.1' }));
    graph.relu(x, { name: 'relu_3' });
    return graph.relu(x);
  });
  graph.relu(x);
  graph.output('y', result);
  for (const node of graph.build().nodes) names.push(node.name);
  assert.deepEqual(names, [
    'input',
    'body.0.relu',
    'body.0.relu_2',
    'body.0.u.act.1',
    'body.0.relu_3',
    'body.0.relu_4',
    'relu',
  ]);
});

test('a scope ends when its function throws; a failed op leaves no trace', () => {
  const { graph, x } = start();
  assert.throws(
    () => graph.scope('a', () => graph.conv(x, { outChannels: 1, kernel: 99, name: 'c' })),
    fails('ERR_BITPATH_SHAPE', /conv "a.c"/),
  );
  assert.throws(
    () => graph.relu(x, { nome: 'r' } as object),
    fails('ERR_BITPATH_UNKNOWN_OPTION', /did you mean "name"/),
  );
  graph.output('y', graph.conv(x, { outChannels: 1, kernel: 1, name: 'c' }));
  graph.relu(x);
  assert.deepEqual(
    graph.build().nodes.map(({ name }) => name),
    ['input', 'c', 'relu'],
  );
});

test('BAD CALL: options', () => {
  const { graph, x } = start();
  const conv = (options: object) => () => graph.conv(x, { outChannels: 2, kernel: 3, ...options } as never);
  const code = 'ERR_BITPATH_ARGUMENT';
  assert.throws(
    conv({ stride: 0 }),
    fails(code, /Expected an integer from 1 to 2147483647 for stride of conv "conv" but received 0/),
  );
  assert.throws(
    conv({ kernel: [3] }),
    fails(code, /pair \[height, width\] for kernel of conv "conv" but received \[3\]/),
  );
  assert.throws(conv({ kernel: undefined }), fails(code, /kernel of conv/));
  assert.throws(conv({ outChannels: '8' }), fails(code, /outChannels of conv "conv" but received "8"/));
  assert.throws(conv({ padding: [1, 2, 3] }), fails(code, /\[top, left, bottom, right\] for padding/));
  assert.throws(conv({ padding: -1 }), fails(code, /padding of conv/));
  assert.throws(conv({ bias: 1 }), fails(code, /true or false for bias/));
  assert.throws(conv({ groups: 1.5 }), fails(code, /groups/));
  assert.throws(
    conv({ strides: 2 }),
    fails('ERR_BITPATH_UNKNOWN_OPTION', /"strides" for conv "conv" \(did you mean "stride"/),
  );
  assert.throws(
    () => graph.binaryConv(graph.sign(x), { outChannels: 1, kernel: 1, padValue: 2 } as never),
    fails(code, /0 or 1 or -1 for padValue/),
  );
  assert.throws(() => graph.batchNorm(x, { eps: -1 }), fails(code, /eps of batchNorm/));
  assert.throws(() => graph.scale(x, { factor: 1e39 }), fails(code, /finite float32 number for factor/));
  assert.throws(() => graph.maxPool(x, { kernel: 2, padding: 2 }), fails(code, /padding smaller than the kernel/));
  assert.throws(() => graph.relu(x, null as never), fails(code, /an object of options/));
  assert.throws(() => graph.relu(x, { name: 'a..b' }), fails(code, /dotted name/));
  assert.throws(() => graph.relu(x, { name: 'x'.repeat(256) }), fails(code, /dotted name/));
  assert.throws(() => graph.scope('', () => 1), fails(code, /name of the scope/));
  assert.throws(() => new GraphBuilder(''), fails(code, /name of the graph/));
  assert.throws(() => graph.concat([]), fails(code, /1 to 1024 values/));
  assert.throws(() => graph.concat(x as never), fails(code, /array of values/));
  assert.throws(() => graph.apply('toString' as never, [x]), fails(code, /name of an op/));
});

test('BAD CALL: shapes', () => {
  const { graph, x } = start();
  const code = 'ERR_BITPATH_SHAPE';
  const bits = graph.sign(x);
  assert.throws(
    () => graph.add(x, graph.maxPool(x, { kernel: 2 })),
    fails(code, /add "add": expected two maps of equal shape, .* but received 3×8×6 and 3×4×3/),
  );
  assert.throws(
    () => graph.concat([x, graph.globalAvgPool(x)]),
    fails(code, /equal height and width but received 3×8×6, 3×1×1/),
  );
  assert.throws(
    () => graph.conv(x, { outChannels: 2, kernel: 9 }),
    fails(code, /9×9 window fits into but received 3×8×6/),
  );
  assert.throws(
    () => graph.conv(x, { outChannels: 4, kernel: 1, groups: 2 }),
    fails(code, /input channels that are a multiple of groups = 2 but received 3/),
  );
  assert.throws(() => graph.conv(x, { outChannels: 4, kernel: 1, groups: 3 }), fails(code, /output channels/));
  assert.throws(() => graph.linear(x, { outFeatures: 2 }), fails(code, /1×1 map .* received 3×8×6/));
  assert.throws(
    () => graph.binaryConv(x, { outChannels: 2, kernel: 1 }),
    fails(code, /expected a bit or bit01 or ternary map \(put a sign before it\) but received a float32 map/),
  );
  assert.throws(() => graph.relu(bits), fails(code, /expected a float32 map .* received a bit map/));
  assert.throws(() => graph.output('y', bits), fails(code, /output "y"/));
});

test('BAD CALL: sizes that would overflow', () => {
  const code = 'ERR_BITPATH_SHAPE';
  const { graph, x } = start();
  assert.throws(() => start(3, 2 ** 15, 2 ** 15), fails(code, /fewer than 2³¹ elements but received 3×32768×32768/));
  assert.throws(() => graph.conv(x, { outChannels: 2 ** 30, kernel: 1 }), fails(code, /weights/));
  assert.throws(() => graph.conv(x, { outChannels: 1, kernel: 1, padding: 2 ** 16 }), fails(code, /padded input/));
  assert.throws(() => graph.conv(x, { outChannels: 1, kernel: 2, dilation: 2 ** 31 - 1 }), fails(code, /window/));
  const wide = graph.conv(graph.globalAvgPool(x), { outChannels: 2 ** 24 + 1, kernel: 1 });
  assert.throws(
    () => graph.binaryConv(graph.sign(wide), { outChannels: 1, kernel: 1 }),
    fails(code, /at most 2²⁴ taps .* received 16777217/),
  );
  const half = graph.conv(graph.globalAvgPool(x), { outChannels: 2 ** 24, kernel: 1 });
  graph.binaryConv(graph.sign(half), { outChannels: 1, kernel: 1 });
  assert.throws(
    () => graph.binaryConv(graph.sign(half), { outChannels: 1, kernel: 1, padding: 1 }),
    fails(code, /at most 2²³ taps where padding counts as 0 .* received 16777216/),
  );
  graph.binaryConv(graph.sign(half), { outChannels: 1, kernel: 1, padding: 1, padValue: -1 });
  assert.throws(() => graph.linear(wide, { outFeatures: 128 }), fails(code, /weights/));
});

test('BAD CALL: what makes no graph', () => {
  const code = 'ERR_BITPATH_GRAPH';
  const { graph, x } = start();
  const other = start();
  assert.throws(() => graph.add(x, other.x), fails(code, /an input of add "add" belongs to another builder/));
  assert.throws(() => graph.output('y', other.x), fails(code, /another builder/));
  assert.throws(() => graph.relu({ ...x }), fails('ERR_BITPATH_ARGUMENT', /a value made by this builder/));
  assert.throws(() => graph.input({ channels: 1, height: 1, width: 1 }), fails(code, /second one/));
  graph.relu(x, { name: 'a' });
  assert.throws(() => graph.relu(x, { name: 'a' }), fails(code, /two nodes are called "a"/));
  assert.throws(() => graph.build(), fails(code, /no output/));
  assert.throws(() => new GraphBuilder('empty').build(), fails(code, /no input/));
  graph.output('y', x);
  assert.throws(() => graph.output('y', x), fails(code, /two outputs are called "y"/));
});

test('build() is a snapshot, and only what a builder made is a graph', () => {
  const { graph, x } = start();
  graph.output('y', x);
  const before = graph.build();
  graph.output('z', graph.relu(x));
  assert.equal(before.nodes.length, 1);
  assert.equal(graph.build().outputs.length, 2);
  assert.equal(checkGraph('graph', before), before);
  assert.throws(() => checkGraph('graph', structuredClone(before)), fails('ERR_BITPATH_ARGUMENT', /graphFromJson/));
});

test('BAD CALL: half a character in a graph’s name, which no file can hold', () => {
  assert.throws(() => new GraphBuilder('half \ud83d'), { code: 'ERR_BITPATH_ARGUMENT' });
  assert.equal(new GraphBuilder('whole 😀').input({ channels: 1, height: 1, width: 1 }).shape.channels, 1);
});
