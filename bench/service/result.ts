/** What `bench/serve.ts` leaves behind. Times are milliseconds. */
import type { Machine, Timing } from '#lib/bench/result.js';
import type { Input } from './requests.js';

export const SERVE_FORMAT = 'bitpath.serve/1';

export interface Service {
  readonly engine: 'bitpath' | 'onnxruntime';
  readonly network: string;
  /** Of a batch. */
  readonly threads: number;
  /** Of a request that is alone, where they are others. */
  readonly loneThreads?: number;
  /** Most requests that are computed together; 1 is no batching. */
  readonly maxBatch: number;
}

export interface LoadCase extends Service {
  readonly input: Input;
  readonly connections: number;
  /** Median of the rounds. */
  readonly requestsPerSecond: number;
  readonly rounds: readonly number[];
  /** By CPU time of the server's process, all threads together: what a core that does nothing else answers. */
  readonly requestsPerCpuSecond: number;
  /** Over all answers of all rounds. */
  readonly latency: Timing;
}

/** One connection, now and then a request. */
export interface LightCase extends Service {
  readonly input: Input;
  readonly periodMs: number;
  readonly latency: Timing;
}

/** `run()` of an executor in a process where nothing else happens. */
export interface BareCase {
  readonly network: string;
  readonly threads: number;
  readonly batch: number;
  readonly imagesPerSecond: number;
  readonly rounds: readonly number[];
  /** Of a call. */
  readonly latency: Timing;
}

/** What a request under light load would take at least: parts of its way, each alone and as seldom as the requests. */
export interface PartCase {
  /** `run()` of the bare executor, or HTTP to a server that reads the body and answers at once. */
  readonly part: 'network' | 'http';
  /** Of the network. */
  readonly threads: number;
  /** 0: the next as soon as the last one has ended. */
  readonly periodMs: number;
  readonly latency: Timing;
}

/** A setting of the rival that was tried before the rounds, so that its best one takes part. */
export interface Trial extends Service {
  readonly requestsPerSecond: number;
  readonly requestsPerCpuSecond: number;
}

export interface Goals {
  /** 1 − requests a second of the busiest level with tensor input ÷ images a second of the bare executor's better batch. */
  readonly overhead: number;
  /** p99 under light load with tensor input ÷ the median of the bare executor's single run in the same rounds. */
  readonly lightP99: number;
  /** The same ÷ that median with as many threads as the requests had, being alone. Left out by results of before there were more. */
  readonly lightP99Lone?: number;
  /** Requests a CPU second at the busiest level with tensor input ÷ those of the rival in the best of its settings. */
  readonly perCore: number;
  /** The same of requests a second of the whole service. */
  readonly perService: number;
}

export interface ServeResult {
  readonly format: typeof SERVE_FORMAT;
  readonly machine: Machine & { readonly fastify: string; readonly autocannon: string };
  readonly options: Readonly<Record<string, unknown>>;
  /** What was held to what before anything was timed. */
  readonly checked: readonly string[];
  readonly trials: readonly Trial[];
  readonly bare: readonly BareCase[];
  readonly light: readonly LightCase[];
  /** Left out by older results. */
  readonly parts?: readonly PartCase[];
  readonly load: readonly LoadCase[];
  readonly goals: Goals | null;
}

/** The case with the most requests a second. */
export function busiest<T extends { readonly requestsPerSecond: number }>(cases: readonly T[]): T | undefined {
  return cases.toSorted((a, b) => b.requestsPerSecond - a.requestsPerSecond)[0];
}

/** Null where the run left out one of the sides. */
export function goalsOf({ trials, bare, light, parts = [], load }: Omit<ServeResult, 'goals'>): Goals | null {
  const own = busiest(load.filter(({ engine, input }) => engine === 'bitpath' && input === 'tensor'));
  const theirs = load.filter(({ engine, input }) => engine === 'onnxruntime' && input === 'tensor');
  const single = bare.find(({ batch }) => batch === 1);
  const quiet = light.find(({ engine, input }) => engine === 'bitpath' && input === 'tensor');
  const rival = busiest(theirs);
  if (own === undefined || rival === undefined || single === undefined || quiet === undefined) return null;
  const lone = parts.find(({ part, threads, periodMs }) => {
    return part === 'network' && threads === quiet.loneThreads && periodMs === 0;
  });
  const rivalPerCpu = Math.max(...[...theirs, ...trials].map(({ requestsPerCpuSecond }) => requestsPerCpuSecond));
  return {
    overhead: 1 - own.requestsPerSecond / Math.max(...bare.map(({ imagesPerSecond }) => imagesPerSecond)),
    lightP99: quiet.latency.p99 / single.latency.p50,
    ...(lone !== undefined && { lightP99Lone: quiet.latency.p99 / lone.latency.p50 }),
    perCore: own.requestsPerCpuSecond / rivalPerCpu,
    perService: own.requestsPerSecond / rival.requestsPerSecond,
  };
}
