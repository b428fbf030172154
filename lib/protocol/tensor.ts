/** Tensors as the protocol has them: a name, a datatype, a shape, and elements in row-major order. */
import { argumentError, checkInteger, checkString } from '../check.js';
import type { Datatype, DatatypeArrays } from './datatype.js';

/** What a parameter can be. */
export type ParameterValue = string | number | boolean;
export type Parameters = Readonly<Record<string, ParameterValue>>;

/** A tensor with its elements. */
export type InferTensor = {
  [D in Datatype]: {
    readonly name: string;
    readonly datatype: D;
    readonly shape: readonly number[];
    readonly data: DatatypeArrays[D];
    readonly parameters: Parameters;
  };
}[Datatype];

/** An output that a request asks for. */
export interface RequestedOutput {
  readonly name: string;
  /** `binary_data` and `classification` mean something. */
  readonly parameters: Parameters;
}

export interface InferRequest {
  /** Given back in the response; empty where the caller named none. */
  readonly id: string;
  readonly parameters: Parameters;
  readonly inputs: readonly InferTensor[];
  /** Null where the caller named none: then all are meant. */
  readonly outputs: readonly RequestedOutput[] | null;
}

export interface InferResponse {
  readonly model_name: string;
  readonly model_version: string;
  /** Empty where the request had none. */
  readonly id: string;
  readonly parameters: Parameters;
  readonly outputs: readonly InferTensor[];
}

const MAX_RANK = 8;
const MAX_ELEMENTS = 2 ** 31 - 1;
/** Far more than any model has inputs or outputs; each costs memory before it is looked up. */
const MAX_TENSORS = 1024;
const MAX_PARAMETERS = 1024;

/** A copy of `shape` if it is an array of at most 8 integers ≥ 0 whose product stays below 2³¹; throws `ERR_BITPATH_ARGUMENT`. */
export function checkShape(argument: string, shape: unknown): readonly number[] {
  if (!Array.isArray(shape) || shape.length > MAX_RANK) {
    throw argumentError(argument, `an array of at most ${MAX_RANK} integers`, shape);
  }
  const copy = shape.map((size, i) => checkInteger(`${argument}[${i}]`, size, 0, MAX_ELEMENTS));
  if (elementCount(copy) > MAX_ELEMENTS) throw argumentError(argument, `at most ${MAX_ELEMENTS} elements`, copy);
  return copy;
}

/** Product of the dimensions; 1 for a scalar's empty shape. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** `value` if it is a JSON object; throws `ERR_BITPATH_ARGUMENT`. */
export function checkObject(argument: string, value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw argumentError(argument, 'an object', value);
}

/** `value` if it is an array of at most 1024 elements; throws `ERR_BITPATH_ARGUMENT`. */
export function checkList(argument: string, value: unknown): readonly unknown[] {
  if (Array.isArray(value) && value.length <= MAX_TENSORS) return value;
  throw argumentError(argument, `an array of at most ${MAX_TENSORS} elements`, value);
}

/** A copy of `value` if it maps names to strings, numbers and booleans, or is left out; throws `ERR_BITPATH_ARGUMENT`. */
export function checkParameters(argument: string, value: unknown): Parameters {
  // Without a prototype, a parameter called "__proto__" or "constructor" is only a parameter.
  const copy: Record<string, ParameterValue> = Object.create(null);
  if (value === undefined) return copy;
  const entries = Object.entries(checkObject(argument, value));
  if (entries.length > MAX_PARAMETERS) throw argumentError(argument, `at most ${MAX_PARAMETERS} parameters`, value);
  for (const [name, parameter] of entries) {
    const known = typeof parameter === 'string' || typeof parameter === 'number' || typeof parameter === 'boolean';
    if (!known) throw argumentError(`${argument}.${name.slice(0, 60)}`, 'a string, a number or a boolean', parameter);
    copy[name] = parameter;
  }
  return copy;
}

/** `value` if it is a string, '' where it is left out; throws `ERR_BITPATH_ARGUMENT`. */
export function checkId(argument: string, value: unknown): string {
  return value === undefined || value === '' ? '' : checkString(argument, value);
}

/** Whether `output` shall come as binary data; what it says itself wins over what `request` says for all. */
export function wantsBinary(request: Pick<InferRequest, 'parameters'>, output?: RequestedOutput): boolean {
  const own = output?.parameters['binary_data'];
  return (own ?? request.parameters['binary_data_output']) === true;
}
