/** What the server and its models say of themselves, and how they fare. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { PATHS } from '../../protocol/index.js';
import type { InferenceService } from '../service.js';
import type { ModelParams } from './inferRoutes.js';

export function healthRoutes(app: FastifyInstance, service: InferenceService): void {
  app.get(PATHS.live, async () => ({ live: true }));
  app.get(PATHS.ready, async (_, reply) => {
    const ready = service.isReady;
    return reply.code(ready ? 200 : 503).send({ ready });
  });
}

export function metadataRoutes(app: FastifyInstance, service: InferenceService): void {
  const params = (request: FastifyRequest) => {
    const { name, version = '' } = request.params as ModelParams;
    return { name, version };
  };
  for (const path of [PATHS.server, `${PATHS.server}/`]) app.get(path, async () => service.serverMetadata());
  app.get(PATHS.statistics, async () => ({ model_stats: service.statistics() }));

  for (const path of ['/v2/models/:name', '/v2/models/:name/versions/:version']) {
    app.get(path, async (request) => {
      const { name, version } = params(request);
      return service.modelMetadata(name, version);
    });
    app.get(`${path}/ready`, async (request, reply) => {
      const { name, version } = params(request);
      const ready = service.isReady && service.modelReady(name, version);
      return reply.code(ready ? 200 : 503).send({ name, ready });
    });
    app.get(`${path}/config`, async (request) => {
      const { name, version } = params(request);
      return service.repository.resolve(name, version).config();
    });
    app.get(`${path}/stats`, async (request) => {
      const { name, version } = params(request);
      return { model_stats: service.statistics(name, version) };
    });
  }
}
