/** What one image costs, in multiply-accumulates. */
import { OPS } from './ops/index.js';
import { type Cost, FREE, type OpDefinition } from './ops/op.js';
import type { AnyNode, Graph, OpName, Value } from './types.js';

export type { Cost } from './ops/op.js';

/** Multiply-accumulates of one node for one image; taps on padding count. */
export function nodeCost(graph: Graph, node: AnyNode): Cost {
  const value = (id: number) => graph.values[id] as Value; // ids of a built graph are valid
  const operands = node.inputs.map((id) => ({ ...value(id).shape, type: value(id).type }));
  const definition = OPS[node.op] as OpDefinition<OpName>;
  return definition.cost?.(node.attrs, operands, value(node.output).shape) ?? FREE;
}

/** Sum of {@link nodeCost} over a graph. */
export function graphCost(graph: Graph): Cost {
  let binaryMacs = 0;
  let realMacs = 0;
  for (const node of graph.nodes) {
    const cost = nodeCost(graph, node);
    binaryMacs += cost.binaryMacs;
    realMacs += cost.realMacs;
  }
  return { binaryMacs, realMacs };
}
