/** What all protocols serve: the models, the state of the server, and what it tells about itself. Knows no HTTP and no gRPC. */
import { BitpathError } from '../errors.js';
import type { InferRequest, InferResponse, ModelMetadata, ModelStatistics, ServerMetadata } from '../protocol/index.js';
import { packageVersion } from '../root.js';
import { type Clock, systemClock } from './clock.js';
import type { ServerConfig } from './config.js';
import { InFlight } from './inFlight.js';
import { Decoder } from './models/decoding.js';
import { type Loader, load } from './models/loading.js';
import { ModelRepository } from './models/repository.js';
import type { Classified, Observer, RequestContext, ServedModel } from './models/servedModel.js';
import { modelSource, nameOf } from './models/sources.js';

/** As pino's, which Fastify brings. */
export interface Log {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

export interface ServiceExtras {
  readonly log?: Log;
  readonly clock?: Clock;
  readonly load?: Loader;
}

const NO_LOG: Log = { info: () => {}, warn: () => {}, error: () => {} };

export const EXTENSIONS = [
  'binary_tensor_data',
  'classification',
  'model_configuration',
  'model_repository',
  'schedule_policy',
  'statistics',
] as const;

export class InferenceService {
  readonly config: ServerConfig;
  readonly clock: Clock;
  readonly decoder: Decoder;
  readonly inFlight: InFlight;
  readonly repository: ModelRepository;
  readonly #observers = new Set<Observer>();
  readonly #log: Log;
  /** Of the models named at the start. */
  readonly #firstName: string | undefined;
  #state: 'loading' | 'ready' | 'draining' = 'loading';
  #stopPolling = () => {};
  /** Requests whose answers are not sent yet, those that still come in included. */
  #requests = 0;
  #onIdle: (() => void)[] = [];

  constructor(config: ServerConfig, { log = NO_LOG, clock = systemClock, load: loader = load }: ServiceExtras = {}) {
    this.config = config;
    this.clock = clock;
    this.#log = log;
    this.decoder = new Decoder(config.limits);
    this.inFlight = new InFlight(config.limits.in_flight_bytes);
    // Behind the answer, which does not wait for it: what is on its way now is sent before the loop turns.
    const tell = (call: (observer: Observer) => void) => {
      setImmediate(() => {
        for (const observer of this.#observers) call(observer);
      });
    };
    const observer: Observer = {
      answered: (model, answered) => tell((each) => each.answered(model, answered)),
      failed: (model, error, total) => tell((each) => each.failed(model, error, total)),
      executed: (model, pictures, milliseconds) => tell((each) => each.executed(model, pictures, milliseconds)),
    };
    const named = config.models?.map((model) => (typeof model === 'string' ? { source: model, version: '1' } : model));
    this.#firstName = named?.[0] === undefined ? undefined : nameOf(named[0]);
    this.repository = new ModelRepository({
      source: modelSource(named, config.model_repository),
      settings: config.model_defaults,
      threads: { busy: config.threads, lone: config.lone_threads },
      surroundings: { clock, decoder: this.decoder, observer, isQuiet: () => this.#requests <= 1, load: loader },
      log,
    });
  }

  /** Has `observer` told of every request. */
  observe(observer: Observer): void {
    this.#observers.add(observer);
  }

  /**
   * Loads all models; from then on the server is ready.
   *
   * @throws What was wrong with the first model that was named and could not be loaded. Of a repository folder, the others serve.
   */
  async load(): Promise<void> {
    const [failure] = await this.repository.refresh();
    const { model_repository, models, repository_poll_secs } = this.config;
    if (failure !== undefined && (model_repository === null || models !== undefined)) throw failure;
    if (this.#state === 'loading') this.#state = 'ready';
    if (this.isDraining) return;
    if (model_repository !== null && repository_poll_secs > 0) this.#poll(repository_poll_secs * 1000);
  }

  get isReady(): boolean {
    return this.#state === 'ready';
  }

  get isDraining(): boolean {
    return this.#state === 'draining';
  }

  /** Counts a request from the moment that its headers have come; the end waits for it. Call what it returns once it is answered. */
  enter(): () => void {
    this.#requests++;
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#requests--;
      if (this.#requests === 0) for (const resolve of this.#onIdle.splice(0)) resolve();
    };
  }

  /** From now on the server is not ready, though it still answers. Resolves once no request is on its way, or after `seconds`. */
  async drain(seconds: number = this.config.drain_secs): Promise<void> {
    this.#state = 'draining';
    this.#stopPolling();
    let giveUp = () => {};
    const limit = new Promise<void>((resolve) => {
      giveUp = this.clock.after(seconds * 1000, resolve);
    });
    await Promise.race([Promise.all([this.repository.idle(), this.#idle()]), limit]);
    giveUp();
  }

  /** Frees the models. Requests that are still on their way are rejected. */
  close(): void {
    this.#state = 'draining';
    this.#stopPolling();
    this.repository.dispose();
  }

  serverMetadata(): ServerMetadata {
    return { name: 'bitpath', version: packageVersion(), extensions: EXTENSIONS };
  }

  modelMetadata(name: string, version = ''): ModelMetadata {
    return this.repository.resolve(name, version).metadata(this.repository.versions(name));
  }

  /** Whether the model answers. Throws `ERR_BITPATH_UNKNOWN_NAME`. */
  modelReady(name: string, version = ''): boolean {
    try {
      this.repository.resolve(name, version);
      return true;
    } catch (error) {
      if (error instanceof BitpathError && error.code === 'ERR_BITPATH_UNAVAILABLE') return false;
      throw error;
    }
  }

  /** Of one version, of all of one model, or of all models. */
  statistics(name = '', version = ''): ModelStatistics[] {
    if (version !== '') return [this.repository.resolve(name, version).statistics()];
    if (name !== '') this.repository.resolve(name);
    return this.repository
      .served()
      .filter((served) => name === '' || served.name === name)
      .map((served) => served.statistics());
  }

  infer(name: string, version: string, request: InferRequest, context: RequestContext): Promise<InferResponse> {
    return this.repository.resolve(name, version).infer(request, context);
  }

  /** The model that `classify` takes where none is named: the first of those named at the start, else of all. */
  defaultModel(): ServedModel {
    const served = this.repository.served();
    const found = served.findLast(({ name }) => name === this.#firstName) ?? served[0];
    if (found === undefined)
      throw new BitpathError('ERR_BITPATH_UNAVAILABLE', { what: 'The server', reason: 'no model is loaded' });
    return found;
  }

  /** @param name Empty for the default model. */
  classify(
    name: string,
    version: string,
    files: readonly Uint8Array[],
    context: RequestContext,
  ): Promise<{ served: ServedModel } & Classified> {
    const isDefault = name === '' && version === '';
    const served = isDefault ? this.defaultModel() : this.repository.resolve(name || this.defaultModel().name, version);
    return served.classify(files, context).then((classified) => ({ served, ...classified }));
  }

  #idle(): Promise<void> {
    if (this.#requests === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onIdle.push(resolve));
  }

  #poll(milliseconds: number): void {
    this.#stopPolling = this.clock.after(milliseconds, async () => {
      // What could not be loaded is in the log and in the index.
      await this.repository.refresh().catch((err) => this.#log.error({ err }, 'the model repository cannot be read'));
      if (!this.isDraining) this.#poll(milliseconds);
    });
  }
}
