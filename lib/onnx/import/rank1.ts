/** Constants that are products of a number for each channel, each row and each column. */
import { elementCount } from '../../tensor.js';
import type { Constant } from './constant.js';
import type { Emitter } from './emitter.js';
import type { OnnxNode } from './load.js';
import type { MapAndConstant } from './operands.js';
import { isHelper } from './own.js';
import type { MapValue } from './values.js';

/** How far, relatively, products of the factors may be from what the file has: a few roundings. */
const TOLERANCE = 2 ** -21;

interface Factors {
  readonly alpha: Float32Array;
  readonly beta: Float32Array;
  readonly gamma: Float32Array;
}

/** `x` times `constant`, which must be such a product. */
export function rank1Scale(emitter: Emitter, node: OnnxNode, x: MapValue, constant: Constant): MapValue {
  const { channels, height, width } = x.value.shape;
  const sizes = { C: channels, H: height, W: width };
  const offset = x.axes.length - constant.dims.length;
  const dims = x.axes.map((_, i) => constant.dims[i - offset] ?? 1);
  const isBatch = offset === -1 && constant.dims[0] === 1;
  const fits = x.axes.every((letter, i) => {
    return letter.length <= 1 && (dims[i] === 1 || dims[i] === sizes[letter as 'C' | 'H' | 'W']);
  });
  const factors = fits && (offset >= 0 || isBatch) ? factorise(constant.data as Float32Array, dims, x.axes) : null;
  if (factors === null) {
    const reason = `multiplies by a constant of [${constant.dims}] that is no product of numbers for each channel, row and column`;
    throw emitter.fail(node, reason);
  }
  emitter.spend(node, channels + height + width);
  const spread = (values: Float32Array, size: number) =>
    values.length === size ? values : new Float32Array(size).fill(values[0] as number);
  const params = {
    alpha: spread(factors.alpha, channels),
    beta: spread(factors.beta, height),
    gamma: spread(factors.gamma, width),
  };
  return { ...x, value: emitter.add('rank1Scale', [x.value], {}, node, params) };
}

/** Factors along the axes, of which the first that has any takes the magnitude; null where there are none. */
function factorise(data: Float32Array, dims: readonly number[], axes: readonly string[]): Factors | null {
  if (elementCount(dims) !== data.length || data.some((value) => !Number.isFinite(value))) return null;
  const strides = dims.map((_, i) => dims.slice(i + 1).reduce((product, size) => product * size, 1));
  let pivot = 0;
  for (const [i, value] of data.entries()) if (Math.abs(value) > Math.abs(data[pivot] as number)) pivot = i;
  const largest = data[pivot] as number;
  if (largest === 0) return null;
  const first = dims.findIndex((size) => size > 1);
  const vectors = dims.map((size, i) => {
    const stride = strides[i] as number;
    const start = pivot - (Math.floor(pivot / stride) % size) * stride;
    const own = Float32Array.from({ length: size }, (_, k) => data[start + k * stride] as number);
    return i === first ? own : own.map((value) => value / largest);
  });
  const of = (letter: string) => vectors[axes.indexOf(letter)] ?? Float32Array.of(1);
  const [alpha, beta, gamma] = [of('C'), of('H'), of('W')] as const;
  const at = (index: number, letter: string) => {
    const axis = axes.indexOf(letter);
    return axis === -1 ? 0 : Math.floor(index / (strides[axis] as number)) % (dims[axis] as number);
  };
  const isProduct = data.every((value, i) => {
    const place = Math.fround((beta[at(i, 'H')] as number) * (gamma[at(i, 'W')] as number));
    return Math.abs((alpha[at(i, 'C')] as number) * place - value) <= TOLERANCE * Math.abs(value);
  });
  return isProduct ? { alpha, beta, gamma } : null;
}

/**
 * bitpath's own spelling, Mul(Mul(x, alpha), Mul(beta, gamma)), seen from the inner product with x: the factors are then known
 * to the last bit. The whole stands in the place of both.
 */
export function ownRank1(emitter: Emitter, node: OnnxNode, { x, constant }: MapAndConstant): MapValue | undefined {
  const output = node.outputs[0] ?? '';
  const outer = emitter.onlyConsumer(output);
  if (!emitter.isOwn || outer?.op !== 'Mul' || !isHelper(node.name, outer.name, 'Mul')) return undefined;
  const place = emitter.graph.producers.get(emitter.resolve(outer.inputs[1] ?? ''));
  if (place?.op !== 'Mul' || !emitter.constants.has(place.outputs[0] ?? '')) return undefined;
  const [beta, gamma] = [emitter.constant(place, 0), emitter.constant(place, 1)];
  const map = emitter.toMap(x);
  const { channels, height, width } = map.value.shape;
  const isRight = [constant, beta, gamma].map((factor) => factor?.dims.join()).join(' ');
  if (isRight !== `${channels},1,1 ${height},1 ${width}`) return undefined;
  const params = { alpha: constant.data, beta: beta?.data, gamma: gamma?.data } as Record<string, Float32Array>;
  const whole = { ...map, value: emitter.add('rank1Scale', [map.value], {}, outer, params) };
  emitter.set(outer.outputs[0] ?? '', whole);
  return whole;
}
