/** A whole run: services are started and checked, the rival's best setting is looked for, then all take turns. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Workshop } from '#lib/bench/contenders.js';
import { doublings } from '#lib/bench/context.js';
import { median, timingOf } from '#lib/bench/harness.js';
import { describeMachine } from '#lib/bench/machine.js';
import { normalizationOf } from '#lib/bench/peers.js';
import type { Executor } from '#lib/executor.js';
import { createModel } from '#lib/model.js';
import { onnxruntimeVersion } from '#lib/onnx/diff/onnxruntime.js';
import { Child } from './children.js';
import type { BareTask, BareTurn } from './host.js';
import { load, trickle } from './load.js';
import { takeTurn, type Turn } from './measure.js';
import type { Input } from './requests.js';
import {
  type BareCase,
  busiest,
  goalsOf,
  type LightCase,
  type LoadCase,
  type PartCase,
  SERVE_FORMAT,
  type ServeResult,
  type Service,
  type Trial,
} from './result.js';
import { checkService, makeSamples, type Reference, type Sample } from './samples.js';

export interface ServeOptions {
  readonly network: string;
  readonly rival: string;
  readonly size: number;
  /** Of bitpath's batches. */
  readonly threads: number;
  /** Of bitpath's requests that are alone. */
  readonly loneThreads: number;
  /** Most threads of the rival. */
  readonly cpus: number;
  readonly rounds: number;
  /** Of each level in each round, at least. */
  readonly milliseconds: number;
  /** Connections. */
  readonly levels: readonly number[];
  readonly maxBatch: number;
}

export type Say = (what: string) => void;

interface Running {
  readonly service: Service;
  readonly child: Child;
  readonly samples: readonly Sample[];
}

interface Series {
  readonly running: Running;
  readonly input: Input;
  readonly levels: readonly number[];
  readonly turns: Map<number, Turn[]>;
}

/** Load on each service before the first round: a server that has just begun is still compiling its JavaScript. */
const WARM_MS = 2000;
/** About what the logits of a thousand classes take as a binary tensor. */
const ANSWER_BYTES = 4200;
/** Between two turns: threads that spin after their last run must not do so in another's time. */
const PAUSE_MS = 60;

export async function runServe(options: ServeOptions, say: Say): Promise<ServeResult> {
  const folder = await mkdtemp(join(tmpdir(), 'bitpath-serve-bench-'));
  const children: Child[] = [];
  try {
    return await run(options, say, folder, children);
  } finally {
    await Promise.all(children.map((child) => child.stop()));
    await rm(folder, { recursive: true, force: true });
  }
}

async function run(options: ServeOptions, say: Say, folder: string, children: Child[]): Promise<ServeResult> {
  const { network, rival, size, threads, loneThreads, maxBatch } = options;
  const machine = {
    ...describeMachine(),
    onnxruntime: await onnxruntimeVersion('Serving the rival'),
    fastify: versionOf('fastify'),
    autocannon: versionOf('autocannon'),
  };
  const checked: string[] = [];
  const sides = { bitpath: await prepare(network, size, folder), onnxruntime: await prepare(rival, size, folder) };

  const open = async (service: Service): Promise<Running> => {
    const { samples, file, reference } = sides[service.engine];
    const name = nameOf(service);
    say(`${name}: started and checked`);
    const job = { kind: 'server', engine: service.engine, options: serverOptions(service, file) } as const;
    const child = await Child.start(name, folder, job);
    children.push(child);
    const exact = service.engine === 'bitpath';
    await checkService(name, child.started, samples, reference, exact);
    checked.push(
      `${name}: logits of ${samples.length} pixel tensors and ${samples.length} JPEGs, one by one and all at once, ` +
        `${exact ? 'equal the executor’s bit for bit' : 'are within 1e-4 of our float network’s'}`,
    );
    return { service, child, samples };
  };

  try {
    const { trials, best } = await tryRival(options, open, say);
    const own = await Promise.all(
      [maxBatch, 1].map((batch) => open({ engine: 'bitpath', network, threads, loneThreads, maxBatch: batch })),
    );
    const theirs = [];
    for (const service of best) theirs.push(await open(service));
    for (const { child, samples } of [...own, ...theirs]) {
      await load(child.started, (samples[0] as Sample).tensor, { connections: maxBatch, warm: 0, counted: WARM_MS });
    }
    const bare = [];
    for (const batch of [1, maxBatch]) {
      const job = { kind: 'bare', file: sides.bitpath.file, threads, batch } as const;
      const child = await Child.start(`bare executor, batch ${batch}`, folder, job);
      children.push(child);
      bare.push({ child, batch, turns: [] as BareTurn[] });
    }

    const series = [
      ...own.flatMap((running) => seriesOf(running, ['tensor', 'jpeg'], options.levels)),
      // Every second level: with so few requests a second, each takes long.
      ...theirs.flatMap((running, i) =>
        seriesOf(running, i === 0 ? ['tensor', 'jpeg'] : ['tensor'], coarse(options.levels)),
      ),
    ];
    const light = [own[1], theirs.find(({ service }) => service.maxBatch === 1) ?? theirs[0]].map((running) => ({
      running: running as Running,
      turns: [] as number[][],
      period: 0,
    }));
    for (const item of light) {
      const { child, samples } = item.running;
      // A fifth of what one connection could have.
      item.period = 5 * median(await trickle(child.started, (samples[0] as Sample).tensor, 0, 300));
    }
    const parts = await openParts(options, sides.bitpath, folder, children, light[0]?.period ?? 0);
    await takeRounds(options, series, light, bare, parts, say);
    const cases = {
      bare: bare.map(({ batch, turns }) => bareCase(options, batch, turns)),
      light: light.map(lightCase),
      parts: parts.map(({ take: _, turns, ...part }): PartCase => ({ ...part, latency: timingOf(turns) })),
      load: series.flatMap(loadCases),
    };
    const { cpus, ...shown } = options;
    const result = { format: SERVE_FORMAT, machine, options: { ...shown, cpus }, checked, trials, ...cases } as const;
    return { ...result, goals: goalsOf(result) };
  } finally {
    for (const { executor } of Object.values(sides)) executor.dispose();
  }
}

