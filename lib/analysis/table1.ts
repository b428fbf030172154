/** Table 1 again: what the paper reports beside what its networks' graphs count. */
import { buildArchitecture, listArchitectures } from '../architectures/index.js';
import { TABLE_1, type Table1Row } from '../architectures/table1.js';
import { countCosts, type GraphCosts, type StorageRule } from './costs.js';
import { type Column, FITTED, OTHER_READING, reasonFor, STORAGE_RULE } from './table1Rules.js';

/**
 * `equal`: the count has the printed digits. `close`: it is within 1 %. `explained`, `unexplained`: it is not, and why is known
 * or not.
 */
export type Agreement = 'equal' | 'close' | 'explained' | 'unexplained';

/** A figure of the paper beside ours: 10⁶ bits, or 10⁹ operations. */
export interface Comparison {
  /** The paper's. */
  readonly reported: number;
  /** Ours. */
  readonly counted: number;
  /** counted / reported − 1. */
  readonly deviation: number;
  /** How near they are. */
  readonly agreement: Agreement;
  /** Why it is not equal: a text where `agreement` is `explained`, else null. */
  readonly reason: string | null;
}

/** A row of Table 1 with what its network's graph counts. */
export interface CountedRow extends Table1Row {
  /** Null where the architecture is not there. */
  readonly counted: {
    /** In 10⁶ bits. */
    readonly storage: Comparison;
    /** In 10⁹ operations. */
    readonly computation: Comparison;
    /** What counts as storage in this row. */
    readonly storageRule: StorageRule;
    /** Why the row is counted by another rule than its like; null for the default. */
    readonly ruleReason: string | null;
    /** What was fitted to the figures; null where nothing was. */
    readonly fitted: string | null;
    /** Another network that the row may mean, with its storage; null where there is none. */
    readonly otherReading: {
      /** Its name in `listArchitectures()`. */
      readonly architecture: string;
      /** In 10⁶ bits. */
      readonly storage: Comparison;
    } | null;
    /** All that was counted. */
    readonly costs: GraphCosts;
  } | null;
}

/** Deviations up to here need no reason. */
export const CLOSE = 0.01;

/** Rows 1 to 39, counted at 224×224 pixels and 1000 classes. Takes a second: each network is built once. Throws nothing. */
export function countTable1(): readonly CountedRow[] {
  const known = new Set(listArchitectures().map(({ name }) => name));
  const counts = new Map<string, GraphCosts>();
  return TABLE_1.map((row) => {
    if (!known.has(row.architecture)) return { ...row, counted: null };
    const rule = STORAGE_RULE[row.row];
    const key = `${row.architecture} ${rule?.rule}`;
    let costs = counts.get(key);
    if (costs === undefined) {
      costs = countCosts(buildArchitecture(row.architecture), rule === undefined ? {} : { storage: rule.rule });
      counts.set(key, costs);
    }
    return {
      ...row,
      counted: {
        storage: compare(row.row, 'storage', row.storageMbit, costs.storageBits / 1e6),
        computation: compare(row.row, 'computation', row.gflops, costs.flops / 1e9),
        storageRule: costs.storageRule,
        ruleReason: rule?.reason ?? null,
        fitted: FITTED[row.row] ?? null,
        otherReading: otherReading(row),
        costs,
      },
    };
  });
}

function otherReading({ row, storageMbit }: Table1Row) {
  const architecture = OTHER_READING[row];
  if (architecture === undefined) return null;
  const { storageBits } = countCosts(buildArchitecture(architecture));
  return { architecture, storage: compare(row, 'storage', storageMbit, storageBits / 1e6) };
}

/** Mbit are printed with one digit, GFLOPs with two. */
function compare(row: number, column: Column, reported: number, counted: number): Comparison {
  const digits = column === 'storage' ? 1 : 2;
  const deviation = counted / reported - 1;
  const reason = reasonFor(row, column);
  const agreement: Agreement =
    counted.toFixed(digits) === reported.toFixed(digits)
      ? 'equal'
      : Math.abs(deviation) <= CLOSE
        ? 'close'
        : reason === undefined
          ? 'unexplained'
          : 'explained';
  return { reported, counted, deviation, agreement, reason: agreement === 'explained' ? (reason ?? null) : null };
}
