/**
 * Nodes that people see as one thing, as one group: a unit (Sign → 1-bit conv → BatchNorm, whatever else belongs to it), a
 * downsampling, an add with the ½ after it. No group hides a gradient path: all ways through one cost the same.
 */
import { dataInputs } from '../analysis/region.js';
import { nodeCost } from '../graph/cost.js';
import type { AnyNode, Graph } from '../graph/types.js';

/** Nodes of one group, in topological order; its value is the last one's. */
export type Group = readonly AnyNode[];

const ELEMENTWISE = ['scale', 'relu', 'prelu', 'hardtanh', 'bias', 'batchNorm', 'abs', 'sigmoid', 'rank1Scale'];

/** `nodes` in topological order, and the groups as well. `output` is the value that is read outside. */
export function contract(graph: Graph, nodes: readonly AnyNode[], output: number): readonly Group[] {
  const groupOf = new Map<AnyNode, AnyNode[]>();
  for (const node of nodes) groupOf.set(node, [node]);
  for (const unit of units(graph, nodes, output)) for (const node of unit) groupOf.set(node, unit);

  const writer = new Map(nodes.map((node) => [node.output, node]));
  for (const node of nodes) {
    const group = groupOf.get(node) as AnyNode[];
    if (group[0] !== node) continue; // the middle of a unit
    const reads = new Set(
      group.flatMap(({ inputs }) => inputs).filter((id) => !group.some((own) => own.output === id)),
    );
    const source = reads.size === 1 ? writer.get([...reads][0] as number) : undefined;
    if (source === undefined || source.output === output) continue;
    const before = groupOf.get(source) as AnyNode[];
    const readers = nodes.filter((reader) => reader.inputs.includes(source.output));
    if (!readers.every((reader) => group.includes(reader)) || !isChain(graph, before, group)) continue;
    const merged = [...before, ...group];
    for (const member of merged) groupOf.set(member, merged);
  }
  const last = (group: Group) => nodes.indexOf(group.at(-1) as AnyNode);
  return [...new Set(groupOf.values())].sort((a, b) => last(a) - last(b));
}

/** True where `next`, the only reader of `before`, reads on as the same thing. */
function isChain(graph: Graph, before: Group, next: Group): boolean {
  if (next.some(({ inputs }) => new Set(inputs).size > 1)) return false;
  const isSimple = (group: Group) => group.every(({ op }) => ELEMENTWISE.includes(op));
  if (isSimple(next)) return true;
  if (before.some(({ inputs }) => inputs.length > 1)) return false;
  const weights = (group: Group) => group.filter((node) => macs(graph, node) > 0).length;
  const quantises = graph.values[next[0]?.output ?? -1]?.type !== 'float32';
  return weights(before) + weights(next) <= 1 && !(quantises && weights(before) > 0);
}

/** Scopes that hold one 1-bit conv, read one value, write one, and are one cost whichever way a gradient takes. */
function units(graph: Graph, nodes: readonly AnyNode[], output: number): readonly AnyNode[][] {
  const found: AnyNode[][] = [];
  for (const { name } of nodes.filter((node) => isBinary(graph, node))) {
    const scope = name.slice(0, name.lastIndexOf('.') + 1);
    const inside = nodes.filter((node) => scope !== '' && node.name.startsWith(scope));
    if (inside.length > 1 && inside.length < nodes.length && isUnit(graph, nodes, inside, output)) found.push(inside);
  }
  return found;
}

function isUnit(graph: Graph, nodes: readonly AnyNode[], inside: readonly AnyNode[], output: number): boolean {
  if (inside.filter((node) => isBinary(graph, node)).length !== 1) return false;
  const written = new Set(inside.map((node) => node.output));
  const read = new Set(inside.flatMap(({ inputs }) => inputs).filter((id) => !written.has(id)));
  const others = nodes.filter((node) => !inside.includes(node)).flatMap(({ inputs }) => inputs);
  const left = [...written].filter((id) => id === output || others.includes(id));
  if (read.size !== 1 || left.length !== 1 || left[0] !== inside.at(-1)?.output) return false;

  /** Lowest and highest cost from the value read to each value. */
  const range = new Map<number, readonly [number, number]>([[[...read][0] as number, [0, 0]]]);
  const inputsOf = dataInputs(graph);
  for (const node of inside) {
    const ranges = inputsOf(node).flatMap((id) => [range.get(id) ?? ([0, 0] as const)]);
    const cost = nodeCost(graph, node).binaryMacs;
    range.set(node.output, [
      Math.min(...ranges.map(([low]) => low)) + cost,
      Math.max(...ranges.map(([, high]) => high)) + cost,
    ]);
  }
  const [low, high] = range.get(left[0] as number) ?? [0, 1];
  return low === high;
}

export function isBinary(graph: Graph, node: AnyNode): boolean {
  return nodeCost(graph, node).binaryMacs > 0;
}

function macs(graph: Graph, node: AnyNode): number {
  const { binaryMacs, realMacs } = nodeCost(graph, node);
  return binaryMacs + realMacs;
}
