/** Every answer that is no success, in the protocol's shape: what routes throw, what Fastify refuses, what Node cannot parse. */
import type { Socket } from 'node:net';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { BitpathError } from '../../errors.js';
import { failureOf } from '../status.js';

/** Fastify's codes for requests that it refuses itself, in our words. */
function translate(error: unknown, request: FastifyRequest): unknown {
  const { code = '', statusCode = 500, message } = error as Partial<FastifyError>;
  // The body's stream ended before the body did.
  if (code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE') return new BitpathError('ERR_BITPATH_ABORTED');
  if (error instanceof BitpathError || statusCode >= 500) return error;
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
    case 'FST_REQ_FILE_TOO_LARGE':
    case 'FST_FILES_LIMIT':
    case 'FST_PARTS_LIMIT':
    case 'FST_FIELDS_LIMIT':
      return new BitpathError('ERR_BITPATH_TOO_LARGE', {
        what: 'The body',
        limit: 'this server (limits.body_bytes, max_batch_size)',
      });
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
    case 'FST_INVALID_MULTIPART_CONTENT_TYPE':
      return new BitpathError('ERR_BITPATH_MEDIA_TYPE', {
        reason: `Content-Type ${request.headers['content-type']} is not understood`,
      });
    default:
      return new BitpathError('ERR_BITPATH_ARGUMENT', {
        argument: 'the request',
        expected: 'a well-formed one',
        received: message,
      });
  }
}

export function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const { http, body, isFault } = failureOf(translate(error, request));
  if (isFault) request.log.error({ err: error }, 'request failed');
  if (http === 503) reply.header('retry-after', '1');
  // The rest of such a body is not read, so nothing can follow it.
  if (http === 413 || body.code === 'ERR_BITPATH_BUSY') reply.header('connection', 'close');
  if (http === 401) reply.header('www-authenticate', 'Bearer');
  reply.code(http).type('application/json').send(JSON.stringify(body));
}

export function sendNotFound(request: FastifyRequest, reply: FastifyReply): void {
  const [path = ''] = request.url.split('?');
  sendError(
    new BitpathError('ERR_BITPATH_ROUTE', { method: request.method, path: path.slice(0, 200) }),
    request,
    reply,
  );
}

/** What Node's parser refuses: no request exists yet. The connection is closed after the answer. */
export function sendClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, reason] =
    error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? ['408 Request Timeout', 'a request within the time limit']
      : error.code === 'HPE_HEADER_OVERFLOW'
        ? ['431 Request Header Fields Too Large', 'headers within the limit of limits.header_bytes']
        : ['400 Bad Request', 'HTTP/1.1'];
  const { message, code } = new BitpathError('ERR_BITPATH_ARGUMENT', {
    argument: 'the request',
    expected: reason,
    received: 'something else',
  });
  const body = JSON.stringify({ error: message, code });
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}
