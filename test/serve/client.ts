/** Asking a server over REST, in the fewest words. */
import assert from 'node:assert/strict';
import {
  decodeInferResponse,
  encodeInferRequest,
  HEADER_LENGTH,
  type InferRequest,
  type InferResponse,
  type InferTensor,
  parseHeaderLength,
} from '#lib/protocol/index.js';
import { floats, SIDE } from './servers.js';

/** What `fetch` takes as a body. */
export type Body = NonNullable<RequestInit['body']>;
// biome-ignore lint/suspicious/noExplicitAny: documents of a dozen forms, each looked at by a test
export type Json = any;

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Json;
}

export async function getJson(url: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, init);
  return { status: response.status, headers: response.headers, body: await response.json() };
}

export function postJson(url: string, body: Body | null, headers: Record<string, string> = {}): Promise<Answer> {
  return getJson(url, { method: 'POST', body, headers });
}

/** An input of one picture of floats, but for `fields`. */
export function input(fields: object): InferTensor {
  const tensor = {
    name: 'input',
    datatype: 'FP32',
    shape: [1, 3, SIDE, SIDE],
    data: floats(1),
    parameters: {},
    ...fields,
  };
  return tensor as InferTensor;
}

export function request(tensor: InferTensor, fields: Partial<InferRequest> = {}): InferRequest {
  return { id: '', parameters: {}, inputs: [tensor], outputs: null, ...fields };
}

/** Sends a request as the protocol's own code writes it. */
export async function inferRest(url: string, what: InferRequest): Promise<InferResponse> {
  const { headerLength, bytes } = encodeInferRequest(what);
  const headers: Record<string, string> = headerLength === undefined ? {} : { [HEADER_LENGTH]: String(headerLength) };
  const response = await fetch(url, { method: 'POST', body: bytes as Uint8Array<ArrayBuffer>, headers });
  const received = new Uint8Array(await response.arrayBuffer());
  assert.equal(response.status, 200, new TextDecoder().decode(received.subarray(0, 300)));
  const length = parseHeaderLength(response.headers.get(HEADER_LENGTH) ?? undefined);
  return decodeInferResponse({ headerLength: length, bytes: received });
}
