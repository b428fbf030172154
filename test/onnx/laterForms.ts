/** Spellings of the later ops by hand: activations of {0, 1} and {−1, 0, 1}, gates, broadcasts, channels. */
import type { Case } from './forms.js';
import { floats, index, input, ints, type MadeNode, node, scalar, signs } from './make.js';

const W = floats([4, 3, 3, 3], signs(108));
const conv = (from: string, attributes = {}): MadeNode =>
  node('Conv', `${from} w`, 'y', { pads: [1, 1, 1, 1], ...attributes });
/** Of 3 channels; all lie on values of the input. */
const T = floats([3, 1, 1], [0.5, 0.25, 0]);
const MINUS_T = floats([3, 1, 1], [-0.5, -0.25, 0]);
const NUMBERS = { zero: scalar(0), one: scalar(1), minus: scalar(-1), two: scalar(2), half: scalar(0.5) };

/** `ops`: ops that the network must have. */
export interface LaterCase extends Case {
  readonly ops: readonly string[];
}

export const ACTIVATION_CASES: Record<string, LaterCase> = {
  '{0, 1}: Cast(x > t), which is 0 at t': {
    ops: ['heaviside', 'binaryConv'],
    binary: 1,
    nodes: [node('Greater', 'x t', 'b'), node('Cast', 'b', 's', { to: 1 }), conv('s')],
    constants: { w: W, t: T },
  },
  '{0, s}: Where(x < t, 0, s), with weights of another size': {
    ops: ['heaviside', 'binaryConv'],
    binary: 1,
    slack: 1e-6,
    nodes: [node('Less', 'x t', 'b'), node('Where', 'b zero half', 's'), conv('s', { strides: [2, 1] })],
    constants: { w: floats([4, 3, 3, 3], signs(108, 0.3)), t: T, ...NUMBERS },
  },
  '{0, 1}: a clipped sign': {
    ops: ['heaviside', 'binaryConv'],
    binary: 1,
    nodes: [node('Sign', 'x', 'a'), node('Relu', 'a', 's'), conv('s')],
    constants: { w: W },
  },
  '{0, 1} of a sum, in opset 9, grouped and padded before': {
    ops: ['heaviside', 'binaryConv'],
    binary: 1,
    opset: 9,
    nodes: [
      node('Add', 'x t', 'a'),
      node('Less', 'a zero', 'l'),
      node('Not', 'l', 'b'),
      node('Cast', 'b', 's', { to: 1 }),
      node('Pad', 's', 'p', { pads: [0, 0, 1, 0, 0, 0, 2, 1] }),
      node('Conv', 'p w', 'y', { group: 3 }),
    ],
    constants: { w: floats([6, 1, 2, 2], signs(24)), t: T, ...NUMBERS },
  },
  '{0, 1} that float weights and a sum read': {
    ops: ['heaviside', 'conv'],
    binary: 0,
    slack: 1e-6,
    nodes: [
      node('GreaterOrEqual', 'x t', 'b'),
      node('Cast', 'b', 's', { to: 1 }),
      node('Conv', 's w', 'c'),
      node('Add', 's x', 'z'),
      node('Identity', 'c', 'y'),
    ],
    outputs: ['y', 'z'],
    constants: { w: floats([2, 3, 1, 1], input(6)), t: T },
  },
  'ternary: Cast(x ≥ t) − Cast(x ≤ −t)': {
    ops: ['ternary', 'binaryConv'],
    binary: 1,
    nodes: [
      node('GreaterOrEqual', 'x t', 'a'),
      node('Cast', 'a', 'p', { to: 1 }),
      node('LessOrEqual', 'x u', 'b'),
      node('Cast', 'b', 'n', { to: 1 }),
      node('Sub', 'p n', 's'),
      conv('s'),
    ],
    constants: { w: W, t: T, u: MINUS_T },
  },
  'ternary: Where in Where, with a strict comparison on both sides': {
    ops: ['ternary', 'binaryConv'],
    binary: 1,
    nodes: [
      node('Greater', 'x t', 'a'),
      node('Less', 'x u', 'b'),
      node('Where', 'b minus zero', 'n'),
      node('Where', 'a one n', 's'),
      conv('s', { strides: [2, 2] }),
    ],
    constants: { w: W, t: scalar(0.5), u: scalar(-0.5), ...NUMBERS },
  },
  'ternary times a scale, with a straight-through estimator': {
    ops: ['ternary', 'binaryConv'],
    binary: 1,
    slack: 1e-6,
    nodes: [
      node('GreaterOrEqual', 'x t', 'a'),
      node('Cast', 'a', 'p', { to: 1 }),
      node('LessOrEqual', 'x u', 'b'),
      node('Cast', 'b', 'n', { to: 1 }),
      node('Sub', 'p n', 'd'),
      node('Mul', 'd half', 'm'),
      node('Sub', 'm x', 'e'),
      node('Add', 'e x', 's'),
      conv('s'),
    ],
    constants: { w: W, t: T, u: MINUS_T, ...NUMBERS },
  },
  'ternary in groups, and two thresholds that are not −t and t: real-valued': {
    ops: ['conv'],
    binary: 0,
    slack: 1e-6,
    nodes: [
      node('GreaterOrEqual', 'x t', 'a'),
      node('LessOrEqual', 'x u', 'b'),
      node('LessOrEqual', 'x minus', 'c'),
      node('Cast', 'a', 'ap', { to: 1 }),
      node('Cast', 'b', 'bp', { to: 1 }),
      node('Cast', 'c', 'cp', { to: 1 }),
      node('Sub', 'ap bp', 's'),
      node('Sub', 'ap cp', 'r'),
      node('Conv', 's w', 'y', { group: 3 }),
      node('Conv', 'r v', 'z'),
    ],
    outputs: ['y', 'z'],
    constants: { w: floats([6, 1, 2, 2], signs(24)), v: floats([2, 3, 1, 1], signs(6)), t: T, u: MINUS_T, ...NUMBERS },
  },
  'real numbers by ±1': {
    ops: ['binaryWeightConv'],
    binary: 0,
    slack: 1e-6,
    nodes: [conv('x', { strides: [1, 2] })],
    constants: { w: W },
  },
  'real numbers by ±s, with a bias and a pad before': {
    ops: ['binaryWeightConv', 'bias'],
    binary: 0,
    slack: 1e-6,
    nodes: [node('Pad', 'x pads', 'p'), node('Conv', 'p w b', 'y')],
    constants: {
      w: floats([2, 3, 2, 1], [...signs(6, 0.1), ...signs(6, 0.7)]),
      b: floats([2], [0.5, -3]),
      pads: ints(0, 0, 1, 0, 0, 0, 0, 2),
    },
  },
  'real numbers by almost ±s, and by one number an output': {
    ops: ['conv'],
    binary: 0,
    slack: 1e-6,
    nodes: [node('Conv', 'x w', 'y'), node('Conv', 'x v', 'z', { group: 3 })],
    outputs: ['y', 'z'],
    constants: { w: floats([1, 3, 1, 1], [0.3, -0.3, 0.30001]), v: floats([3, 1, 1, 1], [0.5, -2, 3]) },
  },
};

