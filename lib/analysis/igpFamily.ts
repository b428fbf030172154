/**
 * Networks of IGP-ResNet's shape (stem, stages of width w, 2w, 4w … with transitions between them, classifier), as formulas
 * for looking at many of them and as a graph for one. A test holds the two equal.
 */
import { argumentError, checkFinite, checkInteger, checkOneOf, checkOptions } from '../check.js';
import { classifier } from '../architectures/architecture.js';
import { igpResNet, igpTransition } from '../blocks/igpResNet.js';
import { biReal } from '../blocks/residual.js';
import { stem } from '../blocks/stem.js';
import { GraphBuilder } from '../graph/builder.js';
import type { Graph } from '../graph/types.js';

/** A network of the family. */
export interface IgpFamilyMember {
  /** `igp`: blocks are fractals of 2^columns − 1 units; `chain`: blocks are single units with a shortcut, and columns is 1. */
  readonly kind: 'igp' | 'chain';
  /** 1 … 10. */
  readonly columns: number;
  /** Channels of the first stage, a number > 0; each later stage is twice as wide. */
  readonly width: number;
  /** 1 … 1024 blocks in each of 1 … 8 stages. */
  readonly blocksPerStage: readonly number[];
}

/** What its formulas say of a network, for one image. Units as in `countCosts` and `gradientPaths`. */
export interface FamilyFigures {
  /** Bits, by the paper's rule. */
  readonly storageBits: number;
  /** 1-bit multiply-accumulates. */
  readonly binaryMacs: number;
  /** Full-precision multiply-accumulates. */
  readonly realMacs: number;
  /** binaryMacs / 64 + realMacs. */
  readonly flops: number;
  /** N_2nd of the whole network; Infinity where there is none. N_1st is 0. */
  readonly secondCost: number;
  /** N_3rd of the whole network; Infinity where there is none. */
  readonly thirdCost: number;
  /** Most 1-bit convolutions on a path. */
  readonly longest: number;
  /** All 1-bit convolutions. */
  readonly convs: number;
}

/** What a network of the family takes in and gives out. */
export interface FamilyInput {
  /** Side of the square input in pixels, 1 … 65535. Default 224. */
  readonly inputSize?: number;
  /** 1 … 2²⁴. Default 1000. */
  readonly classes?: number;
}

function checkMember(member: IgpFamilyMember): IgpFamilyMember {
  if (typeof member !== 'object' || member === null) throw argumentError('member', 'a network of the family', member);
  const { kind, columns, width, blocksPerStage } = member;
  checkOneOf('kind', kind, ['igp', 'chain'] as const);
  if (kind === 'chain' && columns !== 1) throw argumentError('columns', '1, of a chain', columns);
  checkInteger('columns', columns, 1, 10);
  if (checkFinite('width', width) <= 0) throw argumentError('width', 'a number > 0', width);
  checkBlocks(blocksPerStage);
  return member;
}

function checkInput(input: FamilyInput): FamilyInput {
  checkOptions('input', input, ['inputSize', 'classes']);
  checkInteger('inputSize', input.inputSize ?? 224, 1, 65535);
  checkInteger('classes', input.classes ?? 1000, 1, 2 ** 24);
  return input;
}

export function checkBlocks(blocks: readonly number[], argument = 'blocksPerStage'): readonly number[] {
  if (!Array.isArray(blocks) || blocks.length < 1 || blocks.length > 8) {
    throw argumentError(argument, 'an array of 1 to 8 numbers of blocks', blocks);
  }
  // By index: forEach passes over the holes of a sparse array.
  for (let i = 0; i < blocks.length; i++) checkInteger(`${argument}[${i}]`, blocks[i], 1, 1024);
  return blocks;
}

/** 1-bit convolutions of a block. */
export function blockConvs(columns: number): number {
  return 2 ** columns - 1;
}

/** Height and width of each stage's maps: the stem divides by 4 and rounds up twice, a transition by 2 and rounds down. */
function sides(inputSize: number, stages: number): readonly number[] {
  const list = [Math.ceil(Math.ceil(inputSize / 2) / 2)];
  while (list.length < stages) list.push(Math.floor((list.at(-1) as number) / 2));
  return list;
}

/** Formulas; the paper's storage rule. `width` may be any positive number. Throws `ERR_BITPATH_ARGUMENT`. */
export function familyFigures(member: IgpFamilyMember, input: FamilyInput = {}): FamilyFigures {
  return figuresOf(checkMember(member), checkInput(input));
}

