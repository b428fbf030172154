/** Each instruction of a network with its time and its floor: where a roofline has room. */
import type { InstructionDescription } from '../executor.js';
import type { BenchContext, Step } from './context.js';
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
    const { instructions } = executor.describe({ profile: { input, runs: quick ? 20 : 200 } });
    const rows = instructions.filter((it) => it.input === 'any' || it.input === input).flatMap(rowOf);
    const totalMs = rows.reduce((sum, { microseconds }) => sum + microseconds, 0) / 1000;
    draft.layers.push({ network, isa: executor.isa, input, totalMs, rows });
  } finally {
    executor.dispose();
  }
}

function rowOf(instruction: InstructionDescription): LayerTable['rows'] {
  const { nodes, op, kernel, macs, weightBytes, mapBytes, profile } = instruction;
  if (profile === undefined) return [];
  const { nanoseconds, cycles, floorCycles } = profile;
  return [
    { nodes, op, kernel, macs, bytes: weightBytes + mapBytes, microseconds: nanoseconds / 1000, cycles, floorCycles },
  ];
}
