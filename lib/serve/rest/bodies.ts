/** Bodies in and out: whole, bounded, and compressed where a client says so. */
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { createGunzip, createInflate, gzip } from 'node:zlib';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { BitpathError } from '../../errors.js';
import { splitBody } from '../../protocol/framing.js';
import { HEADER_LENGTH } from '../../protocol/index.js';
import type { Held, InFlight } from '../inFlight.js';
import type { BodyMemory } from './bodyMemory.js';

const expanders = { gzip: createGunzip, deflate: createInflate } as const;
const compress = promisify(gzip);
/** Smaller bodies are sent as they are: compressing them costs more than it spares. */
const WORTH_COMPRESSING = 4096;

/** Bodies up to this size get their memory from what Content-Length says; a larger one first has to come. */
const TRUSTED_LENGTH = 4 * 2 ** 20;
const EXPANDED_CHUNK = 2 ** 16;
/** Elements of every datatype may begin at a multiple of this. */
const ALIGNMENT = 8;

/** Of a request: what it holds of the server's memory. */
const HELD = Symbol('held');
type Holding = FastifyRequest & { [HELD]?: Held };

/** Has each request of `app` held to the limit of all: refused at once where it has no room, and counted until it is answered. */
export function countBodies(app: FastifyInstance, limit: number, inFlight: InFlight): void {
  if (!app.hasRequestDecorator(HELD)) app.decorateRequest(HELD); // a server's app may have the plugin in it as well
  app.addHook('onRequest', (request, reply, done) => {
    const held = inFlight.open();
    (request as Holding)[HELD] = held;
    reply.raw.once('finish', held.release).once('close', held.release);
    if (reply.raw.destroyed) held.release();
    const announced = Number(request.headers['content-length'] ?? 0);
    if (announced <= limit) inFlight.check(announced); // larger ones are never read
    done();
  });
}

/** What `request` holds. */
export function heldBy(request: FastifyRequest): Held {
  return (request as Holding)[HELD] as Held;
}

/** Has `app` read bodies of every type as bytes, at most `limit` of them, before and after they are expanded. */
export function readBodies(app: FastifyInstance, limit: number, memory: BodyMemory | null = null): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', async (request: FastifyRequest, payload: Readable) => {
    const body = await readWhole(request, payload, limit, memory);
    const encoding = request.headers['content-encoding'];
    if (encoding === undefined || encoding === '' || encoding === 'identity') return body;
    const whole = await expanded(encoding, body, limit, heldBy(request));
    memory?.give(body);
    return whole;
  });
}

/**
 * Reads a body into one piece of memory, placed so that the binary data behind `Inference-Header-Content-Length` bytes of JSON are
 * aligned: tensors are then views of it instead of copies.
 */
function readWhole(
  request: FastifyRequest,
  payload: Readable,
  limit: number,
  memory: BodyMemory | null,
): Promise<Uint8Array> {
  const { headers } = request;
  const held = heldBy(request);
  const tooLarge = () => new BitpathError('ERR_BITPATH_TOO_LARGE', { what: 'The body', limit: `${limit} bytes` });
  if (payload.destroyed) throw new BitpathError('ERR_BITPATH_ABORTED'); // it would say nothing any more
  const announced = Number(headers['content-length'] ?? Number.NaN);
  if (announced > limit) throw tooLarge();
  const header = Number(headers[HEADER_LENGTH.toLowerCase()] ?? 0);
  const pad = Number.isSafeInteger(header) && header > 0 ? (ALIGNMENT - (header % ALIGNMENT)) % ALIGNMENT : 0;
  const allocate = (length: number) =>
    (memory?.take(pad + length) ?? Buffer.allocUnsafeSlow(pad + length)).subarray(pad);

  return new Promise((resolve, reject) => {
    let body = announced <= TRUSTED_LENGTH ? allocate(announced) : null;
    const chunks: Buffer[] = [];
    let length = 0;
    const read = (chunk: Buffer) => {
      try {
        if (length + chunk.length > limit) throw tooLarge();
        held.add(chunk.length);
        if (body === null) chunks.push(chunk);
        else body.set(chunk, length); // Node lets no body be longer than it announced
        length += chunk.length;
      } catch (error) {
        payload.off('data', read);
        payload.resume(); // what still comes is for nobody
        reject(error);
      }
    };
    payload.on('data', read);
    // Not `once`: after the first, errors are for nobody, and must not be uncaught.
    payload.on('error', reject);
    payload.once('close', () => {
      if (!payload.readableEnded) reject(new BitpathError('ERR_BITPATH_ABORTED'));
    });
    payload.once('end', () => {
      if (body === null) {
        body = allocate(length);
        let at = 0;
        for (const chunk of chunks) {
          body.set(chunk, at);
          at += chunk.length;
        }
      }
      resolve(body.subarray(0, length));
    });
  });
}

/**
 * A few bytes can become many: they are counted as they come out, not when all are there. The body counts as the larger of its two
 * forms, or one that fits by itself might never have room.
 */
async function expanded(encoding: string, body: Uint8Array, limit: number, held: Held): Promise<Uint8Array> {
  if (encoding !== 'gzip' && encoding !== 'deflate') {
    throw new BitpathError('ERR_BITPATH_MEDIA_TYPE', {
      reason: `Content-Encoding ${encoding.slice(0, 60)} is not understood; gzip and deflate are`,
    });
  }
  const expander = expanders[encoding]({ chunkSize: EXPANDED_CHUNK });
  expander.end(body);
  const chunks: Buffer[] = [];
  let length = 0;
  let counted = body.length;
  try {
    for await (const chunk of expander as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > limit)
        throw new BitpathError('ERR_BITPATH_TOO_LARGE', { what: 'The body, expanded,', limit: `${limit} bytes` });
      held.add(Math.max(0, length - counted));
      counted = Math.max(counted, length);
      chunks.push(chunk);
    }
  } catch (cause) {
    if (cause instanceof BitpathError) throw cause;
    const details = { argument: 'the body', expected: `${encoding} data`, received: 'something else' };
    throw new BitpathError('ERR_BITPATH_ARGUMENT', details, { cause });
  }
  return Buffer.concat(chunks, length);
}

/** The request's body; empty where it has none. */
export function bodyOf({ body }: FastifyRequest): Uint8Array {
  return body instanceof Uint8Array ? body : new Uint8Array(0);
}

/** A JSON body, undefined where there is none. Throws `ERR_BITPATH_ARGUMENT`. */
export function jsonBodyOf(request: FastifyRequest): unknown {
  const bytes = bodyOf(request);
  if (bytes.length === 0) return undefined;
  if (bytes.length > 2 ** 16)
    throw new BitpathError('ERR_BITPATH_TOO_LARGE', { what: 'The body', limit: '65536 bytes' });
  return splitBody({ headerLength: undefined, bytes }).json;
}

/** Sends `bytes`, compressed where the client takes that and it is worth it. */
export async function sendBytes(
  request: FastifyRequest,
  reply: FastifyReply,
  bytes: Uint8Array,
): Promise<FastifyReply> {
  reply.header('vary', 'accept-encoding');
  if (bytes.length < WORTH_COMPRESSING || !acceptsGzip(request.headers['accept-encoding'])) return reply.send(bytes);
  return reply.header('content-encoding', 'gzip').send(await compress(bytes, { level: 1 }));
}

function acceptsGzip(header: string | string[] | undefined): boolean {
  return String(header ?? '')
    .split(',')
    .some((part) => /^\s*(gzip|\*)\s*(;\s*q=(0\.\d*[1-9]\d*|1(\.0*)?))?\s*$/.test(part));
}
