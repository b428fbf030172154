/**
 * The reference: runs a graph node by node in plain TypeScript, sharing nothing with compiler or native code. It is written
 * for reading, and its results are what every compiled Program must give, bit for bit:
 *
 * - every step rounds once to float32; a multiply-add is fused; sums run in (kh, kw, channel) order from +0;
 * - a binary dot product is an exact integer;
 * - BatchNorm is fma(x, s, t), s and t computed in double and rounded once.
 */
import type { AnyNode, Graph, Node, OpName, Params, Shape, Value, WindowAttrs } from 'bitpath';
import { binaryConvolve, binaryWeightConvolve, convolve, type FeatureMap } from './convolution.js';
import { broadcast, channelInteraction, channelMean, padChannels, rank1Scale, sigmoid } from './elements.js';
import { fmaf } from './fma.js';

export interface InterpretOptions {
  /**
   * Take scale and BatchNorm after a binaryConv as one affine, as the compiler does where nothing but the BatchNorm reads the
   * scaled value: fma(dot, scale·s, t). The conv's own value is then its dot product. Default false.
   */
  readonly folded?: boolean;
  /** Return every value, by the name of its node, instead of the outputs. Bits are −1 and +1. Default false. */
  readonly every?: boolean;
}

/**
 * Runs `graph` on one image, `input` being (C, H, W). Returns the outputs by name, each (C, H, W). Nodes that no output needs
 * are not run.
 */
export function interpret(
  graph: Graph,
  params: Params,
  input: Float32Array,
  options: InterpretOptions = {},
): Map<string, Float32Array> {
  const { folded = false, every = false } = options;
  const readers = liveReaders(graph);
  const maps = new Map<number, FeatureMap>();
  const results = new Map<string, Float32Array>();
  for (const node of graph.nodes) {
    const reading = readers.get(node.output);
    if (reading === undefined) continue;
    const inputs = node.inputs.map((id) => maps.get(id) as FeatureMap);
    const foldedConv = folded ? producerToFold(graph, readers, node) : undefined;
    const leaveUnscaled = folded && reading.some((reader) => producerToFold(graph, readers, reader) === node);
    const output = (graph.values[node.output] as Value).shape;
    maps.set(node.output, run({ node, inputs, output, params, image: input, foldedConv, leaveUnscaled }));
    if (every) results.set(node.name, (maps.get(node.output) as FeatureMap).data);
    else release(graph, readers, maps, node);
  }
  if (every) return results;
  return new Map(graph.outputs.map(({ name, value }) => [name, (maps.get(value) as FeatureMap).data]));
}

/** Value id → the nodes that read it, for the values that outputs depend on. */
function liveReaders(graph: Graph): Map<number, AnyNode[]> {
  const readers = new Map<number, AnyNode[]>(graph.outputs.map(({ value }) => [value, []]));
  for (const node of graph.nodes.toReversed()) {
    if (!readers.has(node.output)) continue;
    for (const id of new Set(node.inputs)) readers.set(id, [...(readers.get(id) ?? []), node]);
  }
  return readers;
}

/** The scaled binaryConv that the batchNorm `node` takes over. */
function producerToFold(graph: Graph, readers: Map<number, AnyNode[]>, node: AnyNode): Node<'binaryConv'> | undefined {
  if (node.op !== 'batchNorm') return undefined;
  const producer = graph.nodes.find((candidate) => candidate.output === node.inputs[0]);
  if (producer?.op !== 'binaryConv' || !producer.attrs.scale) return undefined;
  const isOutput = graph.outputs.some(({ value }) => value === producer.output);
  return isOutput || readers.get(producer.output)?.length !== 1 ? undefined : producer;
}

/** Drops the maps that `node` was the last to read. */
function release(graph: Graph, readers: Map<number, AnyNode[]>, maps: Map<number, FeatureMap>, node: AnyNode): void {
  for (const id of node.inputs) {
    const last = Math.max(...(readers.get(id) ?? []).map((reader) => reader.output));
    if (last === node.output && graph.outputs.every(({ value }) => value !== id)) maps.delete(id);
  }
}

interface Call {
  readonly node: AnyNode;
  readonly inputs: readonly FeatureMap[];
  readonly output: Shape;
  readonly params: Params;
  readonly image: Float32Array;
  readonly foldedConv: Node<'binaryConv'> | undefined;
  readonly leaveUnscaled: boolean;
}

