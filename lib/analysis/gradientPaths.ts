/** The paper's metric: what a gradient path costs, counted over all paths of a graph or of a block in it. */
import { argumentError, checkFinite, checkInteger, checkOneOf, checkOptions } from '../check.js';
import type { AnyNode, Graph } from '../graph/types.js';
import { type PathCost, pathSteps, type Step } from './pathCosts.js';
import { addTally, type Lengths, type PathList, pathLists, tracePath } from './pathLists.js';
import {
  type Block,
  findRegion,
  type InputsOf,
  REGION_OPTIONS,
  type Region,
  type RegionOptions,
  regionNodes,
} from './region.js';

/** Options of {@link gradientPaths}. */
export interface GradientPathOptions extends RegionOptions {
  /** Levels asked for: 3 gives N_1st, N_2nd, N_3rd. An integer from 1 to 4096, or Infinity for all. Default 3. */
  readonly count?: number;
  /** Cost of a node. Default: the paper's, see {@link PathCost} for others. */
  readonly cost?: PathCost;
  /** Nodes that count for a path's length. Default: 1-bit convolutions. */
  readonly counted?: (node: AnyNode, graph: Graph) => boolean;
  /** Costs up to (1 + tolerance) × the lowest of a level belong to it. ≥ 0, default 0. By cost only. */
  readonly tolerance?: number;
  /** What makes a level: equal cost (default) or equal length. */
  readonly groupBy?: 'cost' | 'length';
}
const OPTIONS = [...REGION_OPTIONS, 'count', 'cost', 'counted', 'tolerance', 'groupBy'];

/** Paths of one level: N_1st is the cost of the first level, L_1st its length. */
export interface PathLevel {
  /** Lowest cost of its paths. */
  readonly cost: number;
  /** Highest cost of its paths: the lowest, unless levels have a tolerance or are made by length. */
  readonly maxCost: number;
  /** 1-bit convolutions on the shortest of its paths. */
  readonly length: number;
  /** All lengths that occur, rising. */
  readonly lengths: readonly {
    /** 1-bit convolutions on a path. */
    readonly length: number;
    /** Paths of that length. */
    readonly count: bigint;
  }[];
  /** Its paths. */
  readonly count: bigint;
  /**
   * Sum of its paths' gains. A path's gain is the product of the `scale` factors on it (½ at a mean join); pools, means,
   * BatchNorms and gates count as 1.
   */
  readonly gain: number;
  /** Sum of the squares of its paths' gains. */
  readonly gainSquared: number;
  /** Names of the nodes of one path of cost `cost`, from the one that writes `from` to the one that writes `to`. */
  readonly example: readonly string[];
}

/** What {@link gradientPaths} finds. */
export interface GradientPaths {
  /** Rising by cost (or by length); at most as many as asked for. Empty where no path leads from `from` to `to`. */
  readonly levels: readonly PathLevel[];
  /** All paths. */
  readonly total: bigint;
  /** Most 1-bit convolutions on a path. */
  readonly longest: number;
  /** The largest cost of a path. */
  readonly maxCost: number;
  /** Id of the value where paths begin. */
  readonly from: number;
  /** Id of the value where they end. */
  readonly to: number;
}

/** Distinct costs that a tolerance or `count: Infinity` may make us keep. */
const MOST_COSTS = 16384;

/**
 * Gradient paths of `target`, a graph or a block, by rising cost ("Gradient path metric", Figure 2). A gradient path leads
 * from `to` back to `from`; every edge of the graph but side inputs (see {@link RegionOptions.sideInputs}) is a branch, so an
 * `add` has two and a value that is read twice has two ways out. Exact, whatever the number of paths; nothing is enumerated.
 *
 * Throws `ERR_BITPATH_ARGUMENT` and `ERR_BITPATH_UNKNOWN_OPTION` for bad options, also where more than 16384 distinct costs,
 * or 2¹⁹ of them and their lengths over all values, would have to be kept.
 */
