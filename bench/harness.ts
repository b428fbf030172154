/** What all benchmarks share: the machine in words, and timing that a noisy machine does not fool. */
import { execFileSync } from 'node:child_process';
import os from 'node:os';
import { Bench } from 'tinybench';

/** CPU, Node, commit: what every figure must stand beside. */
export function machine(): string {
  let commit = 'unknown commit';
  try {
    commit = execFileSync('git', ['describe', '--always', '--dirty', '--abbrev=10'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    // not a clone
  }
  return `${os.cpus()[0]?.model.trim() ?? 'unknown CPU'}, ${clockGHz().toFixed(2)} GHz while idle of other work, Node ${process.version}, ${commit}`;
}

/**
 * The core's clock: a chain of dependent 32-bit multiplications takes 3 cycles each on every x86-64 and AArch64 core that this
 * runs on. Turbo makes the nominal clock useless.
 */
export function clockGHz(): number {
  const steps = 20_000_000;
  let best = Infinity;
  for (let round = 0; round < 7; ++round) {
    const start = process.hrtime.bigint();
    chain(steps);
    best = Math.min(best, Number(process.hrtime.bigint() - start));
  }
  return (3 * steps) / best;
}

let sink = 0;
function chain(steps: number): void {
  let x = 1234567 | sink;
  for (let i = 0; i < steps; ++i) x = Math.imul(x, 0x9e3779b1);
  sink = x & 1;
}

/**
 * Median milliseconds of each task. Rounds are interleaved (every task once a round), so that a slow spell of the machine hits
 * all tasks and their ratios survive.
 */
export async function interleaved(
  tasks: Readonly<Record<string, () => void>>,
  rounds = 9,
  msPerTask = 60,
): Promise<Record<string, number>> {
  const medians: Record<string, number[]> = {};
  for (let round = 0; round < rounds; ++round) {
    const bench = new Bench({
      time: msPerTask,
      iterations: 3,
      warmup: round === 0,
      warmupTime: msPerTask,
      warmupIterations: 2,
    });
    for (const [name, task] of Object.entries(tasks)) bench.add(name, task);
    await bench.run();
    for (const task of bench.tasks) {
      const result = task.result;
      if (result === undefined || !('latency' in result))
        throw new Error(`${task.name} did not finish`, { cause: result });
      medians[task.name] ??= [];
      medians[task.name]?.push(result.latency.p50);
    }
  }
  return Object.fromEntries(Object.entries(medians).map(([name, values]) => [name, median(values)]));
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}
