import { BitpathError } from '../errors.js';
import type { AnyNode, Graph, Node, Shape, Value } from '../graph/types.js';
import type { Params } from '../tensor.js';
import { ternaryBits, ternaryPlaces, ternaryRules } from './activations.js';
import type { Activations, Affine, FoldedGraph, FoldedNode, Work } from './ir.js';
import { ParamReader } from './params.js';

/**
 * Attaches parameters and reduces every op to one that native code has:
 *
 * - batchNorm → affine, computed in double and rounded once: mul = w/√(var+eps), add = b − mean·w/√(var+eps);
 * - a binaryConv's scale → affine(scale, +0), or, where a batchNorm is all that reads the scaled value,
 *   mul = scale·w/√(var+eps) in the batchNorm's affine;
 * - heaviside → sign, whose bits are then 0 and 1; ternary → two signs side by side, and twice the weights of its convs;
 * - abs → prelu of slope −1; rank1Scale → affine(alpha, +0), then the factor of each pixel; padChannels → concat with zeros;
 * - bias → affine(1, bias); linear → 1×1 conv; globalAvgPool → avgPool with the map as its window.
 *
 * Throws `ERR_BITPATH_PARAM` for a parameter that is missing, of a wrong type or shape, or not finite.
 */
export function fold(graph: Graph, params: Params): FoldedGraph {
  return new Folder(graph, params).run();
}

class Folder {
  readonly #graph: Graph;
  readonly #params: ParamReader;
  readonly #values: Value[];
  readonly #nodes: FoldedNode[] = [];
  /** Scales of binary convs that the batchNorm reading the value takes over, by value id. */
  readonly #scales = new Map<number, Float32Array>();

  constructor(graph: Graph, params: Params) {
    this.#graph = graph;
    this.#params = new ParamReader(params);
    this.#values = [...graph.values];
  }

  run(): FoldedGraph {
    for (const node of this.#graph.nodes) this.#fold(node);
    return { nodes: this.#nodes, values: this.#values, outputs: this.#graph.outputs };
  }

  #fold(node: AnyNode): void {
    switch (node.op) {
      case 'input':
      case 'concat':
      case 'add':
      case 'mul':
      case 'relu':
      case 'sigmoid':
      case 'channelMean':
        return this.#emit(node, { op: node.op });
      case 'maxPool':
        return this.#emit(node, { op: 'maxPool', attrs: node.attrs });
      case 'avgPool':
        return this.#emit(node, { op: 'avgPool', attrs: node.attrs });
      case 'globalAvgPool':
        return this.#globalAvgPool(node);
      case 'scale':
        return this.#emit(node, { op: 'scale', factor: Math.fround(node.attrs.factor) });
      case 'hardtanh':
        return this.#emit(node, { op: 'hardtanh', ...node.attrs });
      case 'prelu':
        return this.#emit(node, { op: 'prelu', slope: this.#params.floats(node, 'weight') });
      case 'bias':
        return this.#emit(node, { op: 'affine', ...this.#bias(node) });
      case 'abs':
        return this.#emit(node, { op: 'prelu', slope: new Float32Array(this.#shape(node.output).channels).fill(-1) });
      case 'rank1Scale':
        return this.#rank1Scale(node);
      case 'slice':
        return this.#emit(node, { op: 'slice', from: node.attrs.from });
      case 'padChannels':
        return this.#padChannels(node);
      case 'channelInteraction':
        return this.#channelInteraction(node);
      case 'ternary':
        return this.#ternary(node);
      case 'heaviside':
      case 'sign': {
        // −0 and 0 are one threshold: + 0 makes them one constant.
        const threshold = node.attrs.threshold ? this.#params.floats(node, 'threshold').map((t) => t + 0) : null;
        return this.#emit(node, { op: 'sign', rule: { threshold, flip: null } });
      }
      case 'batchNorm':
        return this.#emit(node, { op: 'affine', ...this.#batchNorm(node) });
      case 'binaryConv':
        return this.#binaryConv(node);
      case 'binaryWeightConv':
        return this.#binaryWeightConv(node);
      case 'conv':
        return this.#conv(node);
      case 'linear':
        return this.#linear(node);
      default: {
        const unknown: { op: string; name: string } = node satisfies never;
        throw new BitpathError('ERR_BITPATH_GRAPH', {
          reason: `node ${unknown.name} has the unknown op ${unknown.op}`,
        });
      }
    }
  }

  #emit(node: AnyNode, work: Work, output = node.output, inputs = node.inputs): void {
    this.#nodes.push({ names: [node.name], inputs, output, work });
  }

