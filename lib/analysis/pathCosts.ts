/** What a node adds to the cost, the length and the gain of a gradient path through it. */
import { argumentError } from '../check.js';
import { checkGraph } from '../graph/builder.js';
import { nodeCost } from '../graph/cost.js';
import type { AnyNode, Graph, OpName } from '../graph/types.js';

/**
 * Cost of a node, a finite number ≥ 0, given in one of three ways:
 * - an object of factors by op, each times the node's multiply-accumulates (`{ binaryConv: 1, conv: 64 }`); other ops cost 0;
 * - a Map of node name → cost, such as measured time; nodes that it lacks cost 0;
 * - a function of the node.
 */
export type PathCost =
  | Readonly<Partial<Record<OpName, number>>>
  | ReadonlyMap<string, number>
  | ((node: AnyNode, graph: Graph) => number);

/** What one node adds to a path. */
export interface Step {
  readonly cost: number;
  readonly length: number;
  /** Factor on the path's gain. */
  readonly gain: number;
}

/** True for a 1-bit convolution: a node with 1-bit multiply-accumulates. Throws `ERR_BITPATH_ARGUMENT`. */
export function isBinaryConv(graph: Graph, node: AnyNode): boolean {
  return binaryOperations(node, graph) > 0;
}

/**
 * The paper's cost ("Gradient path metric"): operations to back-propagate through a 1-bit conv, as many as its forward
 * multiply-accumulates; full-precision layers are ignored. Throws `ERR_BITPATH_ARGUMENT`.
 */
export function binaryOperations(node: AnyNode, graph: Graph): number {
  checkGraph('graph', graph);
  if (typeof node !== 'object' || node === null || (graph.nodes[node.output] !== node && !graph.nodes.includes(node))) {
    throw argumentError('node', `a node of ${graph.name}`, node);
  }
  return nodeCost(graph, node).binaryMacs;
}

/**
 * A step for each of `nodes`. Sums of costs are exact: integers as they are, others rounded to a multiple of a power of 2
 * of which the sum of all is at most 2⁵², so that a path's cost does not depend on the order of its layers.
 *
 * Throws `ERR_BITPATH_ARGUMENT` for a cost that is negative or not finite.
 */
export function pathSteps(
  graph: Graph,
  nodes: readonly AnyNode[],
  cost: PathCost = binaryOperations,
  counted: (node: AnyNode, graph: Graph) => boolean = (node) => isBinaryConv(graph, node),
): readonly Step[] {
  const costs = nodes.map((node) => checkCost(node, costOf(graph, node, cost)));
  const sum = costs.reduce((total, value) => total + value, 0);
  if (!Number.isFinite(sum)) throw argumentError('cost', 'costs whose sum is finite', sum);
  const unit = sum === 0 ? 1 : 2 ** (Math.ceil(Math.log2(sum)) - 52);
  return nodes.map((node, i) => ({
    cost: Math.round((costs[i] as number) / unit) * unit,
    length: counted(node, graph) ? 1 : 0,
    gain: node.op === 'scale' ? node.attrs.factor : 1,
  }));
}

function costOf(graph: Graph, node: AnyNode, cost: PathCost): unknown {
  if (typeof cost === 'function') return cost(node, graph);
  if (cost instanceof Map) return cost.get(node.name) ?? 0;
  if (typeof cost !== 'object' || cost === null)
    throw argumentError('cost', 'factors by op, a Map or a function', cost);
  const { binaryMacs, realMacs } = nodeCost(graph, node);
  const factor = (cost as Partial<Record<string, number>>)[node.op] ?? 0;
  return typeof factor === 'number' ? factor * (binaryMacs + realMacs) : factor;
}

function checkCost(node: AnyNode, value: unknown): number {
  if (typeof value === 'number' && value >= 0 && value < Number.POSITIVE_INFINITY) return value;
  throw argumentError(`cost of ${node.name}`, 'a finite number that is not negative', value);
}
