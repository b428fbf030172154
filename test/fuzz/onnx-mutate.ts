/** Mutations of ONNX models: of their bytes, and of nodes, attributes, tensors and dimensions where the bytes can be decoded. */
import { clone, create, fromBinary, toBinary } from '@bufbuild/protobuf';
import type { Random } from '#lib/graph/random.js';
import {
  type AttributeProto,
  AttributeProtoSchema,
  type GraphProto,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  TensorProtoSchema,
} from '#lib/onnx/proto/onnx_pb.js';

const OPS = (
  'Abs Add And AveragePool BatchNormalization Cast Ceil Clip Concat Constant ConstantOfShape Conv Div Dropout Equal Exp Expand ' +
  'Flatten Floor Gather Gemm GlobalAveragePool GlobalMaxPool Greater GreaterOrEqual HardSigmoid HardSwish Identity If LeakyRelu Less LessOrEqual Log ' +
  'LogSoftmax MatMul Max MaxPool Mean Min Mul Neg Not Or PRelu Pad Pow Range Reciprocal ReduceL2 ReduceMax ReduceMean ReduceProd ReduceSum Relu ' +
  'Reshape Round Shape Sigmoid Sign Size Slice Softmax Split Sqrt Squeeze Sub Sum Tanh Transpose Unsqueeze Where'
).split(' ');
const ATTRIBUTES = (
  'allowzero alpha auto_pad axes axis beta ceil_mode count_include_pad dilations end ends epsilon group keepdims kernel_shape max min ' +
  'mode pads perm start starts steps strides to transB value'
).split(' ');
const INTEGERS = [0n, 1n, 2n, 3n, 4n, 5n, 7n, 8n, 64n, 255n, 65536n, 2n ** 31n, 2n ** 62n, -1n, -2n, -3n, -(2n ** 63n)];
const FLOATS = [0, -0, 1, -1, 0.5, 2, 1e-5, 1e-45, 3.4e38, Number.NaN, Infinity, -Infinity];
const BYTES = [0, 1, 2, 7, 8, 10, 18, 0x7f, 0x80, 0xff];

export function mutate(random: Random, parent: Uint8Array, other: Uint8Array): Uint8Array {
  const times = random.integer(1, 4);
  if (random.integer(0, 3) === 0) {
    let bytes = parent;
    for (let i = 0; i < times; i++) bytes = mutateBytes(random, bytes, other);
    return bytes;
  }
  const model = decode(parent);
  if (model?.graph === undefined) return mutateBytes(random, parent, other);
  const donor = decode(other)?.graph ?? model.graph;
  for (let i = 0; i < times; i++) mutateModel(random, model, model.graph, donor);
  try {
    return toBinary(ModelProtoSchema, model);
  } catch {
    return mutateBytes(random, parent, other);
  }
}

function decode(bytes: Uint8Array): ModelProto | undefined {
  try {
    return fromBinary(ModelProtoSchema, bytes);
  } catch {
    return undefined;
  }
}

function pick<T>(random: Random, list: readonly T[]): T {
  return list[random.integer(0, list.length - 1)] as T;
}

