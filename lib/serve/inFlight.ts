/** Bytes of the requests that are on their way, all together: what callers can have the server hold in memory has a limit. */
import { BitpathError } from '../errors.js';

export class InFlight {
  readonly #limit: number;
  #bytes = 0;
  /** Hears of each request that was one too many. */
  onRefused = () => {};

  constructor(limit: number) {
    this.#limit = limit;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Throws `ERR_BITPATH_BUSY` where `more` bytes would be too many. Holds nothing: a promise of bytes takes no memory. */
  check(more: number): void {
    if (this.#bytes + more <= this.#limit) return;
    this.onRefused();
    throw new BitpathError('ERR_BITPATH_BUSY', { limit: `${this.#limit} bytes` });
  }

  /** For one request; it has no bytes yet. */
  open(): Held {
    let held = 0;
    let isOver = false;
    return {
      add: (bytes) => {
        if (isOver) return;
        this.check(bytes);
        held += bytes;
        this.#bytes += bytes;
      },
      release: () => {
        isOver = true;
        this.#bytes -= held;
        held = 0;
      },
    };
  }
}

/** What one request holds. */
export interface Held {
  /** Throws `ERR_BITPATH_BUSY` where these are too many; then they are not held. */
  add(bytes: number): void;
  /** It is answered, or given up. Calling it twice is harmless. */
  release(): void;
}
