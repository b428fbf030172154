/** What the log calls a request, over REST and gRPC alike. */
import { randomUUID } from 'node:crypto';

/** The caller's own id (`X-Request-Id`), where it is one that a log can hold; otherwise a new one. */
export function requestId(given: unknown): string {
  return typeof given === 'string' && /^[\w.:-]{1,128}$/.test(given) ? given : randomUUID();
}
