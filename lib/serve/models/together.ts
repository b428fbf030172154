/** Parts of one request that are worth nothing without each other. */
import { setMaxListeners } from 'node:events';

/**
 * What all of `calls` give, in their order. The first that fails aborts the signal of the others, with its error; all are waited
 * for, so that none is at work for nobody.
 *
 * @param signal Aborts all of them.
 * @throws What the first one threw.
 */
export async function together<T>(
  signal: AbortSignal | undefined,
  calls: readonly ((signal: AbortSignal) => Promise<T>)[],
): Promise<T[]> {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal); // each part listens, and there may be many
  const abort = () => controller.abort(signal?.reason);
  if (signal?.aborted) abort();
  else signal?.addEventListener('abort', abort, { once: true });
  try {
    const settled = await Promise.allSettled(
      calls.map((call) =>
        call(controller.signal).catch((error: unknown) => {
          controller.abort(error); // only the first one counts
          throw error;
        }),
      ),
    );
    return settled.map((result) => {
      if (result.status === 'rejected') throw controller.signal.reason;
      return result.value;
    });
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}
