/** Which cases of a result are ours, which are the peers', and how sure their ratio is. */
import { type Interval, medianInterval } from './compareIntervals.js';
import { fed, setting } from './reportFormat.js';
import type { BenchResult, NetworkCase } from './result.js';

export type Peer = keyof NetworkCase['speedup'];
export const PEERS: readonly Peer[] = ['float32', 'int8'];

/** `bitpath`, or another way to call it, such as `bitpath run()`. */
export function isOwn({ engine }: NetworkCase): boolean {
  return /^bitpath( |$)/.test(engine);
}

/** "bireal-resnet18-64, picture, int16 stem", and what is special: the way it was called, an ISA that is not the machine's. */
export function labelOf(item: NetworkCase, { machine }: BenchResult): string {
  const { network, engine, isa } = item;
  const special = [engine.replace(/^bitpath ?/, ''), isa === machine.isa ? '' : (isa ?? '')].filter(
    (text) => text !== '',
  );
  return [network, fed(item), ...special].join(', ');
}

/** Cases with the same threads and batch, few threads and small batches first. */
export function bySetting(cases: readonly NetworkCase[]): NetworkCase[][] {
  const groups = new Map<string, NetworkCase[]>();
  for (const item of [...cases].sort((a, b) => a.threads - b.threads || a.batch - b.batch)) {
    const key = setting(item);
    groups.set(key, [...(groups.get(key) ?? []), item]);
  }
  return [...groups.values()];
}

/**
 * `item`'s speed-up round by round: rounds were interleaved, so what slows a whole round down cancels. Empty where the peer's own
 * case is not in the result, which is known by its median being what the speed-up says.
 */
export function speedupRounds({ networks }: BenchResult, item: NetworkCase, peer: Peer): number[] {
  const speedup = item.speedup[peer];
  if (speedup === null) return [];
  const rival = networks.find(
    ({ engine, threads, batch, latency }) =>
      engine === `onnxruntime ${peer}` &&
      threads === item.threads &&
      batch === item.batch &&
      Math.abs(latency.p50 / item.latency.p50 / speedup - 1) < 0.005,
  );
  if (rival === undefined || rival === item) return [];
  const [theirs, ours] = [rival.latency.rounds, item.latency.rounds];
  const n = Math.min(theirs.length, ours.length);
  return Array.from({ length: n }, (_, i) => (theirs[i] as number) / (ours[i] as number));
}

/**
 * The noise band of `item`'s speed-up: the interval of the median of the rounds' ratios, and the speed-up itself, which may lie
 * beside it because it is made of all calls. Null where there are no two rounds.
 */
export function speedupBand(result: BenchResult, item: NetworkCase, peer: Peer): Interval | null {
  const interval = medianInterval(speedupRounds(result, item, peer));
  const speedup = item.speedup[peer];
  if (interval === null || interval.coverage === 0 || speedup === null) return null;
  return { ...interval, low: Math.min(interval.low, speedup), high: Math.max(interval.high, speedup) };
}
