/** Inference requests and responses ↔ REST bodies. Both ways are here, as a server needs two of them and a client the others. */
import { argumentError, checkString } from '../check.js';
import { BitpathError } from '../errors.js';
import { bytesToData, dataToBytes } from './binary.js';
import { checkDatatype, type Datatype, elementBytes } from './datatype.js';
import { BinaryReader, type Body, joinBody, splitBody } from './framing.js';
import { BASE64, dataToJson, jsonToData } from './jsonData.js';
import {
  checkId,
  checkList,
  checkObject,
  checkParameters,
  checkShape,
  elementCount,
  type InferRequest,
  type InferResponse,
  type InferTensor,
  type Parameters,
  type RequestedOutput,
} from './tensor.js';

/**
 * Reads the body of an infer request. Tensors in binary form are views of it where their place in memory allows.
 *
 * @throws `ERR_BITPATH_ARGUMENT` naming the field, `ERR_BITPATH_UNSUPPORTED` for tensors in shared memory.
 */
export function decodeInferRequest(body: Body): InferRequest {
  const { json, rest } = splitBody(body);
  const { id, parameters, inputs, outputs } = checkObject('the request', json);
  const reader = new BinaryReader(rest);
  const request: InferRequest = {
    id: checkId('id', id),
    parameters: checkParameters('parameters', parameters),
    inputs: checkList('inputs', inputs).map((input, i) => decodeTensor(`inputs[${i}]`, input, reader)),
    outputs: outputs === undefined ? null : checkList('outputs', outputs).map(decodeRequestedOutput),
  };
  reader.end();
  return request;
}

/**
 * A request whose body is nothing but its one input (`Inference-Header-Content-Length: 0`). Outputs come as binary data.
 *
 * @param input What the model says of it. A dimension of −1 is 1 if it is the first (the batch), and follows from the size of
 *   `bytes` otherwise. Of BYTES, `bytes` are the one element.
 * @throws `ERR_BITPATH_ARGUMENT` where `bytes` are not such a tensor.
 */
export function decodeRawRequest(
  bytes: Uint8Array,
  { name, datatype, shape }: { readonly name: string; readonly datatype: Datatype; readonly shape: readonly number[] },
): InferRequest {
  const parameters = checkParameters('parameters', { binary_data_output: true });
  const tensor = (shape: readonly number[], data: unknown) =>
    ({ name, datatype, shape, data, parameters: checkParameters('parameters', undefined) }) as InferTensor;
  const request = (input: InferTensor): InferRequest => ({ id: '', parameters, inputs: [input], outputs: null });
  if (datatype === 'BYTES') return request(tensor([1], [bytes]));

  const batched = shape.map((size, axis) => (axis === 0 && size === -1 ? 1 : size));
  const known = elementCount(batched.filter((size) => size !== -1)) * elementBytes(datatype);
  const variable = bytes.length / known;
  if (batched.filter((size) => size === -1).length > 1 || !Number.isInteger(variable)) {
    throw argumentError('the body', `a multiple of the ${known} bytes of ${datatype} [${shape.join(', ')}]`, bytes);
  }
  const whole = batched.map((size) => (size === -1 ? variable : size));
  return request(tensor(whole, bytesToData('the body', datatype, whole, bytes)));
}

/** The body of an infer request; tensors whose parameters say `binary_data: false` go into the JSON, others behind it. */
export function encodeInferRequest({ id, parameters, inputs, outputs }: InferRequest): Body {
  const tensors: Uint8Array[] = [];
  const json = {
    ...(id !== '' && { id }),
    ...optionalParameters(parameters),
    inputs: inputs.map((input) => encodeTensor(input, input.parameters['binary_data'] !== false, tensors)),
    ...(outputs !== null && {
      outputs: outputs.map(({ name, parameters }) => ({ name, ...optionalParameters(parameters) })),
    }),
  };
  return joinBody(json, tensors);
}

/** The body of a response; `binary` says of each output whether it goes behind the JSON. Throws `ERR_BITPATH_ARGUMENT`. */
export function encodeInferResponse(response: InferResponse, binary: (output: InferTensor) => boolean): Body {
  const { model_name, model_version, id, parameters, outputs } = response;
  const tensors: Uint8Array[] = [];
  const json = {
    model_name,
    model_version,
    ...(id !== '' && { id }),
    ...optionalParameters(parameters),
    outputs: outputs.map((output) => encodeTensor(output, binary(output), tensors)),
  };
  return joinBody(json, tensors);
}

/** Reads the body of a response. Throws `ERR_BITPATH_ARGUMENT`. */
export function decodeInferResponse(body: Body): InferResponse {
  const { json, rest } = splitBody(body);
  const { model_name, model_version, id, parameters, outputs } = checkObject('the response', json);
  const reader = new BinaryReader(rest);
  const response: InferResponse = {
    model_name: checkString('model_name', model_name),
    model_version: checkId('model_version', model_version),
    id: checkId('id', id),
    parameters: checkParameters('parameters', parameters),
    outputs: checkList('outputs', outputs).map((output, i) => decodeTensor(`outputs[${i}]`, output, reader)),
  };
  reader.end();
  return response;
}

function decodeTensor(argument: string, value: unknown, reader: BinaryReader): InferTensor {
  const fields = checkObject(argument, value);
  const name = checkString(`${argument}.name`, fields['name']);
  const datatype = checkDatatype(`${argument}.datatype`, fields['datatype']);
  const shape = checkShape(`${argument}.shape`, fields['shape']);
  const { binary_data_size: size, ...parameters } = checkParameters(`${argument}.parameters`, fields['parameters']);
  if (parameters['shared_memory_region'] !== undefined) {
    throw new BitpathError('ERR_BITPATH_UNSUPPORTED', { what: 'Tensors in shared memory' });
  }
  const field = `${argument}.data`;
  if (size !== undefined && fields['data'] !== undefined) {
    throw argumentError(field, 'nothing beside binary_data_size', fields['data']);
  }
  const data =
    size === undefined
      ? jsonToData(field, datatype, shape, fields['data'], parameters['content_type'] === BASE64)
      : bytesToData(field, datatype, shape, reader.take(`${argument}.parameters.binary_data_size`, size));
  return { name, datatype, shape, data, parameters } as InferTensor;
}

function encodeTensor(tensor: InferTensor, binary: boolean, tensors: Uint8Array[]): object {
  const { name, datatype, shape } = tensor;
  // It says how the tensor is sent, which the receiver sees.
  const { binary_data: _, ...parameters } = tensor.parameters;
  if (!binary) return { name, datatype, shape, ...optionalParameters(parameters), data: dataToJson(tensor) };
  const bytes = dataToBytes(tensor);
  tensors.push(bytes);
  return { name, datatype, shape, parameters: { ...parameters, binary_data_size: bytes.length } };
}

function decodeRequestedOutput(value: unknown, i: number): RequestedOutput {
  const argument = `outputs[${i}]`;
  const { name, parameters } = checkObject(argument, value);
  const checked = checkParameters(`${argument}.parameters`, parameters);
  if (checked['shared_memory_region'] !== undefined) {
    throw new BitpathError('ERR_BITPATH_UNSUPPORTED', { what: 'Tensors in shared memory' });
  }
  return { name: checkString(`${argument}.name`, name), parameters: checked };
}

function optionalParameters(parameters: Parameters): { parameters?: Parameters } {
  return Object.keys(parameters).length === 0 ? {} : { parameters };
}
