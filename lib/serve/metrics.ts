/** Prometheus metrics: our own in base units, and Triton's names for those who have its dashboards. */
import type Prometheus from 'prom-client';
import { BitpathError } from '../errors.js';
import type { Observer, ServedModel } from './models/servedModel.js';
import type { InferenceService } from './service.js';

/** Half a millisecond to ten seconds. */
const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const BATCHES = [1, 2, 4, 8, 16, 32, 64, 128];

const HOUR_MS = 3_600_000;
const SAMPLED = ['min', 'max', 'mean', 'stddev', 'p50', 'p90', 'p99'] as const;

const MODEL = ['model', 'version'] as const;
type ModelLabel = (typeof MODEL)[number];

export class Metrics {
  readonly #registry: Prometheus.Registry;
  readonly #prometheus: typeof Prometheus;
  readonly #http: Prometheus.Counter<'method' | 'route' | 'status'>;
  readonly #httpSeconds: Prometheus.Histogram<'method' | 'route'>;

  constructor(prometheus: typeof Prometheus, service: InferenceService) {
    this.#prometheus = prometheus;
    this.#registry = new prometheus.Registry();
    // The sampled delays of the event loop cost an idle server a hundred wake-ups a second; its lag at a scrape stays.
    prometheus.collectDefaultMetrics({ register: this.#registry, eventLoopMonitoringPrecision: HOUR_MS });
    for (const name of SAMPLED) this.#registry.removeSingleMetric(`nodejs_eventloop_lag_${name}_seconds`);
    this.#http = this.#counter('bitpath_http_requests_total', 'HTTP requests that were answered', [
      'method',
      'route',
      'status',
    ]);
    this.#httpSeconds = this.#histogram(
      'bitpath_http_request_seconds',
      'From the head of a request to its answer',
      SECONDS,
      ['method', 'route'],
    );
    this.#gauge('bitpath_ready', 'Whether the server is ready', [], (set) => set({}, Number(service.isReady)));
    this.#gauge('bitpath_decode_queue_pictures', 'Pictures that wait for a decoder', [], (set) =>
      set({}, service.decoder.pending),
    );
    const { inFlight } = service;
    this.#gauge('bitpath_in_flight_bytes', 'Bytes of requests on their way', [], (set) => set({}, inFlight.bytes));
    const busy = this.#counter(
      'bitpath_busy_requests_total',
      'Requests refused as too many bytes were on their way',
      [],
    );
    inFlight.onRefused = () => busy.inc();
    service.observe(this.#ofModels(service));
  }

  /** An HTTP request was answered. */
  http(method: string, route: string, status: number, seconds: number): void {
    this.#http.inc({ method, route, status: String(status) });
    this.#httpSeconds.observe({ method, route }, seconds);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }

  #ofModels(service: InferenceService): Observer {
    const requests = this.#counter('bitpath_inference_requests_total', 'Requests by outcome: OK or an error code', [
      ...MODEL,
      'code',
    ]);
    const pictures = this.#counter('bitpath_inference_pictures_total', 'Pictures that were answered', MODEL);
    const batches = this.#histogram('bitpath_inference_batch_pictures', 'Pictures computed together', BATCHES, MODEL);
    const seconds = (part: string, help: string) =>
      this.#histogram(`bitpath_inference_${part}_seconds`, help, SECONDS, MODEL);
    const whole = seconds('request', 'From the parsed request to the outputs');
    const decode = seconds('decode', 'Decoding and resizing pictures');
    const queue = seconds('queue', 'Waiting for a batch');
    const compute = seconds('compute', 'A batch in the network');
    const everyModel = (of: (served: ServedModel) => number) => (set: Setter) => {
      for (const served of service.repository.served()) set(labelsOf(served), of(served));
    };
    this.#gauge(
      'bitpath_inference_queue_requests',
      'Requests that wait for a batch',
      MODEL,
      everyModel((served) => served.pending),
    );
    this.#gauge(
      'bitpath_inference_active_requests',
      'Requests on their way',
      MODEL,
      everyModel((served) => served.active),
    );
    const triton = this.#triton(everyModel);
    return {
      answered: (served, answered) => {
        const labels = labelsOf(served);
        requests.inc({ ...labels, code: 'OK' });
        pictures.inc(labels, answered.count);
        whole.observe(labels, answered.total / 1000);
        decode.observe(labels, answered.input / 1000);
        queue.observe(labels, answered.queue / 1000);
        triton.answered(served, answered);
      },
      failed: (served, error, total) => {
        requests.inc({
          ...labelsOf(served),
          code: error instanceof BitpathError ? error.code : 'ERR_BITPATH_INTERNAL',
        });
        triton.failed(served, error, total);
      },
      executed: (served, count, milliseconds) => {
        batches.observe(labelsOf(served), count);
        compute.observe(labelsOf(served), milliseconds / 1000);
        triton.executed(served, count, milliseconds);
      },
    };
  }

  #triton(everyModel: (of: (served: ServedModel) => number) => (set: Setter) => void): Observer {
    const counter = (name: string, help: string, labels: readonly string[] = MODEL) =>
      this.#counter(`nv_inference_${name}`, help, labels);
    const success = counter('request_success', 'Requests that were answered');
    const failure = counter('request_failure', 'Requests that failed', [...MODEL, 'reason']);
    const count = counter('count', 'Pictures that were answered');
    const executions = counter('exec_count', 'Batches that were computed');
    const microseconds = Object.fromEntries(
      (['request', 'queue', 'compute_input', 'compute_infer', 'compute_output'] as const).map((part) => [
        part,
        counter(`${part}_duration_us`, `Microseconds of requests: ${part}`),
      ]),
    );
    this.#gauge(
      'nv_inference_pending_request_count',
      'Requests that wait for a batch',
      MODEL,
      everyModel((served) => served.pending),
    );
    return {
      answered: (served, { count: size, total, queue, input, infer, output }) => {
        const labels = labelsOf(served);
        success.inc(labels);
        count.inc(labels, size);
        const parts = { request: total, queue, compute_input: input, compute_infer: infer, compute_output: output };
        for (const [part, milliseconds] of Object.entries(parts))
          microseconds[part]?.inc(labels, Math.max(0, milliseconds) * 1000);
      },
      failed: (served, error) => failure.inc({ ...labelsOf(served), reason: reasonOf(error) }),
      executed: (served) => executions.inc(labelsOf(served)),
    };
  }

  #counter<L extends string>(name: string, help: string, labelNames: readonly L[]): Prometheus.Counter<L> {
    return new this.#prometheus.Counter({ name, help, labelNames, registers: [this.#registry] });
  }

  #histogram<L extends string>(
    name: string,
    help: string,
    buckets: number[],
    labelNames: readonly L[],
  ): Prometheus.Histogram<L> {
    return new this.#prometheus.Histogram({ name, help, buckets, labelNames, registers: [this.#registry] });
  }

  /** Asked for when it is scraped, so that models that are gone leave nothing behind. */
  #gauge(name: string, help: string, labelNames: readonly ModelLabel[], collect: (set: Setter) => void): void {
    new this.#prometheus.Gauge({
      name,
      help,
      labelNames,
      registers: [this.#registry],
      collect() {
        this.reset();
        collect((labels, value) => this.set(labels, value));
      },
    });
  }
}

type Setter = (labels: Partial<Record<ModelLabel, string>>, value: number) => void;

function labelsOf({ name, version }: ServedModel): Record<ModelLabel, string> {
  return { model: name, version };
}

/** Triton's reasons. */
function reasonOf(error: unknown): 'REJECTED' | 'CANCELED' | 'BACKEND' | 'OTHER' {
  if (!(error instanceof BitpathError)) return 'BACKEND';
  if (error.code === 'ERR_BITPATH_QUEUE_FULL' || error.code === 'ERR_BITPATH_TIMEOUT') return 'REJECTED';
  return error.code === 'ERR_BITPATH_ABORTED' ? 'CANCELED' : 'OTHER';
}
