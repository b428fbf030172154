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
  resnet18: ['374.06', '1.81'],
  resnet34: ['697.53', '3.66'],
};

/** Reported figures that no count explains (igp-resnet37-41), or that the reconstruction misses by a little. */
const UNEXPLAINED = new Set([
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
