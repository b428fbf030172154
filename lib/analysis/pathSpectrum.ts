/** Gradient paths weighted by their gain: what tells mean joins from sums, whose path costs are the same. */
import { checkOptions } from '../check.js';
import type { AnyNode, Graph } from '../graph/types.js';
import { type GradientPathOptions, gradientPaths, type PathLevel } from './gradientPaths.js';
import { isBinaryConv, pathSteps } from './pathCosts.js';
import { type Block, blockGraph, findRegion, REGION_OPTIONS, type Region, regionNodes } from './region.js';

/** Options of {@link pathSpectrum}. */
export type PathSpectrumOptions = Omit<GradientPathOptions, 'groupBy' | 'tolerance'>;

/** What {@link pathSpectrum} finds. */
export interface PathSpectrum {
  /** A level for each length, shortest first. Their gains are Σ gain and Σ gain² over the paths. */
  readonly byLength: readonly PathLevel[];
  /** The first levels by cost, as many as `count`, default 16. */
  readonly byCost: readonly PathLevel[];
  /** Of each 1-bit convolution, the sum of the gains of all ways from its output to the end that pass no other one. */
  readonly units: readonly {
    /** Of the convolution's node. */
    readonly name: string;
    /** Sum over those ways. */
    readonly gain: number;
  }[];
  /** Σ gain² over the units: how much of their variances arrives where they are independent. */
  readonly unitGainSquared: number;
  /** Sum of the gains of all ways from the beginning to the end that pass no 1-bit convolution. */
  readonly identityGain: number;
}

/**
 * A path's gain is the product of the factors of the `scale` nodes on it, so a mean join weighs each branch ½; BatchNorms,
 * pools, means over a map and gates count as 1 (what a constant map goes through). Options are those of
 * {@link gradientPaths}.
 *
 * @throws `ERR_BITPATH_ARGUMENT`, `ERR_BITPATH_UNKNOWN_OPTION`, or what a block throws.
 */
export function pathSpectrum(target: Graph | Block, options: PathSpectrumOptions = {}): PathSpectrum {
  checkOptions('pathSpectrum', options, [...REGION_OPTIONS, 'count', 'cost', 'counted']);
  const { input, count = 16, ...rest } = options;
  const graph = typeof target === 'function' ? blockGraph(target, input) : target;
  const given = { ...rest, ...(typeof target === 'function' || input === undefined ? {} : { input }) };
  const region = findRegion(graph, given);
  const counted = options.counted ?? ((node: AnyNode) => isBinaryConv(region.graph, node));
  const units = unitGains(region, counted);
  return {
    byLength: gradientPaths(graph, { ...given, groupBy: 'length', count: Number.POSITIVE_INFINITY }).levels,
    byCost: gradientPaths(graph, { ...given, count }).levels,
    ...units,
  };
}

/** Gains backwards from the last node, stopping at units. */
function unitGains(region: Region, counted: (node: AnyNode, graph: Graph) => boolean) {
  const { graph, inputsOf } = region;
  const nodes = regionNodes(region);
  const gains = new Map<number, number>();
  const last = nodes.at(-1);
  if (last !== undefined) gains.set(last.output, 1);
  const units: { name: string; gain: number }[] = [];
  const steps = pathSteps(graph, nodes, () => 0, counted);
  for (let i = nodes.length - 1; i > 0; i--) {
    const node = nodes[i] as AnyNode;
    const { name, output } = node;
    const gain = gains.get(output) ?? 0;
    const step = steps[i];
    if (step?.length) units.unshift({ name, gain });
    else for (const id of inputsOf(node)) gains.set(id, (gains.get(id) ?? 0) + gain * (step?.gain ?? 1));
  }
  return {
    units,
    unitGainSquared: units.reduce((sum, { gain }) => sum + gain * gain, 0),
    identityGain: gains.get(nodes[0]?.output ?? -1) ?? 0,
  };
}
