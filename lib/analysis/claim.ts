/** What a claim is, and the words in which all of them are judged. */
import { TABLE_1, type Table1Row } from '../architectures/table1.js';

/**
 * `holds`, `fails`: so say the numbers. `partly`: so they say of a part; the evidence says of which. `undecided`: the paper
 * gives no numbers for it.
 */
export type Verdict = 'holds' | 'partly' | 'fails' | 'undecided';

/** A sentence of the paper beside its own numbers. */
export interface Claim {
  /** Short and unique. */
  readonly id: string;
  /** The sentence, as short as it can be quoted. */
  readonly quote: string;
  /** Where in the paper. */
  readonly section: string;
  /** What the numbers say of it. */
  readonly verdict: Verdict;
  /** The same sentence among rows of one size class; null where it names its rows. */
  readonly withinClass: Verdict | null;
  /** The same sentence among all binary rows; null where it names its rows. */
  readonly acrossClasses: Verdict | null;
  /** The numbers that it rests on. */
  readonly evidence: readonly string[];
}

/** What “a large margin” is taken to mean, in per cent of top-1 error; evidence says so in words. */
export const LARGE_MARGIN = 1;
/** What “almost the same” is taken to mean: within this share, above or below. */
export const ALMOST_THE_SAME = 0.1;
export const SAME_MEANS = `criterion: “the same” and ≈ mean within ${100 * ALMOST_THE_SAME} %, above or below`;

export const ABSTRACT = 'Abstract';
export const COMPARISON = 'Comparison to State-of-the-Art';
export const DESIGN = 'Design architectures by improving gradient paths';

export const row = (label: string): Table1Row => TABLE_1.find((candidate) => candidate.label === label) as Table1Row;
export const error = (label: string) => row(label).top1Error;
export const isIgp = ({ label }: Table1Row) => label.startsWith('IGP');
export const BINARY = TABLE_1.filter(({ sizeClass }) => sizeClass !== 'float');
export const IGP = BINARY.filter(isIgp);
export const two = (value: number) => value.toFixed(2);
/** The four IGP networks that have an error, and what each of them improves. */
export const PAIRS = (
  [
    ['IGP-ResNet37(41)', 'Bi-Real ResNet18(64)'],
    ['IGP-ResNet41(48)', 'Bi-Real ResNet34(64)'],
    ['IGP-DenseNet51(53)', 'BinaryDenseNet51(32)'],
    ['IGP-DenseNet69(48)', 'BinaryDenseNet69(32)'],
  ] as const
).map(([igp, base]) => ({ igp: row(igp), base: row(base) }));
export const named = ({ label, top1Error }: Table1Row) => `${label} ${two(top1Error)}`;
export const verdictOf = (isTrue: boolean): Verdict => (isTrue ? 'holds' : 'fails');
/** `holds` if all do, `partly` if some do. */
export const allOf = (truths: readonly boolean[]): Verdict =>
  truths.every(Boolean) ? 'holds' : truths.some(Boolean) ? 'partly' : 'fails';
