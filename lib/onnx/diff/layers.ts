/**
 * A network cut where another engine's tensors are known: each part is computed from the other engine's own tensors and held to
 * the other's result. Comparing only the ends would prove little, because one sign that flips within rounding changes all that
 * follows it.
 */
import type { AnyNode, Graph, OpName } from '../../graph/types.js';

/** Ops that compare what they read with thresholds. */
const COMPARING: ReadonlySet<OpName> = new Set(['sign', 'heaviside', 'ternary', 'channelInteraction']);

/** A part of the graph: from known values to one known value. */
export interface Layer {
  /** In order of the graph; the last one makes `output`. */
  readonly nodes: readonly AnyNode[];
  /** Ids of the known values that it reads, in order. */
  readonly inputs: readonly number[];
  readonly output: number;
  /**
   * Names of signs (and other activations that compare) in it that see values computed in it, and are not its result: where such a value is within rounding of the
   * threshold, two right engines may differ by any amount.
   */
  readonly innerSigns: readonly string[];
}

/** The layers between the `known` values of `graph`, in order. The input is always known. */
export function layersOf(graph: Graph, known: ReadonlySet<number>): Layer[] {
  const makers = new Map(graph.nodes.map((node) => [node.output, node]));
  return graph.nodes.flatMap((last) => {
    if (last.op === 'input' || !known.has(last.output)) return [];
    const values = new Set<number>([last.output]);
    const inputs = new Set<number>();
    for (const value of values) {
      for (const input of makers.get(value)?.inputs ?? []) {
        if (known.has(input) || makers.get(input)?.op === 'input') inputs.add(input);
        else values.add(input); // and it is visited in turn: a Set's iteration sees what is added
      }
    }
    const nodes = graph.nodes.filter((node) => values.has(node.output));
    const innerSigns = nodes
      .filter(({ op, output, inputs: [x = -1] }) => COMPARING.has(op) && output !== last.output && !inputs.has(x))
      .map(({ name }) => name);
    return [{ nodes, inputs: [...inputs].sort((a, b) => a - b), output: last.output, innerSigns }];
  });
}

/** The values that go from one group of nodes to another, or out of the graph. A node in no group is one of its own. */
export function valuesBetween(graph: Graph, groups: readonly (readonly string[])[]): Set<number> {
  const groupOf = new Map(groups.flatMap((names, i) => names.map((name) => [name, i] as const)));
  const makers = new Map(graph.nodes.map((node) => [node.output, node.name]));
  const group = (name: string) => groupOf.get(name) ?? name;
  const between = new Set(graph.outputs.map(({ value }) => value));
  for (const node of graph.nodes) {
    for (const input of node.inputs) if (group(makers.get(input) as string) !== group(node.name)) between.add(input);
  }
  return between;
}
