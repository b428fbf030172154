/** An ONNX graph in the making: nodes, initialisers and tensor names that are each used once. */
import { create } from '@bufbuild/protobuf';
import {
  type AttributeProto,
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  TensorProto_DataType,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from './proto/onnx_pb.js';
import { makeTensor, type WritableArray } from './proto/tensor.js';

/** An integer, a list of integers, or a float. */
export type Attribute = bigint | readonly number[] | number;
/** The batch is a symbol; all other dimensions are numbers. */
export const BATCH = 'N';

export class OnnxGraphBuilder {
  readonly nodes: NodeProto[] = [];
  readonly initializers: TensorProto[] = [];
  readonly valueInfos: ValueInfoProto[] = [];
  readonly #names: Set<string>;
  readonly #nodeNames: Set<string>;
  readonly #constants = new Map<string, string>();

  /** Names that helpers must leave alone: those of nodes, and those of tensors. */
  constructor(nodeNames: readonly string[], tensorNames: readonly string[]) {
    this.#nodeNames = new Set(nodeNames);
    this.#names = new Set(tensorNames);
  }

  /** `name`, or a name like it that no tensor has; it is then taken. */
  tensorName(name: string): string {
    return unused(this.#names, name);
  }

  initializer(name: string, dims: readonly number[], data: WritableArray): string {
    const unique = this.tensorName(name);
    this.initializers.push(makeTensor(unique, dims, data));
    return unique;
  }

  /** A scalar that all nodes share. */
  scalar(name: string, value: number): string {
    let found = this.#constants.get(name);
    if (found === undefined) {
      found = this.initializer(name, [], Float32Array.of(value));
      this.#constants.set(name, found);
    }
    return found;
  }

  /** Adds a node of one output, `output`, and returns that. */
  node(
    op: string,
    name: string,
    inputs: readonly string[],
    output: string,
    attributes: Readonly<Record<string, Attribute>> = {},
  ): string {
    this.nodes.push(
      create(NodeProtoSchema, {
        name,
        opType: op,
        input: [...inputs],
        output: [output],
        attribute: Object.entries(attributes).map(([key, value]) => attribute(key, value)),
      }),
    );
    return output;
  }

  /** Adds a node beside those of our graph: `owner/op`, or a name like it. Its output is `output`, else `owner/op` too. */
  helper(
    op: string,
    owner: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
    output = this.tensorName(`${owner}/${op}`),
  ): string {
    return this.node(op, unused(this.#nodeNames, `${owner}/${op}`), inputs, output, attributes);
  }
}

/** `name`, or one like it that is not in `names`; it is then. */
export function unused(names: Set<string>, name: string): string {
  let unique = name;
  for (let i = 2; names.has(unique); i++) unique = `${name}_${i}`;
  names.add(unique);
  return unique;
}

function attribute(name: string, value: Attribute): AttributeProto {
  if (typeof value === 'bigint') {
    return create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.INT, i: value });
  }
  if (typeof value === 'number') {
    return create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.FLOAT, f: value });
  }
  return create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.INTS, ints: value.map(BigInt) });
}

/** A float32 tensor [N, ...dims]. */
export function valueInfo(name: string, dims: readonly number[]): ValueInfoProto {
  const sizes = dims.map((size) => ({ value: { case: 'dimValue', value: BigInt(size) } }) as const);
  const batch = { value: { case: 'dimParam', value: BATCH } } as const;
  const tensorType = { elemType: TensorProto_DataType.FLOAT, shape: { dim: [batch, ...sizes] } };
  return create(ValueInfoProtoSchema, { name, type: { value: { case: 'tensorType', value: tensorType } } });
}
