interface Prunable {
  readonly nodes: readonly { readonly inputs: readonly number[]; readonly output: number }[];
  readonly outputs: readonly { readonly value: number }[];
}

/** Leaves out the nodes that no output depends on. */
export function prune<G extends Prunable>(graph: G): G {
  const wanted = new Set(graph.outputs.map((output) => output.value));
  for (const node of [...graph.nodes].reverse()) {
    if (wanted.has(node.output)) for (const input of node.inputs) wanted.add(input);
  }
  return { ...graph, nodes: graph.nodes.filter((node) => wanted.has(node.output)) };
}
