/**
 * A fresh process that does one thing and prints one line of JSON: memory and start-up can be measured in no other way.
 *
 *   node child.js bare | memory <model file> | startup <model file>
 *
 * A picture of `pixelOf` is what it classifies. Nothing is imported before the clock runs.
 */
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type { Executor } from '../executor.js';

export interface BareReport {
  /** Peak resident set. */
  readonly maxRssBytes: number;
}
export interface MemoryReport extends BareReport {
  readonly weightBytes: number;
  readonly arenaBytes: number;
  /** What the resident set grows by in a steady run, on average. */
  readonly growthPerRun: number;
  readonly logits: readonly number[];
}
export interface StartupReport {
  readonly importMs: number;
  /** From the call of `loadModel`. */
  readonly firstAnswerMs: number;
  readonly logits: readonly number[];
}

/** All that `import 'bitpath'` loads: this process stands for a user's program, and is no layer above or below it. */
const PACKAGE = new URL('../index.js', import.meta.url).href;
const WARM_RUNS = 100;
const STEADY_RUNS = 400;

/** The picture's byte at `index`. */
export function pixelOf(index: number): number {
  return (index * 7919) % 251;
}

async function load(file: string) {
  const start = performance.now();
  const { loadModel } = (await import(PACKAGE)) as Pick<typeof import('../model.js'), 'loadModel'>;
  const imported = performance.now();
  const model = await loadModel(file);
  const executor = await model.compile({ threads: 1 });
  const { channels, height, width } = executor.inputShape;
  const pixels = new Uint8Array(channels * height * width);
  for (let i = 0; i < pixels.length; i++) pixels[i] = pixelOf(i);
  const logits = answer(executor, pixels);
  const importMs = imported - start;
  return { executor, pixels, logits, importMs, firstAnswerMs: performance.now() - imported };
}

function answer(executor: Executor, pixels: Uint8Array): number[] {
  return [...(Object.values(executor.runSync(pixels))[0]?.data ?? [])];
}

async function measureMemory(file: string): Promise<MemoryReport> {
  const { executor, pixels, logits } = await load(file);
  const run = (times: number) => {
    for (let i = 0; i < times; i++) executor.runSync(pixels);
    // Outputs are JavaScript's, and garbage at once: they are not what is looked for.
    globalThis.gc?.();
    return process.memoryUsage.rss();
  };
  const before = run(WARM_RUNS);
  const after = run(STEADY_RUNS);
  const { weightBytes, arenaBytes } = executor.describe();
  return { ...bare(), weightBytes, arenaBytes, growthPerRun: (after - before) / STEADY_RUNS, logits };
}

async function measureStartup(file: string): Promise<StartupReport> {
  const { importMs, firstAnswerMs, logits } = await load(file);
  return { importMs, firstAnswerMs, logits };
}

/**
 * Linux's VmHWM, where there is one: `maxRSS` of a process that was forked is at least what its parent held at that moment, and the
 * parent here is large.
 */
function bare(): BareReport {
  const status = process.platform === 'linux' ? readFileSync('/proc/self/status', 'utf8') : '';
  const highWater = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  const kilobytes = highWater === undefined ? process.resourceUsage().maxRSS : Number(highWater);
  return { maxRssBytes: kilobytes * 1024 };
}

async function main([mode, file = '']: readonly string[]): Promise<void> {
  const report = mode === 'memory' ? measureMemory(file) : mode === 'startup' ? measureStartup(file) : bare();
  process.stdout.write(JSON.stringify(await report));
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  main(process.argv.slice(2)).catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exitCode = 1;
  });
}
