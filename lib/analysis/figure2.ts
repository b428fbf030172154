/**
 * Figure 2's statements at the real widths of networks: of their blocks, and of the networks as wholes, which differ. On
 * blocks of equal cost all of them hold; networks do not keep to equal costs.
 */
import { buildArchitecture, getArchitecture, listArchitectures } from '../architectures/index.js';
import { graphCost } from '../graph/cost.js';
import type { Graph, Value } from '../graph/types.js';
import { ALMOST_THE_SAME } from './claim.js';
import { gradientPaths } from './gradientPaths.js';
import { binaryOperations, isBinaryConv } from './pathCosts.js';
import { findRegion, regionNodes, scopeNodes } from './region.js';

/** One statement of Figure 2 about one network. */
export interface Statement {
  /** Name of the architecture. */
  readonly network: string;
  /** What it is compared with; null where it is not. */
  readonly base: string | null;
  /** Is it about blocks, or about the network as a whole? */
  readonly level: 'block' | 'network';
  /** In the figure's symbols; those with `base` compare with the base network's block in the same place. */
  readonly statement: string;
  /** In how many blocks it holds; of a network, 0 or 1. */
  readonly holds: number;
  /** Blocks that were looked at; of a network, 1. */
  readonly of: number;
}

type Family = 'plain' | 'biReal' | 'eBiReal' | 'igpResNet' | 'dense' | 'igpDense';

/** Families by what architectures are called. Names of later ones may have more behind them. */
const FAMILIES: readonly (readonly [pattern: RegExp, family: Family])[] = [
  [/^binary-resnet/, 'plain'],
  [/^bireal-/, 'biReal'],
  [/^ebireal-/, 'eBiReal'],
  [/^igp-resnet/, 'igpResNet'],
  [/^binary-densenet/, 'dense'],
  [/^igp-densenet/, 'igpDense'],
];

/** The network that the paper compares `name` with. */
function baseOf(name: string, family: Family): string | null {
  if (family === 'plain' || family === 'dense') return null;
  if (family === 'igpDense') return name.includes('69') ? 'binary-densenet69-32' : 'binary-densenet51-32';
  const size = /resnet34|resnet41/.test(name) ? 34 : 18;
  return name.startsWith('bireal-resnet') ? `binary-resnet${size}` : `bireal-resnet${size}-64`;
}

/** Path costs of a block of two layers (or of one fractal). */
interface BlockFigures {
  /** Height of its maps: what stage it is in. */
  readonly side: number;
  /** Levels by cost, and of dense blocks by length. */
  readonly costs: readonly number[];
  readonly secondLength: number;
  /** Costs of its 1-bit convolutions in order, and their sum. */
  readonly convs: readonly number[];
  readonly total: number;
}

/** Names of the families' networks that exist. */
export function figure2Networks(): readonly string[] {
  return listArchitectures()
    .map(({ name }) => name)
    .filter((name) => familyOf(name) !== undefined);
}

function familyOf(name: string): Family | undefined {
  return FAMILIES.find(([pattern]) => pattern.test(name))?.[1];
}

/**
 * The statements of Figure 2 for the network called `name`, at 224×224; none for a family that the figure does not show. A block
 * is what the figure draws: a fractal, a plain or EBi-Real block, two Bi-Real units, two dense layers. Blocks that
 * change shape are left out. Throws `ERR_BITPATH_UNKNOWN_NAME`.
 */
