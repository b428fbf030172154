import assert from 'node:assert/strict';
import test from 'node:test';
import { BitpathError, GraphBuilder, type Graph, type Params, randomParams, Tensor } from 'bitpath';
import { fold } from '#lib/compiler/fold.js';
import { compileProgram } from '#lib/compiler/index.js';
import { prune } from '#lib/compiler/prune.js';

const f32 = (...values: number[]) => new Tensor('float32', [values.length], Float32Array.from(values));

function params(entries: Record<string, Tensor>): Params {
  return new Map(Object.entries(entries));
}

/** input (2 channels) → sign → 1-bit conv with a scale → batchNorm, and perhaps an output before the batchNorm. */
function scaled(options: { batchNorm: boolean; convIsOutput: boolean }): Graph {
  const b = new GraphBuilder('scaled');
  const conv = b.binaryConv(b.sign(b.input({ channels: 2, height: 3, width: 4 })), {
    name: 'conv',
    outChannels: 2,
    kernel: 1,
    scale: true,
  });
  if (options.convIsOutput) b.output('conv', conv);
  if (options.batchNorm) b.output('y', b.batchNorm(conv, { name: 'bn', eps: 1e-5 }));
  return b.build();
}
const convParams = {
  'conv.bits': new Tensor('uint8', [2, 1], Uint8Array.of(0b01, 0b10)),
  'conv.scale': f32(0.3, -0.7),
};
const bnParams = {
  'bn.weight': f32(1.1, 0.9),
  'bn.bias': f32(0.1, -0.2),
  'bn.running_mean': f32(3, -4),
  'bn.running_var': f32(2, 5),
};

test('BatchNorm becomes an affine, computed in double and rounded once', () => {
  const { nodes } = fold(scaled({ batchNorm: true, convIsOutput: true }), params({ ...convParams, ...bnParams }));
  const [scale, bn] = nodes.filter(({ work }) => work.op === 'affine').map(({ work }) => work);
  assert.ok(scale?.op === 'affine' && bn?.op === 'affine');
  assert.deepEqual(scale.mul, Float32Array.of(0.3, -0.7), 'an output before the BatchNorm keeps the scale apart');
  assert.deepEqual(scale.add, new Float32Array(2));
  const [w, mean] = [Math.fround(0.9), -4];
  assert.equal(bn.mul[1], Math.fround(w / Math.sqrt(5 + 1e-5)));
  assert.equal(bn.add[1], Math.fround(Math.fround(-0.2) - (mean * w) / Math.sqrt(5 + 1e-5)));
});

test('a scale that only a BatchNorm reads goes into its affine', () => {
  const { nodes, values } = fold(
    scaled({ batchNorm: true, convIsOutput: false }),
    params({ ...convParams, ...bnParams }),
  );
  assert.deepEqual(
    nodes.map(({ work }) => work.op),
    ['input', 'sign', 'binaryConv', 'affine'],
  );
  const affine = nodes.at(-1)?.work;
  assert.ok(affine?.op === 'affine');
  assert.equal(affine.mul[1], Math.fround((Math.fround(-0.7) * Math.fround(0.9)) / Math.sqrt(5 + 1e-5)));
  assert.equal(values.length, 4, 'no value is added');
});

test('a scale alone is an affine of a new value', () => {
  const graph = scaled({ batchNorm: false, convIsOutput: true });
  const { nodes, values } = fold(graph, params(convParams));
  assert.deepEqual(
    nodes.map(({ work, inputs, output }) => [work.op, inputs, output]),
    [
      ['input', [], 0],
      ['sign', [0], 1],
      ['binaryConv', [1], 3],
      ['affine', [3], 2],
    ],
  );
  assert.deepEqual(values[3]?.shape, values[2]?.shape);
});

test('conv weights are put into (kh, kw, channel) order, a bias becomes an affine, linear a 1×1 conv, a global pool a pool', () => {
  const b = new GraphBuilder('conv');
  const x = b.conv(b.input({ channels: 2, height: 2, width: 3 }), { name: 'conv', outChannels: 1, kernel: [1, 2] });
  const pooled = b.globalAvgPool(x);
  b.output('y', b.linear(pooled, { name: 'fc', outFeatures: 2, bias: false }));
  const { nodes } = fold(
    b.build(),
    params({
      'conv.weight': new Tensor('float32', [1, 2, 1, 2], Float32Array.of(1, 2, 10, 20)),
      'conv.bias': f32(5),
      'fc.weight': new Tensor('float32', [2, 1], Float32Array.of(7, 8)),
    }),
  );
  const [, conv, bias, pool, linear] = nodes.map(({ work }) => work);
  assert.ok(conv?.op === 'conv' && bias?.op === 'affine' && pool?.op === 'avgPool' && linear?.op === 'conv');
  assert.deepEqual(conv.weight, Float32Array.of(1, 10, 2, 20));
  assert.deepEqual(bias, { op: 'affine', mul: Float32Array.of(1), add: Float32Array.of(5) });
  assert.deepEqual(pool.attrs.kernel, [2, 2]);
  assert.deepEqual(linear.attrs.kernel, [1, 1]);
  assert.equal(nodes.length, 5);
});