  /** Emits `work`, then an affine of its result if there is one. */
  #emitWithAffine(node: AnyNode, work: Work, affine: Affine | null): void {
    if (affine === null) return this.#emit(node, work);
    const raw = this.#value(this.#shape(node.output));
    this.#emit(node, work, raw);
    this.#emit(node, { op: 'affine', ...affine }, node.output, [raw]);
  }

  #batchNorm(node: Node<'batchNorm'>): Affine {
    const weight = this.#params.floats(node, 'weight');
    const bias = this.#params.floats(node, 'bias');
    const mean = this.#params.floats(node, 'running_mean');
    const variance = this.#params.floats(node, 'running_var');
    const scale = this.#scales.get(node.inputs[0] ?? -1);
    const mul = new Float32Array(weight.length);
    const add = new Float32Array(weight.length);
    for (let c = 0; c < weight.length; c++) {
      const spread = (variance[c] ?? 0) + node.attrs.eps;
      if (!(spread > 0)) {
        throw new BitpathError('ERR_BITPATH_PARAM', {
          param: node.params.running_var?.name,
          reason: `element ${c} plus eps is ${spread}, expected a positive number`,
        });
      }
      const w = weight[c] ?? 0;
      mul[c] = ((scale === undefined ? 1 : (scale[c] ?? 0)) * w) / Math.sqrt(spread);
      add[c] = (bias[c] ?? 0) - ((mean[c] ?? 0) * w) / Math.sqrt(spread);
    }
    return { mul, add };
  }

  #binaryConv(node: Node<'binaryConv'>): void {
    const { padValue, kernel, outChannels } = node.attrs;
    const padded = node.attrs.padding.some((size) => size > 0);
    const activations = this.#input(node).type as Activations;
    let bits = this.#params.bits(node);
    if (activations === 'ternary') {
      const { channels } = this.#input(node).shape;
      bits = ternaryBits(bits, { rows: outChannels, taps: kernel[0] * kernel[1], channels });
    }
    const work: Work = {
      op: 'binaryConv',
      activations,
      attrs: node.attrs,
      bits,
      // A 0 of {0, 1} is a bit.
      zeroPad: padded && padValue === 0 && activations !== 'bit01',
      padBit: padded && padValue === 1 ? 1 : 0,
    };
    if (!node.attrs.scale) return this.#emit(node, work);
    const scale = this.#params.floats(node, 'scale');
    if (this.#onlyBatchNormReads(node.output)) {
      this.#scales.set(node.output, scale);
      return this.#emit(node, work);
    }
    this.#emitWithAffine(node, work, { mul: scale, add: new Float32Array(scale.length) });
  }

  /** A ternary value is the bits of two signs, and has as many channels. */
  #ternary(node: Node<'ternary'>): void {
    const { shape } = this.#input(node);
    const planes = ternaryRules(node, this.#params.floats(node, 'threshold')).map((rule) => {
      const plane = this.#value(shape, 'bit');
      this.#emit(node, { op: 'sign', rule }, plane);
      return plane;
    });
    this.#values[node.output] = {
      id: node.output,
      type: 'ternary',
      shape: { ...shape, channels: 2 * shape.channels },
    };
    this.#emit(node, { op: 'concatBits', places: ternaryPlaces(shape.channels) }, node.output, planes);
  }

  #onlyBatchNormReads(value: number): boolean {
    const readers = this.#graph.nodes.filter((node) => node.inputs.includes(value));
    return (
      readers.length === 1 &&
      readers[0]?.op === 'batchNorm' &&
      this.#graph.outputs.every((output) => output.value !== value)
    );
  }

  #binaryWeightConv(node: Node<'binaryWeightConv'>): void {
    const { outChannels, kernel, groups } = node.attrs;
    const taps = (kernel[0] * kernel[1] * this.#input(node).shape.channels) / groups;
    const bits = this.#params.bits(node);
    const rowBytes = Math.ceil(taps / 8);
    const weight = Float32Array.from({ length: outChannels * taps }, (_, i) => {
      const bit = i % taps;
      return ((bits[Math.floor(i / taps) * rowBytes + (bit >> 3)] ?? 0) >> (bit & 7)) & 1 ? 1 : -1;
    });
    const scale = node.attrs.scale ? this.#params.floats(node, 'scale') : null;
    const affine = scale === null ? null : { mul: scale, add: new Float32Array(scale.length) };
    this.#emitWithAffine(node, { op: 'conv', attrs: node.attrs, weight }, affine);
  }

  #rank1Scale(node: Node<'rank1Scale'>): void {
    const { shape } = this.#input(node);
    const [mul, beta, gamma] = ['alpha', 'beta', 'gamma'].map((role) => this.#params.floats(node, role));
    const factors = Float32Array.from(
      { length: shape.height * shape.width },
      (_, i) => (beta?.[Math.floor(i / shape.width)] ?? 0) * (gamma?.[i % shape.width] ?? 0),
    );
    const scaled = this.#value(shape);
    this.#emit(node, { op: 'affine', mul: mul ?? factors, add: new Float32Array(shape.channels) }, scaled);
    this.#emit(node, { op: 'mulPixels', factors }, node.output, [scaled]);
  }

  #padChannels(node: Node<'padChannels'>): void {
    const { before, after } = node.attrs;
    const zeros = (channels: number) => {
      if (channels === 0) return [];
      const value = this.#value({ ...this.#input(node).shape, channels });
      this.#emit(node, { op: 'fill', value: 0 }, value, []);
      return [value];
    };
    const parts = [...zeros(before), ...node.inputs, ...zeros(after)];
    this.#emit(node, { op: 'concat' }, node.output, parts);
  }

  #channelInteraction(node: Node<'channelInteraction'>): void {
    const { channels } = this.#input(node).shape;
    const pairs = this.#params.integers(node, 'pairs');
    for (let i = 0; i < pairs.length; i++) {
      const value = pairs[i] ?? 0;
      const valid = i % 3 === 2 ? value !== 0 : value >= 0 && value < channels;
      if (valid) continue;
      const expected = i % 3 === 2 ? 'a sign, not 0' : `a channel, 0 to ${channels - 1}`;
      throw new BitpathError('ERR_BITPATH_PARAM', {
        param: node.params.pairs?.name,
        reason: `element ${i} is ${value}, expected ${expected}`,
      });
    }
    const { threshold, step } = node.attrs;
    this.#emit(node, { op: 'channelInteraction', pairs, threshold, step });
  }

  #conv(node: Node<'conv'>): void {
    const { outChannels, kernel, groups } = node.attrs;
    const weight = this.#params.floats(node, 'weight');
    const work: Work = {
      op: 'conv',
      attrs: node.attrs,
      weight: tapsFirst(
        weight,
        outChannels,
        this.#shape(node.inputs[0] ?? -1).channels / groups,
        kernel[0] * kernel[1],
      ),
    };
    this.#emitWithAffine(node, work, node.attrs.bias ? this.#bias(node) : null);
  }

  #linear(node: Node<'linear'>): void {
    const attrs = {
      outChannels: node.attrs.outFeatures,
      kernel: [1, 1],
      stride: [1, 1],
      padding: [0, 0, 0, 0],
      dilation: [1, 1],
      groups: 1,
    } as const;
    const work: Work = { op: 'conv', attrs, weight: this.#params.floats(node, 'weight') };
    this.#emitWithAffine(node, work, node.attrs.bias ? this.#bias(node) : null);
  }

  #bias(node: AnyNode): Affine {
    const add = this.#params.floats(node, 'bias');
    return { mul: new Float32Array(add.length).fill(1), add };
  }

  #globalAvgPool(node: Node<'globalAvgPool'>): void {
    const { height, width } = this.#shape(node.inputs[0] ?? -1);
    const attrs = { kernel: [height, width], stride: [1, 1], padding: [0, 0, 0, 0], countIncludePad: true } as const;
    this.#emit(node, { op: 'avgPool', attrs });
  }

  /** A new value's id. */
  #value(shape: Shape, type: Value['type'] = 'float32'): number {
    const id = this.#values.length;
    this.#values.push({ id, type, shape });
    return id;
  }

  /** The first operand, as the graph has it. */
  #input(node: AnyNode): Value {
    return this.#graphValue(node.inputs[0] ?? -1);
  }
  #shape(value: number): Shape {
    return (this.#values[value] ?? this.#graphValue(value)).shape;
  }
  #graphValue(value: number): Value {
    const found = this.#graph.values[value];
    if (found === undefined) throw new BitpathError('ERR_BITPATH_GRAPH', { reason: `there is no value ${value}` });
    return found;
  }
}

/** [O, I, taps] → [O, taps, I]. */
function tapsFirst(weight: Float32Array, outChannels: number, inChannels: number, taps: number): Float32Array {
  const result = new Float32Array(weight.length);
  for (let o = 0; o < outChannels; o++) {
    for (let i = 0; i < inChannels; i++) {
      for (let t = 0; t < taps; t++) {
        result[(o * taps + t) * inChannels + i] = weight[(o * inChannels + i) * taps + t] ?? 0;
      }
    }
  }
  return result;
}
