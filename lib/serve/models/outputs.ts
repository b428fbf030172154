/** What an executor computed → the outputs that a request asks for. */
import { argumentError, checkInteger, unknownName } from '../../check.js';
import type { Label } from '../../formats/model-file.js';
import {
  encodeClassification,
  type InferTensor,
  largest,
  type RequestedOutput,
  type TensorMetadata,
} from '../../protocol/index.js';

/** Softmax of the first output, where that is one value a class. */
export const PROBABILITIES = 'probabilities';

/** An output of the network: its name, and its shape without the batch. */
export interface OutputShape {
  readonly name: string;
  readonly shape: readonly number[];
}

/** The outputs as metadata declare them. */
export function outputMetadata(outputs: readonly OutputShape[]): TensorMetadata[] {
  const declared = outputs.map(
    ({ name, shape }): TensorMetadata => ({ name, datatype: 'FP32', shape: [-1, ...shape] }),
  );
  const [first] = outputs;
  if (!hasProbabilities(outputs)) return declared;
  return [...declared, { name: PROBABILITIES, datatype: 'FP32', shape: [-1, ...(first as OutputShape).shape] }];
}

function hasProbabilities(outputs: readonly OutputShape[]): boolean {
  return outputs[0]?.shape.length === 1 && outputs.every(({ name }) => name !== PROBABILITIES);
}

/** Throws `ERR_BITPATH_UNKNOWN_NAME` or `ERR_BITPATH_ARGUMENT` for outputs that cannot be given: before anything is computed. */
export function checkRequested(requested: readonly RequestedOutput[] | null, outputs: readonly OutputShape[]): void {
  const known = outputMetadata(outputs).map(({ name }) => name);
  // Each as values and as classes; the answer to a small request is not to be a thousand times as large.
  if (requested !== null && requested.length > 2 * known.length)
    throw argumentError('outputs', `at most ${2 * known.length}, each output twice`, requested);
  for (const [i, { name, parameters }] of (requested ?? []).entries()) {
    if (!known.includes(name)) throw unknownName('output', name, known);
    const k = parameters['classification'];
    if (k !== undefined) checkInteger(`outputs[${i}].parameters.classification`, k, 1, 2 ** 31 - 1);
  }
}

/**
 * The tensors that are asked for, all where none is named.
 *
 * @param data Of each output of the network, the values of `count` pictures.
 */
export function writeOutputs(
  requested: readonly RequestedOutput[] | null,
  outputs: readonly OutputShape[],
  data: readonly Float32Array[],
  count: number,
  labels: readonly Label[] | null,
): InferTensor[] {
  const wanted = requested ?? outputMetadata(outputs).map(({ name }): RequestedOutput => ({ name, parameters: {} }));
  return wanted.map(({ name, parameters }) => {
    const at = outputs.findIndex((output) => output.name === name);
    const values = at === -1 ? softmax(data[0] as Float32Array, count) : (data[at] as Float32Array);
    const { shape } = outputs[Math.max(0, at)] as OutputShape;
    const k = parameters['classification'];
    // Labels are those of the first output's classes.
    if (typeof k === 'number') return classification(name, values, count, k, at <= 0 ? labels : null);
    return { name, datatype: 'FP32', shape: [count, ...shape], data: values, parameters: {} };
  });
}

function classification(
  name: string,
  values: Float32Array,
  count: number,
  k: number,
  labels: readonly Label[] | null,
): InferTensor {
  const classes = values.length / count;
  const data: Uint8Array[] = [];
  for (let n = 0; n < count; n++) {
    const row = values.subarray(n * classes, (n + 1) * classes);
    for (const index of largest(row, k))
      data.push(encodeClassification({ value: row[index] as number, index, label: labels?.[index]?.name }));
  }
  return { name, datatype: 'BYTES', shape: [count, Math.min(k, classes)], data, parameters: {} };
}

/** Softmax of each of `count` rows, in double and rounded once. */
export function softmax(logits: Float32Array, count: number): Float32Array {
  const classes = logits.length / count;
  const probabilities = new Float32Array(logits.length);
  for (let n = 0; n < count; n++) {
    const row = logits.subarray(n * classes, (n + 1) * classes);
    const max = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    const sum = row.reduce((total, logit) => total + Math.exp(logit - max), 0);
    for (let i = 0; i < classes; i++) probabilities[n * classes + i] = Math.exp((row[i] as number) - max) / sum;
  }
  return probabilities;
}
