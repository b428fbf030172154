/**
 * A network as a series: the values that every path passes cut it into segments, and segments of one scope are a block. Nothing
 * here knows an architecture; names only say which segments belong together.
 */
import { nodeCost } from '../graph/cost.js';
import type { AnyNode, Graph } from '../graph/types.js';

/** A part of a graph between two values: it reads `input` alone, and others read only `output` of it. */
export interface Part {
  /** Scope of its nodes, or what they do where they have none. */
  readonly name: string;
  /** In topological order. */
  readonly nodes: readonly AnyNode[];
  /** Ids of values. */
  readonly input: number;
  readonly output: number;
  /** 1-bit convolutions in it, M. */
  readonly convs: number;
  readonly binaryMacs: number;
  readonly realMacs: number;
  /** True where it holds more than a chain: something in it is read twice. */
  readonly branches: boolean;
}

/** The parts of `graph` between its input and its first output, in order. Nodes that lead elsewhere are left out. */
export function seriesOf(graph: Graph): readonly Part[] {
  const nodes = nodesTowards(graph, graph.outputs[0]?.value ?? -1);
  const segments = segmentsOf(nodes, graph.nodes[0]?.output ?? 0);
  const groups: AnyNode[][] = [];
  for (const segment of segments) {
    const last = groups.at(-1);
    if (last !== undefined && belongTogether(graph, last, segment)) last.push(...segment);
    else groups.push([...segment]);
  }
  let input = graph.nodes[0]?.output ?? 0;
  return groups.map((group) => {
    const part = partOf(graph, group, input);
    input = part.output;
    return part;
  });
}

/** The part that `nodes` (in topological order, not empty) are. */
export function partOf(graph: Graph, nodes: readonly AnyNode[], input: number): Part {
  const costs = nodes.map((node) => nodeCost(graph, node));
  const { output } = nodes.at(-1) as AnyNode;
  return {
    name: nameOf(nodes),
    nodes,
    input,
    output,
    convs: costs.filter(({ binaryMacs }) => binaryMacs > 0).length,
    binaryMacs: costs.reduce((sum, cost) => sum + cost.binaryMacs, 0),
    realMacs: costs.reduce((sum, cost) => sum + cost.realMacs, 0),
    branches: nodes.some((node, i) => i > 0 && node.inputs.some((id) => id !== nodes[i - 1]?.output)),
  };
}

/** Nodes from which a path leads to `value`, without the input. */
function nodesTowards({ nodes }: Graph, value: number): readonly AnyNode[] {
  const needed = new Set([value]);
  for (const { output, inputs } of nodes.toReversed()) if (needed.has(output)) for (const id of inputs) needed.add(id);
  return nodes.filter(({ op, output }) => op !== 'input' && needed.has(output));
}

/** Cuts after each node whose value is all that anything later reads. */
function segmentsOf(nodes: readonly AnyNode[], input: number): readonly (readonly AnyNode[])[] {
  const lastReader = new Map<number, number>();
  nodes.forEach(({ inputs }, i) => {
    for (const id of inputs) lastReader.set(id, i);
  });
  const segments: AnyNode[][] = [[]];
  /** Up to here, something reads a value from before the node at hand. */
  let open = lastReader.get(input) ?? -1;
  nodes.forEach((node, i) => {
    segments.at(-1)?.push(node);
    if (open <= i) segments.push([]);
    open = Math.max(open, lastReader.get(node.output) ?? -1);
  });
  return segments.filter((segment) => segment.length > 0);
}

function belongTogether(graph: Graph, before: readonly AnyNode[], next: readonly AnyNode[]): boolean {
  const nodes = [...before, ...next];
  const scope = blockScope(nodes[0]?.name ?? '');
  if (scope !== '' && nodes.every(({ name }) => blockScope(name) === scope)) return true;
  // Outside of blocks, a chain of full precision round one layer with weights is one part: a stem, a classifier.
  const isLoose = nodes.every((node) => isPlain(graph, node) && !/\d$/.test(blockScope(node.name)));
  return isLoose && nodes.filter((node) => nodeCost(graph, node).realMacs > 0).length <= 1;
}

function isPlain(graph: Graph, node: AnyNode): boolean {
  return (
    node.inputs.length === 1 && nodeCost(graph, node).binaryMacs === 0 && graph.values[node.output]?.type === 'float32'
  );
}

/** Up to the first number: `body.3` of `body.3.a.u.conv`; else all but the last part: `stem` of `stem.pool`. */
export function blockScope(name: string): string {
  const parts = name.split(/[./:]/);
  const number = parts.findIndex((part, i) => /^\d+$/.test(part) && i > 0 && i < parts.length - 1);
  const length = parts.slice(0, number >= 0 ? number + 1 : -1).join('.').length;
  return name.slice(0, length);
}

/** The scope that all names share, or the node's own name, or its ops. */
function nameOf(nodes: readonly AnyNode[]): string {
  const [first, ...rest] = nodes as [AnyNode, ...AnyNode[]];
  if (rest.length === 0) return first.name;
  let shared = first.name.split('.').slice(0, -1);
  for (const { name } of rest) {
    const parts = name.split('.');
    const different = shared.findIndex((part, i) => part !== parts[i] || i >= parts.length - 1);
    if (different >= 0) shared = shared.slice(0, different);
  }
  return shared.length > 0 ? shared.join('.') : `${first.name} … ${rest.at(-1)?.name}`;
}
