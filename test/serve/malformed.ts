/**
 * Malformed requests without end: good ones that were damaged, and bytes that never were a request. Each seed gives the same ones.
 * `npm run fault:malformed` sends as many as are asked for, on loopback, with good requests in between.
 */
import { once } from 'node:events';
import net from 'node:net';
import { gzipSync } from 'node:zlib';
import { dataToBytes } from '#lib/protocol/index.js';
import { STRANGE_REQUESTS, WRONG_REQUESTS } from './oddRequests.js';
import { floats, SIDE } from './tinyModel.js';

/** Numbers in [0, 1): mulberry32. */
export function random(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Random = () => number;
const pick = <T>(next: Random, list: readonly T[]): T => list[Math.floor(next() * list.length)] as T;
const below = (next: Random, n: number) => Math.floor(next() * n);
const noise = (next: Random, length: number) => Buffer.from(Array.from({ length }, () => below(next, 256)));

const INFER = '/v2/models/tiny/infer';

/** Requests with a proper head and the body that it announces: those are answered, whatever is in them. */
const whole = new WeakSet<Buffer>();

function request(
  method: string,
  path: string,
  body: Uint8Array,
  headers: Record<string, string | number> = {},
): Buffer {
  const all = { host: 'localhost', 'content-length': body.length, connection: 'close', ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  const bytes = Buffer.concat([Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1'), body]);
  whole.add(bytes);
  return bytes;
}

/** Values that no field of a request may have. */
const WRONG = [
  null,
  true,
  -1,
  1.5,
  1e308,
  2 ** 53,
  '',
  'x',
  '\u0000',
  [],
  [[]],
  {},
  [null],
  '__proto__',
  '../../etc/passwd',
  [1, [2, [3]]],
];

function wrongJson(next: Random): Buffer {
  const tensor: Record<string, unknown> = {
    name: 'input',
    datatype: 'FP32',
    shape: [1, 3, SIDE, SIDE],
    data: [...floats(1)],
  };
  const body: Record<string, unknown> = { inputs: [tensor] };
  const [object, key] = pick(next, [
    [tensor, 'name'],
    [tensor, 'datatype'],
    [tensor, 'shape'],
    [tensor, 'data'],
    [body, 'inputs'],
  ] as const);
  object[key] = pick(next, WRONG);
  return request('POST', INFER, Buffer.from(JSON.stringify(body)));
}

/** A binary request whose lengths do not fit. */
function binary(next: Random): Buffer {
  const tensor = dataToBytes({ datatype: 'FP32', data: floats(1) } as never);
  const size = pick(next, [tensor.length - 1, tensor.length + 1, 0, -1, 2 ** 40, '8', null]);
  const header = Buffer.from(
    JSON.stringify({
      inputs: [{ name: 'input', datatype: 'FP32', shape: [1, 3, SIDE, SIDE], parameters: { binary_data_size: size } }],
    }),
  );
  const length = pick(next, [header.length, header.length, header.length - 1, header.length + 1, 10 ** 9, -1, 'x', '']);
  return request('POST', INFER, Buffer.concat([header, tensor]), { 'inference-header-content-length': length });
}

const MAKERS: readonly ((next: Random) => Buffer)[] = [
  wrongJson,
  binary,
  // Truncated JSON, and JSON with bytes changed to what is none.
  (next) => {
    const text = JSON.stringify({ inputs: [{ name: 'input', datatype: 'FP32', shape: [1], data: [1] }] });
    return request('POST', INFER, Buffer.from(text.slice(0, below(next, text.length))));
  },
  (next) => request('POST', INFER, noise(next, 1 + below(next, 300))),
  (next) => request('POST', '/classify', noise(next, 1 + below(next, 300))),
  // A picture's head with nothing behind it.
  (next) =>
    request(
      'POST',
      '/classify',
      Buffer.concat([Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'), noise(next, 40)]),
    ),
  (next) => request('POST', '/classify', Buffer.concat([Buffer.from('ffd8ffe000104a464946', 'hex'), noise(next, 40)])),
  (next) => request('POST', `/classify?k=${pick(next, ['0', '-1', 'x', '1e9', ''])}`, Buffer.from('x')),
  (next) => {
    const boundary = pick(next, ['b', '', '"', 'x'.repeat(100)]);
    const part = `--b\r\ncontent-disposition: form-data; name="a"${pick(next, ['', '; filename="x"', '; filename='])}\r\n\r\n`;
    return request(
      'POST',
      '/classify',
      Buffer.concat([Buffer.from(part), noise(next, 30), Buffer.from(pick(next, ['\r\n--b--', '\r\n--b', '']))]),
      {
        'content-type': `multipart/form-data; boundary=${boundary}`,
      },
    );
  },
  // Compression that is none, is cut off, or is unknown.
  (next) =>
    request('POST', INFER, noise(next, 30), {
      'content-encoding': pick(next, ['gzip', 'deflate', 'br', 'gzip, gzip', 'x']),
    }),
  (next) =>
    request('POST', INFER, gzipSync('{}'.repeat(50)).subarray(0, 5 + below(next, 15)), { 'content-encoding': 'gzip' }),
  // Names and paths.
  (next) =>
    request(
      'POST',
      `/v2/models/${pick(next, ['..', '%2e%2e%2f', 'none', '%00', '%zz', 'x'.repeat(300), '%F0%28'])}/infer`,
      Buffer.from('{}'),
    ),
  (next) =>
    request(
      'POST',
      `/v2/repository/models/${pick(next, ['..%2f..%2fetc', 'none', '%00', '~'])}/${pick(next, ['load', 'unload'])}`,
      Buffer.from(''),
    ),
  (next) => request('POST', '/v2/repository/index', Buffer.from(pick(next, ['{', '[]', '1', '{"ready":2}', 'null']))),
  (next) => request(pick(next, ['PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE']), INFER, Buffer.from('{}')),
  // What is no HTTP, or not quite.
  (next) => noise(next, 1 + below(next, 200)),
  (next) =>
    Buffer.from(
      `POST ${INFER} HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${pick(next, ['x', '-1', '1e3', '99999999999999999999', '5\r\ncontent-length: 6'])}\r\n\r\n{}`,
    ),
  (next) =>
    Buffer.from(
      `POST ${INFER} HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n${pick(next, ['zz\r\n{}', '5\r\n{}\r\n0\r\n\r\n', 'ffffffffffffffffff\r\n', '-1\r\n'])}`,
    ),
  (next) => Buffer.from(`GET /v2 HTTP/1.1\r\nhost: localhost\r\nx: ${'y'.repeat(20_000 + below(next, 1000))}\r\n\r\n`),
  ...WRONG_REQUESTS.map((make) => (next: Random) => complete(make(next))),
];

/** Bytes of a text in which each character is one; those that end with their body are answered. */
function complete(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  if (/^connection: close$/im.test(text)) whole.add(bytes);
  return bytes;
}

/** A strange request, which may be answered as well as refused. */
export function strange(seed: number, index: number): Buffer {
  const next = random(Math.imul(seed, 0x9e3779b1) ^ index);
  return complete((STRANGE_REQUESTS[index % STRANGE_REQUESTS.length] as (next: Random) => string)(next));
}

/** The malformed request that belongs to `seed` and `index`. */
export function malformed(seed: number, index: number): Buffer {
  const next = random(Math.imul(seed, 0x9e3779b1) ^ index);
  return (MAKERS[index % MAKERS.length] as (next: Random) => Buffer)(next);
}

/** A request that is fine. */
export function wellFormed(): Buffer {
  return request(
    'POST',
    INFER,
    Buffer.from(
      JSON.stringify({
        inputs: [{ name: 'input', datatype: 'FP32', shape: [1, 3, SIDE, SIDE], data: [...floats(1)] }],
      }),
    ),
  );
}

/** Sends `bytes` and no more; the status of the first answer, or 0 where the connection was closed without one. */
export async function statusOf(url: string, bytes: Buffer): Promise<number> {
  const { hostname, port } = new URL(url);
  const socket = net.connect(Number(port), hostname);
  let answer = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => (answer += chunk));
  socket.on('error', () => {}); // reset while it was still being written to
  // The end of what is no whole request would be waited for. A whole one that ends early counts as given up.
  if (whole.has(bytes)) socket.write(bytes);
  else socket.end(bytes);
  await once(socket, 'close');
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);
}

/**
 * Sends `count` malformed requests, with a strange one after every tenth and a good one after every 100, and returns how often each
 * status came, good ones apart.
 */
export async function bombard(
  url: string,
  count: number,
  seed: number,
  lanes = 8,
): Promise<{ bad: Map<number, number>; odd: Map<number, number>; good: Map<number, number> }> {
  const bad = new Map<number, number>();
  const odd = new Map<number, number>();
  const good = new Map<number, number>();
  const note = (map: Map<number, number>, status: number) => map.set(status, (map.get(status) ?? 0) + 1);
  let index = 0;
  const lane = async () => {
    while (index < count) {
      const mine = index++;
      const status = await statusOf(url, malformed(seed, mine));
      if (status !== 0 && (status < 400 || status > 499)) {
        const text = malformed(seed, mine).toString('latin1').slice(0, 500);
        throw new Error(`request ${mine} of seed ${seed} was answered with ${status}:\n${text}`);
      }
      note(bad, status);
      if (mine % 10 === 0) {
        const what = strange(seed, mine / 10);
        const answer = await statusOf(url, what);
        if (answer >= 500) throw new Error(`it was answered with ${answer}:\n${what.toString('latin1').slice(0, 500)}`);
        note(odd, answer);
      }
      if (mine % 100 === 0) note(good, await statusOf(url, wellFormed()));
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return { bad, odd, good };
}
