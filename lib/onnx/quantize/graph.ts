/** Who reads and who makes a tensor of an ONNX graph, and what its initialisers hold. */
import { onnxError } from '../error.js';
import type { AttributeProto, GraphProto, ModelProto, NodeProto } from '../proto/onnx_pb.js';
import { readTensor } from '../proto/tensor.js';

/** A float32 initialiser. */
export interface FloatTensor {
  readonly dims: readonly number[];
  readonly data: Float32Array;
}

export class GraphView {
  readonly graph: GraphProto;
  readonly file: string;
  readonly #readers = new Map<string, NodeProto[]>();
  readonly #makers = new Map<string, NodeProto>();
  readonly #outputs: ReadonlySet<string>;

  constructor(graph: GraphProto, file: string) {
    this.graph = graph;
    this.file = file;
    this.#outputs = new Set(graph.output.map(({ name }) => name));
    for (const node of graph.node) {
      for (const name of node.input) this.#readers.set(name, [...(this.#readers.get(name) ?? []), node]);
      for (const name of node.output) this.#makers.set(name, node);
    }
  }

  maker(tensor: string): NodeProto | undefined {
    return this.#makers.get(tensor);
  }

  isOutput(tensor: string): boolean {
    return this.#outputs.has(tensor);
  }

  /** The one node that sees `tensor`; undefined where there are several, none, or the caller of the graph sees it too. */
  onlyReader(tensor: string): NodeProto | undefined {
    const readers = this.#readers.get(tensor) ?? [];
    return readers.length === 1 && !this.isOutput(tensor) ? readers[0] : undefined;
  }

  /** The float32 initialiser called `name`, or undefined. */
  floats(name: string): FloatTensor | undefined {
    const tensor = this.graph.initializer.find((initializer) => initializer.name === name);
    if (tensor === undefined) return undefined;
    const { data, dims } = readTensor(tensor, this.file);
    return data instanceof Float32Array ? { data, dims } : undefined;
  }
}

export function graphOf(model: ModelProto, file: string): GraphProto {
  if (model.graph === undefined) throw onnxError(file, 'it has no graph');
  return model.graph;
}

export function attributeOf(node: NodeProto, name: string): AttributeProto | undefined {
  return node.attribute.find((attribute) => attribute.name === name);
}
