/** Convolutions and fully connected layers as the file has them: `Conv`, `Gemm`, `MatMul`. */
import type { Emitter, Handler } from './emitter.js';
import { layer } from './layer.js';
import { floatAttribute, intAttribute, type OnnxNode } from './load.js';
import { extent, NCHW, shapeOf } from './values.js';
import { needNchw, readWindow } from './window.js';

const conv: Handler = (emitter, node) => {
  const input = emitter.input(node, 0);
  needNchw(emitter, node, input);
  const weight = emitter.needConstant(node, 1, 'its weights');
  const [outputs = 0, inputs = 0, kh = 0, kw = 0] = weight.dims;
  const shape = shapeOf(input);
  const groups = intAttribute(node, 'group', 1);
  const isWhole = weight.dims.length === 4 && weight.data.length > 0 && groups >= 1 && outputs % groups === 0;
  if (!isWhole || inputs * groups !== shape.channels) {
    throw emitter.fail(node, `has weights of [${weight.dims}] in ${groups} groups for ${shape.channels} channels`);
  }
  return layer(emitter, {
    node,
    input,
    weight: weight.data as Float32Array,
    dims: [outputs, inputs, kh, kw],
    bias: biasOf(emitter, node, 2, outputs),
    window: readWindow(emitter, node, shape, [kh, kw]),
    groups,
    axes: NCHW,
    isLinear: false,
  });
};

function biasOf(emitter: Emitter, node: OnnxNode, index: number, outputs: number): Float32Array | undefined {
  if ((node.inputs[index] ?? '') === '') return undefined;
  const { data } = emitter.needConstant(node, index, 'its bias');
  if (data.length === outputs) return Float32Array.from(data);
  if (data.length === 1) return new Float32Array(outputs).fill(data[0] as number);
  throw emitter.fail(node, `has ${data.length} biases for ${outputs} outputs`);
}

/** `Gemm` and `MatMul` with constant weights: a convolution whose window is the whole map. */
const linear: Handler = (emitter, node) => {
  const input = emitter.input(node, 0);
  const isGemm = node.op === 'Gemm';
  const matrix = emitter.needConstant(node, 1, 'its weights');
  const letters = input.axes[0] ?? '';
  const shape = shapeOf(input);
  if (input.axes.length !== 1 || matrix.dims.length !== 2 || (isGemm && intAttribute(node, 'transA', 0) !== 0)) {
    throw emitter.unsupported(
      node,
      `multiplies [N, ${input.axes.map((axis) => extent(axis, shape))}] by [${matrix.dims}]`,
    );
  }
  const isTransposed = isGemm && intAttribute(node, 'transB', 0) !== 0;
  const [outputs, inputs] = (isTransposed ? matrix.dims : matrix.dims.toReversed()) as [number, number];
  const { channels, height, width } = shape;
  if (inputs !== channels * height * width || outputs === 0) {
    throw emitter.fail(node, `has weights of [${matrix.dims}] for ${channels * height * width} inputs`);
  }
  const alpha = isGemm ? floatAttribute(node, 'alpha', 1) : 1;
  const weight = new Float32Array(outputs * inputs);
  // Column k of the file is pixel and channel in the order of `letters`; ours is channels first.
  const isChannelsLast = letters.length > 1 && letters.endsWith('C');
  for (let k = 0; k < inputs; k++) {
    const to = isChannelsLast ? (k % channels) * height * width + Math.floor(k / channels) : k;
    for (let o = 0; o < outputs; o++) {
      weight[o * inputs + to] = alpha * (matrix.data[isTransposed ? o * inputs + k : k * outputs + o] as number);
    }
  }
  const beta = isGemm ? floatAttribute(node, 'beta', 1) : 1;
  const bias = isGemm ? biasOf(emitter, node, 2, outputs)?.map((value) => value * beta) : undefined;
  return layer(emitter, {
    node,
    input,
    weight,
    dims: [outputs, channels, height, width],
    bias,
    window: { kernel: [height, width], stride: [1, 1], dilation: [1, 1], padding: [0, 0, 0, 0] },
    groups: 1,
    axes: ['C'],
    isLinear: height === 1 && width === 1,
  });
};

export const CONVOLUTIONS: Readonly<Record<string, Handler>> = { Conv: conv, Gemm: linear, MatMul: linear };
