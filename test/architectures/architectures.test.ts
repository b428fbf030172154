import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  BitpathError,
  buildArchitecture,
  type Graph,
  getArchitecture,
  graphParams,
  listArchitectures,
  type Unit,
} from 'bitpath';

const names = (graph: Graph) => graphParams(graph).map(({ name }) => name);
const bn = (name: string) => ['weight', 'bias', 'running_mean', 'running_var'].map((role) => `${name}.${role}`);
const unit = (name: string) => [`${name}.conv.bits`, `${name}.conv.scale`, ...bn(`${name}.bn`)];
const poolConvNorm = (conv: string, norm: string) => [`${conv}.weight`, ...bn(norm)];
const STEM = ['stem.0.weight', ...bn('stem.1')];
const FC = ['fc.weight', 'fc.bias'];

test('parameter names of Bi-Real ResNet18(64) are those of its trained weights', () => {
  const expected = [...STEM];
  for (let n = 0; n < 16; n++) {
    if (n === 4 || n === 8 || n === 12) expected.push(...poolConvNorm(`body.${n}.down.1`, `body.${n}.down.2`));
    expected.push(...unit(`body.${n}.u`));
  }
  assert.deepEqual(names(buildArchitecture('bireal-resnet18-64', { classes: 200, inputSize: 128 })), [
    ...expected,
    ...FC,
  ]);
});

test('parameter names of IGP-ResNet21(53) are those of its trained weights', () => {
  const expected = [...STEM];
  for (let n = 0; n < 11; n++) {
    if (n === 2 || n === 5 || n === 8) expected.push(...poolConvNorm(`body.${n}.1`, `body.${n}.2`));
    else expected.push(...unit(`body.${n}.u`), ...unit(`body.${n}.a.u`), ...unit(`body.${n}.b.u`));
  }
  assert.deepEqual(names(buildArchitecture('igp-resnet21-53', { classes: 200, inputSize: 128 })), [...expected, ...FC]);
});

test('parameter names of the float ResNet18 are torchvision’s', () => {
  const expected = ['conv1.weight', ...bn('bn1')];
  for (let layer = 1; layer <= 4; layer++) {
    for (const block of [0, 1]) {
      const at = `layer${layer}.${block}`;
      if (layer > 1 && block === 0) expected.push(...poolConvNorm(`${at}.downsample.0`, `${at}.downsample.1`));
      for (const i of [1, 2]) expected.push(...poolConvNorm(`${at}.conv${i}`, `${at}.bn${i}`));
    }
  }
  assert.deepEqual(names(buildArchitecture('resnet18')), [...expected, ...FC]);
});

test('depth and width: 1-bit convs of each network by their channels', () => {
  const widths = (name: string) => {
    const counts: Record<number, number> = {};
    const graph = buildArchitecture(name);
    for (const node of graph.nodes) {
      if (node.op === 'binaryConv') counts[node.attrs.outChannels] = (counts[node.attrs.outChannels] ?? 0) + 1;
    }
    return counts;
  };
  assert.deepEqual(widths('binary-resnet34'), { 64: 6, 128: 8, 256: 12, 512: 6 });
  assert.deepEqual(widths('binary-resnet18-binary-downsample'), { 64: 4, 128: 5, 256: 5, 512: 5 });
  assert.deepEqual(widths('bireal-resnet34-64'), { 64: 6, 128: 8, 256: 12, 512: 6 });
  assert.deepEqual(widths('ebireal-resnet18-64'), { 64: 4, 128: 4, 256: 4, 512: 4 });
  assert.deepEqual(widths('igp-resnet21-53'), { 53: 6, 106: 6, 212: 6, 424: 6 });
  assert.deepEqual(widths('igp-resnet37-41'), { 41: 14, 82: 14, 164: 14, 328: 14 });
  assert.deepEqual(widths('igp-resnet69-31'), { 31: 30, 62: 30, 124: 30, 248: 30 });
  assert.deepEqual(widths('igp-resnet41-48'), { 48: 14, 96: 14, 192: 21, 384: 14 });
  assert.deepEqual(widths('igp-resnet37-41-c4d8'), { 41: 15, 82: 15, 164: 15, 328: 15 });
  assert.deepEqual(widths('bireal-chain-41'), { 41: 14, 82: 14, 164: 14, 328: 14 });
  assert.deepEqual(widths('binary-densenet51-32'), { 32: 46 });
  assert.deepEqual(widths('binary-densenet69-32'), { 32: 64 });
  assert.deepEqual(widths('igp-densenet51-53'), { 53: 69 });
  assert.deepEqual(widths('igp-densenet69-48'), { 48: 96 });
});