export function figure2Statements(name: string): readonly Statement[] {
  const family = familyOf(getArchitecture(name).name);
  if (family === undefined) return [];
  const base = baseOf(name, family);
  const graph = buildArchitecture(name);
  const baseGraph = base === null ? null : buildArchitecture(base);
  const blocks = blockFigures(graph, family);
  const baseBlocks = baseGraph === null ? [] : blockFigures(baseGraph, familyOf(base ?? '') as Family);
  const statements: Statement[] = [];
  for (const { statement, test, compares } of BLOCK[family]) {
    const tested = blocks.flatMap((block, i) => {
      const other = family === 'igpDense' ? baseBlocks[i] : baseBlocks.find(({ side }) => side === block.side);
      return compares && other === undefined ? [] : [test(block, other ?? block)];
    });
    if (tested.length === 0) continue;
    const holds = tested.filter(Boolean).length;
    statements.push({
      network: name,
      base: compares ? base : null,
      level: 'block',
      statement,
      holds,
      of: tested.length,
    });
  }
  const own = networkFigures(graph);
  const others = baseGraph === null ? own : networkFigures(baseGraph);
  for (const { statement, test, compares } of NETWORK[family]) {
    if (compares && base === null) continue;
    const holds = test(own, others) ? 1 : 0;
    statements.push({ network: name, base: compares ? base : null, level: 'network', statement, holds, of: 1 });
  }
  return statements;
}

/** {@link figure2Statements} of every network of these families. */
export function figure2Table(): readonly Statement[] {
  return figure2Networks().flatMap(figure2Statements);
}

interface Test<T> {
  readonly statement: string;
  readonly compares?: true;
  readonly test: (own: T, base: T) => boolean;
}
const near = (a: number, b: number) => Math.abs(a / b - 1) <= ALMOST_THE_SAME;
const at = (costs: readonly number[], index: number) => costs[index] ?? Number.POSITIVE_INFINITY;
const least = ({ convs }: BlockFigures) => Math.min(...convs);
const nothing: Test<BlockFigures> = { statement: 'N_1st = 0', test: ({ costs }) => at(costs, 0) === 0 };
const one: Test<BlockFigures> = { statement: 'L_2nd = 1', test: ({ secondLength }) => secondLength === 1 };
const second: Test<BlockFigures> = { statement: 'N_2nd = N', test: (own) => at(own.costs, 1) === least(own) };
const third: Test<BlockFigures> = { statement: 'N_3rd = 2·N', test: (own) => at(own.costs, 2) === 2 * least(own) };
const equalCost: Test<BlockFigures> = {
  statement: 'cost ≈ the base’s',
  compares: true,
  test: (own, base) => near(own.total, base.total),
};
const lower = (index: 1 | 2): Test<BlockFigures> => ({
  statement: `${index === 1 ? 'N_2nd' : 'N_3rd'} < the base’s`,
  compares: true,
  test: (own, base) => at(own.costs, index) < at(base.costs, index),
});

const BLOCK: Readonly<Record<Family, readonly Test<BlockFigures>[]>> = {
  plain: [nothing, { statement: 'N_2nd = 2·N', test: (own) => at(own.costs, 1) === 2 * least(own) }],
  biReal: [nothing, one, second, third, equalCost, lower(1)],
  eBiReal: [
    nothing,
    one,
    second,
    third,
    equalCost,
    {
      statement: 'N_2nd, N_3rd = the base’s',
      compares: true,
      test: (own, base) => [1, 2].every((index) => at(own.costs, index) === at(base.costs, index)),
    },
  ],
  igpResNet: [nothing, one, second, third, equalCost, lower(1), lower(2)],
  dense: [
    nothing,
    {
      statement: 'N_2nd = N₁ (≈ N₂)',
      test: ({ costs, convs }) => at(costs, 1) === at(convs, 0) && near(at(convs, 1), at(convs, 0)),
    },
    { statement: 'N_3rd = N₁ + N₂', test: ({ costs, total }) => at(costs, 2) === total },
  ],
  igpDense: [
    nothing,
    one,
    { statement: 'N_2nd = N₁', test: ({ costs, convs }) => at(costs, 1) === at(convs, 0) },
    { statement: 'N_3rd = N₁ + N₂', test: ({ costs, convs }) => at(costs, 2) === at(convs, 0) + at(convs, 2) },
    equalCost,
    { statement: 'N₁ ≈ the base’s', compares: true, test: (own, base) => near(at(own.convs, 0), at(base.convs, 0)) },
    lower(2),
  ],
};