export const MAP_CASES: Record<string, LaterCase> = {
  'a gate of convolutions': {
    ops: ['globalAvgPool', 'sigmoid', 'mul'],
    binary: 0,
    slack: 1e-6,
    nodes: [
      node('GlobalAveragePool', 'x', 'g'),
      node('Conv', 'g w b', 'c'),
      node('Relu', 'c', 'r'),
      node('Conv', 'r v', 'd'),
      node('Sigmoid', 'd', 's'),
      node('Mul', 's x', 'y'),
    ],
    constants: {
      w: floats([2, 3, 1, 1], input(6)),
      b: floats([2], [0.5, 1]),
      v: floats([3, 2, 1, 1], input(7).slice(1)),
    },
  },
  'a gate of fully connected layers, as view(b, c, 1, 1) and expand': {
    ops: ['globalAvgPool', 'linear', 'sigmoid', 'mul'],
    binary: 0,
    slack: 1e-6,
    nodes: [
      node('ReduceMean', 'x', 'g', { axes: [2, 3], keepdims: 0 }),
      node('Gemm', 'g w b', 'c', { transB: 1 }),
      node('Relu', 'c', 'r'),
      node('MatMul', 'r v', 'd'),
      node('Sigmoid', 'd', 's'),
      node('Shape', 'x', 'shape'),
      node('Gather', 'shape first', 'n', { axis: 0 }),
      node('Unsqueeze', 'n axis', 'm'),
      node('Concat', 'm rest', 't', { axis: 0 }),
      node('Reshape', 's t', 'e'),
      node('Mul', 'x e', 'y'),
    ],
    constants: {
      w: floats([2, 3], input(6)),
      b: floats([2], [0.5, 1]),
      v: floats([2, 3], input(7).slice(1)),
      first: index(0),
      axis: ints(0),
      rest: ints(3, 1, 1),
    },
  },
  'a gate, channels last': {
    ops: ['mul', 'hardtanh'],
    binary: 0,
    slack: 1e-6,
    nodes: [
      node('Transpose', 'x', 't', { perm: [0, 2, 3, 1] }),
      node('ReduceMean', 't', 'g', { axes: [1, 2] }),
      node('HardSigmoid', 'g', 's', { alpha: 0.25 }),
      node('Mul', 't s', 'm'),
      node('Transpose', 'm', 'y', { perm: [0, 3, 1, 2] }),
    ],
  },
  'HardSwish and SiLU': {
    ops: ['mul', 'hardtanh', 'sigmoid'],
    binary: 0,
    slack: 1e-6,
    nodes: [node('HardSwish', 'x', 'y'), node('Sigmoid', 'x', 's'), node('Mul', 'x s', 'z')],
    outputs: ['y', 'z'],
  },
  'broadcasts of maps, one way and the other': {
    ops: ['add', 'mul', 'channelMean', 'globalAvgPool', 'abs'],
    binary: 0,
    slack: 1e-6,
    nodes: [
      node('GlobalAveragePool', 'x', 'g'),
      node('Abs', 'x', 'a'),
      node('ReduceMean', 'a', 'm', { axes: [-3] }),
      node('Add', 'g x', 'b'),
      node('Sub', 'm b', 'c'),
      node('Sub', 'c g', 'd'),
      node('Sum', 'm d g', 'e'),
      node('Mul', 'm e', 'y'),
    ],
  },
  'means over channels, pixels and both': {
    ops: ['channelMean', 'globalAvgPool'],
    binary: 0,
    slack: 1e-6,
    opset: 18,
    nodes: [
      node('ReduceMean', 'x channels', 'y', { keepdims: 0 }),
      node('ReduceMean', 'x all', 'z', { keepdims: 0 }),
      node('ReduceMean', 'x all', 'u'),
      node('Mul', 'x u', 'v'),
    ],
    outputs: ['y', 'z', 'v'],
    constants: { channels: ints(1), all: ints(1, -2, 3) },
  },
  'channels taken, split and padded': {
    ops: ['slice', 'padChannels', 'concat'],
    binary: 0,
    nodes: [
      node('Slice', 'x starts ends axes', 'a'),
      { op: 'Split', inputs: ['x', 'sizes'], outputs: ['b', 'c'], attributes: { axis: -3 } },
      node('Pad', 'c pads', 'd'),
      node('Concat', 'a d b', 'y', { axis: 1 }),
    ],
    constants: {
      starts: ints(-2),
      ends: ints(99),
      axes: ints(1),
      sizes: ints(1, 2),
      pads: ints(0, 2, 0, 0, 0, 1, 0, 0),
    },
  },
  'biases, before signs too': {
    ops: ['bias', 'sign', 'binaryConv'],
    binary: 1,
    slack: 1e-6,
    nodes: [
      node('Add', 'x t', 'a'),
      node('PRelu', 'a t', 'p'),
      node('Sub', 'p half', 'z'),
      node('GreaterOrEqual', 'a zero', 'b'),
      node('Where', 'b one minus', 's'),
      conv('s'),
    ],
    outputs: ['y', 'z'],
    constants: { w: W, t: T, ...NUMBERS },
  },
  'scales of rank 1: of all, of rows and of columns': {
    ops: ['rank1Scale'],
    binary: 0,
    slack: 1e-6,
    nodes: [node('Mul', 'x k', 'a'), node('Mul', 'rows a', 'b'), node('Mul', 'b columns', 'y')],
    constants: {
      k: floats([1, 3, 5, 4], product([1, -2, 0.3], [0.5, 1, 1.7, -1, 2], [3, 0.1, 0, -1])),
      rows: floats([5, 1], [1, 2, -3, 0.1, 5]),
      columns: floats([4], [0.2, 0.7, -1, 2]),
    },
  },
};

function product(a: readonly number[], b: readonly number[], c: readonly number[]): number[] {
  return a.flatMap((x) => b.flatMap((y) => c.map((z) => x * y * z)));
}
