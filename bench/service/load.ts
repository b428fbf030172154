/** Load on a server: so many connections at a time, each with its next request as soon as its last one is answered. */
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import autocannon from 'autocannon';
import { fail } from '#lib/bench/check.js';

export interface Wire {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface Window {
  readonly connections: number;
  /** Milliseconds from the first answer on whose answers do not count: connections open, queues fill. */
  readonly warm: number;
  /** Milliseconds in which answers count. */
  readonly counted: number;
}

export interface Answers {
  readonly milliseconds: number;
  /** Of each answer that counts. */
  readonly latencies: readonly number[];
}

/**
 * @param onWindow Called when the counted time begins and when it ends.
 * @throws `ERR_BITPATH_BENCH` where an answer is not 200 or a connection fails: what is timed are answers.
 */
export async function load(
  url: string,
  { path, headers, body }: Wire,
  { connections, warm, counted }: Window,
  onWindow: () => Promise<void> = async () => {},
): Promise<Answers> {
  const latencies: number[] = [];
  let wrong = '';
  let from = Number.POSITIVE_INFINITY;
  let to = Number.POSITIVE_INFINITY;
  let stopped = () => {};
  const ended = new Promise<void>((resolve) => (stopped = resolve));
  const instance = autocannon(
    {
      ...{ url: url + path, method: 'POST', headers: { ...headers }, body, connections },
      // It is stopped, and looks for that 50 times a second.
      ...{ duration: 3600, timeout: 120, sampleInt: 20 },
    },
    stopped,
  );
  const first = new Promise<void>((resolve) => {
    instance.on('response', (_client, status, _bytes, milliseconds) => {
      if (status !== 200) wrong ||= `status ${status}`;
      const now = performance.now();
      if (now >= from && now < to) latencies.push(milliseconds);
      resolve();
    });
    instance.on('reqError', (error) => {
      wrong ||= String(error);
      resolve();
    });
  });
  await first;
  await sleep(warm);
  await onWindow();
  from = performance.now();
  await sleep(counted);
  to = performance.now();
  await onWindow();
  instance.stop();
  await ended;
  if (wrong !== '') fail(`${url}${path} with ${connections} connections`, wrong);
  return { milliseconds: to - from, latencies };
}

/** One connection with a request every `period` milliseconds, or as soon as the last one is answered: light load. */
export async function trickle(url: string, wire: Wire, period: number, milliseconds: number): Promise<number[]> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const latencies: number[] = [];
  try {
    for (let i = 0; i < 3; i++) await send(url, wire, agent);
    const began = performance.now();
    for (let sent = began, due = began; sent - began < milliseconds; due += period) {
      const wait = due - performance.now();
      if (wait > 0) await sleep(wait);
      sent = performance.now();
      await send(url, wire, agent);
      latencies.push(performance.now() - sent);
    }
  } finally {
    agent.destroy();
  }
  return latencies;
}

/** The body of a 200; anything else is an error. */
export function send(
  url: string,
  { path, headers, body }: Wire,
  agent?: http.Agent,
): Promise<{ bytes: Buffer; headers: http.IncomingHttpHeaders }> {
  return new Promise((resolve, reject) => {
    const request = http.request(url + path, { method: 'POST', headers, ...(agent !== undefined && { agent }) });
    request.on('error', reject);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const bytes = Buffer.concat(chunks);
        if (response.statusCode === 200) resolve({ bytes, headers: response.headers });
        else reject(new Error(`${response.statusCode}: ${bytes.toString('utf8').slice(0, 200)}`));
      });
    });
    request.end(body);
  });
}
