/** Windows of convolutions and pools: kernels, strides, and padding in each of the forms that ONNX has. */
import type { Padding, Pair, Shape } from '../../graph/types.js';
import type { Emitter, Handler } from './emitter.js';
import { intAttribute, intsAttribute, type OnnxNode, stringAttribute } from './load.js';
import { isNchw, type ImportValue, type MapValue, NCHW, type PaddedValue, shapeOf } from './values.js';

export interface Window {
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly dilation: Pair;
  /** Without a `Pad` before the node. */
  readonly padding: Padding;
}

export function readWindow(emitter: Emitter, node: OnnxNode, input: Shape, weights?: Pair): Window {
  const pair = (name: string, fallback?: Pair): Pair => {
    const found = intsAttribute(node, name) ?? fallback;
    if (found?.length === 2 && found.every((size) => Number.isInteger(size) && size >= 1 && size < 2 ** 31)) {
      return [found[0] as number, found[1] as number];
    }
    throw emitter.fail(node, `needs ${name} of two positive numbers but has [${found ?? ''}]`);
  };
  const kernel = pair('kernel_shape', weights);
  if (weights !== undefined && kernel.join() !== weights.join()) {
    throw emitter.fail(node, `has kernel_shape [${kernel}] and weights of [${weights}]`);
  }
  const stride = pair('strides', [1, 1]);
  const dilation = pair('dilations', [1, 1]);
  const autoPad = stringAttribute(node, 'auto_pad', 'NOTSET');
  if (autoPad === 'NOTSET' || autoPad === '') {
    const pads = intsAttribute(node, 'pads') ?? [0, 0, 0, 0];
    const areValid = pads.length === 4 && pads.every((size) => Number.isInteger(size) && size >= 0 && size < 2 ** 31);
    if (!areValid) throw emitter.fail(node, `has pads [${pads.slice(0, 8)}], expected four sizes`);
    return { kernel, stride, dilation, padding: pads as unknown as Padding };
  }
  if (autoPad === 'VALID') return { kernel, stride, dilation, padding: [0, 0, 0, 0] };
  if (autoPad !== 'SAME_UPPER' && autoPad !== 'SAME_LOWER') throw emitter.fail(node, `has auto_pad ${autoPad}`);
  const sides = ([input.height, input.width] as const).map((size, i) => {
    const [k, s, d] = [kernel[i] as number, stride[i] as number, dilation[i] as number];
    const total = Math.max((Math.ceil(size / s) - 1) * s + d * (k - 1) + 1 - size, 0);
    const less = Math.floor(total / 2);
    return autoPad === 'SAME_UPPER' ? [less, total - less] : [total - less, less];
  }) as unknown as readonly [Pair, Pair];
  return { kernel, stride, dilation, padding: [sides[0][0], sides[1][0], sides[0][1], sides[1][1]] };
}

/** Refuses values that are not N×C×H×W. */
export function needNchw(emitter: Emitter, node: OnnxNode, value: ImportValue): void {
  if (isNchw(value.axes)) return;
  throw emitter.fail(
    node,
    `needs an input of N×C×H×W, which is here N×${value.axes.map((axis) => axis || '1').join('×')}`,
  );
}

export function addPads(a: Padding, b: Padding): Padding {
  return [a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3]];
}
export function isZeroPad(pads: Padding): boolean {
  return pads.every((size) => size === 0);
}

/** `Pad`: along height and width it waits for the window that follows, along channels it is built at once. */
export const pad: Handler = (emitter, node) => {
  const mode = stringAttribute(node, 'mode', 'constant');
  const pads = intsAttribute(node, 'pads') ?? emitter.needList(node, 1, 'its pads');
  const value = emitter.input(node, 0);
  const rank = value.axes.length + 1;
  const given = emitter.list(node, 3, 'its axes');
  const axes =
    given === undefined
      ? Array.from({ length: rank }, (_, i) => i)
      : given.map((axis) => (axis < 0 ? axis + rank : axis));
  const side = (letter: string, end: number) => {
    const axis = value.axes.indexOf(letter) + 1;
    const at = axis === 0 ? -1 : axes.indexOf(axis);
    return at === -1 ? 0 : (pads[at + end * axes.length] ?? Number.NaN);
  };
  const sizes: Padding = [side('H', 0), side('W', 0), side('H', 1), side('W', 1)];
  const channels = [side('C', 0), side('C', 1)] as const;
  const total = [...sizes, ...channels].reduce((sum, size) => sum + size, 0);
  const isWhole = pads.length === 2 * axes.length && pads.reduce((sum, size) => sum + size, 0) === total;
  if (!isWhole || [...sizes, ...channels].some((size) => !Number.isInteger(size) || size < 0 || size > 65536)) {
    throw emitter.fail(
      node,
      `has the pads [${pads.slice(0, 16)}]; only positive ones of channels, height and width are supported`,
    );
  }
  if (total === 0) return value;
  if (mode !== 'constant') throw emitter.unsupported(node, `pads by ${mode}, which bitpath has not`);
  const fill = emitter.constant(node, 2) ?? fillAttribute(node);
  if (value.kind === 'padded') throw emitter.fail(node, 'pads what has been padded before');
  const inside = value.kind === 'step' || value.kind === 'stairs' ? value : emitter.toMap(value);
  const wide = channels[0] + channels[1] > 0 ? padChannels(emitter, node, inside, channels, fill.data[0] ?? 0) : inside;
  if (isZeroPad(sizes)) return wide;
  return { kind: 'padded', base: wide, pads: sizes, fill, axes: wide.axes, node };
};