interface Side {
  readonly samples: readonly Sample[];
  readonly file: string;
  readonly executor: Executor;
  readonly reference: Reference;
}

/** A network's file, its requests, and an executor that has been held to the scalar kernels. */
async function prepare(network: string, size: number, folder: string): Promise<Side> {
  const model = createModel(network, { inputSize: size });
  const file = join(folder, `${network}.safetensors`);
  await model.save(file);
  const float = network.startsWith('resnet');
  const workshop = new Workshop(size, 1);
  const entry = float
    ? ({ network, input: 'float32', stem: 'float32', isa: null } as const)
    : ({ network, input: 'uint8', stem: 'int16', isa: null } as const);
  const { executor } = await workshop.prepare(entry, { threads: 1, batch: 1 });
  const { mean, std } = normalizationOf(model);
  const reference = (pixels: Uint8Array) => {
    const input = float ? normalized(pixels, mean, std) : pixels;
    return new Float32Array(executor.runSync(input)['logits']?.data as Float32Array);
  };
  return { samples: await makeSamples(network, model, size), file, executor, reference };
}

function normalized(pixels: Uint8Array, mean: readonly number[], std: readonly number[]): Float32Array {
  const plane = pixels.length / 3;
  const value = (c: number, i: number) => (pixels[3 * i + c] as number) / 255;
  return Float32Array.from({ length: pixels.length }, (_, at) => {
    const c = Math.floor(at / plane);
    return (value(c, at % plane) - (mean[c] as number)) / (std[c] as number);
  });
}

function serverOptions({ threads, loneThreads = threads, maxBatch }: Service, file: string) {
  return { port: 0, threads, lone_threads: loneThreads, models: [file], model_defaults: { max_batch_size: maxBatch } };
}

/** Every setting that it might be best with; the best batching and the best without. */
async function tryRival(options: ServeOptions, open: (service: Service) => Promise<Running>, say: Say) {
  const trials: Trial[] = [];
  for (const maxBatch of [options.maxBatch, 1]) {
    for (const threads of doublings(options.cpus)) {
      const service = { engine: 'onnxruntime', network: options.rival, threads, maxBatch } as const;
      const { child, samples } = await open(service);
      const turn = await takeTurn(child, (samples[0] as Sample).tensor, maxBatch, 2 * options.milliseconds, 50);
      await child.stop();
      say(`${nameOf(service)}: ${turn.requestsPerSecond.toFixed(1)} requests a second`);
      const { requestsPerSecond, requestsPerCpuSecond } = turn;
      trials.push({ ...service, requestsPerSecond, requestsPerCpuSecond });
    }
  }
  const best = [true, false].map((batches) => busiest(trials.filter(({ maxBatch }) => maxBatch > 1 === batches)));
  return {
    trials,
    best: best.flatMap((trial) => {
      if (trial === undefined) return [];
      const { engine, network, threads, maxBatch } = trial;
      return [{ engine, network, threads, maxBatch } as const];
    }),
  };
}

function seriesOf(running: Running, inputs: readonly Input[], levels: readonly number[]): Series[] {
  return inputs.map((input) => ({ running, input, levels, turns: new Map(levels.map((level) => [level, []])) }));
}

