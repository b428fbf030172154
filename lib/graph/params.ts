/** What a graph wants from its parameters, and whether it gets it. */
import { nearest } from '../check.js';
import { BitpathError } from '../errors.js';
import { elementCount, type Params, Tensor } from '../tensor.js';
import type { Graph, ParamSpec } from './types.js';

/** All parameters in order of the nodes. */
export function graphParams(graph: Graph): ParamSpec[] {
  return graph.nodes.flatMap((node) => Object.values(node.params));
}

/** Numbers among the parameters: of 1 bit, and all others. */
export function countParams(graph: Graph): { bits: number; floats: number } {
  let bits = 0;
  let floats = 0;
  for (const { type, shape } of graphParams(graph)) {
    if (type === 'bits') bits += elementCount(shape);
    else floats += elementCount(shape);
  }
  return { bits, floats };
}

/** Dtype and shape of the tensor that stores `spec`: a `bits` parameter [O, kh, kw, I] is uint8 [O, ⌈kh·kw·I / 8⌉]. */
export function storedAs(spec: ParamSpec): { dtype: 'float32' | 'uint8' | 'int32'; shape: readonly number[] } {
  if (spec.type !== 'bits') return { dtype: spec.type, shape: spec.shape };
  const [outputs = 0, ...taps] = spec.shape;
  return { dtype: 'uint8', shape: [outputs, Math.ceil(elementCount(taps) / 8)] };
}

/**
 * Checks that `params` holds every parameter of `graph` with its dtype and shape, zero tail bits in each row of `bits`, and
 * nothing else. Throws `ERR_BITPATH_PARAM`, naming the parameter.
 */
export function checkParams(graph: Graph, params: Params): void {
  const specs = graphParams(graph);
  for (const spec of specs) {
    const tensor = params.get(spec.name);
    if (tensor === undefined) throw wrong(spec.name, 'it is missing');
    checkParam(spec, tensor);
  }
  if (params.size === specs.length) return;
  const known = specs.map(({ name }) => name);
  const names = new Set(known);
  for (const name of params.keys()) {
    if (names.has(name)) continue;
    const guess = nearest(name, known);
    throw wrong(name, `the graph has no such parameter${guess === undefined ? '' : ` (did you mean ${guess}?)`}`);
  }
}

function checkParam(spec: ParamSpec, tensor: Tensor): void {
  const { dtype, shape } = storedAs(spec);
  if (!(tensor instanceof Tensor)) throw wrong(spec.name, 'expected a Tensor');
  const received = `${tensor.dtype} [${tensor.shape.join(', ')}]`;
  if (tensor.dtype !== dtype || tensor.shape.join() !== shape.join()) {
    throw wrong(spec.name, `expected ${dtype} [${shape.join(', ')}] but received ${received}`);
  }
  if (tensor.data.length !== elementCount(shape)) throw wrong(spec.name, 'its buffer was detached');
  if (spec.type === 'bits') checkTailBits(spec, tensor.data as Uint8Array);
}

function checkTailBits(spec: ParamSpec, bytes: Uint8Array): void {
  const [outputs = 0, ...taps] = spec.shape;
  const tapBits = elementCount(taps);
  const rowBytes = Math.ceil(tapBits / 8);
  const tail = tapBits % 8 === 0 ? 0 : 0xff & (0xff << (tapBits % 8));
  for (let o = 0; o < outputs; o++) {
    if (((bytes[(o + 1) * rowBytes - 1] ?? 0) & tail) !== 0) {
      throw wrong(spec.name, `row ${o} has bits set after its ${tapBits} taps: they must be zero`);
    }
  }
}

function wrong(param: string, reason: string): BitpathError {
  return new BitpathError('ERR_BITPATH_PARAM', { param, reason });
}
