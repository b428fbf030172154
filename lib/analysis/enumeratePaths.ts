/** Walks single paths, for blocks small enough to draw. */
import { checkOptions } from '../check.js';
import type { AnyNode, Graph } from '../graph/types.js';
import { type PathCost, pathSteps, type Step } from './pathCosts.js';
import { type Block, findRegion, REGION_OPTIONS, type RegionOptions, regionNodes } from './region.js';

/** Options of {@link enumeratePaths}. */
export interface EnumeratePathOptions extends RegionOptions {
  /** Cost of a node. Default: the paper's. */
  readonly cost?: PathCost;
  /** Nodes that count for a path's length. Default: 1-bit convolutions. */
  readonly counted?: (node: AnyNode, graph: Graph) => boolean;
}

/** One path from a region's beginning to its end. */
export interface GradientPath {
  /** Sum of its nodes' costs. */
  readonly cost: number;
  /** Counted nodes on it: 1-bit convolutions, unless `counted` says otherwise. */
  readonly length: number;
  /** Product of the `scale` factors on it. */
  readonly gain: number;
  /** Names of its nodes, from the one that writes `from` to the one that writes `to`. */
  readonly nodes: readonly string[];
  /** Which input of each node it comes through; −1 for the first node. A node that reads a value twice makes two paths. */
  readonly branches: readonly number[];
}

/**
 * Every path of `target`, one by one, in no order of cost. There may be astronomically many: take as many as you want, or
 * ask `gradientPaths(…).total` first. Options and errors as there.
 *
 * @throws `ERR_BITPATH_ARGUMENT`, `ERR_BITPATH_UNKNOWN_OPTION`, or what a block throws, once the first path is asked for.
 */
export function* enumeratePaths(target: Graph | Block, options: EnumeratePathOptions = {}): Generator<GradientPath> {
  checkOptions('enumeratePaths', options, [...REGION_OPTIONS, 'cost', 'counted']);
  const region = findRegion(target, options);
  const nodes = regionNodes(region);
  const steps = pathSteps(region.graph, nodes, options.cost, options.counted);
  const writer = new Map(nodes.map(({ output }, i) => [output, i]));
  if (nodes.length === 0) return;

  /** Indices of nodes from the end to here, and the branch taken at each. */
  const trail: { at: number; branch: number }[] = [{ at: nodes.length - 1, branch: -1 }];
  while (trail.length > 0) {
    const top = trail.at(-1) as { at: number; branch: number };
    if (top.at === 0) {
      yield pathOf(trail, nodes, steps);
      trail.pop();
      continue;
    }
    const inputs = region.inputsOf(nodes[top.at] as AnyNode);
    do top.branch += 1;
    while (top.branch < inputs.length && !writer.has(inputs[top.branch] as number));
    if (top.branch >= inputs.length) trail.pop();
    else trail.push({ at: writer.get(inputs[top.branch] as number) as number, branch: -1 });
  }
}

function pathOf(
  trail: readonly { readonly at: number; readonly branch: number }[],
  nodes: readonly AnyNode[],
  steps: readonly Step[],
): GradientPath {
  let [cost, length, gain] = [0, 0, 1];
  for (const { at } of trail.slice(0, -1)) {
    const step = steps[at] as Step;
    cost += step.cost;
    length += step.length;
    gain *= step.gain;
  }
  const forward = trail.toReversed();
  return {
    cost,
    length,
    gain,
    nodes: forward.map(({ at }) => (nodes[at] as AnyNode).name),
    branches: forward.map(({ branch }) => branch),
  };
}
