/** What the tests of a server's operation ask it: always the same inference. */
import { floats, type Running, SIDE } from './servers.js';

// biome-ignore lint/suspicious/noExplicitAny: documents of several forms, each looked at by a test
export type Json = any;

export const body = JSON.stringify({
  inputs: [{ name: 'input', datatype: 'FP32', shape: [1, 3, SIDE, SIDE], data: [...floats(1)] }],
});
export const INFER = '/v2/models/tiny/infer';
/** One request waits for company that does not come. */
export const WAITS = { max_queue_delay_microseconds: 3_600_000_000 };

export const post = async (
  url: string,
  what: NonNullable<RequestInit['body']> = body,
  init: RequestInit = {},
): Promise<{ status: number; headers: Headers; body: Json }> => {
  const response = await fetch(url, { method: 'POST', body: what, ...init });
  return { status: response.status, headers: response.headers, body: await response.json() };
};
export const served = ({ server }: Running) => server.service.repository.resolve('tiny');
