/** The networks of Table 1 as points: error against what a network costs. */
import { gradientPaths } from '../analysis/gradientPaths.js';
import { countTable1, type CountedRow } from '../analysis/table1.js';
import { buildArchitecture } from '../architectures/index.js';

export interface TablePoint {
  /** Row of Table 1. */
  readonly row: number;
  readonly label: string;
  readonly architecture: string;
  readonly family: number;
  /** Quoted from another paper. */
  readonly cited: boolean;
  /** Top-1, ImageNet, per cent, as the paper reports it. */
  readonly error: number;
  /** Counted from the graph, or as reported where bitpath cannot build it. */
  readonly gflops: number;
  readonly storageMbit: number;
  readonly isCounted: boolean;
  /** Of the whole network; null where bitpath cannot build it, and where no path has a 1-bit convolution. */
  readonly secondCost: number | null;
}

/** Each has a shape of its own. The last one takes the others. */
export const FAMILIES = [
  'IGP-ResNet, IGP-DenseNet',
  'Bi-Real ResNet',
  'BinaryDenseNet',
  'other binary ResNets',
] as const;
const PATTERNS = [/^IGP-/, /^Bi-Real/, /^BinaryDenseNet/];

/** A point for each binary network of Table 1. Full precision lies ten times farther out. Takes a second or two. */
export function tablePoints(): readonly TablePoint[] {
  const second = new Map<string, number | null>();
  return countTable1().flatMap((row) => {
    const { top1Error: error } = row;
    if (row.sizeClass === 'float') return [];
    let secondCost: number | null = null;
    if (row.counted !== null) {
      secondCost = second.get(row.architecture) ?? secondOf(row.architecture);
      second.set(row.architecture, secondCost);
    }
    return [{ ...pointOf(row), error, secondCost }];
  });
}

function pointOf({ row, label, architecture, cited, gflops, storageMbit, counted }: CountedRow) {
  const family = PATTERNS.findIndex((pattern) => pattern.test(label));
  return {
    row,
    label,
    architecture,
    cited,
    family: family < 0 ? FAMILIES.length - 1 : family,
    gflops: counted?.computation.counted ?? gflops,
    storageMbit: counted?.storage.counted ?? storageMbit,
    isCounted: counted !== null,
  };
}

function secondOf(architecture: string): number | null {
  const [, second] = gradientPaths(buildArchitecture(architecture), { count: 2 }).levels;
  return second?.cost ?? null;
}
