/** A server of its own: REST, and gRPC where it is asked for, over one service. */
import type { AddressInfo } from 'node:net';
import type { FastifyInstance, FastifyServerOptions } from 'fastify';
import { BitpathError } from '../errors.js';
import type { Clock } from './clock.js';
import { parseConfig, type ServerConfig, type ServerOptions } from './config.js';
import type { GrpcServer } from './grpc/server.js';
import { hostAndPort, listenError, readTls } from './listen.js';
import type { Loader } from './models/loading.js';
import { Metrics } from './metrics.js';
import { loadPackage } from './packages.js';
import { sendClientError, sendError } from './rest/errors.js';
import { requestId } from './requestId.js';
import { restRoutes } from './rest/routes.js';
import { isLoopback } from './rest/security.js';
import { InferenceService } from './service.js';
import { makeTracer, type Tracer } from './tracing.js';

/** Longest time for which a server that ends takes new connections. */
const ACCEPTING_SECS = 5;
/** What is still being read or written when all requests are answered gets this long. */
const CLOSING_MS = 1000;

/** What a program can give to {@link createServer} besides the configuration. */
export interface ServerExtras {
  /** What error messages call the options; the configuration file's path, for instance. */
  readonly file?: string;
  /** As Fastify takes it: true or false, pino's options, or where the lines go. Default: JSON lines on stderr. */
  readonly logger?: FastifyServerOptions['logger'];
  /** @internal For tests. */
  readonly clock?: Clock;
  /** @internal Where models come from, for benchmarks of other engines. */
  readonly load?: Loader;
}

/** Where a server listens. */
export interface Addresses {
  /** Of REST, such as `http://127.0.0.1:8000`. */
  readonly url: string;
  /** Of gRPC, such as `127.0.0.1:8001`; null where it was not asked for. */
  readonly grpc: string | null;
}

/** A server of its own, made by {@link createServer}. */
export class Server {
  /**
   * The Fastify app, for routes and hooks of one's own: add them before {@link listen}. In `onResponse`, `request.body` of an inference
   * is undefined: its memory is for the next request.
   */
  readonly app: FastifyInstance;
  /** @internal */
  readonly service: InferenceService;
  #grpc: GrpcServer | null = null;
  #closing: Promise<void> | undefined;

  readonly #tracer: Tracer;

  /** @internal */
  constructor(app: FastifyInstance, service: InferenceService, tracer: Tracer) {
    this.app = app;
    this.service = service;
    this.#tracer = tracer;
  }

  /**
   * Listens, loads the models and resolves once the server is ready. Until then it answers that it is not.
   *
   * @throws `ERR_BITPATH_LISTEN` where an address is taken, what is wrong with a model, and `ERR_BITPATH_UNAVAILABLE` where {@link close}
   *   was called meanwhile. Then nothing listens any more.
   */
  async listen(): Promise<Addresses> {
    const { config } = this.service;
    try {
      this.#checkOpen();
      const url = await this.#listenRest(config);
      this.#checkOpen();
      if (config.grpc_port !== null) await this.#listenGrpc();
      await this.service.load();
      this.#checkOpen();
      this.#grpc?.update();
      return { url, grpc: this.#grpc?.address ?? null };
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /**
   * Stops: readiness turns false, what is on its way is answered, at most for `drain_secs`, then nothing listens any more. New
   * connections are taken for a few seconds still, as those who send requests have yet to see that readiness is gone. Calling it
   * twice is harmless. Rejects with what a hook of the app throws.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { drain_secs } = this.service.config;
    const drained = this.service.drain();
    this.#grpc?.update();
    // Where requests never cease, there is no moment without one: then new connections are refused first.
    await this.service.drain(Math.min(ACCEPTING_SECS, drain_secs / 2));
    const closed = this.app.close();
    const grpcClosed = this.#grpc?.close(drained);
    await drained;
    this.service.close();
    const slow = this.service.clock.after(CLOSING_MS, () => this.app.server.closeAllConnections());
    await Promise.all([closed, grpcClosed]);
    slow();
  }

  /** Throws where the server was closed while it started. */
  #checkOpen(): void {
    if (this.#closing === undefined) return;
    throw new BitpathError('ERR_BITPATH_UNAVAILABLE', { what: 'The server', reason: 'it was closed' });
  }

  async #listenGrpc(): Promise<void> {
    const { GrpcServer } = await import('./grpc/server.js');
    const grpc = await GrpcServer.start(this.service, this.#tracer, this.app.log);
    // Who closed the server meanwhile knew nothing of this one.
    if (this.#closing !== undefined) await grpc.close(Promise.resolve());
    this.#checkOpen();
    this.#grpc = grpc;
  }

  async #listenRest({ host, port, limits, tls }: ServerConfig): Promise<string> {
    const { server } = this.app;
    server.maxConnections = limits.connections;
    try {
      await this.app.listen({ host, port });
    } catch (cause) {
      throw listenError(hostAndPort(host, port), cause);
    }
    const address = server.address() as AddressInfo;
    return `${tls === null ? 'http' : 'https'}://${hostAndPort(address.address, address.port)}`;
  }
}

/**
 * Makes a server; `listen()` starts it.
 *
 * @throws `ERR_BITPATH_CONFIG` naming the key that is wrong, `ERR_BITPATH_MISSING_PACKAGE` with the command that installs what is
 *   missing. Both reject the promise.
 */
export async function createServer(options: ServerOptions = {}, extras: ServerExtras = {}): Promise<Server> {
  const [config, fastify, prometheus] = await Promise.all([
    parseConfig(extras.file ?? 'options', options),
    loadPackage<typeof import('fastify')>('fastify'),
    loadPackage<{ default: typeof import('prom-client') }>('prom-client'),
  ]);
  const app = fastify.fastify((await fastifyOptions(fastify, config, extras)) as FastifyServerOptions);
  const { clock, load } = extras;
  const service = new InferenceService(config, { log: app.log, ...(clock && { clock }), ...(load && { load }) });
  const metrics = config.metrics ? new Metrics(prometheus.default, service) : null;
  const tracer = await makeTracer(service.clock.now);
  await restRoutes(app, { service, metrics, tracer, isLocal: isLoopback(config.host), isAlone: true });
  return new Server(app, service, tracer);
}

async function fastifyOptions(
  { LogController }: typeof import('fastify'),
  { limits, log_level, tls }: ServerConfig,
  { logger }: ServerExtras,
): Promise<object> {
  const timeouts = {
    headersTimeout: limits.headers_timeout_ms,
    maxHeaderSize: limits.header_bytes,
    connectionsCheckingInterval: 1000,
  };
  return {
    logger: logger ?? { level: log_level, stream: process.stderr },
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: ({ headers }: { headers: Record<string, unknown> }) => requestId(headers['x-request-id']),
    bodyLimit: limits.body_bytes,
    requestTimeout: limits.request_timeout_ms,
    keepAliveTimeout: limits.keep_alive_timeout_ms,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    routerOptions: { maxParamLength: 200 },
    frameworkErrors: sendError,
    clientErrorHandler: sendClientError,
    ...(tls === null ? { http: timeouts } : { https: { ...(await readTls(tls)), ...timeouts } }),
  };
}
