/** Infer requests and responses ↔ gRPC messages. Tensors travel as raw contents; typed contents are read as well. */
import { create } from '@bufbuild/protobuf';
import { argumentError, checkString, describe } from '../../check.js';
import { BitpathError } from '../../errors.js';
import { bytesToData, dataToBytes } from '../binary.js';
import { arrayOf, checkDatatype, type Datatype, type FixedDatatype } from '../datatype.js';
import {
  checkShape,
  elementCount,
  type InferRequest,
  type InferResponse,
  type InferTensor,
  type Parameters,
  type ParameterValue,
} from '../tensor.js';
import {
  type InferParameter,
  InferParameterSchema,
  type InferTensorContents,
  type ModelInferRequest,
  ModelInferRequestSchema,
  type ModelInferResponse,
  ModelInferResponseSchema,
} from './inference_pb.js';

/** The tensors of both kinds of message. */
interface TensorMessage {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly bigint[];
  readonly parameters: Readonly<Record<string, InferParameter>>;
  readonly contents?: InferTensorContents | undefined;
}

const MAX_TENSORS = 1024;

/**
 * Reads a request. Raw contents stay views of the message's bytes where their place in memory allows.
 *
 * @throws `ERR_BITPATH_ARGUMENT` naming the field, `ERR_BITPATH_UNSUPPORTED` for tensors in shared memory.
 */
export function fromRequestMessage(message: ModelInferRequest): InferRequest {
  const { id, inputs, outputs, rawInputContents } = message;
  return {
    id,
    parameters: fromParameters('parameters', message.parameters),
    inputs: fromTensors('inputs', 'raw_input_contents', inputs, rawInputContents),
    outputs:
      outputs.length === 0
        ? null
        : bounded('outputs', outputs).map(({ name, parameters }, i) => ({
            name: checkString(`outputs[${i}].name`, name),
            parameters: withoutSharedMemory(fromParameters(`outputs[${i}].parameters`, parameters)),
          })),
  };
}

/** Reads a response. Throws `ERR_BITPATH_ARGUMENT`. */
export function fromResponseMessage(message: ModelInferResponse): InferResponse {
  const { modelName, modelVersion, id, outputs, rawOutputContents } = message;
  return {
    model_name: modelName,
    model_version: modelVersion,
    id,
    parameters: fromParameters('parameters', message.parameters),
    outputs: fromTensors('outputs', 'raw_output_contents', outputs, rawOutputContents),
  };
}

export function toRequestMessage(model: string, version: string, request: InferRequest): ModelInferRequest {
  const { id, parameters, inputs, outputs } = request;
  return create(ModelInferRequestSchema, {
    modelName: model,
    modelVersion: version,
    id,
    parameters: toParameters(parameters),
    inputs: inputs.map(toTensor),
    outputs: (outputs ?? []).map(({ name, parameters }) => ({ name, parameters: toParameters(parameters) })),
    rawInputContents: inputs.map(dataToBytes) as Uint8Array<ArrayBuffer>[],
  });
}

export function toResponseMessage(response: InferResponse): ModelInferResponse {
  const { model_name, model_version, id, parameters, outputs } = response;
  return create(ModelInferResponseSchema, {
    modelName: model_name,
    modelVersion: model_version,
    id,
    parameters: toParameters(parameters),
    outputs: outputs.map(toTensor),
    rawOutputContents: outputs.map(dataToBytes) as Uint8Array<ArrayBuffer>[],
  });
}

function fromTensors(
  field: string,
  rawField: string,
  tensors: readonly TensorMessage[],
  raw: readonly Uint8Array[],
): InferTensor[] {
  bounded(field, tensors);
  if (raw.length !== 0 && raw.length !== tensors.length) {
    throw argumentError(rawField, `${tensors.length} contents, one for each of ${field}`, raw);
  }
  return tensors.map((tensor, i) => fromTensor(`${field}[${i}]`, tensor, raw[i], `${rawField}[${i}]`));
}

function fromTensor(
  argument: string,
  message: TensorMessage,
  raw: Uint8Array | undefined,
  rawField: string,
): InferTensor {
  const name = checkString(`${argument}.name`, message.name);
  const datatype = checkDatatype(`${argument}.datatype`, message.datatype);
  const shape = checkShape(`${argument}.shape`, message.shape.map(Number));
  const parameters = withoutSharedMemory(fromParameters(`${argument}.parameters`, message.parameters));
  const { contents } = message;
  if (raw !== undefined && contents !== undefined) {
    throw argumentError(`${argument}.contents`, `nothing beside ${rawField}`, contents);
  }
  const data =
    raw === undefined
      ? fromContents(`${argument}.contents`, datatype, shape, contents)
      : bytesToData(rawField, datatype, shape, raw);
  return { name, datatype, shape, data, parameters } as InferTensor;
}

