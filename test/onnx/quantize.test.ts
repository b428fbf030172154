/** Static quantisation: each rule by itself, and a whole network in onnxruntime. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createModel } from 'bitpath';
import { likeness } from '#lib/bench/check.js';
import { checkFused, opCounts, optimizedOps } from '#lib/bench/fused.js';
import { pictures } from '#lib/bench/inputs.js';
import { normalizationOf } from '#lib/bench/peers.js';
import { OnnxSession } from '#lib/onnx/diff/onnxruntime.js';
import { exportModel } from '#lib/onnx/export.js';
import { calibrate } from '#lib/onnx/quantize/calibrate.js';
import { foldBatchNorms } from '#lib/onnx/quantize/fold.js';
import { quantizeModel } from '#lib/onnx/quantize/index.js';
import { activationNumbers, quantizeWeights, roundHalfEven } from '#lib/onnx/quantize/numbers.js';
import { planQuantization } from '#lib/onnx/quantize/plan.js';
import type { ModelProto } from '#lib/onnx/proto/onnx_pb.js';
import { readTensor } from '#lib/onnx/proto/tensor.js';
import { floats, input, makeProto, node } from './make.js';

describe('activationNumbers', () => {
  const cases: [min: number, max: number, scale: number, zeroPoint: number][] = [
    [0, 255, 1, 0],
    [-1, 3, 4 / 255, 64], // 63.75
    [2, 5.1, 5.1 / 255, 0], // widened to hold 0
    [-5.1, -2, 5.1 / 255, 255],
    [0, 0, 1, 0],
    [-128, 127, 1, 128],
  ];
  for (const [min, max, scale, zeroPoint] of cases) {
    it(`of ${min} … ${max}`, () => {
      assert.deepEqual(activationNumbers({ min, max }), { scale: Math.fround(scale), zeroPoint });
    });
  }

  it('gives 0 a byte of its own', () => {
    for (let i = 1; i < 200; i++) {
      const { scale, zeroPoint } = activationNumbers({ min: -i / 7, max: i * 0.31 });
      assert.ok(Number.isInteger(zeroPoint) && zeroPoint >= 0 && zeroPoint <= 255);
      assert.equal(Math.fround(scale), scale);
    }
  });
});

describe('roundHalfEven', () => {
  it('rounds halves to the even neighbour, as QuantizeLinear does', () => {
    assert.deepEqual([0.5, 1.5, 2.5, -1.5, -2.5, -3.5, 2.4, -2.6].map(roundHalfEven), [0, 2, 2, -2, -2, -4, 2, -3]);
  });
});

describe('quantizeWeights', () => {
  it('has a scale for each output channel: largest / 127, symmetric', () => {
    const { data, scales } = quantizeWeights(Float32Array.of(1, -2, 0.5, 100, 50, -25), 2, 1, undefined);
    assert.deepEqual([...scales], [Math.fround(2 / 127), Math.fround(100 / 127)]);
    assert.deepEqual([...data], [64, -127, 32, 127, 64, -32]); // 63.5 and −31.75
  });

  it('gives a channel of zeros scale 1', () => {
    const { data, scales } = quantizeWeights(new Float32Array(4), 2, 1, undefined);
    assert.deepEqual([...scales], [1, 1]);
    assert.deepEqual([...data], [0, 0, 0, 0]);
  });

  it('has biases in units of input scale times weight scale', () => {
    const { bias, biasScales, scales } = quantizeWeights(Float32Array.of(1.27, -0.3), 2, 0.5, Float32Array.of(3, -7));
    assert.deepEqual([...biasScales], [...scales.map((scale) => scale * 0.5)]);
    assert.deepEqual([...(bias ?? [])], [Math.round(3 / biasScales[0]!), Math.round(-7 / biasScales[1]!)]);
  });

  it('has a coarser scale where a bias would not fit 32 bits', () => {
    const { bias, data } = quantizeWeights(Float32Array.of(1e-9, 1), 2, 0.01, Float32Array.of(1000, -1));
    assert.ok(Math.abs(bias![0]! / 2 ** 31 - 1) < 1e-6);
    assert.equal(data[0], 0);
    assert.equal(data[1], 127);
  });
});

const conv = floats([2, 1, 1, 1], [2, -3]);
const norm = {
  gamma: floats([2], [1.5, 0.5]),
  beta: floats([2], [0.25, -1]),
  mean: floats([2], [1, -2]),
  variance: floats([2], [4, 0.25]),
};
const normNode = (from: string, to: string) =>
  node('BatchNormalization', `${from} gamma beta mean variance`, to, { epsilon: { float: 0 } });

describe('foldBatchNorms', () => {
  it('turns weights and bias by gamma / √(variance + ε)', () => {
    const model = makeProto({
      input: ['N', 1, 2, 2],
      nodes: [node('Conv', 'x w b', 'c'), normNode('c', 'y')],
      constants: { w: conv, b: floats([2], [10, 20]), ...norm },
    });
    const { graph } = foldBatchNorms(model);
    assert.deepEqual(
      graph?.node.map(({ opType, output }) => [opType, ...output]),
      [['Conv', 'y']],
    );
    const [weight, bias] = graph!.initializer.map((tensor) => [...readTensor(tensor, '').data]);
    assert.deepEqual(weight, [1.5, -3]);
    assert.deepEqual(bias, [(10 - 1) * 0.75 + 0.25, 20 + 2 - 1]);
    assert.equal(model.graph?.node.length, 2, 'the model itself is left as it is');
  });

  it('leaves one that is not the only reader, or that no Conv feeds', () => {
    for (const outputs of [['y', 'c'], ['y']]) {
      const first = outputs.length > 1 ? node('Conv', 'x w', 'c') : node('Relu', 'x', 'c');
      const model = makeProto({ nodes: [first, normNode('c', 'y')], constants: { w: conv, ...norm }, outputs });
      assert.equal(foldBatchNorms(model).graph?.node.length, 2);
    }
  });
});

describe('planQuantization', () => {
  it('keeps a ReLU with its convolution, shares numbers over a pool, leaves the output float', () => {
    const model = makeProto({
      nodes: [
        node('Conv', 'x w', 'c'),
        node('Relu', 'c', 'r'),
        node('MaxPool', 'r', 'p', { kernel_shape: [2, 2] }),
        node('Conv', 'p v', 'd'),
        node('Add', 'd p', 's'),
        node('GlobalAveragePool', 's', 'y'),
      ],
      constants: { w: floats([2, 3, 1, 1], [1, 2, 3, 4, 5, 6]), v: floats([2, 2, 1, 1], [1, 2, 3, 4]) },
    });
    const { activations, weights } = planQuantization(model);
    assert.deepEqual(
      [...activations],
      [
        ['x', 'x'],
        ['r', 'r'],
        ['p', 'r'],
        ['d', 'd'],
        ['s', 's'],
      ],
    );
    assert.deepEqual(
      weights.map(({ node: { name }, outputs }) => [name, outputs]),
      [
        ['c', 2],
        ['d', 2],
      ],
    );
  });

  it('refuses a Gemm whose output channels are not on axis 0', () => {
    const model = makeProto({
      nodes: [node('Gemm', 'x w', 'y')],
      constants: { w: floats([3, 2], [1, 2, 3, 4, 5, 6]) },
    });
    assert.throws(() => planQuantization(model), { code: 'ERR_BITPATH_ONNX', message: /other form/ });
  });
});

describe('calibrate', () => {
  const model = makeProto({ input: ['N', 1, 1, 2], nodes: [node('Relu', 'x', 'r'), node('Add', 'r r', 'y')] });
  const options = { file: 'made', threads: 1 };

  it('takes the extremes over all images', async () => {
    const calibration = { data: Float32Array.of(-1, 2, 3, -4, 0.5, 0), dims: [1, 1, 2] };
    assert.deepEqual([...(await calibrate(model, ['x', 'r'], calibration, options))].sort(), [
      ['r', { min: 0, max: 3 }],
      ['x', { min: -4, max: 3 }],
    ]);
  });

  it('refuses what has no finite range', async () => {
    const calibration = { data: Float32Array.of(1, Infinity), dims: [1, 1, 2] };
    await assert.rejects(calibrate(model, ['x', 'r'], calibration, options), { code: 'ERR_BITPATH_ONNX' });
  });
});

/** Logits of `count` images, one at a time. */
async function run(model: ModelProto, data: Float32Array, count: number, dims: readonly number[]) {
  const session = await OnnxSession.create(model, [], { file: 'test', threads: 2, optimize: true });
  const size = data.length / count;
  const logits: Float32Array[] = [];
  for (let i = 0; i < count; i++) {
    logits.push(Float32Array.from(await session.bind(data.subarray(i * size, (i + 1) * size), [1, ...dims])()));
  }
  await session.release();
  return logits;
}

