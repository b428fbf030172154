/** Bodies in and out: whole, bounded, and compressed where a client says so. */
import { promisify } from 'node:util';
import { gunzip, gzip, inflate } from 'node:zlib';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { BitpathError } from '../../errors.js';

const expand = { gzip: promisify(gunzip), deflate: promisify(inflate) } as const;
const compress = promisify(gzip);
/** Smaller bodies are sent as they are: compressing them costs more than it spares. */
const WORTH_COMPRESSING = 4096;

/** Has `app` read bodies of every type as bytes, at most `limit` of them, before and after they are expanded. */
export function readBodies(app: FastifyInstance, limit: number): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    '*',
    { parseAs: 'buffer', bodyLimit: limit },
    async (request: FastifyRequest, body: Buffer) => {
      return expanded(request.headers['content-encoding'], body, limit);
    },
  );
}

async function expanded(encoding: string | undefined, body: Buffer, limit: number): Promise<Buffer> {
  if (encoding === undefined || encoding === '' || encoding === 'identity') return body;
  if (encoding !== 'gzip' && encoding !== 'deflate') {
    throw new BitpathError('ERR_BITPATH_MEDIA_TYPE', {
      reason: `Content-Encoding ${encoding.slice(0, 60)} is not understood; gzip and deflate are`,
    });
  }
  try {
    return await expand[encoding](body, { maxOutputLength: limit });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE')
      throw new BitpathError(
        'ERR_BITPATH_TOO_LARGE',
        { what: 'The body, expanded,', limit: `${limit} bytes` },
        { cause },
      );
    const details = { argument: 'the body', expected: `${encoding} data`, received: 'something else' };
    throw new BitpathError('ERR_BITPATH_ARGUMENT', details, { cause });
  }
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
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
  } catch (cause) {
    throw new BitpathError(
      'ERR_BITPATH_ARGUMENT',
      { argument: 'the body', expected: 'JSON', received: 'something else' },
      { cause },
    );
  }
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
