import type { Graph } from '../graph/types.js';

/** Leaves out the nodes that no output depends on. */
export function prune(graph: Graph): Graph {
  const wanted = new Set(graph.outputs.map((output) => output.value));
  for (const node of [...graph.nodes].reverse()) {
    if (wanted.has(node.output)) for (const input of node.inputs) wanted.add(input);
  }
  return { ...graph, nodes: graph.nodes.filter((node) => wanted.has(node.output)) };
}
