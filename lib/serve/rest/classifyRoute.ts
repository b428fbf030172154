/** `POST /classify`: a picture as the body, or several as files of a form → what is on them. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { argumentError, describe } from '../../check.js';
import { BitpathError } from '../../errors.js';
import { topK } from '../../images/predictions.js';
import type { InferenceService } from '../service.js';
import type { Tracer } from '../tracing.js';
import { bodyOf, heldBy, readBodies, sendBytes } from './bodies.js';
import { signalOf } from './cancel.js';

const DEFAULT_K = 5;
const MAX_FILES = 64;

interface Query {
  readonly k?: unknown;
  readonly model?: unknown;
  readonly version?: unknown;
}

interface File {
  readonly name: string | undefined;
  readonly bytes: Uint8Array;
}

/** Registers the route in a scope of its own, as forms are read by a parser of their own. `multipart` is the package. */
export async function classifyRoute(
  app: FastifyInstance,
  service: InferenceService,
  tracer: Tracer,
  multipart: typeof import('@fastify/multipart'),
): Promise<void> {
  const { body_bytes } = service.config.limits;
  await app.register(async (scope) => {
    readBodies(scope, body_bytes);
    await scope.register(multipart.default, {
      limits: {
        fileSize: body_bytes,
        files: MAX_FILES,
        parts: MAX_FILES,
        fields: MAX_FILES,
        fieldSize: 1024,
        headerPairs: 32,
        fieldNameSize: 100,
      },
      throwFileSizeLimit: true,
    });
    scope.post('/classify', { bodyLimit: body_bytes }, (request, reply) => classify(service, tracer, request, reply));
  });
}

async function classify(service: InferenceService, tracer: Tracer, request: FastifyRequest, reply: FastifyReply) {
  const { k, model, version } = readQuery(request.query as Query);
  const files = await readFiles(request);
  const spans = tracer.start('classify', { 'bitpath.model': model }, request.headers);
  try {
    const { served, logits, timings } = await service.classify(
      model,
      version,
      files.map(({ bytes }) => bytes),
      { signal: signalOf(reply), spans },
    );
    spans?.end();
    const document = {
      model: served.name,
      version: served.version,
      results: logits.map((row, i) => ({
        ...(files[i]?.name !== undefined && { name: files[i].name }),
        predictions: topK(row, served.labels, k).map(({ index, id, name, probability }) => ({
          index,
          id,
          name,
          probability,
        })),
      })),
      timings: { decode_ms: timings.decode, queue_ms: timings.queue, compute_ms: timings.compute },
    };
    return sendBytes(request, reply.type('application/json'), Buffer.from(JSON.stringify(document)));
  } catch (error) {
    spans?.end(error);
    throw error;
  }
}

function readQuery({ k = String(DEFAULT_K), model = '', version = '' }: Query) {
  if (typeof k !== 'string' || !/^[1-9]\d{0,6}$/.test(k)) throw argumentError('k', 'a number from 1 to 9999999', k);
  // Named twice, a parameter is a list.
  if (typeof model !== 'string') throw argumentError('model', 'a name', model);
  if (typeof version !== 'string') throw argumentError('version', 'a version', version);
  return { k: Number(k), model, version };
}

async function readFiles(request: FastifyRequest): Promise<File[]> {
  if (!request.isMultipart()) {
    const bytes = bodyOf(request);
    if (bytes.length === 0) {
      const details = { argument: 'the body', expected: 'a picture, or a form with files', received: 'nothing' };
      throw new BitpathError('ERR_BITPATH_ARGUMENT', details);
    }
    return [{ name: undefined, bytes }];
  }
  return readForm(request).catch((cause: unknown) => {
    // What the parser of forms throws has mostly neither a code nor a status; limits have both.
    if (cause instanceof BitpathError || typeof (cause as { statusCode?: unknown }).statusCode === 'number')
      throw cause;
    const details = { argument: 'the form', expected: 'multipart/form-data', received: (cause as Error).message };
    throw new BitpathError('ERR_BITPATH_ARGUMENT', details, { cause });
  });
}

async function readForm(request: FastifyRequest): Promise<File[]> {
  const files: File[] = [];
  const held = heldBy(request);
  let total = 0;
  const limit = request.routeOptions.bodyLimit ?? 0;
  for await (const part of request.parts()) {
    if (part.type === 'field') {
      const details = {
        argument: `the form’s field ${describe(part.fieldname)}`,
        expected: 'a file',
        received: 'text',
      };
      throw new BitpathError('ERR_BITPATH_ARGUMENT', details);
    }
    const chunks: Buffer[] = [];
    for await (const chunk of part.file as AsyncIterable<Buffer>) {
      total += chunk.length;
      if (total > limit) throw new BitpathError('ERR_BITPATH_TOO_LARGE', { what: 'The body', limit: `${limit} bytes` });
      held.add(chunk.length);
      chunks.push(chunk);
    }
    files.push({ name: part.filename, bytes: Buffer.concat(chunks) });
  }
  if (files.length === 0) throw argumentError('the form', 'at least one file', 'none');
  return files;
}
