/**
 * Counts the paths of a directed acyclic graph by cost or by length, without walking them: one pass in topological order in
 * which each value keeps a short list of (key → how many paths lead here).
 *
 * By cost, only the `most` smallest distinct costs are kept. That loses nothing: behind a value, every path goes on in the
 * same ways, so a cost that has `most` smaller ones before it has them after it as well.
 */
import type { AnyNode } from '../graph/types.js';
import type { Step } from './pathCosts.js';
import type { InputsOf } from './region.js';

/** Paths that are counted together. */
export interface Tally {
  count: bigint;
  /** Σ and Σ of squares of the paths' gains. */
  gain: number;
  gainSquared: number;
  minCost: number;
  maxCost: number;
}
/** Length → paths. */
export type Lengths = Map<number, Tally>;
/** Cost → length → paths; costs rise. By length alone, the one cost is 0. */
export type PathList = Map<number, Lengths>;

/** Entries of all lists together that {@link pathLists} makes at most; more of them would take long, and gigabytes. */
const MOST_ENTRIES = 2 ** 19;

const START: Tally = Object.freeze({ count: 1n, gain: 1, gainSquared: 1, minCost: 0, maxCost: 0 });

/**
 * The list of each value between the first node's and the last one's; undefined where they would be too long together. `nodes` are in topological order; those of their
 * inputs that no other node here writes are no branches. Costs of `steps` must add without rounding.
 */
export function pathLists(
  nodes: readonly AnyNode[],
  steps: readonly Step[],
  by: 'cost' | 'length',
  most: number,
  inputsOf: InputsOf,
): ReadonlyMap<number, PathList> | undefined {
  let entries = 0;
  const lists = new Map<number, PathList>();
  for (const [i, node] of nodes.entries()) {
    if (i === 0) {
      lists.set(node.output, new Map([[0, new Map([[0, START]])]]));
      continue;
    }
    const step = steps[i] as Step;
    const merged: PathList = new Map();
    for (const input of inputsOf(node)) {
      const list = lists.get(input);
      if (list !== undefined) addAll(merged, list, step, by);
    }
    const kept = smallest(merged, by === 'cost' ? most : 1);
    for (const lengths of kept.values()) entries += lengths.size;
    if (by === 'cost' && entries > MOST_ENTRIES) return undefined;
    lists.set(node.output, kept);
  }
  return lists;
}

function addAll(target: PathList, source: PathList, { cost, length, gain }: Step, by: 'cost' | 'length'): void {
  for (const [before, lengths] of source) {
    const key = by === 'cost' ? before + cost : 0;
    let entry = target.get(key);
    if (entry === undefined) {
      entry = new Map();
      target.set(key, entry);
    }
    for (const [short, tally] of lengths) {
      addTally(entry, short + length, {
        count: tally.count,
        gain: tally.gain * gain,
        gainSquared: tally.gainSquared * gain * gain,
        minCost: tally.minCost + cost,
        maxCost: tally.maxCost + cost,
      });
    }
  }
}

/** Adds `tally` to those of this length. */
export function addTally(lengths: Lengths, length: number, tally: Tally): void {
  const sum = lengths.get(length);
  if (sum === undefined) {
    lengths.set(length, { ...tally });
    return;
  }
  sum.count += tally.count;
  sum.gain += tally.gain;
  sum.gainSquared += tally.gainSquared;
  sum.minCost = Math.min(sum.minCost, tally.minCost);
  sum.maxCost = Math.max(sum.maxCost, tally.maxCost);
}

function smallest(list: PathList, most: number): PathList {
  const costs = [...list.keys()].sort((a, b) => a - b);
  return new Map(costs.slice(0, most).map((cost) => [cost, list.get(cost) as Lengths]));
}

/**
 * One path to the last node with this cost and length, as indices into `nodes`, first node first. `lists` is what
 * {@link pathLists} made of the same nodes and steps; by length, the path is one of the cheapest.
 */
export function tracePath(
  nodes: readonly AnyNode[],
  steps: readonly Step[],
  lists: ReadonlyMap<number, PathList>,
  by: 'cost' | 'length',
  cost: number,
  length: number,
  inputsOf: InputsOf,
): readonly number[] {
  const writer = new Map(nodes.map(({ output }, i) => [output, i]));
  const path = [nodes.length - 1];
  for (let at = nodes.length - 1; at > 0; ) {
    const step = steps[at] as Step;
    cost -= step.cost;
    length -= step.length;
    const input = inputsOf(nodes[at] as AnyNode).find((id) => {
      const tally = lists
        .get(id)
        ?.get(by === 'cost' ? cost : 0)
        ?.get(length);
      return tally !== undefined && tally.minCost === cost;
    });
    at = writer.get(input as number) as number;
    path.unshift(at);
  }
  return path;
}