/** The field of the contents that holds each datatype. */
const CONTENTS: Readonly<Record<Exclude<Datatype, 'FP16' | 'BF16'>, Exclude<keyof InferTensorContents, `$${string}`>>> =
  {
    BOOL: 'boolContents',
    INT8: 'intContents',
    INT16: 'intContents',
    INT32: 'intContents',
    INT64: 'int64Contents',
    UINT8: 'uintContents',
    UINT16: 'uintContents',
    UINT32: 'uintContents',
    UINT64: 'uint64Contents',
    FP32: 'fp32Contents',
    FP64: 'fp64Contents',
    BYTES: 'bytesContents',
  };

function fromContents(
  argument: string,
  datatype: Datatype,
  shape: readonly number[],
  contents: InferTensorContents | undefined,
): InferTensor['data'] {
  if (datatype === 'FP16' || datatype === 'BF16')
    throw argumentError(argument, `raw contents, as typed ones have no field for ${datatype}`, contents);
  const elements = (contents?.[CONTENTS[datatype]] ?? []) as readonly (number | bigint | boolean | Uint8Array)[];
  const count = elementCount(shape);
  const stray = contents === undefined ? 0 : countElements(contents) - elements.length;
  if (elements.length !== count || stray !== 0) {
    throw new BitpathError('ERR_BITPATH_ARGUMENT', {
      argument,
      expected: `${count} elements of ${datatype}`,
      received: `${elements.length}${stray === 0 ? '' : `, and ${stray} of other datatypes`}`,
    });
  }
  if (datatype === 'BYTES') return elements as readonly Uint8Array[];
  return fill(argument, datatype, elements as readonly (number | bigint | boolean)[]);
}

function countElements(contents: InferTensorContents): number {
  return [...new Set(Object.values(CONTENTS))].reduce((sum, field) => sum + contents[field].length, 0);
}

function fill(
  argument: string,
  datatype: FixedDatatype,
  elements: readonly (number | bigint | boolean)[],
): InferTensor['data'] {
  const data = new (arrayOf(datatype))(elements.length) as { [i: number]: number | bigint };
  for (let i = 0; i < elements.length; i++) {
    const element = elements[i] as number | bigint | boolean;
    const value = typeof element === 'boolean' ? Number(element) : element;
    data[i] = value;
    // Narrow integers travel in 32 bits, and may not fit.
    if (!Object.is(data[i], value) && datatype !== 'FP32' && datatype !== 'FP64')
      throw argumentError(`${argument}[${i}]`, `a value of ${datatype}`, value);
  }
  return data as unknown as InferTensor['data'];
}

function toTensor({ name, datatype, shape, parameters }: InferTensor) {
  return { name, datatype, shape: shape.map(BigInt), parameters: toParameters(parameters) };
}

function fromParameters(argument: string, parameters: Readonly<Record<string, InferParameter>>): Parameters {
  const copy: Record<string, ParameterValue> = Object.create(null);
  const entries = Object.entries(parameters);
  if (entries.length > MAX_TENSORS) throw argumentError(argument, `at most ${MAX_TENSORS} parameters`, parameters);
  for (const [name, { parameterChoice }] of entries) {
    const { value } = parameterChoice;
    if (value === undefined) throw argumentError(`${argument}[${describe(name)}]`, 'a value', value);
    copy[name] = typeof value === 'bigint' ? Number(value) : value;
  }
  return copy;
}

function toParameters(parameters: Parameters): Record<string, InferParameter> {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, value]) => [
      name,
      create(InferParameterSchema, { parameterChoice: parameterChoice(value) }),
    ]),
  );
}

function parameterChoice(value: ParameterValue) {
  if (typeof value === 'boolean') return { case: 'boolParam', value } as const;
  if (typeof value === 'string') return { case: 'stringParam', value } as const;
  if (Number.isSafeInteger(value)) return { case: 'int64Param', value: BigInt(value) } as const;
  return { case: 'doubleParam', value } as const;
}

function withoutSharedMemory(parameters: Parameters): Parameters {
  if (parameters['shared_memory_region'] === undefined) return parameters;
  throw new BitpathError('ERR_BITPATH_UNSUPPORTED', { what: 'Tensors in shared memory' });
}

function bounded<T>(argument: string, list: readonly T[]): readonly T[] {
  if (list.length <= MAX_TENSORS) return list;
  throw argumentError(argument, `at most ${MAX_TENSORS} elements`, list);
}
