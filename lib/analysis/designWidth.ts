/** How wide an IGP network may be under a rule of equal cost, and how wide the paper makes it. */
import { argumentError, checkInteger, checkOneOf, checkOptions } from '../check.js';
import { buildArchitecture } from '../architectures/index.js';
import { checkGraph } from '../graph/builder.js';
import type { AnyNode, Graph, Shape, Value } from '../graph/types.js';
import { countCosts } from './costs.js';
import { checkBlocks, type FamilyFigures, figuresOf, type IgpFamilyMember } from './igpFamily.js';
import { binaryOperations, isBinaryConv } from './pathCosts.js';

/**
 * What must not exceed the baseline's: `block`: M·N^IR ≤ 2·N^BR, the paper's rule; of the whole network, `binaryMacs`: 1-bit
 * multiply-accumulates, `flops`: these / 64 and full-precision ones, `storage`: bits by the paper's rule.
 */
export type WidthRule = 'block' | 'binaryMacs' | 'flops' | 'storage';
export const WIDTH_RULES = ['block', 'binaryMacs', 'flops', 'storage'] as const;

/** Options of {@link designWidth}. */
export interface DesignWidthOptions {
  /** What must not exceed the baseline's. */
  readonly rule: WidthRule;
  /** M, 1-bit convolutions of a block: 3, 7, 15, 31 … (2^c − 1 for c columns, c from 2 to 10). */
  readonly convs: number;
  /** Blocks of each stage, 1 to 8 stages. Default one in each of four. The rule `block` does not depend on it. */
  readonly blocksPerStage?: readonly number[];
  /** The network to keep below: a name, built at 224×224 with 1000 classes, or a graph with a square input. Default Bi-Real ResNet18(64). */
  readonly baseline?: string | Graph;
}

/** What {@link designWidth} finds. */
export interface DesignedWidth {
  /** As asked for. */
  readonly rule: WidthRule;
  /** The largest whole width that keeps the rule. */
  readonly width: number;
  /** What the rule compares, at this width: operations, FLOPs or bits. */
  readonly cost: number;
  /** The same of the baseline. */
  readonly baselineCost: number;
  /** The paper's network of this M and these blocks, by its name, and its cost over the baseline's; null where it has none. */
  readonly paper: {
    /** As the paper calls it. */
    readonly name: string;
    /** Channels of its first stage. */
    readonly width: number;
    /** Its cost over the baseline's. */
    readonly ratio: number;
  } | null;
}

/** The paper's networks by (M, blocks): both readings of the three names that leave them open. */
const PAPER: Readonly<Record<string, readonly [name: string, width: number]>> = {
  '3 2-2-2-2': ['IGP-ResNet21(53)', 53],
  '7 1-1-1-1': ['IGP-ResNet21(53)', 53],
  '7 2-2-2-2': ['IGP-ResNet37(41)', 41],
  '15 1-1-1-1': ['IGP-ResNet37(41)', 41],
  '15 2-2-2-2': ['IGP-ResNet69(31)', 31],
  '31 1-1-1-1': ['IGP-ResNet69(31)', 31],
  '7 2-2-3-2': ['IGP-ResNet41(48)', 48],
};
/** The paper's M for its equal-cost rule, which says nothing of the number of blocks. */
const PAPER_BLOCKS: Readonly<Record<number, readonly [name: string, width: number]>> = {
  3: ['IGP-ResNet21(53)', 53],
  7: ['IGP-ResNet37(41)', 41],
  15: ['IGP-ResNet69(31)', 31],
};

const WIDEST = 2 ** 16;

/**
 * The largest width at which an IGP network costs no more than `baseline` ("Improving gradient paths with N_1st, N_2nd, and
 * N_3rd"). Throws `ERR_BITPATH_ARGUMENT`, also where no width is small enough, `ERR_BITPATH_UNKNOWN_OPTION` and
 * `ERR_BITPATH_UNKNOWN_NAME`.
 */
export function designWidth(options: DesignWidthOptions): DesignedWidth {
  checkOptions('designWidth', options, ['rule', 'convs', 'blocksPerStage', 'baseline']);
  if (options === undefined) throw argumentError('designWidth', 'an object with rule and convs', options);
  const { blocksPerStage = [1, 1, 1, 1], baseline = 'bireal-resnet18-64' } = options;
  const rule = checkOneOf('rule', options.rule, WIDTH_RULES);
  const convs = checkInteger('convs', options.convs, 3, 1023);
  const columns = Math.log2(convs + 1);
  if (!Number.isInteger(columns)) throw argumentError('convs', '3, 7, 15, 31 … (2^c − 1)', convs);
  checkBlocks(blocksPerStage);
  const graph = typeof baseline === 'string' ? buildArchitecture(baseline) : checkGraph('baseline', baseline);

  const { costAt, baselineCost } = comparison(rule, graph, convs, { kind: 'igp', columns, blocksPerStage });
  let [fits, over] = [0, 1];
  while (over <= WIDEST && costAt(over) <= baselineCost) [fits, over] = [over, over * 2];
  while (over - fits > 1) {
    const middle = (fits + over) >> 1;
    if (costAt(middle) <= baselineCost) fits = middle;
    else over = middle;
  }
  if (fits === 0 || fits >= WIDEST) throw argumentError('baseline', 'a network that some width can match', graph.name);
  const found = rule === 'block' ? PAPER_BLOCKS[convs] : PAPER[`${convs} ${blocksPerStage.join('-')}`];
  const paper = found && { name: found[0], width: found[1], ratio: costAt(found[1]) / baselineCost };
  return { rule, width: fits, cost: costAt(fits), baselineCost, paper: paper ?? null };
}

function comparison(rule: WidthRule, graph: Graph, convs: number, member: Omit<IgpFamilyMember, 'width'>) {
  if (rule === 'block') {
    const conv = graph.nodes.find((node) => isBinaryConv(graph, node));
    if (conv === undefined) throw argumentError('baseline', 'a network with 1-bit convolutions', graph.name);
    const { height, width: pixels } = shapeOf(graph, conv.output);
    return {
      costAt: (width: number) => convs * 9 * width ** 2 * height * pixels,
      baselineCost: 2 * binaryOperations(conv, graph),
    };
  }
  const { height, width: inputSize } = shapeOf(graph, (graph.nodes[0] as AnyNode).output);
  if (height !== inputSize) throw argumentError('baseline', 'a network with a square input', `${height}×${inputSize}`);
  const classes = shapeOf(graph, graph.outputs[0]?.value as number).channels;
  const costs = countCosts(graph);
  const key = rule === 'storage' ? 'storageBits' : (rule satisfies keyof FamilyFigures);
  return {
    costAt: (width: number) => figuresOf({ ...member, width }, { inputSize, classes })[key],
    baselineCost: costs[key],
  };
}

function shapeOf(graph: Graph, id: number): Shape {
  return (graph.values[id] as Value).shape;
}
