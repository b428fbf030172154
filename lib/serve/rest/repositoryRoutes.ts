/** The model repository: what is in it, loading and unloading. Bodies may be empty. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { checkBoolean } from '../../check.js';
import { PATHS } from '../../protocol/index.js';
import { checkObject } from '../../protocol/tensor.js';
import { BitpathError } from '../../errors.js';
import type { InferenceService } from '../service.js';
import { jsonBodyOf } from './bodies.js';
import type { ModelParams } from './inferRoutes.js';

export function repositoryRoutes(app: FastifyInstance, { repository }: InferenceService): void {
  app.post(PATHS.repositoryIndex, async (request) => {
    const { ready } = fields(request);
    return repository.index(ready === undefined ? false : checkBoolean('ready', ready));
  });
  app.post('/v2/repository/models/:name/load', async (request) => {
    const { parameters } = fields(request);
    // Triton takes a configuration or whole files here; neither comes from a request.
    if (parameters !== undefined && Object.keys(checkObject('parameters', parameters)).length > 0)
      throw new BitpathError('ERR_BITPATH_UNSUPPORTED', { what: 'Parameters of load' });
    await repository.load((request.params as ModelParams).name);
    return {};
  });
  app.post('/v2/repository/models/:name/unload', async (request) => {
    fields(request);
    await repository.unload((request.params as ModelParams).name);
    return {};
  });
}

function fields(request: FastifyRequest): Readonly<Record<string, unknown>> {
  const body = jsonBodyOf(request);
  return checkObject('the body', body === undefined ? {} : body);
}
