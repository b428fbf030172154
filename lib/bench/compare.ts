/** Two results, case by case: what became faster or slower, and whether that is more than noise. */
import { type Interval, unpairedRatio } from './compareIntervals.js';
import { fed, setting } from './reportFormat.js';
import { isOwn, PEERS, speedupRounds } from './reportRivals.js';
import type { BenchResult } from './result.js';

/** `cannot tell`: a single measurement, or too few rounds for a band that means something. */
export type Verdict = 'faster' | 'slower' | 'within noise' | 'cannot tell' | 'less' | 'more' | 'equal';

export interface ComparedCase {
  readonly group: 'speed-up' | 'network' | 'start-up' | 'kernel' | 'layers' | 'memory';
  readonly name: string;
  readonly unit: '×' | 'ms' | 'GMAC/s' | 'B';
  readonly old: number;
  readonly new: number;
  /** How many times as fast (or as small) the new one is: above 1 is better, whatever the unit. */
  readonly gain: number;
  /** Of `gain`; null where there are no rounds. */
  readonly band: Interval | null;
  readonly verdict: Verdict;
}

export interface Comparison {
  readonly cases: readonly ComparedCase[];
  /** Names of cases that one side lacks. */
  readonly onlyOld: readonly string[];
  readonly onlyNew: readonly string[];
  /** What differs between the machines and makes times incomparable. */
  readonly machine: readonly Difference[];
  /** What differs besides: versions, options. */
  readonly other: readonly Difference[];
}

export interface Difference {
  readonly what: string;
  readonly old: string;
  readonly new: string;
}

/** A band that covers less says nothing. Five rounds on each side reach it. */
const LEAST_COVERAGE = 0.8;

/** How far two measured clocks may lie apart on one machine. */
const SAME_CLOCK = 0.03;

const PEAK = 'peak above bare Node';

/** `rounds` are of the value; without them there is no band. */
type Measure = Pick<ComparedCase, 'group' | 'name' | 'unit'> & {
  readonly value: number;
  readonly rounds?: readonly number[];
};

/** `b` (new) beside `a` (old). */
export function compareResults(a: BenchResult, b: BenchResult): Comparison {
  const [old, now] = [measuresOf(a), measuresOf(b)];
  return {
    cases: [...old].flatMap(([name, measure]) => {
      const other = now.get(name);
      return other === undefined ? [] : [compareCase(measure, other)];
    }),
    onlyOld: [...old.keys()].filter((name) => !now.has(name)),
    onlyNew: [...now.keys()].filter((name) => !old.has(name)),
    machine: machineDifferences(a, b),
    other: otherDifferences(a, b),
  };
}

function compareCase(a: Measure, b: Measure): ComparedCase {
  const { group, name, unit } = a;
  const [above, below] = unit === 'GMAC/s' || unit === '×' ? [b, a] : [a, b];
  const band = unpairedRatio(above.rounds ?? [], below.rounds ?? []);
  const gain = above.value / below.value;
  return { group, name, unit, old: a.value, new: b.value, gain, band, verdict: verdictOf(a, b, band) };
}

function verdictOf(a: Measure, b: Measure, band: Interval | null): Verdict {
  // Sizes do not jitter, except the peak, which was measured once.
  if (a.name.endsWith(PEAK) && Math.abs(b.value - a.value) < 0.05 * Math.abs(a.value)) return 'cannot tell';
  if (a.unit === 'B') return b.value === a.value ? 'equal' : b.value < a.value ? 'less' : 'more';
  if (band === null || band.coverage < LEAST_COVERAGE) return 'cannot tell';
  return band.low > 1 ? 'faster' : band.high < 1 ? 'slower' : 'within noise';
}

