/** Errors as clients see them: HTTP's status as Triton maps it, gRPC's status, and a body in the protocol's shape. */
import { BitpathError, type ErrorCode } from '../errors.js';
import type { ErrorBody } from '../protocol/index.js';

/** gRPC's numbers of what is used here. */
export const GRPC = {
  OK: 0,
  CANCELLED: 1,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
} as const;

interface Status {
  readonly http: number;
  readonly grpc: number;
}

const BAD: Status = { http: 400, grpc: GRPC.INVALID_ARGUMENT };
const UNAVAILABLE: Status = { http: 503, grpc: GRPC.UNAVAILABLE };
const INTERNAL: Status = { http: 500, grpc: GRPC.INTERNAL };

/** Codes that are missing here are faults of the server. */
const STATUS: Partial<Record<ErrorCode, Status>> = {
  ERR_BITPATH_ARGUMENT: BAD,
  ERR_BITPATH_UNKNOWN_OPTION: BAD,
  ERR_BITPATH_IMAGE: BAD,
  ERR_BITPATH_MODEL_FILE: BAD,
  ERR_BITPATH_PARAM: BAD,
  ERR_BITPATH_UNKNOWN_NAME: { http: 404, grpc: GRPC.NOT_FOUND },
  ERR_BITPATH_ROUTE: { http: 404, grpc: GRPC.UNIMPLEMENTED },
  ERR_BITPATH_TOO_LARGE: { http: 413, grpc: GRPC.RESOURCE_EXHAUSTED },
  ERR_BITPATH_MEDIA_TYPE: { http: 415, grpc: GRPC.INVALID_ARGUMENT },
  ERR_BITPATH_UNAUTHORIZED: { http: 401, grpc: GRPC.UNAUTHENTICATED },
  ERR_BITPATH_FORBIDDEN: { http: 403, grpc: GRPC.PERMISSION_DENIED },
  ERR_BITPATH_ABORTED: { http: 499, grpc: GRPC.CANCELLED },
  ERR_BITPATH_TIMEOUT: { http: 503, grpc: GRPC.DEADLINE_EXCEEDED },
  ERR_BITPATH_UNAVAILABLE: UNAVAILABLE,
  ERR_BITPATH_QUEUE_FULL: UNAVAILABLE,
  ERR_BITPATH_BUSY: UNAVAILABLE,
  ERR_BITPATH_DISPOSED: UNAVAILABLE,
  ERR_BITPATH_MEMORY: UNAVAILABLE,
  ERR_BITPATH_THREAD: UNAVAILABLE,
  ERR_BITPATH_UNSUPPORTED: { http: 501, grpc: GRPC.UNIMPLEMENTED },
  ERR_BITPATH_MISSING_PACKAGE: { http: 501, grpc: GRPC.UNIMPLEMENTED },
};

export interface Failure extends Status {
  readonly body: ErrorBody;
  /** True for what is a fault of the server, and belongs in its log. */
  readonly isFault: boolean;
}

/** What to answer for `error`. What is no error of ours says nothing about the server's insides. */
export function failureOf(error: unknown): Failure {
  if (error instanceof BitpathError) {
    const status = STATUS[error.code];
    if (status !== undefined) return { ...status, isFault: false, body: { error: error.message, code: error.code } };
  }
  const { message, code } = new BitpathError('ERR_BITPATH_INTERNAL', { reason: 'the server’s log says what happened' });
  return { ...INTERNAL, isFault: true, body: { error: message, code } };
}
