/**
 * Storage and computation of every network, counted from its graph as the paper counts them, against the figures of the
 * paper's Table 1 and of a count made by hand. They hold depth, width, block shape and transitions in place.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildArchitecture, type Graph, graphCost, graphParams, listArchitectures } from 'bitpath';
import { elementCount } from '#lib/tensor.js';

/** Name → [Mbit, GFLOPs] at 224×224 with 1000 classes, as strings: as many digits as are known. */
const COUNTED: Record<string, readonly [string, string]> = {
  'binary-resnet18': ['33.21', '0.164'],
  'binary-resnet34': ['43.31', '0.193'],
  'binary-resnet18-binary-downsample': ['27.87', '0.1450'],
  'binary-resnet34-binary-downsample': ['37.98', '0.174'],
  'bireal-resnet18-64': ['33.21', '0.1640'],
  'bireal-resnet34-64': ['43.31', '0.1929'],
  'ebireal-resnet18-64': ['33.21', '0.1640'],
  'igp-resnet21-53': ['30.52', '0.141'],
  'igp-resnet37-41': ['30.98', '0.125'],
  'igp-resnet69-31': ['31.46', '0.113'],
  'igp-resnet37-32': ['20.72', '0.089'],
  'igp-resnet41-48': ['42.64', '0.1637'],
  'igp-resnet21-53-c3d4': ['32.67', '0.146'],
  'igp-resnet37-41-c4d8': ['32.27', '0.128'],
  'igp-resnet69-31-c5d16': ['32.20', '0.1145'],
  'bireal-chain-53': ['30.52', '0.141'],
  'bireal-chain-41': ['30.98', '0.125'],
  'bireal-chain-31': ['31.46', '0.113'],
  'binary-densenet51-32': ['34.51', '0.266'],
  'binary-densenet69-32': ['41.66', '0.277'],
  'igp-densenet51-53': ['34.58', '0.301'],
  'igp-densenet69-48': ['41.84', '0.310'],
  'bnn-resnet18': ['27.87', '0.1450'],
  'xnor-resnet18': ['27.87', '0.1450'],
  's2-bireal-resnet18': ['33.21', '0.1640'],
  'bin-resnet18': ['27.87', '0.1450'],
  'tbn-resnet18': ['27.87', '0.171'],
  'ci-net-resnet18-binary-downsample': ['27.87', '0.1450'],
  'xnor-net-pp-resnet18': ['27.87', '0.1450'],
  'ir-resnet18': ['33.21', '0.1640'],
  'bnas-e': ['159', '0.394'],
  'si-resnet18': ['33.21', '0.1640'],
  'ci-net-resnet18': ['33.21', '0.1640'],
  'rbnn-resnet18': ['33.21', '0.1640'],
  'ft-resnet18': ['33.21', '0.1640'],
  'dgrl-resnet18': ['42.63', '0.209'],
  'uabnn-resnet18': ['33.21', '0.1640'],
  'binaryduo-resnet18': ['31.5', '0.1637'],
  'reactnet18-bn-free': ['27.87', '0.1640'],
  'sa-bnn-resnet18': ['33.21', '0.1640'],
  'ia-bnn-resnet18': ['33.21', '0.1640'],
  'fulw-resnet18': ['33.21', '0.1640'],
  'proxy-resnet18': ['33.21', '0.1640'],
  'real-to-bin-resnet18': ['42.63', '0.1643'],
  'reactnet-resnet18': ['33.21', '0.1640'],
  'dir-net2-resnet18': ['33.21', '0.1640'],
  'tbn-resnet34': ['37.98', '0.229'],
  resnet18: ['374.06', '1.81'],
  resnet34: ['697.53', '3.66'],
};

/**
 * Reported figures that no count explains (igp-resnet37-41), that the reconstruction misses by a little, or that are Bi-Real's
 * where the network is another (BNAS-E, Real-to-binary, BinaryDuo, DGRL, BN-free).
 */
const UNEXPLAINED = new Set([
  'xnor-resnet18 storage', // 28.03 with its scales: below
  'xnor-net-pp-resnet18 storage', // 28.05 with its scales: below
  'ir-resnet18 storage',
  'bnas-e storage',
  'bnas-e computation',
  'dgrl-resnet18 storage',
  'dgrl-resnet18 computation',
  'binaryduo-resnet18 storage',
  'reactnet18-bn-free storage',
  'real-to-bin-resnet18 storage',
  ...['bnn-resnet18', 'xnor-resnet18', 'bin-resnet18', 'ci-net-resnet18-binary-downsample', 'xnor-net-pp-resnet18'].map(
    (name) => `${name} computation`, // 0.1450, which rounds to 0.15
  ),
  'igp-resnet37-41 storage',
  'igp-resnet37-41-c4d8 storage',
  'binary-resnet18-binary-downsample computation',
  'binary-densenet51-32 storage',
  'binary-densenet69-32 storage',
  'igp-densenet51-53 storage',
  'igp-densenet69-48 storage',
  'resnet34 storage',
]);