export function gradientPaths(target: Graph | Block, options: GradientPathOptions = {}): GradientPaths {
  checkOptions('gradientPaths', options, OPTIONS);
  const { count, tolerance, groupBy } = checkLevels(options);
  const region = findRegion(target, options);
  const nodes = regionNodes(region);
  const steps = pathSteps(region.graph, nodes, options.cost, options.counted);
  const { from, to } = region;
  if (nodes.length === 0) return { levels: [], total: 0n, longest: 0, maxCost: 0, from, to };

  const byLength = pathLists(nodes, steps, 'length', 1, region.inputsOf) as ReadonlyMap<number, PathList>;
  const all = [...(byLength.get(to)?.get(0)?.entries() ?? [])];
  const summary = {
    total: all.reduce((sum, [, tally]) => sum + tally.count, 0n),
    longest: Math.max(...all.map(([length]) => length)),
    maxCost: Math.max(...all.map(([, { maxCost }]) => maxCost)),
    from,
    to,
  };
  const context: Context = { nodes, steps, groupBy, lists: byLength, inputsOf: region.inputsOf };
  if (groupBy === 'length') {
    const lengths = all.sort(([a], [b]) => a - b).slice(0, count);
    return { levels: lengths.map((entry) => level([new Map([entry])], context)), ...summary };
  }
  return { levels: levelsByCost(region, context, count, tolerance), ...summary };
}

function checkLevels(options: GradientPathOptions) {
  const { count = 3, tolerance = 0, groupBy = 'cost', counted } = options;
  if (count !== Number.POSITIVE_INFINITY) checkInteger('count', count, 1, 4096);
  if (checkFinite('tolerance', tolerance) < 0) throw argumentError('tolerance', 'a number ≥ 0', tolerance);
  if (counted !== undefined && typeof counted !== 'function') {
    throw argumentError('counted', 'a function (node, graph) → boolean', counted);
  }
  return { count, tolerance, groupBy: checkOneOf('groupBy', groupBy, ['cost', 'length'] as const) };
}

interface Context {
  readonly nodes: readonly AnyNode[];
  readonly steps: readonly Step[];
  readonly groupBy: 'cost' | 'length';
  readonly lists: ReadonlyMap<number, PathList>;
  readonly inputsOf: InputsOf;
}

/** Keeps more and more distinct costs until `count` levels are known to be whole. */
function levelsByCost({ to }: Region, context: Context, count: number, tolerance: number): readonly PathLevel[] {
  const exact = tolerance === 0 && count !== Number.POSITIVE_INFINITY;
  for (let most = exact ? count : 64; ; most *= 4) {
    // One more than asked for says whether there are more.
    const lists = pathLists(context.nodes, context.steps, 'cost', most + 1, context.inputsOf);
    if (lists === undefined) {
      throw argumentError('count', `fewer levels: ${most} distinct costs at each value would have to be kept`, count);
    }
    const entries = [...(lists.get(to) as PathList)];
    const isComplete = entries.length <= most;
    const groups: { limit: number; lengths: Lengths[] }[] = [];
    for (const [cost, lengths] of entries) {
      const last = groups.at(-1);
      if (last !== undefined && cost <= last.limit) last.lengths.push(lengths);
      else groups.push({ limit: cost * (1 + tolerance), lengths: [lengths] });
    }
    if (!isComplete) groups.pop(); // it may go on
    if (isComplete || groups.length >= count) {
      return groups.slice(0, count).map(({ lengths }) => level(lengths, { ...context, lists }));
    }
    if (most >= MOST_COSTS) {
      throw argumentError('count', `fewer levels: more than ${MOST_COSTS} distinct costs would have to be kept`, count);
    }
  }
}

function level(parts: readonly Lengths[], { nodes, steps, groupBy, lists, inputsOf }: Context): PathLevel {
  const sum: Lengths = new Map();
  for (const part of parts) for (const [length, tally] of part) addTally(sum, length, tally);
  const lengths = [...sum].sort(([a], [b]) => a - b);
  const tallies = lengths.map(([, tally]) => tally);
  const cost = Math.min(...tallies.map(({ minCost }) => minCost));
  const cheapest = lengths.find(([, { minCost }]) => minCost === cost) as (typeof lengths)[number];
  const path = tracePath(nodes, steps, lists, groupBy, cost, cheapest[0], inputsOf);
  return {
    cost,
    maxCost: Math.max(...tallies.map(({ maxCost }) => maxCost)),
    length: lengths[0]?.[0] as number,
    lengths: lengths.map(([length, { count }]) => ({ length, count })),
    count: tallies.reduce((total, { count }) => total + count, 0n),
    gain: tallies.reduce((total, { gain }) => total + gain, 0),
    gainSquared: tallies.reduce((total, { gainSquared }) => total + gainSquared, 0),
    example: path.map((index) => (nodes[index] as AnyNode).name),
  };
}
