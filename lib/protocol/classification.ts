/** The classification extension: the `k` largest elements of an output, each as text. */
import { argumentError } from '../check.js';

/** One element `"value:index:label"`, or `"value:index"` where there are no labels. */
export interface Classification {
  /** The element. */
  readonly value: number;
  /** Its place, the class. */
  readonly index: number;
  /** The class's name, where the server has one. */
  readonly label: string | undefined;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The element's bytes, with six decimals of the value, as Triton writes them. */
export function encodeClassification({ value, index, label }: Classification): Uint8Array {
  return encoder.encode(`${value.toFixed(6)}:${index}${label === undefined ? '' : `:${label}`}`);
}

/** Reads such an element; a label may have colons. Throws `ERR_BITPATH_ARGUMENT`. */
export function decodeClassification(bytes: Uint8Array): Classification {
  const text = decoder.decode(bytes);
  const parts = /^([^:]+):(\d+)(?::(.*))?$/s.exec(text);
  if (parts === null) throw argumentError('classification', 'value:index:label', text);
  return { value: Number(parts[1]), index: Number(parts[2]), label: parts[3] };
}

/** Indices of the `k` largest of `values` (all, where there are fewer), largest first; of equal ones the lower comes first. */
export function largest(values: Float32Array, k: number): number[] {
  const order = Array.from(values.keys());
  return order.sort((a, b) => (values[b] as number) - (values[a] as number) || a - b).slice(0, k);
}
