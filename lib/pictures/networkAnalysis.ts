/** Everything that `bitpath analyze` says of a network, before it is written as text, JSON or pictures. */
import { countCosts, type GraphCosts, type StorageRule } from '../analysis/costs.js';
import { type GradientPaths, gradientPaths } from '../analysis/gradientPaths.js';
import { argumentError, checkInteger, checkOneOf, checkOptions, checkString, unknownName } from '../check.js';
import { checkGraph } from '../graph/builder.js';
import type { Graph, Shape, Value } from '../graph/types.js';
import { blockDiagram } from './blockDiagram.js';
import type { Diagram } from './diagram.js';
import { type LevelKey, type PathLevelEdges, pathLevels } from './paths.js';
import { type Part, seriesOf } from './series.js';
import { MOST_LEVELS } from './style.js';

export interface NetworkAnalysisOptions {
  /**
   * What to draw: the name of a block, or of several that follow one another, with commas between. Default: the first block;
   * where that has one 1-bit convolution, the one behind it too, for the depth of two layers that Figure 2 has.
   */
  readonly block?: string;
  /** Levels of gradient paths, 1 to 5. Default 3. */
  readonly levels?: number;
  /** What makes a level. Default `cost`. */
  readonly groupBy?: LevelKey;
  /** What counts as storage. Default: that of `countCosts`; rows of Table 1 may have another. */
  readonly storage?: StorageRule;
}

export interface BlockAnalysis {
  /** As the option is written. */
  readonly name: string;
  readonly parts: readonly Part[];
  readonly inputShape: Shape;
  readonly outputShape: Shape;
  readonly convs: number;
  readonly paths: GradientPaths;
  readonly diagram: Diagram;
  /** For each level of `paths`, where it runs in the diagram. */
  readonly drawn: readonly PathLevelEdges[];
}

export interface NetworkAnalysis {
  readonly graph: Graph;
  readonly parts: readonly Part[];
  readonly costs: GraphCosts;
  readonly groupBy: LevelKey;
  readonly paths: GradientPaths;
  readonly block: BlockAnalysis;
}

/**
 * Analyses `graph`. Throws `ERR_BITPATH_ARGUMENT`, `ERR_BITPATH_UNKNOWN_OPTION`, and `ERR_BITPATH_UNKNOWN_NAME` for a block that is
 * not there.
 */
export function analyseNetwork(graph: Graph, options: NetworkAnalysisOptions = {}): NetworkAnalysis {
  checkOptions('analyseNetwork', options, ['block', 'levels', 'groupBy', 'storage']);
  checkGraph('graph', graph);
  const count = checkInteger('levels', options.levels ?? 3, 1, MOST_LEVELS);
  const groupBy = checkOneOf('groupBy', options.groupBy ?? 'cost', ['cost', 'length'] as const);
  const parts = seriesOf(graph);
  const chosen = options.block === undefined ? defaultBlock(graph, parts) : findBlock(parts, options.block);
  return {
    graph,
    parts,
    costs: countCosts(graph, options.storage === undefined ? {} : { storage: options.storage }),
    groupBy,
    paths: gradientPaths(graph, { count, groupBy }),
    block: analyseBlock(graph, chosen, count, groupBy),
  };
}

function analyseBlock(graph: Graph, parts: readonly Part[], count: number, groupBy: LevelKey): BlockAnalysis {
  const from = parts[0]?.input as number;
  const to = parts.at(-1)?.output as number;
  const diagram = blockDiagram(graph, parts);
  return {
    name: parts.map(({ name }) => name).join(','),
    parts,
    inputShape: shapeOf(graph, from),
    outputShape: shapeOf(graph, to),
    convs: parts.reduce((sum, { convs }) => sum + convs, 0),
    paths: gradientPaths(graph, { from, to, count, groupBy }),
    diagram,
    drawn: pathLevels(diagram, groupBy, count),
  };
}

function defaultBlock(graph: Graph, parts: readonly Part[]): readonly Part[] {
  const binary = parts.findIndex(({ convs }) => convs > 0);
  const first =
    binary >= 0
      ? binary
      : Math.max(
          0,
          parts.findIndex(({ branches }) => branches),
        );
  const [block, next] = [parts[first] as Part, parts[first + 1]];
  const isPair =
    block.convs === 1 &&
    next?.convs === 1 &&
    shapeOf(graph, block.output).height === shapeOf(graph, next.output).height;
  return isPair ? [block, next] : [block];
}

function findBlock(parts: readonly Part[], block: string): readonly Part[] {
  const names = checkString('block', block)
    .split(',')
    .map((name) => name.trim());
  const indices = names.map((name) => {
    const index = parts.findIndex((part) => part.name === name);
    if (index >= 0) return index;
    throw unknownName(
      'block',
      name,
      parts.map((part) => part.name),
    );
  });
  const isRun = indices.every((index, i) => i === 0 || index === (indices[i - 1] as number) + 1);
  if (!isRun) throw argumentError('block', 'blocks that follow one another, in order', block);
  return indices.map((index) => parts[index] as Part);
}

function shapeOf(graph: Graph, id: number): Shape {
  return (graph.values[id] as Value).shape;
}
