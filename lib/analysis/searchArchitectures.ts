/** Looks for the next 37(41): networks of IGP-ResNet's family, and chains of single units, within a budget. */
import { argumentError, checkFinite, checkInteger, checkOneOf, checkOptions } from '../check.js';
import type { Graph } from '../graph/types.js';
import { type CostModel, checkCostModel, DEFAULT_COST_MODEL, predictMilliseconds } from './costModel.js';
import {
  buildFamilyMember,
  checkBlocks,
  type FamilyFigures,
  type FamilyInput,
  figuresOf,
  type IgpFamilyMember,
  nameOf,
} from './igpFamily.js';
import { paretoFront } from './pareto.js';

/** What networks are compared by. */
export type Objective =
  | 'secondCost'
  | 'thirdCost'
  | 'storageBits'
  | 'flops'
  | 'binaryMacs'
  | 'milliseconds'
  | 'longest';
export const OBJECTIVES: readonly Objective[] = [
  'secondCost',
  'thirdCost',
  'storageBits',
  'flops',
  'binaryMacs',
  'milliseconds',
  'longest',
];
/** Which way is better. */
export type Objectives = Readonly<Partial<Record<Objective, 'min' | 'max'>>>;

/**
 * Lower path costs, storage, computation, time and longest path are better; more 1-bit operations are, being what a network
 * of that storage and time learns with: without them the smallest network would dominate all.
 */
export const DEFAULT_OBJECTIVES: Objectives = Object.freeze({
  secondCost: 'min',
  thirdCost: 'min',
  storageBits: 'min',
  flops: 'min',
  binaryMacs: 'max',
  milliseconds: 'min',
  longest: 'min',
});

/** Options of {@link searchArchitectures}. */
export interface SearchOptions extends FamilyInput {
  /** Upper bounds, both by the paper's rules. */
  readonly budget: {
    /** 10⁶ bits. */
    readonly storageMbit: number;
    /** 10⁹ operations: 1-bit multiply-accumulates / 64 and full-precision ones. */
    readonly gflops: number;
    /** The least share of the storage that must be used, 0 to 1. Default 0.9. */
    readonly use?: number;
  };
  /** Columns of fractals: 2 to 10 each; 1 is a chain of single units. Default 1, 2, 3, 4, 5. */
  readonly columns?: readonly number[];
  /** Fractals that a stage may have: 1 to 8 numbers. Default 1, 2, 3, 4. */
  readonly blocks?: readonly number[];
  /** Units that a stage of a chain may have: 1 to 8 numbers. Default 1, 2, 3, 4, 6, 8, 12, 16. */
  readonly units?: readonly number[];
  /** 1 … 8. Default 4. */
  readonly stages?: number;
  /** Least width of the first stage. Default 24. */
  readonly minWidth?: number;
  /** Largest width of the first stage. Default 256. */
  readonly maxWidth?: number;
  /** Fewest 1-bit convolutions on the longest path. Default 1. */
  readonly minDepth?: number;
  /** Most 1-bit convolutions on the longest path. Default 128. */
  readonly maxDepth?: number;
  /** Default {@link DEFAULT_OBJECTIVES}. */
  readonly objectives?: Objectives;
  /** Default {@link DEFAULT_COST_MODEL}. */
  readonly costModel?: CostModel;
  /** Milliseconds of a graph, asked for the front alone. Default: the cost model's. */
  readonly predictMs?: (graph: Graph) => number;
}
const OPTIONS: readonly (keyof SearchOptions)[] = [
  'budget',
  'columns',
  'blocks',
  'units',
  'stages',
  'minWidth',
  'maxWidth',
  'minDepth',
  'maxDepth',
  'objectives',
  'costModel',
  'predictMs',
  'inputSize',
  'classes',
];

/** A network that {@link searchArchitectures} found, with its figures. */
export interface FoundArchitecture extends IgpFamilyMember, FamilyFigures {
  /** `igp37(41) c3 2-2-2-2`: kind, depth, width, columns, blocks of each stage. */
  readonly name: string;
  /** Of one image, predicted by the cost model or asked of `predictMs`. */
  readonly milliseconds: number;
}

/** What {@link searchArchitectures} finds. */
export interface SearchResult {
  /** The Pareto front by rising N_2nd, wider networks last. It is no ranking. */
  readonly front: readonly FoundArchitecture[];
  /** Networks within budget and bounds. */
  readonly considered: number;
  /** Those that the front is one of. */
  readonly objectives: Objectives;
}

/**
 * The Pareto front of all networks of the family within `budget` and the bounds. Networks are compared by formulas; ask
 * `buildFamilyMember` for the graph of one.
 *
 * Throws `ERR_BITPATH_ARGUMENT`, also where there would be too many to look at, and `ERR_BITPATH_UNKNOWN_OPTION`.
 */
export function searchArchitectures(options: SearchOptions): SearchResult {
  checkOptions('searchArchitectures', options, OPTIONS);
  const settings = checkSearch(options);
  const considered: FoundArchitecture[] = [];
  for (const columns of settings.columns) {
    const counts = columns === 1 ? settings.units : settings.blocks;
    for (const blocksPerStage of tuples(counts, settings.stages))
      for (const found of membersOf(columns, blocksPerStage, settings)) considered.push(found);
    if (considered.length > MOST_CONSIDERED) {
      throw argumentError(
        'budget',
        `a budget and bounds that at most ${MOST_CONSIDERED} networks fit`,
        considered.length,
      );
    }
  }
  const scores = (found: FoundArchitecture) =>
    Object.entries(settings.objectives).map(([name, way]) => (way === 'max' ? -1 : 1) * found[name as Objective]);
  let front = paretoFront(considered, scores);
  const { predictMs, input } = settings;
  if (predictMs !== undefined) {
    const measured = front.map((found) => ({
      ...found,
      milliseconds: checkMs(predictMs(buildFamilyMember(found, input))),
    }));
    front = paretoFront(measured, scores);
  }
  return {
    front: front.toSorted((a, b) => a.secondCost - b.secondCost || a.thirdCost - b.thirdCost || a.longest - b.longest),
    considered: considered.length,
    objectives: settings.objectives,
  };
}

