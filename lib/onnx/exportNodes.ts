/**
 * Our ops in ONNX's. A node of ours becomes one ONNX node of the same name, whose output is called the same, and where it must
 * helpers before it, called `name/…`.
 */
import { ParamReader } from '../compiler/params.js';
import type { AnyNode, Graph, Node, Shape, Value } from '../graph/types.js';
import type { Params } from '../tensor.js';
import { nextDown } from './float32.js';
import { type Attribute, OnnxGraphBuilder, unused, valueInfo } from './exportBuilder.js';
import { unpackBits } from './bits.js';

/** First opsets of what older ones lack. */
const PAD_BY_INPUT = 11;
const CLIP_BY_INPUT = 11;
const GEMM_WITHOUT_BIAS = 11;
const GREATER_OR_EQUAL = 12;

export class NodeExporter {
  readonly onnx: OnnxGraphBuilder;
  readonly #graph: Graph;
  readonly #params: ParamReader;
  readonly #opset: number;
  /** ONNX tensors by value: [N, C, H, W], and [N, C] where there is one. */
  readonly #maps = new Map<number, string>();
  readonly #rows = new Map<number, string>();
  /** What the values' tensors are called: as the output that they are, else as the node that makes them. */
  readonly #names = new Map<number, string>();

  constructor(graph: Graph, params: Params, opset: number) {
    this.#graph = graph;
    this.#params = new ParamReader(params);
    this.#opset = opset;
    const taken = new Set(graph.outputs.map(({ name }) => name));
    for (const node of graph.nodes) {
      const { height, width } = this.shape(node.output);
      // An output that is a 1×1 map is a row, as run() returns it; so its map, if it has one, is called otherwise.
      const canBeOutput = node.op !== 'input' && (node.op === 'linear' || height * width > 1);
      const output = canBeOutput ? graph.outputs.find(({ value }) => value === node.output)?.name : undefined;
      this.#names.set(node.output, output ?? unused(taken, node.name));
    }
    const nodeNames = graph.nodes.map(({ name }) => name);
    this.onnx = new OnnxGraphBuilder(nodeNames, [...taken]);
  }

  /** The tensor [N, C, H, W] of a value. */
  map(id: number): string {
    const found = this.#maps.get(id);
    if (found !== undefined) return found;
    // A linear layer's row, read by something that takes maps.
    const row = this.#rows.get(id) as string;
    const { channels } = this.shape(id);
    const dims = this.onnx.initializer(`${row}/shape`, [4], BigInt64Array.of(0n, BigInt(channels), 1n, 1n));
    const map = this.onnx.helper('Reshape', row, [row, dims]);
    this.#maps.set(id, map);
    return map;
  }

  /** The tensor [N, C] of a 1×1 map. */
  row(id: number): string {
    const found = this.#rows.get(id);
    if (found !== undefined) return found;
    const map = this.map(id);
    const row = this.onnx.helper('Flatten', map, [map], { axis: 1n });
    this.#rows.set(id, row);
    return row;
  }

