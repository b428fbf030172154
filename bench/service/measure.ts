/** One turn of one level: load on a server, and what it cost the server. */
import type { Child } from './children.js';
import { load, type Wire } from './load.js';

export interface Turn {
  readonly requestsPerSecond: number;
  readonly requestsPerCpuSecond: number;
  readonly latencies: readonly number[];
}

/**
 * @param guess Requests a second that are expected: with many connections, each must come round once before answers count, and once
 *   while they do, or short latencies would be the only ones seen.
 */
export async function takeTurn(
  child: Child,
  wire: Wire,
  connections: number,
  milliseconds: number,
  guess: number,
): Promise<Turn> {
  const cycle = (1000 * connections) / guess;
  const usages: number[] = [];
  const { latencies, milliseconds: counted } = await load(
    child.started,
    wire,
    { connections, warm: Math.max(120, 1.1 * cycle), counted: Math.max(milliseconds, 1.1 * cycle) },
    async () => void usages.push((await child.usage()).cpuMicroseconds),
  );
  await child.ask('idle');
  const [before = 0, after = 0] = usages;
  return {
    requestsPerSecond: (1000 * latencies.length) / counted,
    requestsPerCpuSecond: (1e6 * latencies.length) / (after - before),
    latencies,
  };
}