test('every network: classes and input size of any kind', () => {
  for (const { name } of listArchitectures()) {
    for (const [inputSize, height, width] of [
      [96, 96, 96],
      [[64, 129], 64, 129],
    ] as const) {
      const graph = buildArchitecture(name, { classes: 7, inputSize });
      assert.equal(graph.name, name);
      assert.deepEqual(graph.values[0]?.shape, { channels: 3, height, width });
      assert.deepEqual(
        graph.outputs.map((output) => output.name),
        ['logits'],
      );
      assert.deepEqual(graph.values[graph.outputs[0]?.value ?? -1]?.shape, { channels: 7, height: 1, width: 1 });
    }
  }
});

test('entries are complete and frozen; names are unique', () => {
  const list = listArchitectures();
  assert.equal(new Set(list.map(({ name }) => name)).size, list.length);
  for (const entry of list) {
    assert.match(entry.name, /^[a-z0-9-]+$/);
    assert.ok(entry.title.length > 0 && entry.source.length > 20, entry.name);
    assert.ok(Object.isFrozen(entry) && Object.isFrozen(entry.options), entry.name);
    assert.equal(getArchitecture(entry.name), entry);
  }
});

test('any topology carries another unit', () => {
  const strided: Unit = (graph, x, { name, outChannels, stride }) =>
    graph.prelu(graph.conv(x, { name: `${name}.c`, outChannels, kernel: 3, stride, padding: 1 }), {
      name: `${name}.act`,
    });
  let built = 0;
  for (const { name, options } of listArchitectures()) {
    if (!options.includes('unit')) continue;
    const graph = buildArchitecture(name, { inputSize: 64, unit: strided });
    const units = buildArchitecture(name, { inputSize: 64 }).nodes.filter(
      ({ op, name: node }) => op === 'binaryConv' && !node.includes('.down.'),
    );
    assert.equal(graph.nodes.filter(({ op }) => op === 'prelu').length, units.length, name);
    built += 1;
  }
  assert.equal(built, listArchitectures().length - 2);
});

test('BAD CALL', () => {
  const fails = (fn: () => unknown, code: string, message: RegExp) =>
    assert.throws(fn, (error) => error instanceof BitpathError && error.code === code && message.test(error.message));
  fails(
    () => getArchitecture('igp-resnet21'),
    'ERR_BITPATH_UNKNOWN_NAME',
    /No architecture is called "igp-resnet21" \(did you mean "igp-resnet21-53"/,
  );
  fails(
    () => buildArchitecture('resnet18', { join: 'sum' }),
    'ERR_BITPATH_UNKNOWN_OPTION',
    /"join" for architecture resnet18/,
  );
  fails(() => buildArchitecture('igp-resnet21-53', { join: 'max' as never }), 'ERR_BITPATH_ARGUMENT', /join/);
  fails(() => buildArchitecture('resnet18', { classes: 0 }), 'ERR_BITPATH_ARGUMENT', /classes/);
  fails(
    () => buildArchitecture('resnet18', { inputSize: [1, 2, 3] as never }),
    'ERR_BITPATH_ARGUMENT',
    /pair \[height, width\] for inputSize/,
  );
  fails(
    () => buildArchitecture('resnet18', { inputsize: 3 } as never),
    'ERR_BITPATH_UNKNOWN_OPTION',
    /did you mean "inputSize"/,
  );
  fails(() => buildArchitecture('igp-resnet21-53', { inputSize: 16 }), 'ERR_BITPATH_SHAPE', /window/);
});