/** Everything that was measured, by a name that is the same in both results. A name that comes twice is numbered. */
function measuresOf(result: BenchResult): Map<string, Measure> {
  const { networks, startup, kernels, layers, memory } = result;
  const measures = new Map<string, Measure>();
  const add = (measure: Measure) => {
    let { name } = measure;
    for (let i = 2; measures.has(name); i++) name = `${measure.name} (${i})`;
    measures.set(name, { ...measure, name });
  };
  for (const item of networks) {
    const engine = item.isa === null ? item.engine : `${item.engine} ${item.isa}`;
    const name = `${item.network}, ${engine}, ${fed(item)}, ${setting(item)}`;
    add({ group: 'network', name, unit: 'ms', value: item.latency.p50, rounds: item.latency.rounds });
    for (const peer of isOwn(item) ? PEERS : []) {
      const value = item.speedup[peer];
      if (value === null) continue;
      const rounds = speedupRounds(result, item, peer);
      add({ group: 'speed-up', name: `${name}, against ${peer}`, unit: '×', value, rounds });
    }
  }
  for (const { network, firstAnswerMs, importMs } of startup) {
    const group = 'start-up';
    add({
      group,
      name: `${network}, first answer`,
      unit: 'ms',
      value: firstAnswerMs.p50,
      rounds: firstAnswerMs.rounds,
    });
    add({ group, name: `${network}, import`, unit: 'ms', value: importMs.p50, rounds: importMs.rounds });
  }
  for (const { isa, channels, size, gmacs, gmacsBare } of kernels) {
    const name = `${isa}, ${channels} × ${size}`;
    add({ group: 'kernel', name, unit: 'GMAC/s', value: gmacs });
    if (gmacsBare !== null) add({ group: 'kernel', name: `${name}, no epilogue`, unit: 'GMAC/s', value: gmacsBare });
  }
  for (const { network, isa, input, totalMs } of layers) {
    const name = `${network}, ${isa}, from a ${input === 'uint8' ? 'picture' : 'tensor'}, profiled call`;
    add({ group: 'layers', name, unit: 'ms', value: totalMs });
  }
  for (const { network, weightBytes, arenaBytes, peakRssBytes } of memory) {
    add({ group: 'memory', name: `${network}, weights`, unit: 'B', value: weightBytes });
    add({ group: 'memory', name: `${network}, feature maps`, unit: 'B', value: arenaBytes });
    add({ group: 'memory', name: `${network}, ${PEAK}`, unit: 'B', value: peakRssBytes });
  }
  return measures;
}

function machineDifferences({ machine: a }: BenchResult, { machine: b }: BenchResult): Difference[] {
  const differences = differencesOf([
    ['CPU', a.cpu, b.cpu],
    ['CPUs', String(a.cpus), String(b.cpus)],
    ['instruction set', a.isa, b.isa],
    ['operating system', a.os, b.os],
  ]);
  if (Math.abs(a.clockGHz / b.clockGHz - 1) > SAME_CLOCK) {
    differences.push({ what: 'core clock', old: `${a.clockGHz.toFixed(2)} GHz`, new: `${b.clockGHz.toFixed(2)} GHz` });
  }
  return differences;
}

function otherDifferences(a: BenchResult, b: BenchResult): Difference[] {
  const options = [...new Set([...Object.keys(a.options), ...Object.keys(b.options)])];
  const text = (value: unknown) => (value === undefined ? 'none' : JSON.stringify(value));
  return differencesOf([
    ['Node.js', a.machine.node, b.machine.node],
    ['bitpath', a.machine.bitpath, b.machine.bitpath],
    ['onnxruntime-node', a.machine.onnxruntime ?? 'none', b.machine.onnxruntime ?? 'none'],
    ...options.map((name) => [`option ${name}`, text(a.options[name]), text(b.options[name])] as const),
  ]);
}

function differencesOf(pairs: readonly (readonly [what: string, a: string, b: string])[]): Difference[] {
  return pairs.filter(([, a, b]) => a !== b).map(([what, a, b]) => ({ what, old: a, new: b }));
}
