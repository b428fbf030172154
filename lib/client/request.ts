/** What a caller gives → the protocol's request, checked here so that a mistake costs no round trip. */
import { argumentError, checkInteger, checkOptions, checkString } from '../check.js';
import { checkDatatype, type Datatype, type InferRequest, type InferTensor } from '../protocol/index.js';
import { checkList, checkParameters, checkShape, elementCount } from '../protocol/tensor.js';
import type { InferOptions, InputTensor, WantedOutput } from './types.js';

export const CALL_OPTIONS = ['signal', 'timeoutMs'] as const;

/** Throws `ERR_BITPATH_ARGUMENT` for what no timer can count to. */
export function checkTimeout(timeoutMs: number | undefined): void {
  if (timeoutMs !== undefined) checkInteger('options.timeoutMs', timeoutMs, 1, 2 ** 31 - 1);
}

/** `binary`: whether tensors travel as bytes both ways, or as JSON. */
export function makeRequest(inputs: readonly InputTensor[], options: InferOptions, binary: boolean): InferRequest {
  checkOptions('options', options, [...CALL_OPTIONS, 'version', 'id', 'outputs', 'parameters']);
  const { id = '', outputs, parameters } = options;
  return {
    id: id === '' ? '' : checkString('options.id', id),
    parameters: { ...checkParameters('options.parameters', parameters), ...(binary && { binary_data_output: true }) },
    inputs: checkList('inputs', inputs).map((input, i) => makeInput(`inputs[${i}]`, input as InputTensor, binary)),
    outputs:
      outputs === undefined
        ? null
        : checkList('options.outputs', outputs).map((output, i) => {
            return makeOutput(`options.outputs[${i}]`, output as string | WantedOutput);
          }),
  };
}

/** By the class of its array, where only one datatype has it. */
const DATATYPES = new Map<unknown, Datatype>([
  [Uint8Array, 'UINT8'],
  [Uint16Array, 'UINT16'],
  [Uint32Array, 'UINT32'],
  [BigUint64Array, 'UINT64'],
  [Int8Array, 'INT8'],
  [Int16Array, 'INT16'],
  [Int32Array, 'INT32'],
  [BigInt64Array, 'INT64'],
  [Float32Array, 'FP32'],
  [Float64Array, 'FP64'],
]);
/** Datatypes whose elements are held by another's arrays. */
const ALIASES: Partial<Record<Datatype, Datatype>> = { BOOL: 'UINT8', FP16: 'UINT16', BF16: 'UINT16' };

const encoder = new TextEncoder();

function makeInput(argument: string, input: InputTensor, binary: boolean): InferTensor {
  if (typeof input !== 'object' || input === null) throw argumentError(argument, 'a tensor', input);
  checkOptions(argument, input, ['name', 'shape', 'data', 'datatype', 'parameters']);
  const name = checkString(`${argument}.name`, input.name);
  const shape = checkShape(`${argument}.shape`, input.shape);
  const own = checkParameters(`${argument}.parameters`, input.parameters);
  const parameters = binary ? own : { ...own, binary_data: false };
  const { data } = input;
  const natural = Array.isArray(data) ? 'BYTES' : classOf(data);
  if (natural === undefined)
    throw argumentError(`${argument}.data`, 'a typed array, or an array of bytes or texts', data);
  const datatype = input.datatype === undefined ? natural : checkDatatype(`${argument}.datatype`, input.datatype);
  if ((ALIASES[datatype] ?? datatype) !== natural) {
    throw argumentError(`${argument}.data`, `elements of ${datatype}`, data);
  }
  const count = elementCount(shape);
  if ((data as ArrayLike<unknown>).length !== count) {
    throw argumentError(`${argument}.data`, `${count} elements for the shape [${shape.join(', ')}]`, data);
  }
  const elements = Array.isArray(data) ? data.map((one, i) => bytesOf(`${argument}.data[${i}]`, one)) : data;
  return { name, datatype, shape, data: elements, parameters } as InferTensor;
}

/** Also of subclasses, as Node's Buffer is one. */
function classOf(data: unknown): Datatype | undefined {
  for (const [Class, datatype] of DATATYPES) {
    if (data instanceof (Class as typeof Uint8Array)) return datatype;
  }
  return undefined;
}

function bytesOf(argument: string, element: unknown): Uint8Array {
  if (typeof element === 'string') return encoder.encode(element);
  if (element instanceof Uint8Array) return element;
  throw argumentError(argument, 'a Uint8Array or a string', element);
}

function makeOutput(argument: string, output: string | WantedOutput) {
  if (typeof output === 'string') return { name: checkString(argument, output), parameters: {} };
  checkOptions(argument, output, ['name', 'classification', 'parameters']);
  const { classification } = output;
  const wish = classification !== undefined && {
    classification: checkInteger(`${argument}.classification`, classification, 1, 2 ** 31 - 1),
  };
  const parameters = { ...checkParameters(`${argument}.parameters`, output.parameters), ...wish };
  return { name: checkString(`${argument}.name`, output.name), parameters };
}
