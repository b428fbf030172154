import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  BitpathError,
  buildArchitecture,
  createModel,
  type Graph,
  getArchitecture,
  graphParams,
  listArchitectures,
  listUnits,
  type Unit,
} from 'bitpath';
import { root } from '../build/root.js';

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
  assert.deepEqual(widths('tbn-resnet34'), { 64: 6, 128: 9, 256: 13, 512: 7 });
  assert.deepEqual(widths('reactnet18-bn-free'), { 64: 4, 128: 4, 256: 4, 512: 4 });
  assert.deepEqual(widths('binaryduo-resnet18'), { 64: 4, 90: 4, 180: 4, 360: 3, 512: 1 });
  assert.deepEqual(widths('bnas-e'), { 68: 40, 136: 35, 272: 35 });
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
    assert.ok(['fact', 'reconstructed', 'declared'].includes(entry.status), entry.name);
    assert.ok(Object.isFrozen(entry) && Object.isFrozen(entry.options) && Object.isFrozen(entry.rows), entry.name);
    assert.equal(getArchitecture(entry.name), entry);
  }
});

test('any topology carries another unit', () => {
  const strided: Unit = (graph, x, { name, outChannels, stride }) =>
    graph.prelu(graph.conv(x, { name: `${name}.c`, outChannels, kernel: 3, stride, padding: 1 }), {
      name: `${name}.act`,
    });
  const fixed = new Set<string>();
  for (const { name, options, rows, sameGraphAs } of listArchitectures()) {
    if (!options.includes('unit')) {
      assert.ok(rows.length === 1, `${name} is a row of Table 1 by its unit`);
      fixed.add(name);
      continue;
    }
    assert.equal(sameGraphAs, null);
    const graph = buildArchitecture(name, { inputSize: 64, unit: strided });
    const units = buildArchitecture(name, { inputSize: 64 }).nodes.filter(
      ({ op, name: node }) => op === 'binaryConv' && !node.includes('.down.'),
    );
    assert.equal(graph.nodes.filter(({ op }) => op === 'prelu').length, units.length, name);
  }
  assert.equal(fixed.size, 25 + 2, 'the 25 rows of other methods, and the full-precision networks');
});

test('a unit by name: as an option and in the architecture’s name', () => {
  const bases = listArchitectures().filter(({ options }) => options.includes('unit'));
  for (const { name: unit } of listUnits()) {
    for (const { name, options } of bases) {
      const combined = `${name}+${unit}`;
      const graph = buildArchitecture(combined, { inputSize: 64, classes: 5 });
      assert.equal(graph.name, combined);
      const plain = buildArchitecture(name, { inputSize: 64, classes: 5 });
      const convs = ({ nodes }: Graph) => nodes.filter(({ op }) => op === 'binaryConv').length;
      assert.equal(convs(graph), convs(plain), combined);
      if (!options.includes('join')) continue;
      const { name: sum } = buildArchitecture(combined, { inputSize: 64, join: 'sum' });
      assert.equal(sum, `${combined}-sum`);
    }
    const option = buildArchitecture('igp-resnet21-53', { inputSize: 64, unit });
    assert.deepEqual(option, buildArchitecture(`igp-resnet21-53+${unit}`, { inputSize: 64 }));
  }
  // The families' own units change nothing but the name.
  const [bireal, itself] = ['igp-resnet37-41', 'igp-resnet37-41+bireal'].map((name) => buildArchitecture(name));
  assert.deepEqual({ ...itself, name: bireal?.name }, bireal);
  const [dense, own] = ['igp-densenet51-53', 'igp-densenet51-53+dense'].map((name) => buildArchitecture(name));
  assert.deepEqual({ ...own, name: dense?.name }, dense);

  const entry = getArchitecture('igp-resnet37-41+reactnet');
  assert.equal(entry.title, 'IGP-ResNet37(41) with ReActNet’s unit');
  assert.deepEqual([entry.status, entry.reported, entry.rows, entry.options], ['declared', null, [], ['join']]);
  assert.match(entry.source, /^not in the paper/);
  assert.equal(createModel('igp-resnet21-53+ir', { inputSize: 64, classes: 3 }).name, 'igp-resnet21-53+ir');
});

test('every row of Table 1 is some network, with what it reports', () => {
  const rows = listArchitectures().flatMap((architecture) => architecture.rows);
  assert.deepEqual(
    [...new Set(rows)].sort((a, b) => a - b),
    Array.from({ length: 39 }, (_, i) => i + 1),
  );
  for (const { name, rows: own, reported } of listArchitectures()) {
    if (own.length > 0) assert.ok(reported?.top1Error !== undefined, name);
  }
});

test('methods that change training only have the graph that they name', () => {
  const same = listArchitectures().filter(({ sameGraphAs }) => sameGraphAs !== null);
  assert.deepEqual(same.map(({ name, sameGraphAs }) => `${name} = ${sameGraphAs}`).sort(), [
    'bin-resnet18 = binary-resnet18-binary-downsample',
    'dir-net2-resnet18 = reactnet-resnet18',
    'fulw-resnet18 = bireal-resnet18-64',
    'proxy-resnet18 = bireal-resnet18-64',
    's2-bireal-resnet18 = bireal-resnet18-64',
    'sa-bnn-resnet18 = bireal-resnet18-64',
    'uabnn-resnet18 = bireal-resnet18-64',
  ]);
  for (const { name, sameGraphAs, beyond } of same) {
    const [graph, other] = [buildArchitecture(name), buildArchitecture(sameGraphAs ?? '')];
    assert.deepEqual({ ...graph, name: other.name }, other, name);
    if (sameGraphAs === 'bireal-resnet18-64') assert.equal(beyond, '', name);
  }
  // And no others have the same graph.
  const graphs = new Map<string, string>();
  for (const { name, sameGraphAs } of listArchitectures()) {
    if (sameGraphAs !== null) continue;
    const text = JSON.stringify({ ...buildArchitecture(name, { inputSize: 64 }), name: '' });
    assert.equal(graphs.get(text), undefined, name);
    graphs.set(text, name);
  }
});

