/** Whole networks against the peers: all rivals with the same threads and batch take turns in one run. */
import { BitpathError } from '../errors.js';
import { type BenchContext, doublings, effort, omit, type Step } from './context.js';
import type { Contender, Entry } from './contenders.js';
import { interleave, type Task } from './harness.js';
import { engineOf, type Peer, type PeerKind } from './peers.js';
import type { NetworkCase } from './result.js';

export const FLOAT_NETWORK = 'resnet18';
export const BINARY_NETWORKS = [
  'bireal-resnet18-64',
  'igp-resnet37-41',
  'binary-densenet51-32',
  'igp-densenet51-53',
] as const;
const [FIRST] = BINARY_NETWORKS;

/** Our side of every group. */
function entries({ isa, isas }: BenchContext): Entry[] {
  const picture = { input: 'uint8', stem: 'int16', isa: null } as const;
  return [
    { network: FIRST, ...picture },
    { network: FIRST, input: 'float32', stem: 'float32', isa: null },
    { network: FIRST, ...picture, stem: 'int8' },
    ...(isa === 'avx512' && isas.includes('avx2') ? [{ network: FIRST, ...picture, isa: 'avx2' } as const] : []),
    ...BINARY_NETWORKS.slice(1).map((network) => ({ network, ...picture })),
    { network: FLOAT_NETWORK, input: 'float32', stem: 'float32', isa: null },
  ];
}

interface Sizes {
  readonly threads: number;
  readonly batch: number;
}

/** Threads and batches of the groups. */
export function groupSizes({ quick, threads }: Pick<BenchContext, 'quick' | 'threads'>): Sizes[] {
  if (!quick) return doublings(threads).flatMap((n) => doublings(32).map((batch) => ({ threads: n, batch })));
  const more = threads > 1 ? [{ threads, batch: 1 }] : [];
  return [{ threads: 1, batch: 1 }, ...more, { threads: 1, batch: 8 }];
}

export function networkSteps(context: BenchContext): Step[] {
  return groupSizes(context).map((sizes) => ({
    name: `networks, threads ${sizes.threads}, batch ${sizes.batch}`,
    run: () => group(context, sizes),
  }));
}

interface Rival {
  readonly task: Task;
  /** The case without what is only known once all rivals are timed. */
  readonly known: Omit<NetworkCase, 'latency' | 'imagesPerSecond' | 'speedup'>;
}

async function group(context: BenchContext, sizes: Sizes): Promise<void> {
  const contenders: Contender[] = [];
  const peers: Peer[] = [];
  try {
    for (const entry of entries(context)) {
      const contender = await prepare(context, entry, sizes);
      if (contender !== null) contenders.push(contender);
    }
    const own = contenders.find(({ network }) => network === FLOAT_NETWORK);
    if (context.peers !== null && own !== undefined) {
      const { tensor } = context.workshop.pictures(sizes.batch);
      peers.push(...(await context.peers.open(tensor, own.logits, sizes)));
    }
    const rivals = line(context, contenders, peers, sizes);
    const timings = await interleave(
      rivals.map(({ task }) => task),
      effort(context, sizes.batch),
    );
    const medianOf = (kind: PeerKind) => {
      const index = rivals.findIndex(({ known }) => known.engine === engineOf(kind));
      return timings[index]?.p50 ?? null;
    };
    const [float32, int8] = [medianOf('float32'), medianOf('int8')];
    for (const [i, { known }] of rivals.entries()) {
      const latency = timings[i];
      if (latency === undefined) continue;
      context.draft.networks.push({
        ...known,
        latency,
        imagesPerSecond: (1000 * sizes.batch) / latency.p50,
        speedup: {
          float32: float32 === null ? null : float32 / latency.p50,
          int8: int8 === null ? null : int8 / latency.p50,
        },
      });
    }
  } finally {
    for (const { executor } of contenders) executor.dispose();
    for (const peer of peers) await peer.release();
  }
}

/** Null where this build has no 8-bit stem yet. */
async function prepare({ workshop, draft }: BenchContext, entry: Entry, sizes: Sizes): Promise<Contender | null> {
  try {
    return await workshop.prepare(entry, sizes);
  } catch (error) {
    const isMissing = error instanceof BitpathError && error.code === 'ERR_BITPATH_UNKNOWN_OPTION';
    if (entry.stem !== 'int8' || !isMissing) throw error;
    omit(draft, `${entry.network} with an int8 stem`, 'this build of bitpath has none');
    return null;
  }
}

/** All rivals of a group. */
function line(
  { workshop }: BenchContext,
  contenders: readonly Contender[],
  peers: readonly Peer[],
  { threads, batch }: Sizes,
): Rival[] {
  const scalar = `bit-equal to the scalar kernels on ${Math.min(batch, workshop.referenceImages)} of ${batch}`;
  const float32 = peers.find(({ kind }) => kind === 'float32');
  const ours = contenders.map(({ network, input, stem, executor, run }): Rival => {
    const known = { network, engine: 'bitpath', isa: executor.isa, input, stem, threads, batch };
    const checked = network === FLOAT_NETWORK && float32 !== undefined ? `${scalar}; ${float32.checked}` : scalar;
    return { task: { name: `${network} ${input} ${stem} ${executor.isa}`, run }, known: { ...known, checked } };
  });
  const [first] = contenders;
  if (first !== undefined && batch === 1) {
    const { network, input, stem, executor, data } = first;
    const known = { network, engine: 'bitpath run()', isa: executor.isa, input, stem, threads, batch, checked: scalar };
    const task = { name: `${network} run()`, run: () => executor.run(data), async: true };
    ours.push({ task, known });
  }
  const theirs = peers.map(({ kind, engine, checked, run }): Rival => {
    const known = { network: FLOAT_NETWORK, engine, isa: null, input: 'float32', stem: kind, threads, batch } as const;
    return { task: { name: engine, run, async: true }, known: { ...known, checked } };
  });
  return [...ours, ...theirs];
}
