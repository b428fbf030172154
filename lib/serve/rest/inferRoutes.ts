/** `POST /v2/models/{model}[/versions/{version}]/infer` */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { BitpathError } from '../../errors.js';
import {
  decodeInferRequest,
  decodeRawRequest,
  encodeInferResponse,
  HEADER_LENGTH,
  type InferRequest,
  type InferTensor,
  parseHeaderLength,
  wantsBinary,
} from '../../protocol/index.js';
import type { InferenceService } from '../service.js';
import type { Tracer } from '../tracing.js';
import { bodyOf, sendBytes } from './bodies.js';
import type { BodyMemory } from './bodyMemory.js';
import { signalOf } from './cancel.js';

export interface ModelParams {
  readonly name: string;
  readonly version?: string;
}

/** @param memory Where bodies came from, and go back to once nothing looks at them any more. */
export function inferRoutes(
  app: FastifyInstance,
  service: InferenceService,
  tracer: Tracer,
  memory: BodyMemory | null,
): void {
  const handler = async (request: FastifyRequest, reply: FastifyReply) => {
    try {
      return await infer(request, reply);
    } finally {
      // Executors copy their input, and decoders are waited for: tensors and files in it are done with, also where the caller went away.
      memory?.give(bodyOf(request));
      if (memory !== null) request.body = undefined;
    }
  };
  const infer = async (request: FastifyRequest, reply: FastifyReply) => {
    const { name, version = '' } = request.params as ModelParams;
    const inferRequest = read(request, service, name, version);
    const spans = tracer.start('infer', { 'bitpath.model': name }, request.headers);
    try {
      const response = await service.infer(name, version, inferRequest, { signal: signalOf(reply), spans });
      const binary = new Set(response.outputs.filter((_, i) => wantsBinary(inferRequest, inferRequest.outputs?.[i])));
      const { headerLength, bytes } = encodeInferResponse(response, (output: InferTensor) => binary.has(output));
      spans?.end();
      if (headerLength === undefined) reply.type('application/json');
      else reply.type('application/octet-stream').header(HEADER_LENGTH, String(headerLength));
      return sendBytes(request, reply, bytes);
    } catch (error) {
      spans?.end(error);
      throw error;
    }
  };
  app.post('/v2/models/:name/infer', handler);
  app.post('/v2/models/:name/versions/:version/infer', handler);
}

function read(request: FastifyRequest, service: InferenceService, name: string, version: string): InferRequest {
  const headerLength = parseHeaderLength(request.headers[HEADER_LENGTH.toLowerCase()] as string | undefined);
  const bytes = bodyOf(request);
  if (headerLength !== 0) {
    service.repository.resolve(name, version); // a wrong name costs no parsing
    const { json_bytes } = service.config.limits;
    // Parsing takes the thread that serves all others; of a body it may be the small part.
    if ((headerLength ?? bytes.length) > json_bytes)
      throw new BitpathError('ERR_BITPATH_TOO_LARGE', { what: 'The JSON', limit: `${json_bytes} bytes` });
    return decodeInferRequest({ headerLength, bytes });
  }
  const { inputs } = service.modelMetadata(name, version);
  const [input] = inputs as [(typeof inputs)[number]];
  const isPicture = request.headers['content-type']?.startsWith('image/') ?? false;
  return decodeRawRequest(bytes, isPicture ? { name: input.name, datatype: 'BYTES', shape: [-1] } : input);
}
