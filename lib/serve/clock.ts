/** Time, as everything here asks for it; tests bring their own. */
export interface Clock {
  /** Milliseconds since some moment, never going back. */
  now(): number;
  /** Calls `call` after `milliseconds`; returns the way to call that off. */
  after(milliseconds: number, call: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after: (milliseconds, call) => {
    const timer = setTimeout(call, milliseconds);
    return () => clearTimeout(timer);
  },
};
