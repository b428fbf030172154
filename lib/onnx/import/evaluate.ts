/** Operators on constants: what it takes to work out the chains that weights come from, and the shapes of reshapes. */
import type { BitpathError } from '../../errors.js';
import { elementCount } from '../../tensor.js';
import { readTensor } from '../proto/tensor.js';
import {
  blockOf,
  broadcastDims,
  broadcastIndex,
  type Constant,
  fromTensor,
  makeConstant,
  MAX_RANK,
} from './constant.js';
import { ELEMENTWISE } from './elementwise.js';
import { LAYOUT } from './evaluateLayout.js';
import { intAttribute, intsAttribute, type OnnxNode } from './load.js';

export interface EvaluationContext {
  readonly file: string;
  readonly opset: number;
  /** Takes `elements` from the budget of the import; throws where there is none left. */
  readonly spend: (elements: number) => void;
  /** An error that names the node. */
  readonly fail: (reason: string) => BitpathError;
}
/** The first output of a node whose inputs are constants; undefined for one that is left out. */
export type Evaluator = (
  node: OnnxNode,
  inputs: readonly (Constant | undefined)[],
  context: EvaluationContext,
) => Constant;

const constant: Evaluator = (node, _inputs, { file, fail, spend }) => {
  const { attributes } = node;
  const tensor = attributes.get('value')?.t;
  if (tensor !== undefined) {
    const result = fromTensor(readTensor(tensor, file));
    spend(result.data.length);
    return result;
  }
  const float = attributes.get('value_float');
  if (float !== undefined) return makeConstant('float', [], [float.f]);
  const int = attributes.get('value_int');
  if (int !== undefined) return makeConstant('int', [], [Number(int.i)]);
  const floats = attributes.get('value_floats')?.floats;
  if (floats !== undefined) return makeConstant('float', [floats.length], floats);
  const ints = intsAttribute(node, 'value_ints');
  if (ints !== undefined) return makeConstant('int', [ints.length], ints);
  throw fail('has a value of a kind that is not supported');
};

/** Dimensions from a constant. The batch, NaN, becomes 1: what is constant is the same for all images. */
export function dimsFrom(shape: Constant | undefined, { fail }: EvaluationContext): number[] {
  if (shape === undefined || shape.dims.length !== 1) throw fail('has no list of dimensions');
  const dims = Array.from(shape.data, (size) => (Number.isNaN(size) ? 1 : size));
  if (dims.length <= MAX_RANK && dims.every((size) => Number.isInteger(size) && size >= 0)) return dims;
  throw fail(`asks for the shape [${dims.slice(0, 10).join(', ')}]`);
}

const constantOfShape: Evaluator = (node, [shape], context) => {
  const dims = dimsFrom(shape, context);
  const tensor = node.attributes.get('value')?.t;
  const value = tensor === undefined ? makeConstant('float', [1], [0]) : fromTensor(readTensor(tensor, context.file));
  const count = elementCount(dims);
  context.spend(count);
  return makeConstant(value.type, dims, new Float64Array(count).fill(value.data[0] ?? 0));
};

const expand: Evaluator = (_node, [x, shape], context) => {
  const target = dimsFrom(shape, context);
  const dims = x === undefined ? null : broadcastDims([x.dims, target]);
  if (x === undefined || dims === null) throw context.fail('cannot be expanded to its shape');
  const count = elementCount(dims);
  context.spend(count);
  const index = broadcastIndex(x.dims, dims);
  return makeConstant(
    x.type,
    dims,
    Float64Array.from({ length: count }, (_, i) => x.data[index(i)] as number),
  );
};

const range: Evaluator = (_node, [start, limit, delta], { fail, spend }) => {
  const [from, to, step] = [start?.data[0], limit?.data[0], delta?.data[0]];
  const count = Math.max(Math.ceil(((to ?? Number.NaN) - (from ?? 0)) / (step ?? 1)), 0);
  if (start === undefined || !Number.isFinite(count)) throw fail('has no end');
  spend(count);
  return makeConstant(
    start.type,
    [count],
    Float64Array.from({ length: count }, (_, i) => (from ?? 0) + i * (step ?? 1)),
  );
};