function mutateBytes(random: Random, bytes: Uint8Array, other: Uint8Array): Uint8Array {
  const at = random.integer(0, bytes.length);
  const length = random.integer(0, Math.min(16, bytes.length - at));
  const from = random.integer(0, other.length);
  const part = other.subarray(from, from + random.integer(0, 64));
  switch (random.integer(0, 4)) {
    case 0:
      return join(bytes.subarray(0, at), bytes.subarray(at + length));
    case 1:
      return join(bytes.subarray(0, at), part, bytes.subarray(at));
    case 2:
      return join(bytes.subarray(0, at), part, bytes.subarray(at + part.length));
    case 3:
      return bytes.slice(0, at);
    default: {
      const copy = bytes.slice();
      if (at < copy.length) copy[at] = random.integer(0, 1) === 0 ? pick(random, BYTES) : random.integer(0, 255);
      return copy;
    }
  }
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

/** All names of values, so that a changed input is most often one that is there. */
function names(graph: GraphProto): string[] {
  const all = graph.node.flatMap((node) => node.output);
  return [...all, ...graph.initializer.map(({ name }) => name), ...graph.input.map(({ name }) => name), ''];
}

function mutateModel(random: Random, model: ModelProto, graph: GraphProto, donor: GraphProto): void {
  const choice = random.integer(0, 11);
  if (choice === 0) {
    const [opset] = model.opsetImport;
    if (opset !== undefined) opset.version = BigInt(random.integer(8, 29));
  } else if (choice === 1) {
    mutateDims(random, graph);
  } else if (choice === 2) {
    const value = pick(random, names(graph));
    if (graph.output.length > 0) pick(random, graph.output).name = value;
  } else if (choice <= 4 && graph.initializer.length > 0) {
    mutateTensor(random, pick(random, graph.initializer));
  } else if (choice === 5 && donor.initializer.length > 0) {
    const tensor = clone(TensorProtoSchema, pick(random, donor.initializer));
    tensor.name = pick(random, names(graph)) || 'w';
    graph.initializer.push(tensor);
  } else if (graph.node.length > 0) {
    mutateNode(random, graph, donor);
  }
}

function mutateDims(random: Random, graph: GraphProto): void {
  const [input] = graph.input;
  const tensor = input?.type?.value.case === 'tensorType' ? input.type.value.value : undefined;
  const dims = tensor?.shape?.dim ?? [];
  const value = random.integer(0, 3) === 0 ? pick(random, INTEGERS) : BigInt(random.integer(1, 12));
  if (dims.length > 0) pick(random, dims).value = { case: 'dimValue', value };
  if (random.integer(0, 7) === 0) dims.splice(random.integer(0, dims.length), 1);
}

function mutateTensor(random: Random, tensor: TensorProto): void {
  const size = tensor.rawData.length;
  switch (random.integer(0, 4)) {
    case 0:
      tensor.dataType = random.integer(0, 24);
      break;
    case 1: {
      const at = random.integer(0, tensor.dims.length);
      tensor.dims.splice(
        at,
        random.integer(0, 1),
        random.integer(0, 2) === 0 ? pick(random, INTEGERS) : BigInt(random.integer(1, 6)),
      );
      break;
    }
    case 2:
      tensor.rawData = tensor.rawData.slice(0, random.integer(0, size));
      break;
    case 3: {
      if (size < 4) break;
      const copy = new Uint8Array(tensor.rawData);
      new DataView(copy.buffer).setFloat32(4 * random.integer(0, Math.floor(size / 4) - 1), pick(random, FLOATS), true);
      tensor.rawData = copy;
      break;
    }
    default: {
      // A shape whose data fit, so that what is behind the length check is reached too.
      const count = random.integer(0, 12);
      tensor.dims = random.integer(0, 1) === 0 ? [BigInt(count)] : [1n, BigInt(count), 1n, 1n];
      tensor.rawData = new Uint8Array(Float32Array.from({ length: count }, () => pick(random, FLOATS)).buffer);
      tensor.dataType = 1;
    }
  }
}

function mutateNode(random: Random, graph: GraphProto, donor: GraphProto): void {
  const at = random.integer(0, graph.node.length - 1);
  const node = graph.node[at] as NodeProto;
  switch (random.integer(0, 7)) {
    case 0:
      graph.node.splice(at, 1);
      break;
    case 1:
      node.opType = pick(random, OPS);
      break;
    case 2:
      node.input.splice(random.integer(0, node.input.length), random.integer(0, 1), pick(random, names(graph)));
      break;
    case 3:
      if (node.output.length > 0) node.output[0] = pick(random, [...names(graph), 'fresh']);
      break;
    case 4: {
      // A node in between: what read x reads op(x).
      const value = pick(random, names(graph));
      const name = `v${random.integer(0, 999)}`;
      for (const each of graph.node) each.input = each.input.map((input) => (input === value ? name : input));
      const like = donor.node.length > 0 && random.integer(0, 1) === 0 ? pick(random, donor.node) : node;
      const opType = random.integer(0, 1) === 0 ? pick(random, OPS) : like.opType;
      const made = clone(NodeProtoSchema, like);
      Object.assign(made, { name, opType, input: [value, ...like.input.slice(1)], output: [name] });
      graph.node.splice(at, 0, made);
      break;
    }
    case 5:
      node.attribute.splice(random.integer(0, node.attribute.length), 1);
      break;
    default:
      mutateAttribute(random, node);
  }
}

function mutateAttribute(random: Random, node: NodeProto): void {
  if (node.attribute.length === 0 || random.integer(0, 2) === 0) {
    node.attribute.push(create(AttributeProtoSchema, { name: pick(random, ATTRIBUTES) }));
  }
  const attribute: AttributeProto = pick(random, node.attribute);
  const integer = () => (random.integer(0, 1) === 0 ? pick(random, INTEGERS) : BigInt(random.integer(0, 4)));
  switch (random.integer(0, 4)) {
    case 0:
      attribute.i = integer();
      break;
    case 1:
      attribute.f = pick(random, FLOATS);
      break;
    case 2:
      attribute.ints.splice(random.integer(0, attribute.ints.length), random.integer(0, 1), integer());
      break;
    case 3:
      attribute.ints = Array.from({ length: random.integer(0, 4) }, integer);
      break;
    default:
      attribute.s = Buffer.from(
        pick(random, ['SAME_UPPER', 'SAME_LOWER', 'VALID', 'NOTSET', 'constant', 'reflect', '']),
      );
  }
}