/** {@link familyFigures} of what has been checked: a search asks for very many. */
export function figuresOf(
  { columns, width, blocksPerStage }: IgpFamilyMember,
  { inputSize = 224, classes = 1000 }: FamilyInput,
): FamilyFigures {
  const side = sides(inputSize, blocksPerStage.length);
  const stemSide = Math.ceil(inputSize / 2);
  let weights = 0;
  let binaryMacs = 0;
  let realWeights = 3 * 49 * width;
  let realMacs = realWeights * stemSide ** 2;
  let blocks = 0;
  const layerCosts: number[] = [];
  blocksPerStage.forEach((count, stage) => {
    const channels = width * 2 ** stage;
    const pixels = (side[stage] as number) ** 2;
    const conv = 9 * channels ** 2;
    blocks += count;
    weights += count * blockConvs(columns) * conv;
    binaryMacs += count * blockConvs(columns) * conv * pixels;
    layerCosts.push(conv * pixels);
    if (stage === 0) return;
    realWeights += (channels / 2) * channels;
    realMacs += (channels / 2) * channels * pixels;
  });
  const features = width * 2 ** (blocksPerStage.length - 1);
  realWeights += features * classes;
  realMacs += features * classes;
  const depths = blocksPerStage.map((count) => count * 2 ** (columns - 1));
  return {
    storageBits: weights + 32 * (realWeights + classes),
    binaryMacs,
    realMacs,
    flops: binaryMacs / 64 + realMacs,
    ...lowestCosts(layerCosts, depths),
    longest: blocks * 2 ** (columns - 1),
    convs: blocks * blockConvs(columns),
  };
}

/** The cheapest path with a conv has one of the cheapest stage; the next has two of them, or one of the next cheapest stage. */
function lowestCosts(layerCosts: readonly number[], depths: readonly number[]) {
  const [secondCost = Number.POSITIVE_INFINITY, next = Number.POSITIVE_INFINITY] = [...new Set(layerCosts)].sort(
    (a, b) => a - b,
  );
  const inSeries = layerCosts.reduce((sum, cost, i) => sum + (cost === secondCost ? (depths[i] as number) : 0), 0);
  const twice = inSeries > 1 ? 2 * secondCost : Number.POSITIVE_INFINITY;
  return { secondCost, thirdCost: Math.min(twice, next) };
}

/** 1-bit convolutions that a graph is made of at most: one of more is of no use, and takes all memory. */
const MOST_CONVS = 2 ** 14;

/**
 * The graph, 3 × inputSize × inputSize in, `logits` out. Throws `ERR_BITPATH_ARGUMENT`, also for more than 16384 1-bit
 * convolutions, and what the builder throws.
 */
export function buildFamilyMember(member: IgpFamilyMember, input: FamilyInput = {}): Graph {
  const { kind, columns, width, blocksPerStage } = checkMember(member);
  const { inputSize = 224, classes = 1000 } = checkInput(input);
  checkInteger('width', width, 1, 2 ** 24);
  const convs = blocksPerStage.reduce((sum, count) => sum + count, 0) * blockConvs(columns);
  if (convs > MOST_CONVS) throw argumentError('blocksPerStage', `at most ${MOST_CONVS} 1-bit convolutions`, convs);
  const graph = new GraphBuilder(nameOf({ kind, columns, width, blocksPerStage }));
  let x = stem(graph, graph.input({ channels: 3, height: inputSize, width: inputSize }), { outChannels: width });
  let index = 0;
  blocksPerStage.forEach((blocks, stage) => {
    if (stage > 0) x = igpTransition(graph, x, { name: `body.${index++}`, outChannels: width * 2 ** stage });
    for (let i = 0; i < blocks; i++) {
      const name = `body.${index++}`;
      x = columns === 1 ? biReal(graph, x, { name }) : igpResNet(graph, x, { name, convs: blockConvs(columns) });
    }
  });
  graph.output('logits', classifier(graph, x, classes));
  return graph.build();
}

/** As the paper names networks, depth(width), with what the name leaves open: `igp37(41) c3 2-2-2-2`. Throws `ERR_BITPATH_ARGUMENT`. */
export function familyName(member: IgpFamilyMember): string {
  return nameOf(checkMember(member));
}

/** {@link familyName} of what has been checked. */
export function nameOf({ kind, columns, width, blocksPerStage }: IgpFamilyMember): string {
  const blocks = blocksPerStage.reduce((sum, count) => sum + count, 0);
  // The stem, a transition before each stage but the first, the classifier.
  const depth = blocks * 2 ** (columns - 1) + blocksPerStage.length + 1;
  const c = kind === 'igp' ? ` c${columns}` : '';
  return `${kind}${depth}(${width})${c} ${blocksPerStage.join('-')}`;
}
