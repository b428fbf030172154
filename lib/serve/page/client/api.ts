/** What the page asks of its server. Addresses are relative, so that the server may lie below any path. */
import { apiKey, askForKey } from './apiKey.js';

export interface Prediction {
  readonly id: string;
  readonly name: string;
  readonly probability: number;
}

export interface Classified {
  readonly version: string;
  readonly predictions: readonly Prediction[];
  /** Milliseconds: of the network, and from the question to the whole answer. */
  readonly compute: number;
  readonly whole: number;
}

/** Something that a person can be told. */
export class Failure extends Error {
  /** Whether the same question may find another answer later. */
  readonly mayPass: boolean;
  /** Seconds after which to ask again; null where the server did not say so. */
  readonly retryAfter: number | null;

  constructor(message: string, mayPass: boolean, retryAfter: number | null = null) {
    super(message);
    this.mayPass = mayPass;
    this.retryAfter = retryAfter;
  }
}

/** What is wrong with the picture itself stays wrong. */
const FINAL: readonly number[] = [400, 413, 415];

/** Names of the models that answer, each once. */
export async function readyModels(): Promise<string[]> {
  const { answer } = await ask('v2/repository/index', 'application/json', JSON.stringify({ ready: true }));
  return [...new Set((answer as readonly { readonly name: string }[]).map(({ name }) => name))];
}

export async function classify(file: Blob, model: string): Promise<Classified> {
  const path = `classify?model=${encodeURIComponent(model)}`;
  const { answer, milliseconds } = await ask(path, file.type || 'application/octet-stream', file);
  const { version, results, timings } = answer as {
    readonly version: string;
    readonly results: readonly [{ readonly predictions: readonly Prediction[] }];
    readonly timings: { readonly compute_ms: number };
  };
  return { version, predictions: results[0].predictions, compute: timings.compute_ms, whole: milliseconds };
}

/** Posts `body`, with a key once the server has asked for one. Rejects with a {@link Failure}. */
async function ask(path: string, type: string, body: BodyInit): Promise<{ answer: unknown; milliseconds: number }> {
  for (;;) {
    const key = apiKey();
    const headers = { 'content-type': type, ...(key !== '' && { 'x-api-key': key }) };
    const started = performance.now();
    const { response, answer } = await fetched(path, { method: 'POST', headers, body });
    const milliseconds = performance.now() - started;
    if (response.ok && answer !== undefined) return { answer, milliseconds };
    if (response.status !== 401) throw failureOf(response, answer);
    await askForKey(key);
  }
}

async function fetched(path: string, init: RequestInit): Promise<{ response: Response; answer: unknown }> {
  try {
    const response = await fetch(path, init);
    const text = await response.text();
    return { response, answer: parsed(text) };
  } catch {
    throw new Failure('The server does not answer. It may have been stopped, or the connection is lost.', true);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function failureOf({ status, headers }: Response, answer: unknown): Failure {
  const { error } = (answer ?? {}) as { readonly error?: unknown };
  const message = typeof error === 'string' ? error : `The server answered with status ${status}.`;
  const seconds = Number(headers.get('retry-after') ?? Number.NaN);
  return new Failure(message, !FINAL.includes(status), status === 503 && seconds >= 0 ? seconds : null);
}
