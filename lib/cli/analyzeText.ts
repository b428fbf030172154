/** `bitpath analyze` in words, and as a document. */
import type { GradientPaths } from '../analysis/gradientPaths.js';
import type { Graph, Shape, Value } from '../graph/types.js';
import { blockText, levelRows, reportedText } from '../pictures/analysisText.js';
import type { Subject } from '../pictures/index.js';
import type { NetworkRow } from '../pictures/networkPicture.js';
import { networkRows } from '../pictures/networkRows.js';
import { bigText, operations, ordinal, shapeText } from '../pictures/words.js';
import { facts, plural, table, terminalWidth, wrap } from './format.js';

export function linesOf({ analysis, architecture, title }: Subject): string[] {
  const { graph, costs, parts, paths, block, groupBy } = analysis;
  const width = terminalWidth();
  const reported = reportedText(architecture);
  const lines = facts(
    [
      ['network', title === graph.name ? title : `${title}, ${graph.name}`],
      ['input', shapeText(valueAt(graph, graph.nodes[0]?.output).shape)],
      [
        'storage',
        `${(costs.storageBits / 1e6).toFixed(2)} Mbit as the paper counts${RULE_TEXT[costs.storageRule]}, ${(costs.fullStorageBits / 1e6).toFixed(2)} in all`,
      ],
      [
        'computation',
        `${(costs.flops / 1e9).toFixed(4)} GFLOPs: ${operations(costs.binaryMacs)} 1-bit MACs ÷ 64 + ${operations(costs.realMacs)} real MACs`,
      ],
      ...(reported === null ? [] : [['reported', reported] as const]),
      ['structure', structureText(networkRows(graph, parts))],
    ],
    width,
  );
  const by = groupBy === 'length' ? ', by length' : '';
  return [
    ...lines,
    '',
    ...wrap(`Gradient paths of ${blockText(block)}${by}`, width),
    ...levels(block.paths, width),
    '',
    `Gradient paths of the whole network${by}`,
    ...levels(paths, width),
  ];
}

const RULE_TEXT = { weights: '', weightsAndScales: ' (scales too)', all: ' (all parameters)' } as const;

const LEVELS = [
  { title: 'level' },
  { title: 'cost N', align: 'right' },
  { title: 'length L', align: 'right' },
  { title: 'paths', align: 'right' },
] as const;

function levels(paths: GradientPaths, width: number): string[] {
  const lines = table(LEVELS, levelRows(paths), width);
  const longest = `${bigText(paths.total)} in all, the longest through ${plural(paths.longest, '1-bit convolution')}`;
  return [...lines, longest].map((line) => `  ${line}`);
}

/** "stem, 2 × block (M = 7, 41 × 56 × 56), transition, …": like parts that follow one another are one. */
function structureText(rows: readonly NetworkRow[]): string {
  const runs: { text: string; count: number }[] = [];
  for (const { role, convs, mapSize } of rows) {
    const text = role === 'block' ? `block of ${convs === 0 ? 'full precision' : `M = ${convs}`} (${mapSize})` : role;
    const last = runs.at(-1);
    if (last?.text === text) last.count++;
    else runs.push({ text, count: 1 });
  }
  return runs.map(({ text, count }) => (count === 1 ? text : `${count} × ${text}`)).join(', ');
}

export function documentOf({ analysis, architecture, title }: Subject): Record<string, unknown> {
  const { graph, costs, parts, paths, block, groupBy } = analysis;
  const { layers: _layers, ...counted } = costs;
  const { diagram, drawn } = block;
  return {
    name: graph.name,
    title,
    architecture: architecture?.name ?? null,
    status: architecture?.status ?? null,
    input: valueAt(graph, graph.nodes[0]?.output).shape,
    outputs: graph.outputs.map(({ name, value }) => ({ name, ...valueAt(graph, value).shape })),
    reported: architecture?.reported ?? null,
    costs: counted,
    groupBy,
    parts: networkRows(graph, parts).map(({ name, role, share }, i) => {
      const { convs, binaryMacs, realMacs, output } = parts[i] as (typeof parts)[number];
      return { name, role, convs, output: valueAt(graph, output).shape, binaryMacs, realMacs, share };
    }),
    paths: pathsDocument(paths),
    block: {
      name: block.name,
      convs: block.convs,
      input: shapeOf(block.inputShape),
      output: shapeOf(block.outputShape),
      paths: pathsDocument(block.paths),
      boxes: diagram.boxes.map(({ id, kind, title: text, name, cost, length }) => ({
        id,
        kind,
        title: text,
        name,
        cost,
        length,
      })),
      edges: diagram.edges.map(({ from, to }, edge) => ({
        from: diagram.boxes[from]?.id,
        to: diagram.boxes[to]?.id,
        levels: drawn.flatMap(({ edges }, level) => (edges.has(edge) ? [level + 1] : [])),
      })),
    },
  };
}

/** Counts are decimal strings: they exceed what a JSON number holds. */
function pathsDocument({ levels: found, total, longest, maxCost }: GradientPaths): Record<string, unknown> {
  return {
    levels: found.map(({ cost, maxCost: highest, length, lengths, count, gain, gainSquared, example }, i) => ({
      level: ordinal(i + 1),
      cost,
      maxCost: highest,
      length,
      lengths: lengths.map((entry) => ({ length: entry.length, count: String(entry.count) })),
      count: String(count),
      gain,
      gainSquared,
      example,
    })),
    total: String(total),
    longest,
    maxCost,
  };
}

function shapeOf({ channels, height, width }: Shape): Shape {
  return { channels, height, width };
}

function valueAt(graph: Graph, id: number | undefined): Value {
  return graph.values[id ?? 0] as Value;
}