/** 1-bit weights × 1 bit; full-precision weights and biases of convs and classifier × 32, and in a float network all parameters. */
function storageBits(graph: Graph): number {
  const isBinary = graph.nodes.some(({ op }) => op === 'binaryConv');
  let bits = 0;
  for (const node of graph.nodes) {
    for (const [role, { shape }] of Object.entries(node.params)) {
      if (role === 'bits') bits += elementCount(shape);
      else if (node.op === 'conv' || node.op === 'linear') bits += 32 * elementCount(shape);
      else if (!isBinary && (role === 'weight' || role === 'bias')) bits += 32 * elementCount(shape);
    }
  }
  return bits;
}

function rounded(value: number, like: string | number): string {
  return value.toFixed(String(like).split('.')[1]?.length ?? 0);
}

test('every listed network has a count here, and the other way round', () => {
  assert.deepEqual(
    listArchitectures()
      .map(({ name }) => name)
      .sort(),
    Object.keys(COUNTED).sort(),
  );
});

for (const { name, reported } of listArchitectures()) {
  test(`${name}: storage and computation`, () => {
    const graph = buildArchitecture(name);
    const [mbit = '', gflops = ''] = COUNTED[name] ?? [];
    const storage = storageBits(graph) / 1e6;
    const { binaryMacs, realMacs } = graphCost(graph);
    const computation = (binaryMacs / 64 + realMacs) / 1e9;
    assert.equal(rounded(storage, mbit), mbit, 'Mbit');
    assert.equal(rounded(computation, gflops), gflops, 'GFLOPs');
    if (reported === null) return;
    assert.equal(
      rounded(storage, '0.1') === reported.storageMbit.toFixed(1),
      !UNEXPLAINED.has(`${name} storage`),
      `reported ${reported.storageMbit} Mbit`,
    );
    assert.equal(
      rounded(computation, '0.01') === reported.gflops.toFixed(2),
      !UNEXPLAINED.has(`${name} computation`),
      `reported ${reported.gflops} GFLOPs`,
    );
  });
}

test('full-precision ResNet18 has torchvision’s 11 689 512 parameters', () => {
  const specs = graphParams(buildArchitecture('resnet18')).filter(({ name }) => !name.includes('running_'));
  assert.equal(
    specs.reduce((sum, { shape }) => sum + elementCount(shape), 0),
    11_689_512,
  );
});

/** Numbers of parameters with one of these roles in nodes of these ops, in layers whose names match. */
function numbers(name: string, op: string, roles: readonly string[], where = /./): number {
  return buildArchitecture(name)
    .nodes.filter((node) => node.op === op && where.test(node.name))
    .flatMap((node) => Object.entries(node.params).filter(([role]) => roles.includes(role)))
    .reduce((sum, [, { shape }]) => sum + elementCount(shape), 0);
}

test('scales, thresholds and gates of single rows', () => {
  // XNOR: 28.03 Mbit with a scale for each filter, 3×3 and 1×1.
  const scales = numbers('xnor-resnet18', 'binaryConv', ['scale']);
  assert.equal(scales, 4736);
  assert.equal(rounded((storageBits(buildArchitecture('xnor-resnet18')) + 32 * scales) / 1e6, '0.01'), '28.03');
  // XNOR-Net++: a factor for each channel, row and column of a 3×3 conv; for each filter of a 1×1.
  assert.equal(numbers('xnor-net-pp-resnet18', 'rank1Scale', ['alpha']), 3840);
  assert.equal(numbers('xnor-net-pp-resnet18', 'rank1Scale', ['beta', 'gamma']), 840);
  assert.equal(numbers('xnor-net-pp-resnet18', 'binaryConv', ['scale']), 896);
  // ReActNet: Cin + 3·Cout in each block.
  const shifts = numbers('reactnet-resnet18', 'bias', ['bias']);
  const slopes = numbers('reactnet-resnet18', 'prelu', ['weight']);
  assert.equal(numbers('reactnet-resnet18', 'sign', ['threshold']), 3392);
  assert.equal(shifts + slopes, 11_520);
  // Real-to-binary: gates of 9.42 Mbit.
  assert.equal(numbers('real-to-bin-resnet18', 'linear', ['weight', 'bias'], /gate/), 294_400);
  assert.equal(numbers('dgrl-resnet18', 'conv', ['weight'], /\.si\./), 294_400);
  assert.equal(numbers('bnn-resnet18', 'binaryConv', ['scale']), 0);
});

test('TBN: two 1-bit products for a ternary one', () => {
  const macs = (name: string) => graphCost(buildArchitecture(name));
  const [ternary, binary] = [macs('tbn-resnet18'), macs('binary-resnet18-binary-downsample')];
  const downsampling = 3 * 128 * 64 * 28 ** 2; // is 1-bit in both
  assert.equal(ternary.binaryMacs, 2 * binary.binaryMacs - downsampling);
  assert.equal(ternary.realMacs, binary.realMacs);
});

test('joins change neither storage nor computation', () => {
  for (const { name, options } of listArchitectures()) {
    if (!options.includes('join')) continue;
    const [mean, sum] = [buildArchitecture(name), buildArchitecture(name, { join: 'sum' })];
    assert.deepEqual(graphParams(sum), graphParams(mean), name);
    assert.deepEqual(graphCost(sum), graphCost(mean), name);
    assert.equal(sum.name, `${name}-sum`);
    assert.ok(sum.nodes.length < mean.nodes.length, name);
  }
});