test('parameter names of the rows with parts of their own', () => {
  const of = (name: string, prefix: string) =>
    names(buildArchitecture(name))
      .filter((param) => param.startsWith(prefix))
      .map((param) => param.slice(prefix.length));
  const scaled = ['u.conv.bits', 'u.conv.scale'];
  assert.deepEqual(of('reactnet-resnet18', 'body.4.'), [
    ...['down.1.weight', ...bn('down.2'), 'u.sign.threshold', ...scaled, ...bn('u.bn')],
    ...['u.rprelu.0.bias', 'u.rprelu.1.weight', 'u.rprelu.2.bias'],
  ]);
  assert.deepEqual(of('real-to-bin-resnet18', 'body.3.'), [
    ...[...bn('u.bn'), 'u.gate.0.weight', 'u.gate.2.weight', 'u.conv.bits', 'u.prelu.weight'],
  ]);
  assert.deepEqual(of('real-to-bin-resnet18', 'stem.'), ['0.weight', ...bn('1'), 'prelu.weight']);
  assert.deepEqual(of('bnn-resnet18', 'body.2.'), [
    ...['down.conv.bits', ...bn('down.bn'), 'a.u.conv.bits', ...bn('a.u.bn'), 'b.u.conv.bits', ...bn('b.u.bn')],
  ]);
  assert.deepEqual(of('tbn-resnet18', 'stem.'), ['0.weight']);
  assert.deepEqual(of('tbn-resnet18', 'body.2.down.'), ['conv.bits', 'conv.scale', ...bn('bn')]);
  assert.deepEqual(of('tbn-resnet18', 'body.2.a.'), [...bn('u.bn'), 'u.ternary.threshold', ...scaled]);
  assert.deepEqual(of('ir-resnet18', 'body.4.'), ['down.0.weight', ...bn('down.1'), ...scaled, ...bn('u.bn')]);
  assert.deepEqual(of('ir-resnet18', 'fc'), [...bn('_norm'), '.weight', '.bias']);
  assert.deepEqual(of('ci-net-resnet18', 'body.0.'), ['u.conv.bits', 'u.interaction.pairs', ...bn('u.bn')]);
  assert.deepEqual(of('reactnet18-bn-free', 'body.4.'), [
    ...['down.1.bits', 'down.1.scale', 'u.sign.threshold', ...scaled],
    ...['u.rprelu.0.bias', 'u.rprelu.1.weight', 'u.rprelu.2.bias'],
  ]);
  assert.deepEqual(of('binaryduo-resnet18', 'body.4.'), [
    ...['down.1.weight', ...bn('down.2'), 'u.heaviside.threshold', ...scaled, ...bn('u.bn')],
  ]);
  assert.deepEqual(of('bnas-e', 'body.4.ops.3'), [...bn('.bn'), '.conv.bits', '.conv.scale']);
  assert.deepEqual(of('bnas-e', 'body.4.down.'), [...bn('0'), '1.weight', '1.bias']);
});

test('the scales between blocks of the ReActNet without BatchNorm', () => {
  const graph = buildArchitecture('reactnet18-bn-free');
  const factors = (which: string) =>
    graph.nodes.flatMap((node) => (node.op === 'scale' && node.name.endsWith(which) ? [node.attrs.factor] : []));
  const rest = [1.04, 1.08];
  const expected = [...rest, 1.12, ...rest, 1.12, ...rest, 1.12, ...rest].map((v) => Math.fround(1 / Math.sqrt(v)));
  assert.deepEqual(factors('.beta'), expected);
  assert.deepEqual(factors('.alpha'), Array(16).fill(Math.fround(0.2)));
  assert.ok(graph.nodes.every(({ op }) => op !== 'batchNorm'));
});

test('docs/architectures.md is what the code says', () => {
  const script = join(root, 'scripts/architectures-page.mjs');
  const { status, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
  assert.equal(stderr, '');
  assert.equal(status, 0);
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
    () => getArchitecture('igp-resnet21-53+react'),
    'ERR_BITPATH_UNKNOWN_NAME',
    /No unit is called "react".*known are bireal, dense, bnn/,
  );
  fails(
    () => getArchitecture('igp-resnet21+ir'),
    'ERR_BITPATH_UNKNOWN_NAME',
    /No architecture is called "igp-resnet21"/,
  );
  fails(() => getArchitecture('igp-resnet21-53+ir+si'), 'ERR_BITPATH_UNKNOWN_NAME', /No unit is called "ir\+si"/);
  fails(() => getArchitecture(''), 'ERR_BITPATH_ARGUMENT', /name of an architecture/);
  fails(
    () => buildArchitecture('reactnet-resnet18+ir'),
    'ERR_BITPATH_UNKNOWN_OPTION',
    /"unit" for architecture reactnet-resnet18, a row of Table 1 that its unit defines/,
  );
  fails(
    () => buildArchitecture('igp-resnet21-53+ir', { unit: 'si' }),
    'ERR_BITPATH_UNKNOWN_OPTION',
    /"unit" for architecture igp-resnet21-53\+ir/,
  );
  fails(
    () => buildArchitecture('igp-resnet21-53', { unit: 'sii' as never }),
    'ERR_BITPATH_UNKNOWN_NAME',
    /did you mean "si"/,
  );
  fails(() => buildArchitecture('igp-resnet21-53', { unit: 3 as never }), 'ERR_BITPATH_ARGUMENT', /for unit but/);
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
