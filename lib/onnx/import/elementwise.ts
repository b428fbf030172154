/** Element-wise operators on constants. */
import { elementCount } from '../../tensor.js';
import { TensorProto_DataType as DataType } from '../proto/onnx_pb.js';
import {
  blockOf,
  broadcastDims,
  broadcastIndex,
  type Constant,
  type ConstantType,
  makeConstant,
  room,
} from './constant.js';
import type { Evaluator } from './evaluate.js';
import { floatAttribute, intAttribute } from './load.js';

const UNARY: Readonly<Record<string, (x: number) => number>> = {
  Abs: Math.abs,
  Ceil: Math.ceil,
  Exp: Math.exp,
  Floor: Math.floor,
  Identity: (x) => x,
  Log: Math.log,
  Neg: (x) => -x,
  Not: (x) => (x === 0 ? 1 : 0),
  Reciprocal: (x) => 1 / x,
  Relu: (x) => (x < 0 ? 0 : x),
  Round: roundHalfToEven,
  Sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  Sign: (x) => (x > 0 ? 1 : x < 0 ? -1 : x), // 0 stays 0, NaN stays NaN
  Softplus: (x) => Math.log1p(Math.exp(x)),
  Sqrt: Math.sqrt,
  Tanh: Math.tanh,
};

const flag = (value: boolean) => (value ? 1 : 0);
const BINARY: Readonly<Record<string, (a: number, b: number) => number>> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b) => a / b,
  Pow: (a, b) => a ** b,
  Mod: (a, b) => a % b,
  Max: (a, b) => Math.max(a, b),
  Min: (a, b) => Math.min(a, b),
  PRelu: (a, b) => (a < 0 ? a * b : a),
  And: (a, b) => flag(a !== 0 && b !== 0),
  Or: (a, b) => flag(a !== 0 || b !== 0),
  Xor: (a, b) => flag((a !== 0) !== (b !== 0)),
  Equal: (a, b) => flag(a === b),
  Greater: (a, b) => flag(a > b),
  GreaterOrEqual: (a, b) => flag(a >= b),
  Less: (a, b) => flag(a < b),
  LessOrEqual: (a, b) => flag(a <= b),
};
const PREDICATES = new Set(['And', 'Or', 'Xor', 'Equal', 'Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual']);

function roundHalfToEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest !== 0.5) return Math.round(x);
  return floor % 2 === 0 ? floor : floor + 1;
}

const unary =
  (op: string): Evaluator =>
  (_node, [x], { spend, fail }) => {
    if (x === undefined) throw fail('has no input');
    const apply = UNARY[op] as (x: number) => number;
    spend(x.data.length);
    const result = room(x.type, x.data.length);
    for (let i = 0; i < result.length; i++) result[i] = apply(x.data[i] as number);
    return makeConstant(x.type, x.dims, result);
  };

const binary =
  (op: string): Evaluator =>
  (_node, inputs, context) => {
    const apply = BINARY[op] as (a: number, b: number) => number;
    const [first, ...others] = inputs;
    if (first === undefined) throw context.fail('has no input');
    let result = first;
    for (const other of others) {
      if (other === undefined) throw context.fail('lacks an input');
      const dims = broadcastDims([result.dims, other.dims]);
      if (dims === null) {
        throw context.fail(`cannot join shapes [${result.dims.join(', ')}] and [${other.dims.join(', ')}]`);
      }
      const count = elementCount(dims);
      context.spend(count);
      const type: ConstantType = PREDICATES.has(op) ? 'bool' : result.type;
      const data = room(type, count);
      combine(apply, result, other, dims, data);
      if (op === 'Div' && type === 'int') for (let i = 0; i < count; i++) data[i] = Math.trunc(data[i] as number);
      result = makeConstant(type, dims, data);
    }
    return result;
  };

