/** Answers that are no success, and answers that do not come, as errors. */
import { BitpathError, type ErrorCode, ERRORS } from '../errors.js';

/**
 * The error that a server answered with: of bitpath's own server the same one that it threw; of another one
 * `ERR_BITPATH_SERVER`. Its `details` have `server`, `status` (of HTTP or gRPC) and `reason`.
 */
export function serverError(server: string, status: number | string, reason: string, code: unknown): BitpathError {
  const details = { server, status, reason };
  if (typeof code !== 'string' || !Object.hasOwn(ERRORS, code)) return new BitpathError('ERR_BITPATH_SERVER', details);
  const error = new BitpathError(code as ErrorCode, details);
  error.message = reason;
  return error;
}

/** `ERR_BITPATH_ARGUMENT` for what may hold a secret: `received` says what it is and quotes nothing of it. */
export function refused(argument: string, expected: string, received: string): BitpathError {
  return new BitpathError('ERR_BITPATH_ARGUMENT', { argument, expected, received });
}

export function connectionError(server: string, reason: string, cause?: unknown): BitpathError {
  return new BitpathError('ERR_BITPATH_CONNECTION', { server, reason }, { cause });
}

/** What `read` gives; where it throws, the server has said something that the protocol does not know. */
export function reading<T>(server: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const reason = `its answer is not the protocol's: ${cause instanceof Error ? cause.message : String(cause)}`;
    throw new BitpathError('ERR_BITPATH_SERVER', { server, status: 'a success', reason }, { cause });
  }
}