interface Reduction {
  readonly start: number;
  readonly step: (sum: number, x: number) => number;
  readonly end: (sum: number, count: number) => number;
}
const same = (sum: number) => sum;
/** Sums run in double and are rounded once. */
const REDUCTIONS: Readonly<Record<string, Reduction>> = {
  ReduceSum: { start: 0, step: (sum, x) => sum + x, end: same },
  ReduceMean: { start: 0, step: (sum, x) => sum + x, end: (sum, count) => sum / count },
  ReduceMax: { start: -Infinity, step: (max, x) => Math.max(max, x), end: same },
  ReduceMin: { start: Infinity, step: (min, x) => Math.min(min, x), end: same },
  ReduceProd: { start: 1, step: (product, x) => product * x, end: same },
  ReduceL1: { start: 0, step: (sum, x) => sum + Math.abs(x), end: same },
  ReduceL2: { start: 0, step: (sum, x) => sum + x * x, end: Math.sqrt },
  ReduceSumSquare: { start: 0, step: (sum, x) => sum + x * x, end: same },
};

/** No list of axes that makes sense is longer; a hostile one may have millions. */
export const LONGEST_LIST = 64;

/** Axes of a node, an attribute or (in later opsets) an input, counted from the front and in order. */
export function axesOf(node: OnnxNode, input: Constant | undefined, rank: number): number[] | undefined {
  const axes = input === undefined ? intsAttribute(node, 'axes') : Array.from(input.data.subarray(0, LONGEST_LIST));
  return axes?.map((axis) => (axis < 0 ? axis + rank : axis)).sort((a, b) => a - b);
}

const reduce: Evaluator = (node, [x, axesInput], { fail, spend }) => {
  if (x === undefined) throw fail('has no input');
  const rank = x.dims.length;
  let axes = axesOf(node, axesInput, rank);
  if (axes === undefined || axes.length === 0) {
    if (intAttribute(node, 'noop_with_empty_axes', 0) !== 0) return x;
    axes = x.dims.map((_, axis) => axis);
  }
  const reduced = new Set(axes);
  if (axes.some((axis) => !(axis >= 0 && axis < rank))) throw fail('reduces axes that its input has not');
  const { start, step, end } = REDUCTIONS[node.op] as Reduction;
  const dims = x.dims.map((size, axis) => (reduced.has(axis) ? 1 : size));
  const count = elementCount(dims);
  spend(x.data.length + count);
  const sums = new Float64Array(count).fill(start);
  const block = blockOf(dims, x.dims);
  if (block !== null) {
    for (let i = 0, c = 0; i < x.data.length; c = c + 1 === block.count ? 0 : c + 1) {
      let sum = sums[c] as number;
      for (const end = i + block.inner; i < end; i++) sum = step(sum, x.data[i] as number);
      sums[c] = sum;
    }
  } else {
    const index = broadcastIndex(dims, x.dims);
    for (let i = 0; i < x.data.length; i++) {
      const at = index(i);
      sums[at] = step(sums[at] as number, x.data[i] as number);
    }
  }
  const each = count === 0 ? 0 : x.data.length / count;
  const keep = intAttribute(node, 'keepdims', 1) !== 0;
  const shape = keep ? dims : dims.filter((_, axis) => !reduced.has(axis));
  return makeConstant(
    x.type,
    shape,
    sums.map((sum) => end(sum, each)),
  );
};

export const EVALUATORS: ReadonlyMap<string, Evaluator> = new Map<string, Evaluator>([
  ...Object.entries(ELEMENTWISE),
  ...Object.entries(LAYOUT),
  ...Object.keys(REDUCTIONS).map((op) => [op, reduce] as const),
  ['Constant', constant],
  ['ConstantOfShape', constantOfShape],
  ['Dropout', (node, inputs, context) => (ELEMENTWISE.Identity as Evaluator)(node, inputs.slice(0, 1), context)],
  ['Expand', expand],
  ['Range', range],
]);