function run({ node, inputs, output, params, image, foldedConv, leaveUnscaled }: Call): FeatureMap {
  const [x = { shape: output, data: image }, second] = inputs;
  switch (node.op) {
    case 'input': {
      if (image.length !== output.channels * output.height * output.width)
        throw new Error(`the input has ${image.length} elements`);
      return { shape: output, data: image.slice() };
    }
    case 'sign': {
      const threshold = node.attrs.threshold ? floats(params, node, 'threshold') : undefined;
      return eachElement(x, (v, c) => (v >= at(threshold, c, 0) ? 1 : -1));
    }
    case 'heaviside': {
      const threshold = node.attrs.threshold ? floats(params, node, 'threshold') : undefined;
      return eachElement(x, (v, c) => (v >= at(threshold, c, 0) ? 1 : 0));
    }
    case 'ternary': {
      // NaN is neither ≥ t nor > −t: −1.
      const threshold = floats(params, node, 'threshold');
      return eachElement(x, (v, c) => Number(v >= at(threshold, c)) + Number(v > -at(threshold, c)) - 1);
    }
    case 'binaryWeightConv': {
      const sum = binaryWeightConvolve(x, node.attrs, param(params, node, 'bits') as Uint8Array, output);
      if (!node.attrs.scale) return sum;
      const scale = floats(params, node, 'scale');
      return eachElement(sum, (v, o) => fmaf(v, at(scale, o), 0));
    }
    case 'binaryConv': {
      const dot = binaryConvolve(x, node.attrs, param(params, node, 'bits') as Uint8Array, output);
      if (!node.attrs.scale || leaveUnscaled) return dot;
      const scale = floats(params, node, 'scale');
      return eachElement(dot, (v, o) => fmaf(v, at(scale, o), 0)); // a product of 0 is +0, whatever the sign of scale
    }
    case 'conv':
      return withBias(convolve(x, node.attrs, floats(params, node, 'weight'), output), params, node, node.attrs.bias);
    case 'linear': {
      const attrs = {
        outChannels: output.channels,
        kernel: [1, 1],
        stride: [1, 1],
        padding: [0, 0, 0, 0],
        dilation: [1, 1],
        groups: 1,
      } as const;
      return withBias(convolve(x, attrs, floats(params, node, 'weight'), output), params, node, node.attrs.bias);
    }
    case 'batchNorm': {
      const { scale, shift } = batchNormAffine(params, node, foldedConv);
      return eachElement(x, (v, c) => fmaf(v, at(scale, c), at(shift, c)));
    }
    case 'add':
      return broadcast(x, second as FeatureMap, (a, b) => a + b); // stored to float32: one rounding
    case 'mul':
      return broadcast(x, second as FeatureMap, (a, b) => a * b);
    case 'bias': {
      const shift = floats(params, node, 'bias');
      return eachElement(x, (v, c) => v + at(shift, c));
    }
    case 'rank1Scale':
      return rank1Scale(x, floats(params, node, 'alpha'), floats(params, node, 'beta'), floats(params, node, 'gamma'));
    case 'abs':
      return eachElement(x, (v) => (v < 0 ? -v : v));
    case 'sigmoid':
      return eachElement(x, sigmoid);
    case 'channelMean':
      return { shape: output, data: channelMean(x) };
    case 'slice': {
      const pixels = output.height * output.width;
      const { from, channels } = node.attrs;
      return { shape: output, data: x.data.slice(from * pixels, (from + channels) * pixels) };
    }
    case 'padChannels':
      return padChannels(x, node.attrs.before, output);
    case 'channelInteraction':
      return channelInteraction(x, node.attrs, param(params, node, 'pairs') as Int32Array);
    case 'concat':
      return concat(inputs, output);
    case 'scale': {
      const { factor } = node.attrs;
      return eachElement(x, (v) => v * factor);
    }
    case 'relu':
      return eachElement(x, (v) => (v < 0 ? 0 : v));
    case 'hardtanh': {
      const { min, max } = node.attrs;
      return eachElement(x, (v) => (v < min ? min : v > max ? max : v));
    }
    case 'prelu': {
      const slope = floats(params, node, 'weight');
      return eachElement(x, (v, c) => (v < 0 ? v * at(slope, c) : v));
    }
    case 'maxPool':
      return pool(x, node.attrs, output, maximum);
    case 'avgPool': {
      const { kernel, countIncludePad } = node.attrs;
      return pool(x, node.attrs, output, (taps) => mean(taps, countIncludePad ? kernel[0] * kernel[1] : taps.length));
    }
    case 'globalAvgPool': {
      const { height, width } = x.shape;
      const attrs = { kernel: [height, width], stride: [1, 1], padding: [0, 0, 0, 0] } as const;
      return pool(x, attrs, output, (taps) => mean(taps, taps.length));
    }
  }
}

