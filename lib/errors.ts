/**
 * Every error that bitpath throws: one table of code and message template. `{name}` in a template is filled from the
 * details, which the error carries as `details`. Native code throws with the same codes (native/base/error.h); a test holds
 * the two and docs/errors.md equal.
 */
export const ERRORS = {
  ERR_BITPATH_ARGUMENT: 'Expected {expected} for {argument} but received {received}',
  ERR_BITPATH_UNKNOWN_OPTION: 'Unknown option {option} for {argument}{hint}; known are {known}',
  ERR_BITPATH_SHAPE: '{node}: {reason}',
  ERR_BITPATH_GRAPH: 'Invalid graph: {reason}',
  ERR_BITPATH_PARAM: 'Parameter {param}: {reason}',
  ERR_BITPATH_UNKNOWN_NAME: 'No {kind} is called {name}{hint}; known are {known}',
  ERR_BITPATH_PROGRAM: 'Invalid program: {reason}',
  ERR_BITPATH_ISA: 'Cannot use instruction set {isa}: {reason}',
  ERR_BITPATH_ADDON: 'Cannot load the native addon for {platform}: {reason}',
  ERR_BITPATH_MEMORY: 'Out of memory: {reason}',
  ERR_BITPATH_THREAD: 'Cannot start a thread: {reason}',
  ERR_BITPATH_ABORTED: 'The run was aborted',
  ERR_BITPATH_DISPOSED: '{what} has been disposed',
  ERR_BITPATH_INTERNAL: 'Internal error, please report it: {reason}',
  ERR_BITPATH_MODEL_FILE: '{file}: {reason}',
  ERR_BITPATH_ONNX: '{file}: {reason}',
  ERR_BITPATH_IMAGE: '{image}: {reason}',
  ERR_BITPATH_DATASET: '{path}: {reason}',
  ERR_BITPATH_BENCH: '{case}: {reason}',
  ERR_BITPATH_BENCH_FILE: '{file}: {reason}',
  ERR_BITPATH_BATCH_INPUT: '{input}: {reason}',
  ERR_BITPATH_BATCH_CHANGED:
    '{out}: {what} differs from the job that began it: {before} then, {now} now; --restart forgets what was computed and begins anew',
  ERR_BITPATH_BATCH_LOCKED: '{out}: another run is writing it ({holder}); wait for its end, or name another --out',
  ERR_BITPATH_BATCH_OUTPUT: '{file}: {reason}',
  ERR_BITPATH_DISK_FULL:
    '{file}: {reason}; nothing that was written before is lost: make room and run the same command again',
  ERR_BITPATH_QUEUE: '{queue}: {reason}',
  ERR_BITPATH_QUEUE_MISMATCH: 'The worker has {what} {worker}, the batch job wants {job}',
  ERR_BITPATH_SERVER: '{server} answered with {status}: {reason}',
  ERR_BITPATH_CONNECTION: '{server} does not answer: {reason}',
  ERR_BITPATH_USAGE: '{reason}',
  ERR_BITPATH_CONFIG: '{file}: Expected {expected} for {key} but received {received}',
  ERR_BITPATH_ROUTE: 'No route {method} {path}',
  ERR_BITPATH_TOO_LARGE: '{what} is over the limit of {limit}',
  ERR_BITPATH_MEDIA_TYPE: '{reason}',
  ERR_BITPATH_UNAUTHORIZED: 'No valid API key: send one as Authorization: Bearer <key> or X-API-Key',
  ERR_BITPATH_FORBIDDEN: '{reason}',
  ERR_BITPATH_UNAVAILABLE: '{what} is not ready: {reason}',
  ERR_BITPATH_QUEUE_FULL: 'The queue is full: {length} requests wait already',
  ERR_BITPATH_TIMEOUT: 'The request was given up after {milliseconds} ms in the queue',
  ERR_BITPATH_LISTEN: 'Cannot listen on {address}: {reason}',
  ERR_BITPATH_UNSUPPORTED: '{what} are not supported',
  ERR_BITPATH_MISSING_PACKAGE:
    '{feature} needs the package {package}, which could not be loaded ({reason}): npm install {package}',
} as const;

/** A stable code of an error, such as `ERR_BITPATH_ARGUMENT`. */
export type ErrorCode = keyof typeof ERRORS;
/** The parts of an error's message by name. */
export type ErrorDetails = Readonly<Record<string, unknown>>;

/** Every error that bitpath throws: a stable `code`, one of docs/errors.md, and the `details` that its message was made of. */
export class BitpathError extends Error {
  /** One of the codes of docs/errors.md; it never changes its meaning. */
  readonly code: ErrorCode;
  /** What the message was made of, by the names in its template. Empty for errors of native code. */
  readonly details: ErrorDetails;

  /** `details` fill the template of `code`; `options.cause` is what brought it about. */
  constructor(code: ErrorCode, details: ErrorDetails = {}, options?: ErrorOptions) {
    super(
      ERRORS[code].replace(/\{(\w+)\}/g, (_, key: string) => String(details[key] ?? '')),
      options,
    );
    this.name = 'BitpathError';
    this.code = code;
    this.details = details;
  }
}

/**
 * An error of the addon, which is a plain Error with one of our codes, as a BitpathError with the same code and message;
 * anything else as it is. An asynchronous error has no JavaScript frames of its own: `origin` (from
 * `Error.captureStackTrace`) says where the call was made.
 */
export function fromNative(error: unknown, origin?: { readonly stack?: string }): unknown {
  if (!(error instanceof Error) || error instanceof BitpathError) return error;
  const { code } = error as { code?: unknown };
  if (typeof code !== 'string' || !Object.hasOwn(ERRORS, code)) return error;
  const result = new BitpathError(code as ErrorCode);
  result.message = error.message;
  const frames = ((origin ?? error).stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  result.stack = [`${result.name}: ${result.message}`, ...frames].join('\n');
  return result;
}

/** True for any error object with a `code`, as Node's and the addon's have. */
export function isNodeError(error: unknown): error is Error & { code?: string } {
  return error instanceof Error;
}
