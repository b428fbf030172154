/** ONNX models by hand: what exporters write, and what they never would. */
import { create } from '@bufbuild/protobuf';
import { writeModelProto } from '#lib/onnx/proto/model.js';
import {
  AttributeProto_AttributeType as AttributeType,
  AttributeProtoSchema,
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  NodeProtoSchema,
  TensorProto_DataType as DataType,
  type TensorProto,
  ValueInfoProtoSchema,
} from '#lib/onnx/proto/onnx_pb.js';
import { makeTensor } from '#lib/onnx/proto/tensor.js';

/** Integers are ints, other numbers floats; `{ float: 1 }` is a float that is whole. */
export type Attribute = number | readonly number[] | string | { readonly float: number } | TensorProto;

export interface MadeNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly name?: string;
  readonly domain?: string;
}

export interface Made {
  readonly opset?: number;
  /** Text is an open dimension. */
  readonly input?: readonly (number | string)[];
  readonly nodes: readonly MadeNode[];
  readonly constants?: Readonly<Record<string, TensorProto>>;
  readonly outputs?: readonly string[];
}

export function floats(dims: readonly number[], data: Iterable<number>): TensorProto {
  return makeTensor('', dims, Float32Array.from(data));
}
export function ints(...data: number[]): TensorProto {
  return makeTensor('', [data.length], BigInt64Array.from(data, BigInt));
}
/** An index: int64 without dimensions. */
export function index(value: number): TensorProto {
  return makeTensor('', [], BigInt64Array.of(BigInt(value)));
}
export function scalar(value: number): TensorProto {
  return floats([], [value]);
}

/** `op(inputs) → output`, named after the output. */
export function node(
  op: string,
  inputs: string,
  output: string,
  attributes: Readonly<Record<string, Attribute>> = {},
): MadeNode {
  return { op, inputs: inputs.split(' '), outputs: [output], attributes, name: output };
}

function attribute(name: string, value: Attribute) {
  const { INT, INTS, FLOAT, STRING, TENSOR } = AttributeType;
  if (typeof value === 'number') {
    return Number.isInteger(value) ? { name, type: INT, i: BigInt(value) } : { name, type: FLOAT, f: value };
  }
  if (typeof value === 'string') return { name, type: STRING, s: Buffer.from(value) };
  if (Array.isArray(value)) return { name, type: INTS, ints: value.map(BigInt) };
  if ('float' in value) return { name, type: FLOAT, f: value.float };
  return { name, type: TENSOR, t: value as TensorProto };
}

export function makeProto({
  opset = 17,
  input = ['N', 3, 5, 4],
  nodes,
  constants = {},
  outputs = ['y'],
}: Made): ModelProto {
  const value = (name: string, dims: readonly (number | string)[] | undefined) =>
    create(ValueInfoProtoSchema, {
      name,
      type: {
        value: {
          case: 'tensorType',
          value: {
            elemType: DataType.FLOAT,
            ...(dims === undefined
              ? {}
              : {
                  shape: {
                    dim: dims.map((size) => ({
                      value:
                        typeof size === 'number'
                          ? { case: 'dimValue' as const, value: BigInt(size) }
                          : { case: 'dimParam' as const, value: size },
                    })),
                  },
                }),
          },
        },
      },
    });
  return create(ModelProtoSchema, {
    irVersion: 8n,
    opsetImport: [
      { domain: '', version: BigInt(opset) },
      { domain: 'qonnx.custom_op.general', version: 1n },
    ],
    graph: create(GraphProtoSchema, {
      name: 'made',
      node: nodes.map(({ op, inputs, outputs: results, attributes = {}, name = '', domain = '' }) =>
        create(NodeProtoSchema, {
          opType: op,
          input: [...inputs].map((text) => (text === '-' ? '' : text)),
          output: [...results],
          name,
          domain,
          attribute: Object.entries(attributes).map(([key, given]) =>
            create(AttributeProtoSchema, attribute(key, given)),
          ),
        }),
      ),
      input: [value('x', input)],
      output: outputs.map((name) => value(name, undefined)),
      initializer: Object.entries(constants).map(([name, tensor]) => ({ ...tensor, name })),
    }),
  });
}

export function makeOnnx(made: Made): Uint8Array<ArrayBuffer> {
  return writeModelProto(makeProto(made));
}

/** ±1, a pattern that repeats late. */
export function signs(count: number, scale = 1): number[] {
  return Array.from({ length: count }, (_, i) => (((i * 2654435761) >>> 7) % 2 === 0 ? scale : -scale));
}
/** Numbers in [−2, 2), some of them exactly at 0, −0 and ±0.5. */
export function input(count: number): Float32Array {
  const special = [0, -0, 0.5, -0.5];
  return Float32Array.from({ length: count }, (_, i) => {
    return i % 11 === 0 ? (special[(i / 11) % 4] as number) : ((((i + 1) * 2654435761) >>> 8) / 2 ** 24) * 4 - 2;
  });
}
