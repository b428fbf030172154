/** Operators on channels: concatenations, slices, means; and strided slices of pixels. */
import { sliceRanges } from './evaluateLayout.js';
import { axesOf } from './evaluate.js';
import type { Emitter, Handler } from './emitter.js';
import { intAttribute, intsAttribute, type OnnxNode } from './load.js';
import { canonical, dimsOf, extent, type MapValue } from './values.js';

const concat: Handler = (emitter, node) => {
  const parts = node.inputs.map((_, index) => emitter.map(node, index));
  const [first] = parts;
  if (first === undefined) throw emitter.fail(node, 'has no inputs');
  const axis = intAttribute(node, 'axis', 1);
  const place = (axis < 0 ? axis + first.axes.length + 1 : axis) - 1;
  const areAlike = parts.every(({ axes }) => axes.join() === first.axes.join());
  if (first.axes[place] !== 'C' || !areAlike)
    throw emitter.unsupported(node, 'joins maps along something other than channels');
  return {
    ...first,
    value: emitter.add(
      'concat',
      parts.map(({ value }) => value),
      {},
      node,
    ),
  };
};

/** Some channels of a map; those that do not lie side by side by a 1×1 convolution with a 1 for each. */
function selectChannels(
  emitter: Emitter,
  node: OnnxNode,
  x: MapValue,
  chosen: readonly number[],
  suffix = '',
): MapValue {
  const { channels } = x.value.shape;
  const [from = 0] = chosen;
  if (chosen.every((channel, i) => channel === from + i)) {
    if (chosen.length === channels && !emitter.isOwn) return x;
    return { ...x, value: emitter.add('slice', [x.value], { from, channels: chosen.length }, node, {}, suffix) };
  }
  emitter.spend(node, chosen.length * channels);
  const weight = new Float32Array(chosen.length * channels);
  for (const [i, channel] of chosen.entries()) weight[i * channels + channel] = 1;
  emitter.notes.add('channels', node.name);
  const options = { outChannels: chosen.length, kernel: [1, 1], bias: false };
  return { ...x, value: emitter.add('conv', [x.value], options, node, { weight }, suffix) };
}

/** Every second pixel of a map is what a max pool of one pixel keeps. */
const slice: Handler = (emitter, node) => {
  const value = emitter.input(node, 0);
  const inputs = node.inputs.map((_, i) => (i === 0 ? undefined : emitter.constant(node, i)));
  const { file, opset } = emitter.graph;
  const dims = [1, ...dimsOf(value).slice(1)];
  const context = { file, opset, spend: () => {}, fail: (reason: string) => emitter.fail(node, reason) };
  const stride = { H: 1, W: 1 };
  let chosen: number[] | undefined;
  for (const [axis, { start, count, step }] of sliceRanges(node, inputs, dims, context).entries()) {
    const size = dims[axis] as number;
    const letter = value.axes[axis - 1];
    const isWhole = start === 0 && step === 1 && count === size;
    if (isWhole && !(emitter.isOwn && letter === 'C')) continue;
    if (letter === 'C' && count > 0) {
      chosen = Array.from({ length: count }, (_, i) => start + i * step);
      continue;
    }
    const strides = start === 0 && step > 0 && count === Math.ceil(size / step) && (letter === 'H' || letter === 'W');
    if (!strides) {
      const what = `takes ${count} of ${size} along axis ${axis}`;
      throw emitter.unsupported(node, `${what}; only channels, and every nth row or column, can be taken`);
    }
    stride[letter] = step;
  }
  const isStrided = stride.H > 1 || stride.W > 1;
  if (!isStrided && chosen === undefined) return value;
  const x = emitter.toMap(value);
  const narrow = chosen === undefined ? x : selectChannels(emitter, node, x, chosen, isStrided ? '.channels' : '');
  if (!isStrided) return narrow;
  const options = { kernel: 1, stride: [stride.H, stride.W] };
  return { ...narrow, value: emitter.add('maxPool', [narrow.value], options, node) };
};

/** Channels in groups, one after another. */
const split: Handler = (emitter, node) => {
  const x = emitter.map(node, 0);
  const { channels } = x.value.shape;
  const parts = node.outputs.length;
  const axis = intAttribute(node, 'axis', 0);
  const sizes =
    (node.inputs[1] ?? '') === ''
      ? intsAttribute(node, 'split')
      : Array.from(emitter.needConstant(node, 1, 'its sizes').data);
  const equal = Math.ceil(channels / parts);
  const each = sizes ?? Array.from({ length: parts }, (_, i) => Math.min(equal, channels - i * equal));
  const isWhole = each.length === parts && each.every((size) => Number.isInteger(size) && size > 0);
  if (x.axes[(axis < 0 ? axis + x.axes.length + 1 : axis) - 1] !== 'C' || !isWhole) {
    throw emitter.unsupported(node, 'splits something other than channels');
  }
  if (each.reduce((sum, size) => sum + size, 0) !== channels) {
    throw emitter.fail(node, `splits ${channels} channels into [${each.slice(0, 16)}]`);
  }
  let start = 0;
  const pieces = each.map((size, i) => {
    const from = start;
    start += size;
    const chosen = Array.from({ length: size }, (_, c) => from + c);
    const piece = selectChannels(emitter, node, x, chosen, i === 0 ? '' : `.${i}`);
    const output = node.outputs[i] ?? '';
    if (i > 0 && output !== '') emitter.set(output, piece);
    return piece;
  });
  return pieces[0] as MapValue;
};

/** The mean over the pixels, over the channels, or over both. */
const reduceMean: Handler = (emitter, node) => {
  const x = emitter.map(node, 0);
  const { shape } = x.value;
  const rank = x.axes.length + 1;
  const given = axesOf(node, emitter.constant(node, 1), rank);
  const axes = new Set(given?.length ? given : Array.from({ length: rank }, (_, i) => i));
  if (!given?.length && intAttribute(node, 'noop_with_empty_axes', 0) !== 0) return x;
  const reduced = x.axes.filter((_, i) => axes.has(i + 1)).join('');
  const rest = x.axes.filter((_, i) => !axes.has(i + 1));
  const isLong = (letter: string) => extent(letter, shape) > 1;
  const pixels = ['H', 'W'].filter((letter) => reduced.includes(letter) && isLong(letter));
  const allPixels = ['H', 'W'].every((letter) => reduced.includes(letter) || !isLong(letter));
  const hasChannels = reduced.includes('C');
  if (axes.has(0) || (pixels.length > 0 && !allPixels)) {
    throw emitter.unsupported(node, 'takes the mean of something other than all pixels, all channels or both');
  }
  let { value } = x;
  if (pixels.length > 0 || !hasChannels)
    value = emitter.add('globalAvgPool', [value], {}, node, {}, hasChannels ? '.pixels' : '');
  if (hasChannels) value = emitter.add('channelMean', [value], {}, node);
  const keeps = intAttribute(node, 'keepdims', 1) !== 0;
  if (keeps) return { kind: 'map', axes: canonical(x.axes, value.shape), value };
  // A channel axis of length 1 is not lost: it goes with its neighbour.
  const kept = hasChannels ? [`C${rest[0] ?? ''}`, ...rest.slice(1)] : rest;
  return { kind: 'map', axes: canonical(kept, value.shape), value };
};

export const CHANNELS: Readonly<Record<string, Handler>> = {
  Concat: concat,
  ReduceMean: reduceMean,
  Slice: slice,
  Split: split,
};
