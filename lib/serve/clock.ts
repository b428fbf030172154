/** Time, as everything here asks for it; tests bring their own. */
export interface Clock {
  /** Milliseconds since some moment, never going back. */
  now(): number;
  /** Calls `call` after `milliseconds`, or after some weeks where they are more; returns the way to call that off. */
  after(milliseconds: number, call: () => void): () => void;
}

const MAX_MILLISECONDS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => performance.now(),
  // Node's timers take no more, and would call at once; whoever waits longer looks at the clock and waits again.
  after: (milliseconds, call) => {
    const timer = setTimeout(call, Math.min(milliseconds, MAX_MILLISECONDS));
    return () => clearTimeout(timer);
  },
};
