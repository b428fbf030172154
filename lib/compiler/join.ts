import type { Value } from '../graph/types.js';
import { at, type FoldedGraph, type FoldedNode, type Home } from './ir.js';

export interface Joined {
  readonly graph: FoldedGraph;
  /** Where each value lives, by value id. */
  readonly homes: readonly Home[];
}

/**
 * Decides where concats live, so that what goes into one is stored straight into its channels.
 *
 * Concats are placed last one first: an earlier concat that goes into a later one is a slice of it, and so are its own
 * inputs, so a whole stage of a dense network is one map. A value that is wanted in two places gets a `copy` node for all
 * but one of them. A slice lives where its input does; what it is part of elsewhere is a copy.
 */
export function joinConcats(graph: FoldedGraph): Joined {
  const values: Value[] = [...graph.values];
  const homes: (Home | undefined)[] = [];
  const placed = new Map<FoldedNode, readonly FoldedNode[]>();
  const slices = new Set(graph.nodes.flatMap(({ work, output }) => (work.op === 'slice' ? [output] : [])));

  for (const node of [...graph.nodes].reverse()) {
    if (node.work.op !== 'concat') continue;
    homes[node.output] ??= sharedHome(node) ?? { base: node.output, offset: 0 };
    const home = at(homes, node.output);
    const copies: FoldedNode[] = [];
    let offset = home.offset;
    const inputs = node.inputs.map((input) => {
      const { shape } = at(values, input);
      const wanted: Home = { base: home.base, offset };
      offset += shape.channels;
      if (!slices.has(input)) homes[input] ??= wanted;
      if (sameHome(homes[input], wanted)) return input;
      const copy = values.length;
      values.push({ id: copy, type: 'float32', shape });
      homes[copy] = wanted;
      copies.push({ names: node.names, inputs: [input], output: copy, work: { op: 'copy' } });
      return copy;
    });
    placed.set(node, [...copies, { ...node, inputs }]);
  }

  const nodes = graph.nodes.flatMap((node) => placed.get(node) ?? [node]);
  for (const { work, inputs, output } of graph.nodes) {
    if (work.op !== 'slice') continue;
    const input = at(inputs, 0);
    const { base, offset } = homes[input] ?? { base: input, offset: 0 };
    homes[output] = { base, offset: offset + work.from };
  }
  return { graph: { ...graph, nodes, values }, homes: values.map(({ id }) => homes[id] ?? { base: id, offset: 0 }) };

  /** A later concat may already hold this one's inputs side by side: cat(a, b) is a slice of cat(a, b, c). */
  function sharedHome(node: FoldedNode): Home | undefined {
    const first = homes[at(node.inputs, 0)];
    if (first === undefined) return undefined;
    let offset = first.offset;
    for (const input of node.inputs) {
      if (!sameHome(homes[input], { base: first.base, offset })) return undefined;
      offset += at(values, input).shape.channels;
    }
    return first;
  }
}

function sameHome(a: Home | undefined, b: Home): boolean {
  return a !== undefined && a.base === b.base && a.offset === b.offset;
}
