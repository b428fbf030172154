/**
 * A small seeded generator: sfc32 (C. Doty-Humphrey), 128 bits of state. It uses integer arithmetic alone, so a seed gives
 * the same numbers on every machine.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** A stream of its own for each pair of seed and text, such as the name of a tensor. */
  constructor(seed: number, stream = '') {
    this.#a = seed | 0;
    this.#b = Math.floor(seed / 2 ** 32) | 0;
    this.#c = hash(stream);
    for (let i = 0; i < 12; i++) this.uint32(); // mixes a poor seed
  }

  /** An integer in [0, 2³²). */
  uint32(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** A number in [low, high). */
  uniform(low: number, high: number): number {
    return low + (high - low) * (this.uint32() / 2 ** 32);
  }

  /** An integer in [low, high], both included. */
  integer(low: number, high: number): number {
    return low + Math.floor((this.uint32() / 2 ** 32) * (high - low + 1));
  }

  /**
   * Mean 0, variance 1, nearly normal: the sum of four uniform numbers, so within ±2√3. `Math.log` and `Math.cos`, which
   * an exact normal deviate takes, may differ in the last bit between machines.
   */
  normal(): number {
    const [x, y] = [this.uint32(), this.uint32()];
    const sum = (x & 0xffff) + (x >>> 16) + (y & 0xffff) + (y >>> 16);
    return ((sum + 2) / 65536 - 2) * Math.sqrt(3);
  }
}

/** FNV-1a over UTF-16 units. */
function hash(text: string): number {
  let state = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) state = Math.imul(state ^ text.charCodeAt(i), 0x01000193);
  return state | 0;
}
