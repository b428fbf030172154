/** A stretch of a graph as a diagram of units, joins and full-precision steps: the data flow that Figure 2 draws. */
import { dataInputs } from '../analysis/region.js';
import { nodeCost } from '../graph/cost.js';
import type { AnyNode, ConvAttrs, Graph, Shape, Value } from '../graph/types.js';
import { contract, type Group, isBinary } from './contract.js';
import type { Box, BoxKind, Diagram, Edge } from './diagram.js';
import type { Part } from './series.js';
import { opText, operations, shapeText } from './words.js';

/** The diagram of `parts`, which follow one another. */
export function blockDiagram(graph: Graph, parts: readonly Part[]): Diagram {
  const nodes = parts.flatMap((part) => part.nodes);
  const input = parts[0]?.input as number;
  const output = parts.at(-1)?.output as number;
  const groups = contract(graph, nodes, output);
  const prefix = commonScope(parts);
  const boxes: Box[] = [
    end('in', `input ${shapeText(shapeOf(graph, input))}`),
    ...groups.map((group, i) => boxOf(graph, group, i, prefix)),
    end('out', `output ${shapeText(shapeOf(graph, output))}`),
  ];

  /** Box that makes each value. */
  const maker = new Map<number, number>([[input, 0]]);
  groups.forEach((group, i) => {
    for (const { output } of group) maker.set(output, i + 1);
  });
  const edges: Edge[] = [];
  const inputsOf = dataInputs(graph);
  groups.forEach((group, i) => {
    const own = new Set(group.map((node) => node.output));
    const seen = new Set<number>();
    for (const node of group) {
      for (const id of node.inputs) {
        if (own.has(id)) continue;
        // A unit reads its value in several places; an add of x and x is two branches.
        if (group.length > 1 && node.inputs.length === 1 && seen.has(id)) continue;
        seen.add(id);
        const from = maker.get(id);
        if (from === undefined) continue;
        const isSide = !inputsOf(node).includes(id);
        edges.push({ from, to: i + 1, ...(isSide && { isSide }) });
      }
    }
  });
  edges.push({ from: maker.get(output) as number, to: boxes.length - 1 });
  return { boxes, edges };
}

function end(id: string, title: string): Box {
  return { id, kind: 'end', title, lines: [], name: '', cost: 0, length: 0 };
}

function boxOf(graph: Graph, group: Group, index: number, prefix: string): Box {
  const costs = group.map((node) => nodeCost(graph, node));
  const cost = costs.reduce((sum, { binaryMacs }) => sum + binaryMacs, 0);
  const length = costs.filter(({ binaryMacs }) => binaryMacs > 0).length;
  const real = costs.reduce((sum, { realMacs }) => sum + realMacs, 0);
  const kind = kindOf(graph, group, cost, real);
  const main = group.find((node) => isBinary(graph, node)) ?? group.find((node) => nodeCost(graph, node).realMacs > 0);
  const base = { id: `b${index}`, kind, name: scopeName(group, prefix), cost, length };
  if (kind === 'join') return { ...base, title: joinText(group), lines: [], name: '' };
  if (main === undefined) return { ...base, title: group.map(opText).join(' · '), lines: [] };
  const steps = group.map((node) => (node === main && node.op !== 'linear' ? 'conv' : opText(node)));
  return {
    ...base,
    title: opText(main),
    lines: [
      ...(group.length > 1 ? [steps.join(' · ')] : []),
      `${channelsText(graph, main)}, ${cost > 0 ? `N = ${operations(cost)}` : `${operations(real)} real MACs`}`,
    ],
  };
}

function kindOf(graph: Graph, group: Group, cost: number, real: number): BoxKind {
  if (cost > 0 || group.some(({ op }) => op === 'binaryConv')) return 'binary';
  if (real > 0) return 'real';
  if (group.some(({ inputs }) => inputs.length > 1)) return 'join';
  return graph.values[group.at(-1)?.output ?? -1]?.type === 'float32' ? 'step' : 'binary';
}

/** "mean" for (a + b) · ½. */
function joinText(group: Group): string {
  const [first, second] = group;
  if (first?.op === 'add' && second?.op === 'scale' && second.attrs.factor === 0.5) {
    return ['mean', ...group.slice(2).map(opText)].join(' · ');
  }
  return group.map(opText).join(' · ');
}

function channelsText(graph: Graph, node: AnyNode): string {
  const from = shapeOf(graph, node.inputs[0] as number).channels;
  const to = shapeOf(graph, node.output).channels;
  const { stride, dilation, groups } = node.attrs as Partial<ConvAttrs>;
  const notes = [
    stride !== undefined && Math.max(...stride) > 1 ? `, stride ${Math.max(...stride)}` : '',
    dilation !== undefined && Math.max(...dilation) > 1 ? `, dilation ${Math.max(...dilation)}` : '',
    groups !== undefined && groups > 1 ? `, ${groups} groups` : '',
  ];
  return `${from} → ${to}${notes.join('')}`;
}

/** The scope of a group without that of the picture: `a.u`. */
function scopeName(group: Group, prefix: string): string {
  const parts = (group[0]?.name ?? '').split('.').slice(0, -1);
  for (const { name } of group) while (parts.length > 0 && !name.startsWith(`${parts.join('.')}.`)) parts.pop();
  const scope = parts.join('.');
  return scope.startsWith(prefix) ? scope.slice(prefix.length).replace(/^\./, '') : scope;
}

function commonScope(parts: readonly Part[]): string {
  return parts.length === 1 ? (parts[0]?.name ?? '') : '';
}

function shapeOf(graph: Graph, id: number): Shape {
  return (graph.values[id] as Value).shape;
}
