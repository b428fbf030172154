/** Timing that a noisy machine does not fool: rivals take turns, medians are compared. tinybench holds the watch. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Bench } from 'tinybench';
import { BitpathError } from '../errors.js';
import type { Timing } from './result.js';

export interface Task {
  readonly name: string;
  /** What is timed: a synchronous call, or one whose promise is awaited. */
  readonly run: () => unknown;
  readonly async?: boolean;
}

export interface Effort {
  readonly rounds: number;
  /** Milliseconds of each task in each round; a call that takes longer is finished, and at least two are made. */
  readonly msPerTask: number;
}

/**
 * Between two tasks: onnxruntime's threads spin for a while after a run, by default and to its own benefit, and must not do so in
 * another's time.
 */
const PAUSE_MS = 10;

/**
 * Times each task once a round, so that a slow spell of the machine hits all of them and their ratios survive. Each round starts
 * with another task. A task warms up before each of its turns, as the others have emptied the caches.
 *
 * @param onRound Called after each round with the number of rounds done.
 * @throws `ERR_BITPATH_BENCH` where a task fails, with its error as the cause.
 */
export async function interleave(
  tasks: readonly Task[],
  effort: Effort,
  onRound: (done: number) => void = () => {},
): Promise<Timing[]> {
  const samples: number[][][] = tasks.map(() => []);
  for (let round = 0; round < effort.rounds; round++) {
    for (let turn = 0; turn < tasks.length; turn++) {
      const index = (turn + round) % tasks.length;
      await sleep(PAUSE_MS);
      samples[index]?.push(await takeTurn(tasks[index] as Task, effort.msPerTask));
    }
    onRound(round + 1);
  }
  return samples.map(timingOf);
}

/** Milliseconds of each call of one turn. */
async function takeTurn({ name, run, async = false }: Task, msPerTask: number): Promise<number[]> {
  const bench = new Bench({
    time: msPerTask,
    iterations: 2,
    warmupTime: msPerTask / 10,
    warmupIterations: 1,
    retainSamples: true,
  });
  bench.add(name, run as () => void, { async });
  const [task] = await bench.run();
  const result = task?.result;
  if (result === undefined || !('latency' in result) || result.latency.samples === undefined) {
    const cause = result !== undefined && 'error' in result ? result.error : undefined;
    const reason = cause instanceof Error ? cause.message : 'it did not finish';
    throw new BitpathError('ERR_BITPATH_BENCH', { case: name, reason }, { cause });
  }
  return [...result.latency.samples];
}

/** Percentiles over all calls, and the median of each round. */
export function timingOf(rounds: readonly (readonly number[])[]): Timing {
  const all = rounds.flat().sort((a, b) => a - b);
  return {
    samples: all.length,
    p50: percentile(all, 0.5),
    p95: percentile(all, 0.95),
    p99: percentile(all, 0.99),
    rounds: rounds.map(median),
  };
}

/** The smallest of `sorted` values that is not below a `fraction` of them (nearest rank). */
export function percentile(sorted: readonly number[], fraction: number): number {
  const rank = Math.ceil(fraction * sorted.length);
  return sorted[Math.min(Math.max(rank, 1), sorted.length) - 1] ?? Number.NaN;
}

/** The middle of `values`; of an even number of them the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  const upper = sorted[half] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? Number.NaN) + upper) / 2;
}