function coarse(levels: readonly number[]): number[] {
  return levels.filter((_, i) => i % 2 === 0);
}

type Part = Omit<PartCase, 'latency'> & { readonly turns: number[][]; readonly take: () => Promise<readonly number[]> };

/** The network alone, hot and as seldom as the requests, and HTTP alone. */
async function openParts(
  { threads, loneThreads, milliseconds }: ServeOptions,
  { file, samples }: Side,
  folder: string,
  children: Child[],
  period: number,
): Promise<Part[]> {
  const parts: Part[] = [];
  for (const count of new Set([threads, loneThreads])) {
    const job = { kind: 'bare', file, threads: count, batch: 1 } as const;
    const child = await Child.start(`bare executor, now and then, ${count} threads`, folder, job);
    children.push(child);
    for (const periodMs of [0, period]) {
      const task: BareTask = { milliseconds: periodMs === 0 ? milliseconds : 4 * milliseconds, period: periodMs };
      const take = async () => (await child.ask<BareTurn>('run', task)).calls;
      parts.push({ part: 'network', threads: count, periodMs, turns: [], take });
    }
  }
  const { tensor } = samples[0] as Sample;
  const child = await Child.start('HTTP alone', folder, { kind: 'http', answer: ANSWER_BYTES });
  children.push(child);
  const take = () => trickle(child.started, tensor, period, 4 * milliseconds);
  return [...parts, { part: 'http', threads, periodMs: period, turns: [], take }];
}

type Light = { readonly running: Running; readonly turns: number[][]; period: number };
type Bare = { readonly child: Child; readonly batch: number; readonly turns: BareTurn[] };

async function takeRounds(
  { rounds, milliseconds }: ServeOptions,
  series: readonly Series[],
  light: readonly Light[],
  bare: readonly Bare[],
  parts: readonly Part[],
  say: Say,
): Promise<void> {
  const tasks = [
    async () => {
      for (const { child, turns } of bare) turns.push(await child.ask<BareTurn>('run', { milliseconds, period: 0 }));
    },
    ...parts.map(
      ({ turns, take }) =>
        async () =>
          void turns.push([...(await take())]),
    ),
    ...light.map((item) => async () => {
      const { child, samples } = item.running;
      const { tensor } = samples[0] as Sample;
      item.turns.push(await trickle(child.started, tensor, item.period, 4 * milliseconds));
    }),
    ...series.map(({ running, input, levels, turns }) => async () => {
      let guess = 10;
      for (const level of levels) {
        await sleep(PAUSE_MS);
        const turn = await takeTurn(running.child, (running.samples[0] as Sample)[input], level, milliseconds, guess);
        // More connections never halve it.
        guess = Math.max(1, 0.8 * turn.requestsPerSecond);
        turns.get(level)?.push(turn);
      }
      say(`${nameOf(running.service)}, ${input}`);
    }),
  ];
  for (let round = 0; round < rounds; round++) {
    say(`round ${round + 1} of ${rounds}`);
    for (let i = 0; i < tasks.length; i++) {
      await sleep(PAUSE_MS);
      await tasks[(i + round * 3) % tasks.length]?.();
    }
  }
}

function bareCase({ network, threads }: ServeOptions, batch: number, turns: readonly BareTurn[]): BareCase {
  const rounds = turns.map(({ images, milliseconds }) => (1000 * images) / milliseconds);
  const latency = timingOf(turns.map(({ calls }) => calls));
  return { network, threads, batch, imagesPerSecond: median(rounds), rounds, latency };
}

function lightCase({ running: { service }, turns, period }: Light): LightCase {
  return { ...service, input: 'tensor', periodMs: period, latency: timingOf(turns) };
}

function loadCases({ running: { service }, input, turns }: Series): LoadCase[] {
  return [...turns].map(([connections, all]) => ({
    ...service,
    input,
    connections,
    requestsPerSecond: median(all.map(({ requestsPerSecond }) => requestsPerSecond)),
    rounds: all.map(({ requestsPerSecond }) => requestsPerSecond),
    requestsPerCpuSecond: median(all.map(({ requestsPerCpuSecond }) => requestsPerCpuSecond)),
    latency: timingOf(all.map(({ latencies }) => latencies)),
  }));
}

export function nameOf({ engine, network, threads, maxBatch }: Service): string {
  const batches = maxBatch === 1 ? 'no batching' : `batches to ${maxBatch}`;
  return `${network} in ${engine}, ${threads} thread${threads === 1 ? '' : 's'}, ${batches}`;
}

function versionOf(name: string): string {
  return (createRequire(import.meta.url)(`${name}/package.json`) as { version: string }).version;
}
