/** Small models by hand: each operator that is read, each spelling of a sign. */
import { floats, index, input, ints, type Made, type MadeNode, node, scalar, signs } from './make.js';

const W = floats([4, 3, 3, 3], signs(108));
const conv = (from: string, attributes = {}): MadeNode =>
  node('Conv', `${from} w`, 'y', { pads: [1, 1, 1, 1], ...attributes });

/** What the file does, and how many of its convolutions are 1-bit. `slack`: relative difference that is allowed. */
export interface Case extends Made {
  readonly binary: number;
  readonly slack?: number;
  /** Nodes for onnxruntime where it does not know those of the file. */
  readonly reference?: readonly MadeNode[];
}

const perChannel = floats([3, 1, 1], [0.25, -0.5, 0]);
export const CASES: Record<string, Case> = {
  'x ≥ t for each channel': {
    binary: 1,
    nodes: [node('GreaterOrEqual', 'x t', 'b'), node('Where', 'b one minus', 's'), conv('s')],
    constants: { w: W, t: perChannel, one: scalar(1), minus: scalar(-1) },
  },
  'x > t, which is −1 at t': {
    binary: 1,
    nodes: [node('Greater', 'x t', 'b'), node('Where', 'b one minus', 's'), conv('s')],
    constants: { w: W, t: perChannel, one: scalar(1), minus: scalar(-1) },
  },
  't ≥ x, which falls': {
    binary: 1,
    nodes: [node('GreaterOrEqual', 't x', 'b'), node('Where', 'b one minus', 's'), conv('s')],
    constants: { w: W, t: scalar(0.5), one: scalar(1), minus: scalar(-1) },
  },
  'not (x < 0) in opset 9': {
    binary: 1,
    opset: 9,
    nodes: [
      node('Less', 'x zero', 'l'),
      node('Not', 'l', 'b'),
      node('Cast', 'b', 'f', { to: 1 }),
      node('Mul', 'f two', 'm'),
      node('Sub', 'm one', 's'),
      conv('s'),
    ],
    constants: { w: W, zero: scalar(0), one: scalar(1), two: scalar(2) },
  },
  'RSign: sign (x + a > 0)': {
    binary: 1,
    nodes: [node('Add', 'x a', 'm'), node('Greater', 'm zero', 'b'), node('Where', 'b one minus', 's'), conv('s')],
    constants: { w: W, a: floats([1, 3, 1, 1], [0.5, -0.5, 0]), zero: scalar(0), one: scalar(1), minus: scalar(-1) },
  },
  'BipolarQuant with a scale': {
    binary: 1,
    nodes: [{ ...node('BipolarQuant', 'x s', 'q'), domain: 'qonnx.custom_op.general' }, conv('q')],
    constants: { w: W, s: scalar(0.5), zero: scalar(0), half: scalar(0.5), minus: scalar(-0.5) },
    // onnxruntime does not have it.
    reference: [node('GreaterOrEqual', 'x zero', 'b'), node('Where', 'b half minus', 's1'), conv('s1')],
  },
  'zero padding in a Pad and in the Conv': {
    binary: 1,
    nodes: [node('Greater', 'x zero', 'b'), node('Where', 'b one minus', 's'), node('Pad', 's pads', 'p'), conv('p')],
    constants: { w: W, pads: ints(0, 0, 1, 0, 0, 0, 0, 2), zero: scalar(0), one: scalar(1), minus: scalar(-1) },
  },
  'a pad of +1, in opset 10': {
    binary: 1,
    opset: 10,
    nodes: [
      node('Less', 'x zero', 'b'),
      node('Where', 'b minus one', 's'),
      node('Pad', 's', 'p', { pads: [0, 0, 1, 1, 0, 0, 1, 0], value: { float: 1 } }),
      conv('p', { pads: [0, 0, 0, 0] }),
    ],
    constants: { w: W, zero: scalar(0), one: scalar(1), minus: scalar(-1) },
  },
  'a pad of −s before signs of ±s, with a stride and a dilation': {
    binary: 1,
    nodes: [
      node('Less', 'x zero', 'b'),
      node('Where', 'b minus one', 's'),
      node('Pad', 's pads minus', 'p'),
      conv('p', { pads: [0, 0, 0, 0], strides: [2, 1], dilations: [1, 2] }),
    ],
    constants: { w: W, pads: ints(0, 0, 1, 2, 0, 0, 1, 2), zero: scalar(0), one: scalar(0.5), minus: scalar(-0.5) },
  },
  'auto_pad SAME_UPPER with stride 2': {
    binary: 1,
    nodes: [...where('x'), { ...conv('s', {}), attributes: { auto_pad: 'SAME_UPPER', strides: [2, 2] } }],
    constants: { w: W, ...ONES() },
  },
  'auto_pad SAME_LOWER with stride 2': {
    binary: 1,
    nodes: [...where('x'), { ...conv('s', {}), attributes: { auto_pad: 'SAME_LOWER', strides: [2, 2] } }],
    constants: { w: W, ...ONES() },
  },
  'auto_pad VALID': {
    binary: 1,
    nodes: [...where('x'), { ...conv('s', {}), attributes: { auto_pad: 'VALID' } }],
    constants: { w: W, ...ONES() },
  },
  'groups, and scales of both signs after the conv': {
    binary: 1,
    nodes: [...where('x'), node('Conv', 's w', 'c', { group: 3 }), node('Mul', 'c a', 'y')],
    constants: { w: floats([6, 1, 2, 2], signs(24)), a: floats([6, 1, 1], [1, -2, 0.5, -0.25, 3, 1]), ...ONES() },
  },
  'weights ±γ/σ with a bias: a BatchNorm that was folded': {
    binary: 1,
    nodes: [...where('x'), node('Conv', 's w bias', 'y')],
    constants: { w: floats([2, 3, 1, 1], [0.3, -0.3, 0.3, -2, 2, 2]), bias: floats([2], [0.1, -0.7]), ...ONES() },
    slack: 1e-6,
  },
  'weights that are ±s within 0.5 %': {
    binary: 1,
    nodes: [...where('x'), node('Conv', 's w', 'y')],
    constants: { w: floats([1, 3, 1, 1], [0.3, -0.3005, 0.2997]), ...ONES() },
    slack: 5e-3,
  },
  'latent floats behind a sign, with scales before the conv': {
    binary: 1,
    nodes: [
      ...where('x'),
      node('Sign', 'latent', 'l'),
      node('Abs', 'latent', 'a'),
      node('ReduceMean', 'a', 'm', { axes: [1, 2, 3] }),
      node('Mul', 'l m', 'w'),
      conv('s'),
    ],
    constants: {
      latent: floats(
        [2, 3, 3, 3],
        Array.from({ length: 54 }, (_, i) => Math.sin(i + 1)),
      ),
      ...ONES(),
    },
    slack: 1e-6,
  },
  'a max pool of signs': {
    binary: 1,
    nodes: [...where('x'), node('MaxPool', 's', 'p', { kernel_shape: [2, 2] }), conv('p')],
    constants: { w: W, ...ONES() },
  },
  'signs of signs of sums': {
    binary: 1,
    nodes: [node('Sign', 'x', 'a'), node('Add', 'a tiny', 'b'), node('Sign', 'b', 's'), conv('s')],
    constants: { w: W, tiny: scalar(0.1) },
  },
  'the other way round: −sign': {
    binary: 1,
    nodes: [...where('x'), node('Neg', 's', 'n'), conv('n')],
    constants: { w: W, ...ONES() },
  },
  'steps that are no activation: real-valued': {
    binary: 0,
    slack: 1e-6,
    nodes: [node('GreaterOrEqual', 'x zero', 'b'), node('Where', 'b one two', 's'), conv('s')],
    constants: { w: W, zero: scalar(0), one: scalar(1), two: scalar(2) },
  },
  'a ceil-mode max pool': {
    binary: 0,
    nodes: [node('MaxPool', 'x', 'y', { kernel_shape: [2, 2], strides: [2, 3], ceil_mode: 1 })],
  },
  'a ceil-mode average pool without padding': {
    binary: 0,
    slack: 1e-6,
    nodes: [
      node('AveragePool', 'x', 'y', { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1, count_include_pad: 1 }),
    ],
  },
  'an average pool whose padding counts': {
    binary: 0,
    slack: 1e-6,
    nodes: [node('AveragePool', 'x', 'y', { kernel_shape: [3, 3], pads: [1, 0, 1, 2], count_include_pad: 1 })],
  },
  'an average pool whose padding does not': {
    binary: 0,
    slack: 1e-6,
    nodes: [node('AveragePool', 'x', 'y', { kernel_shape: [3, 3], pads: [1, 0, 1, 2] })],
  },
  'an average pool with auto_pad': {
    binary: 0,
    slack: 1e-6,
    nodes: [node('AveragePool', 'x', 'y', { kernel_shape: [2, 2], strides: [2, 2], auto_pad: 'SAME_UPPER' })],
  },
  'arithmetic with numbers for all and for each channel': {
    binary: 0,
    slack: 1e-6,
    nodes: [
      node('Sub', 't x', 'a'),
      node('Div', 'a d', 'b'),
      node('Mul', 'b t', 'c'),
      node('Neg', 'c', 'e'),
      node('Sub', 'e x', 'f'),
      node('PRelu', 'f t', 'g'),
      node('LeakyRelu', 'g', 'h', { alpha: 0.1 }),
      node('Max', 'h zero', 'i'),
      node('Add', 'i d', 'j'),
      node('Sum', 'j x j', 'y'),
    ],
    constants: { t: perChannel, d: scalar(3), zero: scalar(0) },
  },
  'relu as a clip, clips that do nothing': {
    binary: 0,
    opset: 10,
    nodes: [node('Clip', 'x', 'a', { min: { float: 0 } }), node('Clip', 'a', 'y', {})],
  },
  'BatchNormalization with an eps of its own': {
    binary: 0,
    slack: 1e-6,
    nodes: [node('BatchNormalization', 'x g b m v', 'y', { epsilon: 0.0123 })],
    constants: {
      g: floats([3], [1, -2, 0.5]),
      b: floats([3], [0, 1, 2]),
      m: floats([3], [0.5, 0, -1]),
      v: floats([3], [1, 0, 4]),
    },
  },
  'means over pixels, one way and the other': {
    binary: 0,
    slack: 1e-6,
    outputs: ['y', 'z', 'u'],
    nodes: [
      node('ReduceMean', 'x', 'y', { axes: [-1, -2], keepdims: 0 }),
      node('GlobalMaxPool', 'x', 'z'),
      node('Reshape', 'x shape', 'r'),
      node('ReduceMean', 'r', 'u', { axes: [2], keepdims: 0 }),
    ],
    constants: { shape: ints(0, 3, -1) },
  },
  'a fully connected layer on a map, channels last': {
    binary: 0,
    slack: 1e-5,
    nodes: [
      node('Transpose', 'x', 't', { perm: [0, 2, 3, 1] }),
      node('Flatten', 't', 'f'),
      node('MatMul', 'f m', 'a'),
      node('Add', 'a b', 'y'),
    ],
    constants: { m: floats([60, 2], input(120)), b: floats([2], [1, -1]) },
  },
  'a Gemm with alpha and beta on a squeezed map': {
    binary: 0,
    slack: 1e-6,
    nodes: [
      node('GlobalAveragePool', 'x', 'g'),
      node('Squeeze', 'g axes', 's'),
      node('Gemm', 's m b', 'y', { alpha: { float: 2 }, beta: { float: 3 } }),
    ],
    constants: { m: floats([3, 4], input(12)), b: floats([4], [1, -1, 0, 2]), axes: ints(2, 3) },
  },
  'channels padded with zeros, every second pixel': {
    binary: 0,
    nodes: [node('Slice', 'x starts ends axes steps', 's'), node('Pad', 's pads', 'y')],
    constants: {
      starts: ints(0, 0),
      ends: ints(99, 99),
      axes: ints(2, 3),
      steps: ints(2, 2),
      pads: ints(0, 1, 0, 0, 0, 2, 0, 0),
    },
  },
  'a shape worked out from the batch': {
    binary: 0,
    slack: 1e-5,
    nodes: [
      node('Shape', 'x', 's'),
      node('Gather', 's zero', 'n', { axis: 0 }),
      node('Unsqueeze', 'n axis', 'm'),
      node('Concat', 'm rest', 't', { axis: 0 }),
      node('Reshape', 'x t', 'f'),
      node('MatMul', 'f w', 'y'),
    ],
    constants: { zero: index(0), axis: ints(0), rest: ints(-1), w: floats([60, 3], input(180)) },
  },
  'a batch that is fixed': {
    binary: 0,
    slack: 1e-5,
    input: [2, 3, 5, 4],
    nodes: [node('Reshape', 'x t', 'f'), node('MatMul', 'f w', 'y')],
    constants: { t: ints(2, 60), w: floats([60, 3], input(180)) },
  },
  'a hardtanh, flattened and pooled, that only signs read': {
    binary: 2,
    outputs: ['y', 'z'],
    nodes: [
      node('Clip', 'x minus one', 'c'),
      node('MaxPool', 'c', 'p', { kernel_shape: [2, 2] }),
      ...where('p'),
      conv('s'),
      node('Reshape', 'c rows', 'r'),
      node('Greater', 'r zero', 'g'),
      node('Where', 'g one minus', 'h'),
      node('MatMul', 'h m', 'z'),
    ],
    constants: { w: W, rows: ints(-1, 60), m: floats([60, 2], signs(120)), ...ONES() },
  },
  'channels taken, split and joined': {
    binary: 0,
    slack: 1e-6,
    nodes: [
      node('Slice', 'x starts ends axes steps', 'a'),
      { op: 'Split', inputs: ['x', 'sizes'], outputs: ['b', 'd'], attributes: { axis: 1 } },
      node('Concat', 'a d b', 'y', { axis: 1 }),
    ],
    constants: { starts: ints(2), ends: ints(-9), axes: ints(1), steps: ints(-2), sizes: ints(1, 2) },
  },
};

/** x ≥ 0 ? 1 : −1, as s. */
function where(x: string): MadeNode[] {
  return [node('GreaterOrEqual', `${x} zero`, 'b'), node('Where', 'b one minus', 's')];
}
function ONES() {
  return { zero: scalar(0), one: scalar(1), minus: scalar(-1) };
}
