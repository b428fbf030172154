/** How time grows with the images of a batch, the pixels of an input, and threads. */
import { type BenchContext, doublings, effort, type Step } from './context.js';
import { type Contender, Workshop } from './contenders.js';
import { type Effort, interleave, type Task } from './harness.js';
import { BINARY_NETWORKS, FLOAT_NETWORK } from './networks.js';
import type { Peer } from './peers.js';
import type { ScalingCurve } from './result.js';

const PICTURE = { input: 'uint8', stem: 'int16', isa: null } as const;
const FLOAT_ENTRY = { network: FLOAT_NETWORK, input: 'float32', stem: 'float32', isa: null } as const;
const NETWORKS = BINARY_NETWORKS.slice(0, 2);
/** Of the curve by threads: enough images for every thread to have some. */
const THREADS_BATCH = 8;

export function scalingSteps(context: BenchContext): Step[] {
  const { quick, threads, size } = context;
  const batches = quick ? [1, 2, 4] : doublings(32);
  // Multiples of 32 divide evenly by all strides of the networks.
  const sizes = (quick ? [0.5, 1] : [0.5, 0.75, 1, 1.5, 2]).map((factor) =>
    Math.max(32, Math.round((factor * size) / 32) * 32),
  );
  const steps: Step[] = NETWORKS.flatMap((network) => [
    { name: `${network} by batch`, run: () => byBatch(context, network, batches) },
    { name: `${network} by pixels`, run: () => byPixels(context, network, [...new Set(sizes)]) },
  ]);
  if (threads > 1) {
    const counts = Array.from({ length: threads }, (_, i) => i + 1);
    const some = threads <= 8 ? counts : doublings(threads);
    steps.push(
      ...NETWORKS.map((network) => ({ name: `${network} by threads`, run: () => byThreads(context, network, some) })),
    );
  }
  if (context.peers !== null) steps.push({ name: 'peers by batch', run: () => peersByBatch(context, batches) });
  return steps;
}

interface Point {
  readonly x: number;
  readonly contender: Contender;
}

async function byBatch(context: BenchContext, network: string, batches: readonly number[]): Promise<void> {
  await curve(context, network, 'batch', batches, (batch) => {
    return context.workshop.prepare({ network, ...PICTURE }, { threads: 1, batch });
  });
}

async function byPixels(context: BenchContext, network: string, sizes: readonly number[]): Promise<void> {
  const pixels = sizes.map((size) => size * size);
  await curve(context, network, 'pixels', pixels, (count) => {
    return new Workshop(Math.sqrt(count), 1).prepare({ network, ...PICTURE }, { threads: 1, batch: 1 });
  });
}

async function byThreads(context: BenchContext, network: string, counts: readonly number[]): Promise<void> {
  await curve(context, network, 'threads', counts, (threads) => {
    return context.workshop.prepare({ network, ...PICTURE }, { threads, batch: THREADS_BATCH });
  });
}

/** Points of one curve take turns, so that its shape is no trace of the machine's moods. */
async function curve(
  context: BenchContext,
  network: string,
  by: ScalingCurve['by'],
  xs: readonly number[],
  prepare: (x: number) => Promise<Contender>,
): Promise<void> {
  const points: Point[] = [];
  try {
    for (const x of xs) points.push({ x, contender: await prepare(x) });
    const tasks = points.map(({ x, contender }) => ({ name: `${network} ${by} ${x}`, run: contender.run }));
    context.draft.scaling.push({ network, engine: 'bitpath', by, points: await timed(context, xs, tasks) });
  } finally {
    for (const { contender } of points) contender.executor.dispose();
  }
}

async function peersByBatch(context: BenchContext, batches: readonly number[]): Promise<void> {
  const { peers, workshop, draft } = context;
  const open: (Peer & { readonly batch: number })[] = [];
  try {
    for (const batch of batches) {
      const own = await workshop.prepare(FLOAT_ENTRY, { threads: 1, batch });
      own.executor.dispose();
      const { tensor } = workshop.pictures(batch);
      for (const peer of (await peers?.open(tensor, own.logits, { threads: 1, batch })) ?? [])
        open.push({ ...peer, batch });
    }
    const tasks = open.map(({ engine, batch, run }) => ({ name: `${engine} batch ${batch}`, run, async: true }));
    const xs = open.map(({ batch }) => batch);
    const points = await timed(context, xs, tasks);
    for (const engine of new Set(open.map((peer) => peer.engine))) {
      const its = points.filter((_, i) => open[i]?.engine === engine);
      draft.scaling.push({ network: FLOAT_NETWORK, engine, by: 'batch', points: its });
    }
  } finally {
    for (const peer of open) await peer.release();
  }
}

async function timed(context: BenchContext, xs: readonly number[], tasks: readonly Task[]) {
  const half: Effort = { ...effort(context), rounds: context.quick ? 4 : 9 };
  const timings = await interleave(tasks, half);
  return xs.map((x, i) => ({ x, ms: timings[i]?.p50 ?? Number.NaN }));
}
