import { createHash } from 'node:crypto';
import { BitpathError } from '../errors.js';

const ALIGNMENT = 64;

/** Collects the constants of a Program: each starts a 64-byte line, and equal ones are stored once. */
export class Constants {
  readonly #parts: { readonly bytes: Uint8Array; readonly offset: number }[] = [];
  readonly #known = new Map<string, number>();
  #size = 0;

  /** The byte offset at which `data` is found. Throws `ERR_BITPATH_MEMORY` past 2³¹ bytes. */
  add(data: Float32Array | Int32Array | Int16Array | Int8Array | Uint8Array): number {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const key = createHash('sha256').update(bytes).digest('base64');
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const offset = this.#size;
    const end = offset + bytes.length;
    if (end > 0x7fffffff - ALIGNMENT) {
      throw new BitpathError('ERR_BITPATH_MEMORY', { reason: 'the parameters take more than 2 GiB' });
    }
    this.#parts.push({ bytes, offset });
    this.#known.set(key, offset);
    this.#size = Math.ceil(end / ALIGNMENT) * ALIGNMENT;
    return offset;
  }

  build(): Uint8Array {
    const result = new Uint8Array(this.#size);
    for (const { bytes, offset } of this.#parts) result.set(bytes, offset);
    return result;
  }
}
