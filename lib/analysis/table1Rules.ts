/**
 * How the figures of Table 1 were made, as far as they can be decoded, row by row: declared here, and nothing is tuned.
 * A reason stands beside a deviation only; a row without one deviates `unexplained`.
 */
import type { StorageRule } from './costs.js';

export type Column = 'storage' | 'computation';

/** Rows whose storage is not the default of `countCosts`, and why. */
export const STORAGE_RULE: Readonly<Record<number, { readonly rule: StorageRule; readonly reason: string }>> = {
  2: { rule: 'weightsAndScales', reason: '28.0 is 27.87 and one scale α for each of 4736 filters (28.03)' },
  8: {
    rule: 'weightsAndScales',
    reason:
      '28.0 is 27.87 and the factors of the output scales: α, β, γ of the 3×3 convs, α of the 1×1 shortcuts (28.05)',
  },
  38: { rule: 'all', reason: '374.1 is all 11 689 512 parameters, BatchNorm included' },
  39: { rule: 'all', reason: 'as ResNet18: all parameters' },
};

/** The rule of storage of a network with these rows; undefined for the default. */
export function storageRuleOf(rows: readonly number[]): StorageRule | undefined {
  return rows.map((row) => STORAGE_RULE[row]?.rule).find((rule) => rule !== undefined);
}

/** Architectures that a row may mean as well: the paper's name leaves it open. */
export const OTHER_READING: Readonly<Record<number, string>> = { 22: 'igp-resnet37-41-c4d8' };

/** Rows of which a part was chosen so that the count meets the figure: agreement says nothing there. */
export const FITTED: Readonly<Record<number, string>> = {
  34: 'channel reductions of the transitions are fitted to the storage; many others fit as well',
  37: 'channel reductions of the transitions are fitted to the storage; many others fit as well',
};

const REPEATS = 'the figure repeats Bi-Real ResNet18’s';
const CUT = 'the count, 0.1450, would round to 0.15; 0.14 is it with further digits cut off';

interface Reason {
  readonly rows: readonly number[];
  readonly column: Column;
  readonly reason: string;
}
const REASONS: readonly Reason[] = [
  { rows: [1, 2, 4, 7, 8], column: 'computation', reason: CUT },
  { rows: [10], column: 'storage', reason: `the released network is several times larger (2×2 convs): ${REPEATS}` },
  { rows: [10], column: 'computation', reason: `the released network computes more (2×2 convs): ${REPEATS}` },
  {
    rows: [12],
    column: 'computation',
    reason: `its 1×1 shortcuts come before their pooling, 4 times the work: ${REPEATS}`,
  },
  { rows: [16], column: 'storage', reason: `its extra branches have weights of their own: ${REPEATS}` },
  { rows: [16], column: 'computation', reason: `its extra branches compute, too: ${REPEATS}` },
  { rows: [18], column: 'storage', reason: `its stages are 64, 90, 180, 360 wide: ${REPEATS}` },
  { rows: [18], column: 'computation', reason: `its stages are 64, 90, 180, 360 wide: ${REPEATS}` },
  { rows: [19], column: 'storage', reason: `its 1×1 shortcuts have 1-bit weights: ${REPEATS}` },
  {
    rows: [25],
    column: 'storage',
    reason: `its gates alone have 294 400 full-precision weights, 9.4 Mbit: ${REPEATS}`,
  },
];

/** Why row `row` deviates in `column`, or undefined where nobody knows. */
export function reasonFor(row: number, column: Column): string | undefined {
  return REASONS.find(({ rows, column: of }) => of === column && rows.includes(row))?.reason;
}