/** Weights are long: what meets each of their elements is found without a division where it is one number for a run of them. */
function combine(
  apply: (a: number, b: number) => number,
  a: Constant,
  b: Constant,
  dims: readonly number[],
  data: Float32Array | Float64Array,
): void {
  const block = a.data.length === data.length ? blockOf(b.dims, dims) : null;
  if (block === null) {
    const left = broadcastIndex(a.dims, dims);
    const right = broadcastIndex(b.dims, dims);
    for (let i = 0; i < data.length; i++) data[i] = apply(a.data[left(i)] as number, b.data[right(i)] as number);
    return;
  }
  for (let i = 0, c = 0; i < data.length; c = c + 1 === block.count ? 0 : c + 1) {
    const y = b.data[c] as number;
    for (const end = i + block.inner; i < end; i++) data[i] = apply(a.data[i] as number, y);
  }
}

const where: Evaluator = (_node, [condition, a, b], { spend, fail }) => {
  if (condition === undefined || a === undefined || b === undefined) throw fail('lacks an input');
  const dims = broadcastDims([condition.dims, a.dims, b.dims]);
  if (dims === null) throw fail('has inputs whose shapes do not fit');
  const count = elementCount(dims);
  spend(count);
  const data = room(a.type, count);
  const [test, left, right] = [condition, a, b].map((part) => broadcastIndex(part.dims, dims)) as [Index, Index, Index];
  for (let i = 0; i < count; i++) {
    data[i] = (condition.data[test(i)] !== 0 ? a.data[left(i)] : b.data[right(i)]) as number;
  }
  return makeConstant(a.type, dims, data);
};
type Index = (index: number) => number;

/** Bounds of a `Clip`: attributes up to opset 10, inputs from 11 on. */
const clip: Evaluator = (node, [x, low, high], { spend, fail }) => {
  if (x === undefined) throw fail('has no input');
  const min = low?.data[0] ?? floatAttribute(node, 'min', Number.NEGATIVE_INFINITY);
  const max = high?.data[0] ?? floatAttribute(node, 'max', Number.POSITIVE_INFINITY);
  spend(x.data.length);
  const data = x.data.map((value) => (value < min ? min : value > max ? max : value));
  return makeConstant(x.type, x.dims, data);
};

export function castType(code: number): ConstantType | undefined {
  if (code === DataType.BOOL) return 'bool';
  const floats: readonly number[] = [DataType.FLOAT, DataType.DOUBLE, DataType.FLOAT16, DataType.BFLOAT16];
  if (floats.includes(code)) return 'float';
  const ints: readonly number[] = [
    DataType.INT8,
    DataType.UINT8,
    DataType.INT16,
    DataType.UINT16,
    DataType.INT32,
    DataType.UINT32,
    DataType.INT64,
    DataType.UINT64,
  ];
  return ints.includes(code) ? 'int' : undefined;
}

function castTo(x: Constant, type: ConstantType, spend: (elements: number) => void): Constant {
  if (x.type === type) return x;
  spend(x.data.length);
  const data = room(type, x.data.length);
  for (let i = 0; i < data.length; i++) {
    const value = x.data[i] as number;
    data[i] = type === 'bool' ? flag(value !== 0) : type === 'int' ? Math.trunc(value) : value;
  }
  return makeConstant(type, x.dims, data);
}

const cast: Evaluator = (node, [x, like], { spend, fail }) => {
  if (x === undefined) throw fail('has no input');
  const type = node.op === 'CastLike' ? like?.type : castType(intAttribute(node, 'to', 0));
  if (type === undefined) throw fail('casts to a type that is not supported');
  return castTo(x, type, spend);
};

const leakyRelu: Evaluator = (node, [x], { spend, fail }) => {
  if (x === undefined) throw fail('has no input');
  const alpha = floatAttribute(node, 'alpha', 0.01);
  spend(x.data.length);
  return makeConstant(
    x.type,
    x.dims,
    x.data.map((value) => (value < 0 ? value * alpha : value)),
  );
};

/** Operators that work on elements, one by one: they also work on each step of a step function (steps.ts). */
export const ELEMENTWISE: Readonly<Record<string, Evaluator>> = {
  ...Object.fromEntries(Object.keys(UNARY).map((op) => [op, unary(op)])),
  ...Object.fromEntries(Object.keys(BINARY).map((op) => [op, binary(op)])),
  Where: where,
  Clip: clip,
  Cast: cast,
  CastLike: cast,
  LeakyRelu: leakyRelu,
};