/** y = x·s + t, both in double from the raw parameters, then rounded: s = w / √(var + eps), t = b − mean·w / √(var + eps). */
function batchNormAffine(params: Params, node: Node<'batchNorm'>, foldedConv: Node<'binaryConv'> | undefined) {
  const weight = floats(params, node, 'weight');
  const bias = floats(params, node, 'bias');
  const mean = floats(params, node, 'running_mean');
  const variance = floats(params, node, 'running_var');
  const convScale = foldedConv === undefined ? undefined : floats(params, foldedConv, 'scale');
  const deviation = (c: number) => Math.sqrt(at(variance, c) + node.attrs.eps);
  return {
    scale: weight.map((w, c) => (at(convScale, c, 1) * w) / deviation(c)),
    shift: weight.map((w, c) => at(bias, c) - (at(mean, c) * w) / deviation(c)),
  };
}

function withBias(map: FeatureMap, params: Params, node: AnyNode, hasBias: boolean): FeatureMap {
  if (!hasBias) return map;
  const bias = floats(params, node, 'bias');
  return eachElement(map, (v, o) => fmaf(v, 1, at(bias, o)));
}

/** Storing to a Float32Array rounds, so `fn` may return a double that one operation made of floats. */
function eachElement({ shape, data }: FeatureMap, fn: (value: number, channel: number) => number): FeatureMap {
  const pixels = shape.height * shape.width;
  return { shape, data: data.map((v, i) => fn(v, Math.floor(i / pixels))) };
}

/** `reduce` gets the taps inside the map in (kh, kw) order. */
function pool(
  { shape, data }: FeatureMap,
  attrs: WindowAttrs,
  output: Shape,
  reduce: (taps: readonly number[]) => number,
): FeatureMap {
  const { kernel, stride, padding } = attrs;
  const result = new Float32Array(output.channels * output.height * output.width);
  for (let i = 0; i < result.length; i++) {
    const x = i % output.width;
    const y = Math.floor(i / output.width) % output.height;
    const c = Math.floor(i / (output.width * output.height));
    const taps: number[] = [];
    for (let kh = 0; kh < kernel[0]; kh++) {
      for (let kw = 0; kw < kernel[1]; kw++) {
        const row = y * stride[0] - padding[0] + kh;
        const column = x * stride[1] - padding[1] + kw;
        if (row < 0 || row >= shape.height || column < 0 || column >= shape.width) continue;
        taps.push(at(data, (c * shape.height + row) * shape.width + column));
      }
    }
    result[i] = reduce(taps);
  }
  return { shape: output, data: result };
}

/** From −∞; of equal ones the first; NaN wins. */
function maximum(taps: readonly number[]): number {
  return taps.reduce((max, v) => (v > max || Number.isNaN(v) ? v : max), -Infinity);
}

function mean(taps: readonly number[], count: number): number {
  return taps.reduce((sum, v) => Math.fround(sum + v), 0) / count;
}

function concat(inputs: readonly FeatureMap[], output: Shape): FeatureMap {
  const data = new Float32Array(output.channels * output.height * output.width);
  let offset = 0;
  for (const input of inputs) {
    data.set(input.data, offset);
    offset += input.data.length;
  }
  return { shape: output, data };
}

function param(params: Params, node: Node<OpName>, role: string): Float32Array | Uint8Array | Int32Array {
  const tensor = params.get(node.params[role]?.name ?? '');
  if (tensor === undefined) throw new Error(`${node.name} has no ${role}`);
  return tensor.data;
}
function floats(params: Params, node: Node<OpName>, role: string): Float32Array {
  return param(params, node, role) as Float32Array;
}
function at(array: Float32Array | undefined, index: number, otherwise = NaN): number {
  return array?.[index] ?? otherwise;
}
