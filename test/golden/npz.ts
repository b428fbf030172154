/** Reads NumPy's .npz (a zip of .npy files, stored or deflated) for golden tests. It trusts its files: they are ours. */
import { readFileSync } from 'node:fs';
import { inflateRawSync } from 'node:zlib';

export interface NpyArray {
  readonly shape: readonly number[];
  readonly data: Float32Array | Uint8Array | Int32Array;
}

/** Arrays by name, each parsed when it is asked for. */
export class Npz {
  readonly #entries = new Map<string, () => Buffer>();

  constructor(path: string) {
    const zip = readFileSync(path);
    const end = zip.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
    const count = zip.readUInt16LE(end + 10);
    let at = zip.readUInt32LE(end + 16);
    for (let i = 0; i < count; i++) {
      const method = zip.readUInt16LE(at + 10);
      const packedBytes = zip.readUInt32LE(at + 20);
      const nameBytes = zip.readUInt16LE(at + 28);
      const local = zip.readUInt32LE(at + 42);
      const name = zip.toString('utf8', at + 46, at + 46 + nameBytes).replace(/\.npy$/, '');
      at += 46 + nameBytes + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
      this.#entries.set(name, () => {
        const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
        const packed = zip.subarray(start, start + packedBytes);
        return method === 0 ? packed : inflateRawSync(packed);
      });
    }
  }

  get names(): string[] {
    return [...this.#entries.keys()];
  }

  has(name: string): boolean {
    return this.#entries.has(name);
  }

  get(name: string): NpyArray {
    const entry = this.#entries.get(name);
    if (entry === undefined) throw new Error(`no array ${name}; there are ${this.names.join(', ')}`);
    return parseNpy(entry());
  }

  floats(name: string): Float32Array {
    const { data } = this.get(name);
    if (!(data instanceof Float32Array)) throw new Error(`${name} is not float32`);
    return data;
  }
}

function parseNpy(npy: Buffer): NpyArray {
  const headerBytes = npy.readUInt16LE(8);
  const header = npy.toString('latin1', 10, 10 + headerBytes);
  const descr = /'descr': '(.*?)'/.exec(header)?.[1];
  if (!header.includes("'fortran_order': False")) throw new Error('not in C order');
  const shape = (/'shape': \((.*?)\)/.exec(header)?.[1] ?? '')
    .split(',')
    .filter((part) => part.trim() !== '')
    .map(Number);
  const data = new Uint8Array(npy.subarray(10 + headerBytes)).buffer;
  switch (descr) {
    case '<f4':
      return { shape, data: new Float32Array(data) };
    case '<i4':
      return { shape, data: new Int32Array(data) };
    case '|u1':
      return { shape, data: new Uint8Array(data) };
    default:
      throw new Error(`dtype ${descr} is not read`);
  }
}
