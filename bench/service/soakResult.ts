/** What `bench/soak.ts` leaves behind, and what it holds a server to. */
import type { Machine } from '#lib/bench/result.js';
import type { Usage } from './host.js';

export interface SoakPoint extends Usage {
  /** Sent so far. */
  readonly requests: number;
  readonly seconds: number;
}

export interface Verdict {
  readonly what: string;
  readonly met: boolean;
  readonly value: string;
}

export interface SoakResult {
  readonly format: 'bitpath.soak/1';
  readonly machine: Omit<Machine, 'onnxruntime'>;
  readonly options: Readonly<Record<string, unknown>>;
  /** Answers by status; clients that went away by themselves. */
  readonly counts: Readonly<Record<string, number>>;
  readonly points: readonly SoakPoint[];
  /** Once all clients have gone. */
  readonly after: Usage;
  readonly verdict: readonly Verdict[];
}

const MIB = 2 ** 20;

export function soakVerdict(points: readonly SoakPoint[], after: Usage): Verdict[] {
  const [first, last] = [points[0] as SoakPoint, points.at(-1) as SoakPoint];
  const growth = (key: 'rss' | 'heapUsed', floor: number): Verdict => {
    const limit = Math.max(0.05 * first[key], floor);
    const grown = last[key] - first[key];
    const mib = (bytes: number) => `${(bytes / MIB).toFixed(1)} MiB`;
    const what = `${key} after ${last.requests} requests is within max(5 %, ${mib(floor)}) of that after ${first.requests}`;
    return { what, met: grown <= limit, value: `${mib(first[key])} → ${mib(last[key])}` };
  };
  const handles = (usage: Usage) => Object.values(usage.resources).reduce((sum, count) => sum + count, 0);
  return [
    growth('rss', 20e6),
    growth('heapUsed', 5e6),
    {
      what: 'handles and requests of the process do not grow',
      met: handles(last) <= handles(first) + 2,
      value: `${handles(first)} → ${handles(last)}`,
    },
    {
      what: 'no socket is left once clients have gone',
      met: after.connections === 0,
      value: String(after.connections),
    },
    { what: 'no request is left', met: after.active === 0, value: String(after.active) },
  ];
}
