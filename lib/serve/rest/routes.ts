/** All REST routes of a service, in one scope of a Fastify app: hooks and parsers of the app around it are left alone. */
import type { FastifyInstance } from 'fastify';
import type { Metrics } from '../metrics.js';
import { loadPackage } from '../packages.js';
import type { InferenceService } from '../service.js';
import type { Tracer } from '../tracing.js';
import { countBodies, readBodies } from './bodies.js';
import { BodyMemory } from './bodyMemory.js';
import { classifyRoute } from './classifyRoute.js';
import { docsRoutes } from './docsRoutes.js';
import { sendError, sendNotFound } from './errors.js';
import { inferRoutes } from './inferRoutes.js';
import { healthRoutes, metadataRoutes } from './metadataRoutes.js';
import { pageRoutes } from './pageRoutes.js';
import { repositoryRoutes } from './repositoryRoutes.js';
import { secure } from './security.js';

export interface RoutesOptions {
  readonly service: InferenceService;
  readonly metrics: Metrics | null;
  readonly tracer: Tracer;
  /** Whether the server can be reached from this machine alone. */
  readonly isLocal: boolean;
  /** Whether there is no app around: then each request gets a line in the log. */
  readonly isAlone: boolean;
}

export async function restRoutes(
  app: FastifyInstance,
  { service, metrics, tracer, isLocal, isAlone }: RoutesOptions,
): Promise<void> {
  const { api_keys, tls, limits } = service.config;
  app.setErrorHandler(sendError);
  app.setNotFoundHandler(sendNotFound);
  // An app around may look at bodies whenever it likes.
  const memory = isAlone ? new BodyMemory() : null;
  readBodies(app, limits.body_bytes, memory);
  secure(app, { apiKeys: api_keys, isTls: tls !== null, isLocal });
  app.addHook('onRequest', (_, reply, done) => {
    const leave = service.enter();
    // The hook onResponse is not called for callers that went away.
    reply.raw.once('finish', leave).once('close', leave);
    if (reply.raw.destroyed) leave(); // while a hook of an app around was at work
    done();
  });
  countBodies(app, limits.body_bytes, service.inFlight);
  app.addHook('onSend', (_, reply, payload, done) => {
    // The next request is for another server.
    if (service.isDraining) reply.header('connection', 'close');
    done(null, payload);
  });
  app.addHook('onResponse', (request, reply, done) => {
    const { url = 'none' } = request.routeOptions;
    const milliseconds = reply.elapsedTime;
    metrics?.http(request.method, url, reply.statusCode, milliseconds / 1000);
    if (isAlone)
      request.log.info(
        { method: request.method, url: request.url.slice(0, 500), status: reply.statusCode, milliseconds },
        'request',
      );
    done();
  });

  healthRoutes(app, service);
  metadataRoutes(app, service);
  inferRoutes(app, service, tracer, memory);
  repositoryRoutes(app, service);
  docsRoutes(app);
  await pageRoutes(app, limits.body_bytes);
  await classifyRoute(app, service, tracer, await loadPackage('@fastify/multipart'));
  if (metrics !== null) {
    app.get('/metrics', async (_, reply) => reply.type(metrics.contentType).send(await metrics.text()));
  }
}
