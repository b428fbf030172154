/** The service as a Fastify plugin, for an app that has other routes as well. */
import type { FastifyInstance, FastifyPluginAsync } from 'fastify';
import { parseConfig, type ServerOptions } from './config.js';
import { Metrics } from './metrics.js';
import { loadPackage } from './packages.js';
import { restRoutes } from './rest/routes.js';
import { InferenceService } from './service.js';
import { makeTracer } from './tracing.js';

type PromClient = { default: typeof import('prom-client') };

/**
 * Serves models below the prefix that the plugin is registered with. Keys that are about a server of its own (`host`, `port`,
 * `grpc_port`, `tls`, `log_level`, limits of connections) mean nothing here: the app has its own.
 *
 * @throws `ERR_BITPATH_CONFIG` naming the key that is wrong, `ERR_BITPATH_MISSING_PACKAGE`, or what is wrong with a model: the
 *   app's `ready()` and `listen()` reject with it.
 * @example
 * ```ts
 * app.register(bitpath, { prefix: '/vision', models: ['igp-resnet37-41-reactnet-tiny-imagenet'] });
 * ```
 */
export const bitpath: FastifyPluginAsync<
  ServerOptions & {
    /** Where the routes begin, such as `/vision`. Default: at the root. */
    readonly prefix?: string;
  }
> = async (app: FastifyInstance, { prefix: _, ...options }) => {
  const config = await parseConfig('options', options);
  const service = new InferenceService(config, { log: app.log });
  const metrics = config.metrics ? new Metrics((await loadPackage<PromClient>('prom-client')).default, service) : null;
  app.addHook('preClose', () => service.drain());
  app.addHook('onClose', async () => service.close());
  await service.load();
  const tracer = await makeTracer(service.clock.now);
  await restRoutes(app, { service, metrics, tracer, isLocal: false, logsRequests: false });
};
