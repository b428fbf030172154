/** Memory and start-up, in processes of their own. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Model } from '../model.js';
import { checkEqual, fail } from './check.js';
import { type BareReport, type MemoryReport, pixelOf, type StartupReport } from './child.js';
import type { BenchContext, Step } from './context.js';
import { median, timingOf } from './harness.js';
import { BINARY_NETWORKS } from './networks.js';

const NETWORKS = BINARY_NETWORKS.slice(0, 2);
const CHILD = fileURLToPath(new URL('./child.js', import.meta.url));

export function memorySteps(context: BenchContext): Step[] {
  return NETWORKS.map((network) => ({ name: `memory of ${network}`, run: () => memory(context, network) }));
}

export function startupSteps(context: BenchContext): Step[] {
  return NETWORKS.map((network) => ({ name: `start of ${network}`, run: () => startup(context, network) }));
}

async function memory({ workshop, quick, draft }: BenchContext, network: string): Promise<void> {
  const model = workshop.model(network);
  const expected = await answerOf(model);
  await withFile(model, async (file, fileBytes) => {
    const bare: number[] = [];
    const reports: MemoryReport[] = [];
    for (let i = 0; i < (quick ? 3 : 9); i++) {
      bare.push((await child<BareReport>('bare')).maxRssBytes);
      const report = await child<MemoryReport>('memory', file);
      checkEqual(`memory of ${network}`, Float32Array.from(report.logits), expected, 'this process');
      reports.push(report);
    }
    const [{ weightBytes, arenaBytes }] = reports as [MemoryReport];
    draft.memory.push({
      network,
      fileBytes,
      weightBytes,
      arenaBytes,
      peakRssBytes: median(reports.map(({ maxRssBytes }) => maxRssBytes)) - median(bare),
      // JavaScript's heap grows and shrinks at its own will, in one process and not in the next; a leak is in all of them.
      allocatedPerRun: Math.max(0, Math.min(...reports.map(({ growthPerRun }) => growthPerRun))),
    });
  });
}

async function startup({ workshop, quick, draft }: BenchContext, network: string): Promise<void> {
  const model = workshop.model(network);
  const expected = await answerOf(model);
  await withFile(model, async (file) => {
    const reports: StartupReport[] = [];
    // The first one warms the file cache.
    await child<StartupReport>('startup', file);
    for (let i = 0; i < (quick ? 5 : 25); i++) {
      const report = await child<StartupReport>('startup', file);
      checkEqual(`start of ${network}`, Float32Array.from(report.logits), expected, 'this process');
      reports.push(report);
    }
    draft.startup.push({
      network,
      firstAnswerMs: timingOf(reports.map(({ firstAnswerMs }) => [firstAnswerMs])),
      importMs: timingOf(reports.map(({ importMs }) => [importMs])),
    });
  });
}

/** What the child should answer: the scalar kernels' logits of its picture. */
async function answerOf(model: Model): Promise<Float32Array> {
  using executor = await model.compile({ threads: 1, isa: 'scalar' });
  const { channels, height, width } = executor.inputShape;
  const pixels = Uint8Array.from({ length: channels * height * width }, (_, i) => pixelOf(i));
  return Object.values(executor.runSync(pixels))[0]?.data as Float32Array;
}

async function withFile(model: Model, use: (file: string, bytes: number) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'bitpath-bench-'));
  try {
    const file = join(folder, 'model.safetensors');
    await model.save(file);
    await use(file, (await stat(file)).size);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What the child printed. Throws `ERR_BITPATH_BENCH` where it failed. */
async function child<Report>(...args: readonly string[]): Promise<Report> {
  const node = ['--expose-gc', CHILD, ...args];
  try {
    const { stdout } = await promisify(execFile)(process.execPath, node, { maxBuffer: 2 ** 26 });
    return JSON.parse(stdout) as Report;
  } catch (cause) {
    const { stderr = '' } = cause as { stderr?: string };
    fail(`child process (${args[0]})`, stderr.trim().split('\n')[0] || String(cause), cause);
  }
}
