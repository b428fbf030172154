import { BitpathError } from '../errors.js';
import type { AnyNode } from '../graph/types.js';
import type { Params, Tensor } from '../tensor.js';

/** Reads the parameters of graph nodes. Dtypes, shapes and tail bits are as the graph says: `checkParams` has seen to that. */
export class ParamReader {
  readonly #params: Params;

  constructor(params: Params) {
    this.#params = params;
  }

  /** The float32 values of `node`'s parameter `role`. Throws `ERR_BITPATH_PARAM` unless all are finite. */
  floats(node: AnyNode, role: string): Float32Array {
    const { name, tensor } = this.#tensor(node, role);
    const data = tensor.data as Float32Array;
    for (let i = 0; i < data.length; i++) {
      if (!Number.isFinite(data[i])) throw invalid(name, `element ${i} is ${data[i]}, expected finite numbers`);
    }
    return data;
  }

  /** The int32 values of `node`'s parameter `role`. */
  integers(node: AnyNode, role: string): Int32Array {
    return this.#tensor(node, role).tensor.data as Int32Array;
  }

  /** Packed weight bits, uint8 [O, ⌈K / 8⌉], of `node`'s parameter `bits`. */
  bits(node: AnyNode): Uint8Array {
    return this.#tensor(node, 'bits').tensor.data as Uint8Array;
  }

  #tensor(node: AnyNode, role: string): { name: string; tensor: Tensor } {
    const name = node.params[role]?.name ?? `${node.name}.${role}`;
    const tensor = this.#params.get(name);
    if (tensor === undefined) throw invalid(name, 'it is missing');
    return { name, tensor };
  }
}

function invalid(param: string, reason: string): BitpathError {
  return new BitpathError('ERR_BITPATH_PARAM', { param, reason });
}