describe('quantizeModel', () => {
  it('BAD CALL a model of an opset without quantisation by channel', async () => {
    const model = makeProto({ opset: 12, nodes: [node('Relu', 'x', 'y')] });
    const calibration = { data: input(60), dims: [3, 5, 4] };
    await assert.rejects(quantizeModel(model, { calibration, threads: 1, file: 'old.onnx' }), {
      code: 'ERR_BITPATH_ONNX',
      message: 'old.onnx: opset 12 has no quantisation by channel; 13 has',
    });
  });

  it('agrees with float ResNet18, and onnxruntime runs all of it in 8 bits', async () => {
    const size = 96;
    const count = 20;
    const model = createModel('resnet18', { inputSize: size });
    const float = exportModel(model).model;
    const normalization = normalizationOf(model);
    const dims = [3, size, size];
    const calibration = { data: pictures(500, 8, size, normalization).tensor, dims };
    const int8 = await quantizeModel(float, { calibration, threads: 2 });

    const { tensor } = pictures(0, count, size, normalization);
    const [expected, actual] = [await run(float, tensor, count, dims), await run(int8, tensor, count, dims)];
    const alike = actual.map((logits, i) => likeness(logits, expected[i] as Float32Array));
    const worst = Math.min(...alike.map(({ cosine }) => cosine));
    assert.ok(worst > 0.998, `cosine ${worst}`);
    const same = alike.filter(({ sameTop1 }) => sameTop1).length;
    assert.ok(same >= 0.75 * count, `${same} of ${count} with the same top-1`);

    assert.equal(opCounts(int8).get('Conv'), 20);
    await checkFused(float, int8);
    const ops = await optimizedOps(int8);
    assert.equal(ops.get('QLinearConv'), 20);
    assert.equal(ops.get('QLinearAdd'), 8);
    assert.equal(ops.get('QGemm'), 1);
    assert.equal(ops.get('BatchNormalization'), undefined);
    await assert.rejects(checkFused(float, float), { code: 'ERR_BITPATH_BENCH' });
  });
});
