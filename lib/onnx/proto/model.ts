/** Bytes ↔ `ModelProto`. */
import { type DescMessage, fromBinary, type MessageShape, toBinary } from '@bufbuild/protobuf';
import { argumentError } from '../../check.js';
import { onnxError } from '../error.js';
import { GraphProtoSchema, type ModelProto, ModelProtoSchema, type TensorProto, TensorProtoSchema } from './onnx_pb.js';
import { scanMessage } from './scan.js';

/** Protobuf's own limit: lengths are int32 in most implementations. */
export const MAX_MODEL_BYTES = 2 ** 31 - 1;

/**
 * Decodes an ONNX model. Large tensors are not copied: `rawData` are views of `bytes`, which must not change.
 *
 * @param file What error messages call it.
 * @throws `ERR_BITPATH_ONNX` for anything but a well-formed `ModelProto` of reasonable structure. That its graph makes sense is
 *   not checked here.
 */
export function readModelProto(bytes: Uint8Array, file = 'ONNX model'): ModelProto {
  if (!(bytes instanceof Uint8Array)) throw argumentError('bytes', 'a Uint8Array', bytes);
  if (bytes.length > MAX_MODEL_BYTES) throw onnxError(file, `its ${bytes.length} bytes are over protobuf’s 2 GiB`);
  return decode(ModelProtoSchema, bytes, file);
}

function decode<S extends DescMessage>(schema: S, bytes: Uint8Array, file: string): MessageShape<S> {
  try {
    scanMessage(schema, bytes);
    return fromBinary(schema, bytes, { readUnknownFields: false });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw onnxError(file, `it is no well-formed protobuf of an ONNX model: ${reason}`, {}, cause);
  }
}

/**
 * Encodes a model. The encoder of the library joins each message into the one around it, which would copy every weight three
 * times; so the initialisers' raw data are laid into the result here, once.
 *
 * @throws `ERR_BITPATH_ONNX` for a model that would be over 2 GiB.
 */
export function writeModelProto(model: ModelProto, file = 'ONNX model'): Uint8Array<ArrayBuffer> {
  const { graph, ...rest } = model;
  const head = toBinary(ModelProtoSchema, rest as ModelProto);
  if (graph === undefined) return new Uint8Array(head);
  const { initializer, ...nodes } = graph;
  // Fields may come in any order, and a repeated field may be spread over a message: the graph ends with its initialisers.
  const parts = [
    toBinary(GraphProtoSchema, { ...nodes, initializer: [] } as typeof graph),
    ...initializer.flatMap(encodeTensor),
  ];
  const graphBytes = parts.reduce((sum, part) => sum + part.length, 0);
  const chunks = [head, lengthPrefix(ModelProtoSchema.field.graph.number, graphBytes), ...parts];
  const total = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  if (total > MAX_MODEL_BYTES) throw onnxError(file, `its ${total} bytes are over protobuf’s 2 GiB`);
  const result = new Uint8Array(total);
  let position = 0;
  for (const chunk of chunks) {
    result.set(chunk, position);
    position += chunk.length;
  }
  return result;
}

/** The graph's field `initializer` with one tensor in it, in pieces. */
function encodeTensor(tensor: TensorProto): Uint8Array[] {
  const { rawData, ...rest } = tensor;
  const hasRaw = Object.hasOwn(tensor, 'rawData');
  const head = toBinary(TensorProtoSchema, rest as TensorProto);
  const raw = hasRaw ? [lengthPrefix(TensorProtoSchema.field.rawData.number, rawData.length), rawData] : [];
  const length = [head, ...raw].reduce((sum, part) => sum + part.length, 0);
  return [lengthPrefix(GraphProtoSchema.field.initializer.number, length), head, ...raw];
}

/** Tag and length of a length-delimited field. */
function lengthPrefix(field: number, length: number): Uint8Array {
  return Uint8Array.from([...varint(field * 8 + 2), ...varint(length)]);
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (; value >= 0x80; value = Math.floor(value / 128)) bytes.push((value % 128) | 0x80);
  return [...bytes, value];
}
