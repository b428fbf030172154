/**
 * A float product and a sum are two roundings unless the program says fma: compilers like to contract them, and ISAs would then
 * disagree. Inputs here are ones where it would show.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { compile, GraphBuilder, randomParams, Tensor } from 'bitpath';
import { native } from '#lib/native.js';
import { fmaf } from '../reference/fma.js';

const CHANNELS = 24;
const input = Float32Array.from({ length: CHANNELS }, (_, i) => Math.fround(1 + i / 7));
const isas = native()
  .isas.filter(({ supported }) => supported)
  .map(({ name }) => name);

for (const isa of isas) {
  test(`scale then add rounds twice on ${isa}`, async () => {
    const factor = Math.fround(0.1);
    const graph = new GraphBuilder('scale-add');
    const x = graph.input({ channels: CHANNELS, height: 1, width: 1 });
    const y = graph.relu(x); // a map of its own, so that the sum reads memory
    graph.output('sum', graph.add(graph.scale(x, { factor }), y));
    using executor = await compile(graph.build(), new Map(), { isa });
    const sum = executor.runSync(input).sum?.data;
    const twice = input.map((v) => Math.fround(Math.fround(v * factor) + v));
    const once = input.map((v) => fmaf(v, factor, v));
    assert.notDeepEqual(twice, once, 'inputs that tell');
    assert.deepEqual(sum, twice);
  });

  test(`BatchNorm rounds once on ${isa}`, async () => {
    const graph = new GraphBuilder('affine');
    const x = graph.input({ channels: CHANNELS, height: 1, width: 1 });
    graph.output('y', graph.batchNorm(x, { name: 'bn' }));
    const built = graph.build();
    const params = new Map(randomParams(built, 3));
    const vector = (value: number) => new Tensor('float32', [CHANNELS], new Float32Array(CHANNELS).fill(value));
    params.set('bn.weight', vector(0.1)).set('bn.bias', vector(1 / 3));
    params.set('bn.running_mean', vector(0)).set('bn.running_var', vector(1));
    using executor = await compile(built, params, { isa });
    const mul = Math.fround(Math.fround(0.1) / Math.sqrt(Math.fround(1) + 1e-5));
    const add = Math.fround(1 / 3);
    const once = input.map((v) => fmaf(v, mul, add));
    const twice = input.map((v) => Math.fround(Math.fround(v * mul) + add));
    assert.notDeepEqual(once, twice, 'inputs that tell');
    assert.deepEqual(executor.runSync(input).y?.data, once);
  });
}
