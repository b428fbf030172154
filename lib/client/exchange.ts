/** One HTTP exchange through `fetch`, which Node and browsers share. */
import { BitpathError } from '../errors.js';
import { connectionError, serverError } from './failure.js';
import { checkTimeout } from './request.js';
import type { CallOptions } from './types.js';

/** Options of {@link createClient}. */
export interface RestOptions {
  /** Sent with each request, such as `authorization`. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Sent as a bearer token. */
  readonly apiKey?: string | undefined;
  /** Milliseconds for a call. Default: no limit. */
  readonly timeoutMs?: number | undefined;
  /** Compresses requests. Default false. Answers are compressed where the server likes to; that needs no option. */
  readonly gzip?: boolean | undefined;
  /** False for servers without the extension `binary_tensor_data`: tensors travel as JSON then. Default true. */
  readonly binary?: boolean | undefined;
  /** In place of the global one. */
  readonly fetch?: typeof fetch | undefined;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array;
}

export class Exchange {
  readonly base: string;
  readonly #options: RestOptions;
  /** Calls that are under way. Not listeners on one signal: what is made of a signal stays with it. */
  readonly #running = new Set<AbortController>();
  #isClosed = false;

  constructor(base: string, options: RestOptions) {
    this.base = base;
    this.#options = options;
  }

  /** Whatever the server answers. Throws `ERR_BITPATH_CONNECTION`, `ERR_BITPATH_DISPOSED` or the signal's reason. */
  async ask(
    path: string,
    { signal, timeoutMs = this.#options.timeoutMs }: CallOptions,
    body?: { readonly bytes: Uint8Array; readonly headers: Readonly<Record<string, string>> },
  ): Promise<Answer> {
    checkTimeout(timeoutMs);
    if (this.#isClosed) throw new BitpathError('ERR_BITPATH_DISPOSED', { what: 'The client' });
    signal?.throwIfAborted();
    const controller = new AbortController();
    const stop = () => controller.abort();
    let isLate = false;
    const timer =
      timeoutMs &&
      setTimeout(() => {
        isLate = true;
        stop();
      }, timeoutMs);
    signal?.addEventListener('abort', stop);
    this.#running.add(controller);
    const { fetch = globalThis.fetch, headers = {}, apiKey, gzip = false } = this.#options;
    const zipped = body !== undefined && gzip;
    try {
      const response = await fetch(this.base + path, {
        method: body === undefined ? 'GET' : 'POST',
        headers: {
          ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }),
          ...headers,
          ...body?.headers,
          ...(zipped && { 'content-encoding': 'gzip' }),
        },
        ...(body && { body: (zipped ? await compressed(body.bytes) : body.bytes) as Uint8Array<ArrayBuffer> }),
        signal: controller.signal,
      });
      return {
        status: response.status,
        headers: response.headers,
        bytes: new Uint8Array(await response.arrayBuffer()),
      };
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      if (this.#isClosed) throw new BitpathError('ERR_BITPATH_DISPOSED', { what: 'The client' });
      if (isLate) throw connectionError(this.base, `no answer within ${timeoutMs} ms`, error);
      throw connectionError(this.base, reasonOf(error), error);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
      this.#running.delete(controller);
    }
  }

  /** The JSON of a success. Throws also what the server answered instead. */
  async json(path: string, options: CallOptions, body?: object): Promise<unknown> {
    const headers = { 'content-type': 'application/json' };
    const bytes = body && encoder.encode(JSON.stringify(body));
    return this.parse(this.success(await this.ask(path, options, bytes && { bytes, headers })));
  }

  success(answer: Answer): Answer {
    if (answer.status >= 200 && answer.status < 300) return answer;
    const body = errorBody(answer.bytes);
    const reason = typeof body?.error === 'string' ? body.error : decoder.decode(answer.bytes.subarray(0, 200));
    throw serverError(this.base, answer.status, reason || 'it says nothing more', body?.code);
  }

  parse({ bytes, status }: Answer): unknown {
    try {
      return bytes.length === 0 ? {} : JSON.parse(decoder.decode(bytes));
    } catch (cause) {
      const reason = `its answer is no JSON: ${(cause as Error).message}`;
      throw new BitpathError('ERR_BITPATH_SERVER', { server: this.base, status, reason }, { cause });
    }
  }

  close(): void {
    this.#isClosed = true;
    for (const controller of this.#running) controller.abort();
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Whatever stands between client and server answers in forms of its own: then null. */
function errorBody(bytes: Uint8Array): { readonly error?: unknown; readonly code?: unknown } | null {
  try {
    return JSON.parse(decoder.decode(bytes));
  } catch {
    return null;
  }
}

async function compressed(bytes: Uint8Array): Promise<Uint8Array> {
  const stream = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream().pipeThrough(new CompressionStream('gzip'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** `fetch failed` says nothing; its cause does. */
function reasonOf(error: unknown): string {
  const { cause } = error as { cause?: { message?: string; code?: string } };
  return cause?.message || cause?.code || (error instanceof Error ? error.message : String(error));
}
