/** Storage, computation, traffic: a small graph added up by hand, and networks against published counts. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { buildArchitecture, type Graph, GraphBuilder, graphCost, listArchitectures } from 'bitpath';
import { type CostOptions, countCosts } from 'bitpath/analysis';

describe('costs of a graph', () => {
  const builder = new GraphBuilder('small');
  const x = builder.input({ channels: 4, height: 6, width: 6 });
  const bits = builder.sign(x, { name: 'sign', threshold: true });
  const conv = builder.binaryConv(bits, { name: 'conv', outChannels: 8, kernel: 3, padding: 1, scale: true });
  const normal = builder.batchNorm(conv, { name: 'bn' });
  const active = builder.prelu(normal, { name: 'prelu' });
  const pooled = builder.maxPool(active, { name: 'max', kernel: 3, stride: 2, padding: 1 });
  const real = builder.conv(builder.concat([pooled, pooled], { name: 'cat' }), {
    name: 'real',
    outChannels: 5,
    kernel: 1,
  });
  const mean = builder.globalAvgPool(real, { name: 'mean' });
  builder.output('y', builder.linear(mean, { name: 'fc', outFeatures: 3 }));
  const graph = builder.build();
  const costs = countCosts(graph);
  const layer = (name: string) => costs.layers.find((candidate) => candidate.name === name)!;
  const storage = (rule: CostOptions['storage']) => countCosts(graph, { storage: rule! }).storageBits;

  it('storage by rule', () => {
    const weights = 8 * 4 * 9 + 32 * (5 * 16 + 5) + 32 * (3 * 5 + 3);
    assert.equal(costs.storageRule, 'weights');
    assert.equal(costs.storageBits, weights);
    assert.equal(storage('weightsAndScales'), weights + 32 * 8);
    // Thresholds, scales, two of a BatchNorm's four vectors, slopes.
    assert.equal(storage('all'), weights + 32 * (4 + 8 + 2 * 8 + 8));
    assert.equal(costs.fullStorageBits, storage('all'));
    assert.equal(layer('prelu').storageBits, 0);
    assert.equal(layer('prelu').fullStorageBits, 32 * 8);
  });

  it('computation', () => {
    assert.equal(costs.binaryMacs, 8 * 4 * 9 * 36);
    assert.equal(costs.realMacs, 5 * 16 * 9 + 3 * 5);
    assert.equal(costs.flops, (8 * 4 * 9 * 36) / 64 + 5 * 16 * 9 + 15);
    const elements = {
      sign: 144,
      conv: 288,
      bn: 288,
      prelu: 288,
      max: 72 * 9,
      cat: 0,
      real: 45,
      mean: 45,
      fc: 3,
      input: 0,
    };
    for (const [name, count] of Object.entries(elements)) assert.equal(layer(name).elementOps, count, name);
    assert.equal(
      costs.elementOps,
      Object.values(elements).reduce((sum, count) => sum + count, 0),
    );
    assert.equal(costs.fullFlops, costs.flops + costs.elementOps);
  });

  it('memory traffic', () => {
    assert.equal(layer('input').trafficBytes, 0);
    assert.equal(layer('sign').trafficBytes, 144 * 4 + 144 / 8);
    assert.equal(layer('conv').trafficBytes, 144 / 8 + 288 * 4);
    assert.equal(layer('cat').trafficBytes, (72 + 72 + 144) * 4);
    assert.equal(
      costs.trafficBytes,
      costs.layers.reduce((sum, { trafficBytes }) => sum + trafficBytes, 0),
    );
  });
});

describe('costs of ops that value approximations need', () => {
  const builder = new GraphBuilder('approximations');
  const x = builder.input({ channels: 8, height: 4, width: 4 });
  const conv = { outChannels: 8, kernel: 3, padding: 1 };
  const three = builder.binaryConv(builder.ternary(x, { name: 'ternary' }), { name: 'on3', ...conv });
  const two = builder.binaryConv(builder.heaviside(x, { name: 'heaviside', threshold: true }), {
    name: 'on2',
    ...conv,
  });
  const real = builder.binaryWeightConv(x, { name: 'onReal', outChannels: 8, kernel: 1 });
  const gate = builder.sigmoid(builder.globalAvgPool(real, { name: 'gap' }), { name: 'sigmoid' });
  const gated = builder.mul(builder.add(three, two, { name: 'add' }), gate, { name: 'gate' });
  const scaled = builder.rank1Scale(builder.bias(gated, { name: 'bias' }), { name: 'rank1' });
  const pairs = builder.channelInteraction(scaled, { name: 'pairs', pairs: 5 });
  builder.output('y', builder.slice(pairs, { name: 'slice', channels: 4 }));
  const graph = builder.build();
  const costs = countCosts(graph);
  const layer = (name: string) => costs.layers.find((candidate) => candidate.name === name)!;

  it('ternary products count twice, real ones by 1-bit weights as real', () => {
    const macs = 9 * 8 * 8 * 16;
    assert.deepEqual([layer('on3').binaryMacs, layer('on2').binaryMacs], [2 * macs, macs]);
    assert.deepEqual([layer('onReal').binaryMacs, layer('onReal').realMacs], [0, 8 * 8 * 16]);
  });
  it('storage is 1-bit weights alone; scales and everything on request', () => {
    const bits = 2 * 9 * 64 + 64;
    assert.equal(costs.storageBits, bits);
    assert.equal(countCosts(graph, { storage: 'weightsAndScales' }).storageBits, bits + 32 * (8 + 4 + 4));
    // Thresholds of both activations, the bias, the rank-1 scale, the list of pairs.
    assert.equal(costs.fullStorageBits, bits + 32 * (8 + 8 + 8 + 16 + 15));
  });
  it('elements and bytes', () => {
    const elements = { gap: 128, sigmoid: 8, add: 128, gate: 128, bias: 128, rank1: 128, slice: 0, ternary: 128 };
    for (const [name, count] of Object.entries(elements)) assert.equal(layer(name).elementOps, count, name);
    assert.equal(layer('on3').trafficBytes, 128 / 4 + 128 * 4);
    assert.equal(layer('on2').trafficBytes, 128 / 8 + 128 * 4);
  });
});

describe('costs of networks', () => {
  it('are those of graphCost, layers add up, and full counts are no smaller', () => {
    for (const { name } of listArchitectures()) {
      const graph = buildArchitecture(name, { inputSize: 64 });
      const costs = countCosts(graph);
      const { binaryMacs, realMacs } = graphCost(graph);
      assert.deepEqual([costs.binaryMacs, costs.realMacs], [binaryMacs, realMacs], name);
      assert.equal(costs.layers.length, graph.nodes.length);
      for (const key of ['storageBits', 'fullStorageBits', 'elementOps', 'trafficBytes'] as const) {
        assert.equal(
          costs.layers.reduce((sum, layer) => sum + layer[key], 0),
          costs[key],
          `${name} ${key}`,
        );
      }
      assert.ok(costs.fullStorageBits >= costs.storageBits && costs.fullFlops > costs.flops, name);
    }
  });
  it('full-precision ResNet18: all 11 689 512 parameters, 1.81 G', () => {
    const costs = countCosts(buildArchitecture('resnet18'));
    assert.equal(costs.storageRule, 'all');
    assert.equal(costs.storageBits, 32 * 11_689_512);
    assert.equal(costs.fullStorageBits, costs.storageBits);
    assert.equal((costs.flops / 1e9).toFixed(2), '1.81');
  });
  it('Bi-Real ResNet18 as ReActNet’s paper counts it: 1.68e9 BOPs, 1.39e8 FLOPs', () => {
    const { binaryMacs, realMacs } = countCosts(buildArchitecture('bireal-resnet18-64'));
    assert.equal((binaryMacs / 1e9).toFixed(2), '1.68');
    assert.ok(Math.abs(realMacs / 1.39e8 - 1) < 0.01);
  });
  it('BAD CALLS', () => {
    const graph = buildArchitecture('resnet18', { inputSize: 32 });
    assert.throws(() => countCosts({} as Graph), { code: 'ERR_BITPATH_ARGUMENT', message: /for graph/ });
    assert.throws(() => countCosts(graph, { storage: 'some' as 'all' }), { message: /"weights" or .* for storage/ });
    assert.throws(() => countCosts(graph, { stor: 1 } as CostOptions), { code: 'ERR_BITPATH_UNKNOWN_OPTION' });
  });
});
