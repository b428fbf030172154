/** Each instruction of a network with its time and its floor: where a roofline has room. */
import { type BenchContext, omit, type Step } from './context.js';
import { type InstructionProfile, profiled, type ProfiledInstruction } from './extras.js';
import { BINARY_NETWORKS, FLOAT_NETWORK } from './networks.js';
import type { LayerTable } from './result.js';

export function layerSteps(context: BenchContext): Step[] {
  const [first, ...others] = BINARY_NETWORKS;
  const cases = [
    [first, 'uint8'],
    [first, 'float32'],
    ...others.map((network) => [network, 'uint8'] as const),
    [FLOAT_NETWORK, 'float32'],
  ] as const;
  return cases.map(([network, input]) => ({
    name: `layers of ${network}`,
    run: () => tabulate(context, network, input),
  }));
}

async function tabulate(
  { workshop, quick, draft }: BenchContext,
  network: string,
  input: 'uint8' | 'float32',
): Promise<void> {
  const stem = input === 'uint8' ? 'int16' : 'float32';
  const { executor } = await workshop.prepare({ network, input, stem, isa: null }, { threads: 1, batch: 1 });
  try {
    const rows = profiled(executor, input, quick ? 20 : 200).flatMap((instruction) => row(instruction) ?? []);
    if (rows.length === 0) omit(draft, 'layers', 'this build of bitpath cannot profile instructions');
    else draft.layers.push({ network, isa: executor.isa, input, totalMs: total(rows), rows });
  } finally {
    executor.dispose();
  }
}

type Row = LayerTable['rows'][number];

function row({ nodes, op, kernel, macs, weightBytes, profile }: ProfiledInstruction): Row | undefined {
  if (profile === undefined) return undefined;
  const { nanoseconds, cycles, floorCycles }: InstructionProfile = profile;
  return { nodes, op, kernel, macs, bytes: weightBytes, microseconds: nanoseconds / 1000, cycles, floorCycles };
}

function total(rows: readonly Row[]): number {
  return rows.reduce((sum, { microseconds }) => sum + microseconds, 0) / 1000;
}