interface NetworkFigures {
  readonly costs: readonly number[];
  readonly binaryMacs: number;
}
const whole: Test<NetworkFigures> = { statement: 'N_1st = 0', test: ({ costs }) => at(costs, 0) === 0 };
const twice: Test<NetworkFigures> = {
  statement: 'N_3rd = 2·N_2nd',
  test: ({ costs }) => at(costs, 2) === 2 * at(costs, 1),
};
const equalMacs: Test<NetworkFigures> = {
  statement: '1-bit operations ≈ the base’s',
  compares: true,
  test: (own, base) => near(own.binaryMacs, base.binaryMacs),
};
const lowerWhole = (index: 1 | 2): Test<NetworkFigures> => ({
  statement: `${index === 1 ? 'N_2nd' : 'N_3rd'} < the base’s`,
  compares: true,
  test: (own, base) => at(own.costs, index) < at(base.costs, index),
});
const equalPaths: Test<NetworkFigures> = {
  statement: 'N_2nd, N_3rd = the base’s',
  compares: true,
  test: (own, base) => [1, 2].every((index) => at(own.costs, index) === at(base.costs, index)),
};
const NETWORK: Readonly<Record<Family, readonly Test<NetworkFigures>[]>> = {
  plain: [whole],
  biReal: [whole, twice, lowerWhole(1), lowerWhole(2), equalMacs],
  eBiReal: [whole, twice, equalPaths, equalMacs],
  igpResNet: [whole, twice, lowerWhole(1), lowerWhole(2), equalMacs],
  dense: [whole],
  igpDense: [whole, lowerWhole(1), lowerWhole(2), equalMacs],
};

function networkFigures(graph: Graph): NetworkFigures {
  return { costs: gradientPaths(graph).levels.map(({ cost }) => cost), binaryMacs: graphCost(graph).binaryMacs };
}

function blockFigures(graph: Graph, family: Family): readonly BlockFigures[] {
  const groupBy = family === 'dense' ? 'length' : 'cost';
  return blockScopes(graph, family === 'biReal' || family === 'dense').map(([from, to]) => {
    const { levels } = gradientPaths(graph, { from, to, groupBy });
    const region = findRegion(graph, { from, to });
    const convs = regionNodes(region).filter((node) => isBinaryConv(graph, node));
    const costs = convs.map((node) => binaryOperations(node, graph));
    return {
      side: (graph.values[region.to] as Value).shape.height,
      costs: levels.map(({ cost }) => cost),
      secondLength: levels[1]?.length ?? 0,
      convs: costs,
      total: costs.reduce((sum, cost) => sum + cost, 0),
    };
  });
}

/** First and last scope of each block that keeps height and width (a residual one, its channels too); in pairs where asked. */
function blockScopes(graph: Graph, inPairs: boolean): readonly (readonly [string, string])[] {
  const scopes = [...new Set(graph.nodes.flatMap(({ name }) => /^body\.\d+(?=\.)/.exec(name)?.[0] ?? []))];
  const kept = scopes.filter((scope) => {
    if (!scopeNodes(graph, scope).some((node) => isBinaryConv(graph, node))) return false;
    const { from, to } = findRegion(graph, { scope });
    const [before, after] = [graph.values[from] as Value, graph.values[to] as Value];
    return before.shape.height === after.shape.height;
  });
  if (!inPairs) return kept.map((scope) => [scope, scope]);
  const pairs: [string, string][] = [];
  for (let i = 0; i + 1 < kept.length; i++) {
    const [a, b] = [kept[i] as string, kept[i + 1] as string];
    if (findRegion(graph, { scope: a }).to !== findRegion(graph, { scope: b }).from) continue;
    pairs.push([a, b]);
    i++;
  }
  return pairs;
}
