/** What the spellings of our ops share: the ONNX graph in the making, and which of its tensors holds which of our values. */
import { ParamReader } from '../compiler/params.js';
import type { AnyNode, Graph, Shape, Value } from '../graph/types.js';
import type { Params } from '../tensor.js';
import { type Attribute, OnnxGraphBuilder, unused, valueInfo } from './exportBuilder.js';

export class ExportContext {
  readonly onnx: OnnxGraphBuilder;
  readonly graph: Graph;
  readonly params: ParamReader;
  readonly opset: number;
  /** ONNX tensors by value: [N, C, H, W], and [N, C] where there is one. */
  readonly #maps = new Map<number, string>();
  readonly #rows = new Map<number, string>();
  /** What the values' tensors are called: as the output that they are, else as the node that makes them. */
  readonly #names = new Map<number, string>();

  constructor(graph: Graph, params: Params, opset: number) {
    this.graph = graph;
    this.params = new ParamReader(params);
    this.opset = opset;
    const taken = new Set(graph.outputs.map(({ name }) => name));
    for (const node of graph.nodes) {
      const { height, width } = this.shape(node.output);
      // An output that is a 1×1 map is a row, as run() returns it; so its map, if it has one, is called otherwise.
      const canBeOutput = node.op !== 'input' && (node.op === 'linear' || height * width > 1);
      const output = canBeOutput ? graph.outputs.find(({ value }) => value === node.output)?.name : undefined;
      const name = output ?? unused(taken, node.name);
      this.#names.set(node.output, name);
      if (node.op === 'input') this.#maps.set(node.output, name);
    }
    const nodeNames = graph.nodes.map(({ name }) => name);
    this.onnx = new OnnxGraphBuilder(nodeNames, [...taken]);
  }

  /** The tensor [N, C, H, W] of a value whose node has been added. */
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

  /** The maps that `node` reads, in order. */
  inputs(node: AnyNode): string[] {
    return node.inputs.map((id) => this.map(id));
  }

  shape(id: number): Shape {
    return (this.graph.values[id] as Value).shape;
  }

  /** Adds the ONNX node that computes `node`'s value. */
  emit(
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
    if (this.graph.outputs.every((output) => output.name !== name)) {
      this.onnx.valueInfos.push(valueInfo(name, isRow ? [channels] : [channels, height, width]));
    }
  }

  /** Makes each graph output a tensor of its name, and returns them with their shapes. */
  outputs(): { readonly name: string; readonly dims: readonly number[] }[] {
    return this.graph.outputs.map(({ name, value }) => {
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

  /** The parameter `role` in its own shape, or in `dims`: [C, 1, 1] broadcasts over a map. */
  floats(node: AnyNode, role: string, dims?: readonly number[]): string {
    const data = this.params.floats(node, role);
    return this.onnx.initializer(paramName(node, role), dims ?? node.params[role]?.shape ?? [data.length], data);
  }
  channels(node: AnyNode, role: string): string {
    return this.floats(node, role, [this.params.floats(node, role).length, 1, 1]);
  }
}

export function paramName(node: AnyNode, role: string): string {
  return node.params[role]?.name ?? `${node.name}.${role}`;
}
