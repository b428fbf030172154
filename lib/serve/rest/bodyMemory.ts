/** Memory of bodies that have been answered, for those to come: fresh pages cost more than what is written to them. */

/** Smaller bodies cost little to allocate. */
const SMALLEST = 2 ** 14;
/** All together, while nobody uses it. */
const MOST_KEPT = 2 ** 24;

export class BodyMemory {
  /** By size, a power of two. */
  readonly #free = new Map<number, ArrayBufferLike[]>();
  /** Taken and not given back. Whoever forgets to give back leaves it to the garbage collector. */
  readonly #lent = new WeakSet<ArrayBufferLike>();
  #kept = 0;

  /** Memory of at least `bytes` bytes, with whatever is in it. */
  take(bytes: number): Uint8Array {
    if (bytes < SMALLEST) return Buffer.allocUnsafeSlow(bytes);
    const size = 2 ** Math.ceil(Math.log2(bytes));
    const kept = this.#free.get(size)?.pop();
    if (kept !== undefined) this.#kept -= size;
    const buffer = kept ?? Buffer.allocUnsafeSlow(size).buffer;
    this.#lent.add(buffer);
    return new Uint8Array(buffer);
  }

  /** Nobody looks at what {@link take} gave any more; `bytes` may be a part of it. What is not of here, or was given back before, is left alone. */
  give({ buffer }: Uint8Array): void {
    const { byteLength: size } = buffer;
    if (!this.#lent.delete(buffer) || size === 0 || this.#kept + size > MOST_KEPT) return;
    this.#kept += size;
    const free = this.#free.get(size);
    if (free === undefined) this.#free.set(size, [buffer]);
    else free.push(buffer);
  }
}
