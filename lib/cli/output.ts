/** Answers go to stdout, everything else to stderr. */
import { BitpathError, isNodeError } from '../errors.js';

/** `text` with control characters made visible: names of files and models must not steer a terminal. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this is about
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, (char) => {
    return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

export function writeLines(lines: readonly string[]): void {
  process.stdout.write(`${lines.map(printable).join('\n')}\n`);
}

/** `bitpath: message (CODE)` on stderr. What is no error of ours is a fault in the program, and shows its stack. */
export function reportError(error: unknown): void {
  const { code, message } = codeAndMessage(error);
  const lines = message.split('\n').map(printable);
  process.stderr.write(`bitpath: ${lines.join('\n')} (${code})\n`);
}

export function reportWarning(message: string): void {
  process.stderr.write(`bitpath: warning: ${printable(message)}\n`);
}

export function codeAndMessage(error: unknown): { code: string; message: string } {
  if (error instanceof BitpathError) return { code: error.code, message: error.message };
  if (isNodeError(error) && error.code !== undefined) return { code: error.code, message: error.message };
  const reason = isNodeError(error) ? (error.stack ?? error.message) : String(error);
  const internal = new BitpathError('ERR_BITPATH_INTERNAL', { reason });
  return { code: internal.code, message: internal.message };
}

/** Says so where a machine has no kernels of its own. Whoever set `BITPATH_ISA` knows. */
export function warnIfScalar({ isa }: { readonly isa: string }, environment: NodeJS.ProcessEnv = process.env): void {
  if (isa !== 'scalar' || environment.BITPATH_ISA !== undefined) return;
  reportWarning(
    'bitpath has no kernels for this CPU (it needs AVX2, AVX-512 or NEON); the portable ones are many times slower',
  );
}

/** One document on stdout. `schema` names its form, such as `bitpath.classify/1`. */
export function writeJson(schema: string, document: Readonly<Record<string, unknown>>): void {
  process.stdout.write(`${toJson({ schema, ...document })}\n`);
}

/** JSON indented by two spaces, but arrays without objects in them on one line: logits have hundreds of elements. */
export function toJson(value: unknown, indent = ''): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    const flat = value.every((item) => typeof item !== 'object' || item === null);
    if (flat) return `[${value.map((item) => toJson(item)).join(', ')}]`;
    return `[\n${value.map((item) => `${inner}${toJson(item, inner)}`).join(',\n')}\n${indent}]`;
  }
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  if (entries.length === 0) return '{}';
  return `{\n${entries.map(([key, item]) => `${inner}${JSON.stringify(key)}: ${toJson(item, inner)}`).join(',\n')}\n${indent}}`;
}

/** `bitpath … | head` is no failure: once nobody reads stdout any more, there is nothing left to do. */
export function quietOnClosedPipe(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit();
    reportError(error); // a full disk
    process.exit(1);
  });
  process.stderr.on('error', () => {});
}

const cleanups = new Set<() => void>();

/** Has `cleanup` called where Ctrl-C ends the program; returns the way to call that off. */
export function beforeInterrupt(cleanup: () => void): () => void {
  cleanups.add(cleanup);
  return () => cleanups.delete(cleanup);
}

/** Ctrl-C ends at once, also in the middle of a run, with the exit code that shells expect. */
export function onInterrupt(): void {
  process.once('SIGINT', interrupt);
}

function interrupt(): void {
  for (const cleanup of cleanups) cleanup();
  process.exit(130);
}

/**
 * Has `end` called by SIGTERM and Ctrl-C instead, and then exits with 0, or 1 where it fails; a second signal exits at once. Returns
 * the way to call that off.
 */
export function onTermination(end: () => Promise<void>): () => void {
  process.removeListener('SIGINT', interrupt);
  let ending = false;
  const terminate = () => {
    if (ending) interrupt();
    ending = true;
    end().then(
      () => process.exit(0),
      (error) => {
        reportError(error);
        process.exit(1);
      },
    );
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, terminate);
  return () => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.removeListener(signal, terminate);
    onInterrupt();
  };
}
