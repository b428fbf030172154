/** Clients that go away take their work with them. */
import type { FastifyReply } from 'fastify';
import { BitpathError } from '../../errors.js';

/** A signal that aborts when the connection closes before the answer is sent. */
export function signalOf({ raw }: FastifyReply): AbortSignal {
  const controller = new AbortController();
  const abort = () => {
    if (!raw.writableFinished) controller.abort(new BitpathError('ERR_BITPATH_ABORTED'));
  };
  if (raw.destroyed) abort();
  else raw.once('close', abort);
  return controller.signal;
}