function fillAttribute(node: OnnxNode): PaddedValue['fill'] {
  const value = node.attributes.get('value')?.f ?? 0;
  return { type: 'float', dims: [], data: Float32Array.of(value) };
}

/** Zero channels before and after. */
function padChannels(
  emitter: Emitter,
  node: OnnxNode,
  input: PaddedValue['base'],
  [before, after]: readonly [number, number],
  fill: number,
): MapValue {
  const x = emitter.toMap(input);
  if (fill !== 0) throw emitter.fail(node, `pads channels with ${fill}`);
  return { ...x, value: emitter.add('padChannels', [x.value], { before, after }, node) };
}

const pool: Handler = (emitter, node) => {
  const value = emitter.input(node, 0);
  needNchw(emitter, node, value);
  const isMax = node.op === 'MaxPool';
  if (node.outputs.slice(1).some((name) => name !== '' && emitter.consumers.has(name))) {
    throw emitter.unsupported(node, 'gives indices that are read');
  }
  const inside = value.kind === 'padded' ? value.base : value;
  const window = readWindow(emitter, node, shapeOf(value));
  if (window.dilation.some((size) => size !== 1)) throw emitter.unsupported(node, 'has a dilation');
  let include = !isMax && intAttribute(node, 'count_include_pad', 0) !== 0;
  let { padding } = window;
  if (value.kind === 'padded') {
    const neutral = isMax ? Number.NEGATIVE_INFINITY : 0;
    const fill = value.fill.data[0] as number;
    const isNeutral = value.fill.data.length === 1 && (fill === neutral || (isMax && fill <= -3.4e38));
    if (!isNeutral) throw emitter.fail(node, `follows a pad with ${fill}`);
    if (!isMax && !isZeroPad(padding) && !include) throw emitter.fail(node, 'pads twice');
    include = !isMax;
    padding = addPads(padding, value.pads);
  }
  const shape = shapeOf(inside);
  if (intAttribute(node, 'ceil_mode', 0) !== 0) {
    const grown = ceilPadding(window, padding, shape);
    const grows = grown.join() !== padding.join();
    // Taps beyond the padding never count, which can only be said where the padding does not count either.
    if (grows && include && !isZeroPad(padding)) throw emitter.fail(node, 'has ceil_mode, pads and count_include_pad');
    if (grows) include = false;
    padding = grown;
  }
  const options = {
    kernel: window.kernel,
    stride: window.stride,
    padding,
    ...(isMax ? {} : { countIncludePad: include }),
  };
  if (inside.kind === 'step' && isMax) {
    // The maximum of a monotone step is the step of the maximum.
    const rises = ['below', 'above'].every((side) => side in inside) && isRising(inside);
    if (rises) {
      const base = { ...inside.base, value: emitter.add('maxPool', [inside.base.value], options, node) };
      return { ...inside, base, node, key: {} };
    }
  }
  if (inside.kind === 'bounded' && isMax) {
    // So is that of any function that does not fall.
    const x = emitter.toMap(inside.base);
    return { ...inside, base: { ...x, value: emitter.add('maxPool', [x.value], options, node) } };
  }
  const x = emitter.toMap(inside);
  return { ...x, value: emitter.add(isMax ? 'maxPool' : 'avgPool', [x.value], options, node) };
};

function isRising({ below, above }: Extract<ImportValue, { kind: 'step' }>): boolean {
  return typeof below === 'number' && typeof above === 'number' && below < above;
}

/** Padding at the bottom and right that gives ⌈…⌉ windows where ⌊…⌋ is the rule; a window never begins beyond the left padding and the map. */
function ceilPadding({ kernel, stride }: Window, padding: Padding, { height, width }: Shape): Padding {
  const grow = (size: number, k: number, s: number, before: number, after: number) => {
    const spare = size + before + after - k;
    if (spare < 0) return after;
    let windows = Math.ceil(spare / s) + 1;
    if ((windows - 1) * s >= size + before) windows--;
    return Math.max((windows - 1) * s + k - size - before, after);
  };
  const [top, left, bottom, right] = padding;
  return [top, left, grow(height, kernel[0], stride[0], top, bottom), grow(width, kernel[1], stride[1], left, right)];
}

const globalPool: Handler = (emitter, node) => {
  const x = emitter.map(node, 0);
  needNchw(emitter, node, x);
  const { height, width } = x.value.shape;
  if (node.op === 'GlobalMaxPool') {
    return { kind: 'map', axes: NCHW, value: emitter.add('maxPool', [x.value], { kernel: [height, width] }, node) };
  }
  return { kind: 'map', axes: NCHW, value: emitter.add('globalAvgPool', [x.value], {}, node) };
};

export const WINDOWS: Readonly<Record<string, Handler>> = {
  AveragePool: pool,
  GlobalAveragePool: globalPool,
  GlobalMaxPool: globalPool,
  MaxPool: pool,
  Pad: pad,
};