  shape(id: number): Shape {
    return (this.#graph.values[id] as Value).shape;
  }

  /** Adds `node`; those whose values it reads have been added. */
  add(node: AnyNode): void {
    const [x = -1] = node.inputs;
    switch (node.op) {
      case 'input':
        this.#maps.set(node.output, this.#names.get(node.output) as string);
        return;
      case 'sign':
        return this.#sign(node, this.map(x));
      case 'binaryConv':
        return this.#binaryConv(node, this.map(x));
      case 'conv': {
        const inputs = [this.map(x), this.#floats(node, 'weight')];
        if (node.attrs.bias) inputs.push(this.#floats(node, 'bias'));
        return this.#emit(node, 'Conv', inputs, convAttributes(node.attrs));
      }
      case 'linear':
        return this.#linear(node, this.row(x));
      case 'batchNorm': {
        const roles = ['weight', 'bias', 'running_mean', 'running_var'];
        const inputs = [this.map(x), ...roles.map((role) => this.#floats(node, role))];
        return this.#emit(node, 'BatchNormalization', inputs, { epsilon: node.attrs.eps });
      }
      case 'add':
        return this.#emit(node, 'Add', this.#inputs(node));
      case 'concat':
        return this.#emit(node, 'Concat', this.#inputs(node), { axis: 1n });
      case 'scale': {
        const factor = this.onnx.initializer(`${node.name}.factor`, [], Float32Array.of(node.attrs.factor));
        return this.#emit(node, 'Mul', [this.map(x), factor]);
      }
      case 'relu':
        return this.#emit(node, 'Relu', [this.map(x)]);
      case 'hardtanh': {
        const { min, max } = node.attrs;
        if (this.#opset < CLIP_BY_INPUT) return this.#emit(node, 'Clip', [this.map(x)], { min, max });
        const bound = (name: string, value: number) =>
          this.onnx.initializer(`${node.name}.${name}`, [], Float32Array.of(value));
        return this.#emit(node, 'Clip', [this.map(x), bound('min', min), bound('max', max)]);
      }
      case 'prelu':
        return this.#emit(node, 'PRelu', [this.map(x), this.#channels(node, 'weight')]);
      case 'maxPool':
        return this.#emit(node, 'MaxPool', [this.map(x)], windowAttributes(node.attrs));
      case 'avgPool': {
        const countsPad = node.attrs.countIncludePad ? 1n : 0n;
        const attributes = { ...windowAttributes(node.attrs), count_include_pad: countsPad };
        return this.#emit(node, 'AveragePool', [this.map(x)], attributes);
      }
      case 'globalAvgPool':
        return this.#emit(node, 'GlobalAveragePool', [this.map(x)]);
      default:
        throw new RangeError(`${node.op} has no ONNX spelling yet`);
    }
  }

  /**
   * Where(x ≥ threshold, 1, −1), which is exact: NaN compares false, −0 ≥ 0. ONNX's own Sign has 0 ↦ 0. Below opset 12 there is
   * no GreaterOrEqual, and Not(Less) would make a NaN +1: there it is x > the float below the threshold, which is the same.
   */
  #sign(node: Node<'sign'>, x: string): void {
    const { name } = node;
    const exact = this.#opset >= GREATER_OR_EQUAL;
    const op = exact ? 'GreaterOrEqual' : 'Greater';
    let threshold: string;
    if (node.attrs.threshold) {
      const values = this.#params.floats(node, 'threshold');
      const bounds = exact ? values : values.map(nextDown);
      threshold = this.onnx.initializer(paramName(node, 'threshold'), [values.length, 1, 1], bounds);
    } else threshold = exact ? this.onnx.scalar('zero', 0) : this.onnx.scalar('below_zero', nextDown(0));
    const isPlus = this.onnx.helper(op, name, [x, threshold]);
    this.#emit(node, 'Where', [isPlus, this.onnx.scalar('one', 1), this.onnx.scalar('minus_one', -1)]);
  }

  /** Gemm, whose third input could not be left out below opset 11: there it is MatMul by the transposed weights. */
  #linear(node: Node<'linear'>, row: string): void {
    if (node.attrs.bias || this.#opset >= GEMM_WITHOUT_BIAS) {
      const inputs = [row, this.#floats(node, 'weight')];
      if (node.attrs.bias) inputs.push(this.#floats(node, 'bias'));
      return this.#emit(node, 'Gemm', inputs, { transB: 1n });
    }
    const weight = this.#params.floats(node, 'weight');
    const { outFeatures } = node.attrs;
    const inFeatures = weight.length / outFeatures;
    const transposed = Float32Array.from(weight, (_, i) => {
      return weight[(i % outFeatures) * inFeatures + Math.floor(i / outFeatures)] as number;
    });
    const name = this.onnx.initializer(paramName(node, 'weight'), [inFeatures, outFeatures], transposed);
    this.#emit(node, 'MatMul', [row, name]);
  }

  /** Conv of ±1 by ±1; borders other than 0 by a Pad before it, the scale by a Mul after it. */
  #binaryConv(node: Node<'binaryConv'>, x: string): void {
    const { name, attrs } = node;
    const spec = node.params['bits']?.shape ?? [];
    const [outputs = 0, height = 0, width = 0, inputs = 0] = spec;
    const weight = this.onnx.initializer(
      `${name}.weight`,
      [outputs, inputs, height, width],
      unpackBits(this.#params.bits(node), { outputs, inputs, height, width }),
    );
    const isPadded = attrs.padValue !== 0 && attrs.padding.some((size) => size > 0);
    const input = isPadded ? this.#pad(name, x, attrs.padding, attrs.padValue) : x;
    const attributes = convAttributes(isPadded ? { ...attrs, padding: [0, 0, 0, 0] } : attrs);
    if (!attrs.scale) return this.#emit(node, 'Conv', [input, weight], attributes);
    const dot = this.onnx.helper('Conv', name, [input, weight], attributes);
    this.#emit(node, 'Mul', [dot, this.#channels(node, 'scale')]);
  }

  #pad(name: string, x: string, [top, left, bottom, right]: readonly number[], value: 1 | -1): string {
    const pads = [0, 0, top ?? 0, left ?? 0, 0, 0, bottom ?? 0, right ?? 0];
    if (this.#opset < PAD_BY_INPUT) return this.onnx.helper('Pad', name, [x], { pads, value });
    const sizes = this.onnx.initializer(`${name}/pads`, [8], BigInt64Array.from(pads, BigInt));
    const constant = this.onnx.scalar(value === 1 ? 'one' : 'minus_one', value);
    return this.onnx.helper('Pad', name, [x, sizes, constant]);
  }

  #inputs(node: AnyNode): string[] {
    return node.inputs.map((id) => this.map(id));
  }

  /** The ONNX node that computes `node`'s value. */
  #emit(
    node: AnyNode,
    op: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
  ): void {
    const isRow = node.op === 'linear';
    const { channels, height, width } = this.shape(node.output);
    const name = this.#names.get(node.output) as string;
    this.onnx.node(op, node.name, inputs, name, attributes);
    (isRow ? this.#rows : this.#maps).set(node.output, name);
    if (this.#graph.outputs.every((output) => output.name !== name)) {
      this.onnx.valueInfos.push(valueInfo(name, isRow ? [channels] : [channels, height, width]));
    }
  }

  /** Makes each graph output a tensor of its name, and returns them with their shapes. */
  outputs(): { readonly name: string; readonly dims: readonly number[] }[] {
    return this.#graph.outputs.map(({ name, value }) => {
      const { channels, height, width } = this.shape(value);
      const isRow = height * width === 1;
      const dims = isRow ? [channels] : [channels, height, width];
      const source = (isRow ? this.#rows : this.#maps).get(value);
      if (source === name) return { name, dims };
      if (source !== undefined) this.onnx.helper('Identity', name, [source], {}, name);
      else this.#rows.set(value, this.onnx.helper('Flatten', name, [this.map(value)], { axis: 1n }, name));
      return { name, dims };
    });
  }

  /** Names of the tensors that hold the graph's values. */
  tensors(): ReadonlyMap<number, string> {
    return new Map([...this.#rows, ...this.#maps]);
  }

  #floats(node: AnyNode, role: string): string {
    const data = this.#params.floats(node, role);
    return this.onnx.initializer(paramName(node, role), node.params[role]?.shape ?? [data.length], data);
  }

  /** A vector over channels in the shape that broadcasts over a map. */
  #channels(node: AnyNode, role: string): string {
    const data = this.#params.floats(node, role);
    return this.onnx.initializer(paramName(node, role), [data.length, 1, 1], data);
  }
}

function paramName(node: AnyNode, role: string): string {
  return node.params[role]?.name ?? `${node.name}.${role}`;
}

type WindowAttributes = Pick<Node<'maxPool'>['attrs'], 'kernel' | 'stride' | 'padding'>;
function windowAttributes({ kernel, stride, padding }: WindowAttributes): Record<string, Attribute> {
  return { kernel_shape: kernel, strides: stride, pads: padding };
}
function convAttributes(attrs: Node<'conv'>['attrs'] | Node<'binaryConv'>['attrs']): Record<string, Attribute> {
  return { ...windowAttributes(attrs), dilations: attrs.dilation, group: BigInt(attrs.groups) };
}