test('padValue becomes padding bits', () => {
  for (const [padValue, padding, zeroPad, padBit] of [
    [0, 1, true, 0],
    [1, 1, false, 1],
    [-1, 1, false, 0],
    [1, 0, false, 0],
    [0, 0, false, 0],
  ] as const) {
    const b = new GraphBuilder('pads');
    b.output(
      'y',
      b.binaryConv(b.sign(b.input({ channels: 1, height: 3, width: 3 })), {
        name: 'c',
        outChannels: 1,
        kernel: 1,
        padding,
        padValue,
      }),
    );
    const { nodes } = fold(b.build(), params({ 'c.bits': new Tensor('uint8', [1, 1], Uint8Array.of(1)) }));
    const work = nodes[2]?.work;
    assert.ok(work?.op === 'binaryConv');
    assert.deepEqual([work.zeroPad, work.padBit], [zeroPad, padBit], `padValue ${padValue}, padding ${padding}`);
  }
});

test('nodes that no output needs are left out', () => {
  const b = new GraphBuilder('dead');
  const x = b.input({ channels: 1, height: 2, width: 2 });
  b.prelu(b.relu(x), { name: 'dead' });
  b.output('y', b.scale(x, { factor: 2 }));
  assert.deepEqual(
    prune(b.build()).nodes.map(({ op }) => op),
    ['input', 'scale'],
  );
});

test('parameters that do not fit are ERR_BITPATH_PARAM, and say which', () => {
  const graph = scaled({ batchNorm: true, convIsOutput: false });
  const good = { ...convParams, ...bnParams };
  const cases: [string, RegExp, Record<string, Tensor | undefined>][] = [
    ['missing', /bn\.bias.*missing/, { 'bn.bias': undefined }],
    ['shape', /bn\.bias.*\[2\].*\[3\]/, { 'bn.bias': f32(1, 2, 3) }],
    ['dtype', /conv\.bits.*uint8.*float32/, { 'conv.bits': f32(1, 2) }],
    ['not finite', /conv\.scale.*element 1 is NaN/, { 'conv.scale': f32(1, NaN) }],
    ['tail bits', /conv\.bits.*row 1/, { 'conv.bits': new Tensor('uint8', [2, 1], Uint8Array.of(1, 4)) }],
    ['variance', /bn\.running_var.*element 0.*positive/, { 'bn.running_var': f32(-1, 1) }],
    ['left over', /unknown\.weight/, { 'unknown.weight': f32(1) }],
  ];
  const compileWith = (entries: Record<string, Tensor | undefined>) => {
    const given = Object.entries(entries).filter((entry): entry is [string, Tensor] => entry[1] !== undefined);
    return compileProgram(graph, new Map(given), { batch: 1, normalization: null });
  };
  compileWith(good);
  for (const [title, message, change] of cases) {
    assert.throws(
      () => compileWith({ ...good, ...change }),
      (error) => error instanceof BitpathError && error.code === 'ERR_BITPATH_PARAM' && message.test(error.message),
      title,
    );
  }
});

test('a threshold of −0 is 0: the same sign is the same constant', () => {
  const b = new GraphBuilder('zeros');
  b.output(
    'y',
    b.binaryConv(b.sign(b.input({ channels: 2, height: 1, width: 1 }), { threshold: true }), {
      outChannels: 1,
      kernel: 1,
    }),
  );
  const graph = b.build();
  const compiled = [0, -0].map((zero) => {
    const params = new Map(randomParams(graph, 1));
    const name = [...params.keys()].find((key) => key.endsWith('.threshold')) as string;
    params.set(name, new Tensor('float32', [2], Float32Array.of(zero, 1)));
    return compileProgram(graph, params, { batch: 1, normalization: null });
  });
  assert.deepEqual(compiled[1], compiled[0]);
});