type Settings = ReturnType<typeof checkSearch>;

/** Widths from the widest within the budget down to the least that uses enough of it. */
function membersOf(columns: number, blocksPerStage: readonly number[], settings: Settings): FoundArchitecture[] {
  const { input, budget, minWidth, maxWidth, minDepth, maxDepth, costModel } = settings;
  const longest = blocksPerStage.reduce((sum, count) => sum + count, 0) * 2 ** (columns - 1);
  if (longest < minDepth || longest > maxDepth) return [];
  const found: FoundArchitecture[] = [];
  for (let width = maxWidth; width >= minWidth; width--) {
    const member: IgpFamilyMember = { kind: columns === 1 ? 'chain' : 'igp', columns, width, blocksPerStage };
    const figures = figuresOf(member, input);
    const mbit = figures.storageBits / 1e6;
    if (mbit > budget.storageMbit || figures.flops / 1e9 > budget.gflops) continue;
    if (mbit < budget.use * budget.storageMbit) break;
    const milliseconds = predictMilliseconds(costModel, figures);
    found.push({ name: nameOf(member), ...member, ...figures, milliseconds });
  }
  return found;
}

function* tuples(counts: readonly number[], length: number): Generator<readonly number[]> {
  if (length === 0) yield [];
  else for (const first of counts) for (const rest of tuples(counts, length - 1)) yield [first, ...rest];
}

/** Ways to fill the stages × widths that a search may have to go through: half a minute at most. */
const MOST_MEMBERS = 2 ** 23;
/** Networks that may fit: a front is found by comparing them. */
const MOST_CONSIDERED = 2 ** 18;

function checkSearch(options: SearchOptions) {
  if (options === undefined) throw argumentError('searchArchitectures', 'an object with a budget', options);
  const { budget, costModel = DEFAULT_COST_MODEL, objectives = DEFAULT_OBJECTIVES, predictMs } = options;
  checkOptions('budget', budget, ['storageMbit', 'gflops', 'use']);
  if (budget === undefined) throw argumentError('budget', 'an object with storageMbit and gflops', budget);
  const storageMbit = positive('budget.storageMbit', budget.storageMbit);
  const gflops = positive('budget.gflops', budget.gflops);
  const use = checkFinite('budget.use', budget.use ?? 0.9);
  if (use < 0 || use > 1) throw argumentError('budget.use', 'a number from 0 to 1', use);
  const stages = checkInteger('stages', options.stages ?? 4, 1, 8);
  const minWidth = checkInteger('minWidth', options.minWidth ?? 24, 1, 4096);
  const maxWidth = checkInteger('maxWidth', options.maxWidth ?? Math.max(256, minWidth), minWidth, 4096);
  const minDepth = checkInteger('minDepth', options.minDepth ?? 1, 1, 4096);
  const maxDepth = checkInteger('maxDepth', options.maxDepth ?? Math.max(128, minDepth), minDepth, 4096);
  const columns = options.columns ?? [1, 2, 3, 4, 5];
  if (!Array.isArray(columns) || columns.length === 0) throw argumentError('columns', 'an array of numbers', columns);
  const distinct = (list: readonly number[]) => [...new Set(list)];
  if (columns.length > 10) throw argumentError('columns', 'at most 10 numbers', columns);
  for (let i = 0; i < columns.length; i++) checkInteger(`columns[${i}]`, columns[i], 1, 10);
  const blocks = distinct(checkBlocks(options.blocks ?? [1, 2, 3, 4], 'blocks'));
  const units = distinct(checkBlocks(options.units ?? [1, 2, 3, 4, 6, 8, 12, 16], 'units'));
  const ways = distinct(columns).reduce((sum, c) => sum + (c === 1 ? units : blocks).length ** stages, 0);
  const most = ways * (maxWidth - minWidth + 1);
  if (most > MOST_MEMBERS) {
    throw argumentError('blocks', `at most ${MOST_MEMBERS} ways to fill the stages × widths`, most);
  }
  checkOptions('objectives', objectives, OBJECTIVES);
  for (const [name, way] of Object.entries(objectives)) checkOneOf(`objectives.${name}`, way, ['min', 'max'] as const);
  checkCostModel(costModel);
  if (predictMs !== undefined && typeof predictMs !== 'function') {
    throw argumentError('predictMs', 'a function graph → milliseconds', predictMs);
  }
  const input = {
    inputSize: checkInteger('inputSize', options.inputSize ?? 224, 4 * 2 ** (stages - 1), 65535),
    classes: checkInteger('classes', options.classes ?? 1000, 1, 2 ** 24),
  };
  const limits = { minWidth, maxWidth, minDepth, maxDepth };
  return {
    budget: { storageMbit, gflops, use },
    stages,
    columns: distinct(columns),
    blocks,
    units,
    ...limits,
    objectives,
    costModel,
    predictMs,
    input,
  };
}

function positive(argument: string, value: unknown): number {
  const number = checkFinite(argument, value);
  if (number <= 0) throw argumentError(argument, 'a number > 0', value);
  return number;
}
function checkMs(value: unknown): number {
  return checkFinite('milliseconds that predictMs returned', value);
}
