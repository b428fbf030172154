/** Each comparative sentence of the paper, put to the paper's own numbers: Table 1, and the widths in its names. */
import { TABLE_1, type Table1Row } from '../architectures/table1.js';

/**
 * `holds`, `fails`: so say the numbers. `partly`: so they say of a part; the evidence says of which. `undecided`: the paper
 * gives no numbers for it.
 */
export type Verdict = 'holds' | 'partly' | 'fails' | 'undecided';

export interface Claim {
  readonly id: string;
  /** The sentence, as short as it can be quoted. */
  readonly quote: string;
  /** Where in the paper. */
  readonly section: string;
  readonly verdict: Verdict;
  /** The same sentence among rows of one size class, and among all binary rows; null where it names its rows. */
  readonly withinClass: Verdict | null;
  readonly acrossClasses: Verdict | null;
  /** The numbers that it rests on. */
  readonly evidence: readonly string[];
}

/** What we take the paper's vague words to mean. */
export const LARGE_MARGIN = 1;
export const ALMOST_THE_SAME = 0.1;

const ABSTRACT = 'Abstract';
const COMPARISON = 'Comparison to State-of-the-Art';
const DESIGN = 'Design architectures by improving gradient paths';

const row = (label: string): Table1Row => TABLE_1.find((candidate) => candidate.label === label) as Table1Row;
const error = (label: string) => row(label).top1Error;
const isIgp = ({ label }: Table1Row) => label.startsWith('IGP');
const BINARY = TABLE_1.filter(({ sizeClass }) => sizeClass !== 'float');
const IGP = BINARY.filter(isIgp);
/** The five rows that the paper excepts by name. */
export const EXCEPTED = ['FULW', 'Proxy', 'Real-to-bin', 'ReActNet-ResNet18', 'DIR-Net²'];
const isExcepted = ({ label }: Table1Row) => EXCEPTED.some((name) => label.startsWith(name));
/** Rows that change the topology and not how values are approximated. The paper names BNAS-E and no others. */
const isDesign = ({ label }: Table1Row) => /^(BNAS|Bi-Real|BinaryDenseNet)/.test(label);

const two = (value: number) => value.toFixed(2);
const named = ({ label, top1Error }: Table1Row) => `${label} ${two(top1Error)}`;
const best = (rows: readonly Table1Row[]) => rows.reduce((a, b) => (b.top1Error < a.top1Error ? b : a));
const verdictOf = (isTrue: boolean): Verdict => (isTrue ? 'holds' : 'fails');
/** Of a sentence that names no size class. */
const overall = (within: Verdict, across: Verdict): Verdict => (within === across ? within : 'partly');
/** `holds` if all do, `partly` if some do. */
const allOf = (truths: readonly boolean[]): Verdict =>
  truths.every(Boolean) ? 'holds' : truths.some(Boolean) ? 'partly' : 'fails';

/** By how much each IGP row is below the best of `rivals`, of its size class or of all. */
function margins(rivals: readonly Table1Row[], within: boolean) {
  return IGP.map((igp) => {
    const rival = best(rivals.filter(({ sizeClass }) => !within || sizeClass === igp.sizeClass));
    return { igp, rival, margin: rival.top1Error - igp.top1Error };
  });
}
const marginText = ({ igp, rival, margin }: ReturnType<typeof margins>[number]) =>
  `${named(igp)} against ${named(rival)}: ${margin >= 0 ? `${two(margin)} lower` : `${two(-margin)} higher`}`;

function difference(id: string, igp: string, base: string, points: number): Claim {
  const found = error(base) - error(igp);
  const cited = row(`${base.replace('(64)', '')}*`);
  return {
    id,
    quote: `the Top-1 error of ${igp} gets lower than ${base} by ${points}%`,
    section: ABSTRACT,
    verdict: verdictOf(two(found) === two(points)),
    withinClass: null,
    acrossClasses: null,
    evidence: [
      `${two(error(base))} − ${two(error(igp))} = ${two(found)}`,
      `the base network trained by the authors is itself ${two(cited.top1Error - error(base))} below the cited ${named(cited)}`,
    ],
  };
}

function sameComputation(): Claim {
  const pairs = [
    ['IGP-ResNet37(41)', 'Bi-Real ResNet18(64)'],
    ['IGP-DenseNet51(53)', 'BinaryDenseNet51(32)'],
  ].map(([igp = '', base = '']) => ({ igp: row(igp), base: row(base) }));
  const ratio = ({ igp, base }: (typeof pairs)[number]) => igp.gflops / base.gflops - 1;
  return {
    id: 'same-computation',
    quote: 'with almost the same computational complexity',
    section: ABSTRACT,
    verdict: allOf(pairs.map((pair) => ratio(pair) <= ALMOST_THE_SAME)),
    withinClass: null,
    acrossClasses: null,
    evidence: [
      ...pairs.map((pair) => {
        const change = Math.round(ratio(pair) * 100);
        const signed = change < 0 ? `−${-change}` : `+${change}`;
        return `${pair.igp.label} ${two(pair.igp.gflops)}, ${pair.base.label} ${two(pair.base.gflops)} GFLOPs: ${signed} %`;
      }),
      'a FLOP here is one full-precision or 64 1-bit multiply-accumulates; table1 counts the 1-bit ones themselves',
    ],
  };
}

function lowerThanOthers(): readonly Claim[] {
  const rivals = BINARY.filter((candidate) => !isIgp(candidate) && !isExcepted(candidate));
  const [within, across] = [margins(rivals, true), margins(rivals, false)];
  const lower = (list: typeof within) => allOf(list.map(({ margin }) => margin > 0));
  const large = (list: typeof within) => allOf(list.map(({ margin }) => margin >= LARGE_MARGIN));
  const both = [
    ...within.map((item) => `within: ${marginText(item)}`),
    ...across.map((item) => `across: ${marginText(item)}`),
  ];
  const quote = 'Except for [five rows], … lower than other binary ResNet and DenseNet variants';
  const claim = (id: string, end: string, of: typeof lower, evidence: readonly string[]): Claim => ({
    id,
    quote: `${quote}${end}`,
    section: COMPARISON,
    verdict: overall(of(within), of(across)),
    withinClass: of(within),
    acrossClasses: of(across),
    evidence,
  });
  return [claim('lower-than-others', '', lower, both), claim('large-margin', ' by a large margin', large, both)];
}

function exceptions(): Claim {
  const igp = row('IGP-ResNet37(41)');
  const rivals = BINARY.filter((candidate) => !isIgp(candidate) && candidate.sizeClass === igp.sizeClass);
  const below = rivals.filter(({ top1Error }) => top1Error < igp.top1Error);
  const right = (igpRow: Table1Row, rows: readonly Table1Row[]) =>
    rows.every((candidate) => candidate.top1Error < igpRow.top1Error === isExcepted(candidate));
  const others = BINARY.filter((candidate) => !isIgp(candidate));
  const within = verdictOf(right(igp, rivals));
  const across = allOf(IGP.map((igpRow) => right(igpRow, others)));
  return {
    id: 'exceptions',
    quote:
      'Except for the FULW-ResNet18, ProxyResNet18, Real-to-bin ResNet18, ReActNet-ResNet18, and DIR-Net²-ResNet18',
    section: COMPARISON,
    verdict: overall(within, across),
    withinClass: within,
    acrossClasses: across,
    evidence: [
      `below ${named(igp)} of ResNet18’s size: ${below.map(named).join(', ')}`,
      ...IGP.map((igpRow) => {
        const lower = others.filter(({ top1Error }) => top1Error < igpRow.top1Error);
        return `below ${named(igpRow)} of any size: ${lower.map(named).join(', ') || 'none'}`;
      }),
    ],
  };
}

function architectureDesign(): Claim {
  const rivals = BINARY.filter(isDesign);
  const [within, across] = [margins(rivals, true), margins(rivals, false)];
  const holds = (list: typeof within) => allOf(list.map(({ margin }) => margin > 0));
  return {
    id: 'architecture-design',
    quote: 'outperform all the references about the architecture design, even automated BNAS-E',
    section: COMPARISON,
    verdict: overall(holds(within), holds(across)),
    withinClass: holds(within),
    acrossClasses: holds(across),
    evidence: [
      ...IGP.map(
        (igp) => `${named(igp)} against ${named(row('BNAS-E*'))}: ${two(error('BNAS-E*') - igp.top1Error)} lower`,
      ),
      ...across.map((item) => `across: ${marginText(item)}`),
    ],
  };
}

function shortcuts(): Claim {
  const rows = ['BNN ResNet18#*', 'XNOR ResNet18#*', 'Bi-Real ResNet18*'].map(row);
  return {
    id: 'bi-real-shortcuts',
    quote: 'the error of Bi-Real ResNet is lower than that of binary ResNet',
    section: DESIGN,
    verdict: 'partly',
    withinClass: null,
    acrossClasses: null,
    evidence: [
      `${rows.map(named).join(', ')}: lower it is`,
      'no two rows differ in shortcuts alone: those of plain topology binarise the downsampling and train otherwise',
    ],
  };
}

function noNumbers(id: string, quote: string, evidence: string): Claim {
  return {
    id,
    quote,
    section: DESIGN,
    verdict: 'undecided',
    withinClass: null,
    acrossClasses: null,
    evidence: [evidence],
  };
}

function consistently(): Claim {
  const [igp, base] = [row('IGP-ResNet37(41)'), row('Bi-Real ResNet18(64)')];
  return {
    id: 'consistently-lower',
    quote:
      'M = 3 for IGP-ResNet21(53), M = 7 for IGP-ResNet37(41), and M = 15 for IGP-ResNet69(31), which consistently shows lower error',
    section: DESIGN,
    verdict: igp.top1Error < base.top1Error ? 'partly' : 'fails',
    withinClass: null,
    acrossClasses: null,
    evidence: [`${named(igp)} < ${named(base)}`, 'the paper prints no error of 21(53) and 69(31)'],
  };
}

/** M convs of width w against two of width W: M·w² / 2·W². */
function blockCost(id: string, quote: string, pairs: readonly (readonly [string, number, number, number])[]): Claim {
  const ratios = pairs.map(([, convs, width, base]) => (convs * width ** 2) / (2 * base ** 2));
  return {
    id,
    quote,
    section: DESIGN,
    verdict: allOf(ratios.map((ratio) => Math.abs(ratio - 1) <= ALMOST_THE_SAME)),
    withinClass: null,
    acrossClasses: null,
    evidence: pairs.map(([name, convs, width, base], i) => {
      return `${name}: ${convs}·${width}² / 2·${base}² = ${two(ratios[i] as number)}`;
    }),
  };
}

function denseCost(): Claim {
  // Operations for each pixel and tap; C is the block's input.
  const pairs = [64, 128, 256, 512].map((C) => ({ C, igp: 2 * C * 53 + 53 * 53, base: C * 32 + (C + 32) * 32 }));
  const ratios = pairs.map(({ igp, base }) => igp / base);
  return {
    id: 'equal-dense-blocks',
    quote: 'N₁ᴮᴰ + N₂ᴮᴰ ≈ 2·N₁ᴵᴰ + N₂ᴵᴰ, thus N₁ᴮᴰ ≈ N₁ᴵᴰ',
    section: DESIGN,
    verdict: allOf(ratios.map((ratio) => Math.abs(ratio - 1) <= ALMOST_THE_SAME)),
    withinClass: null,
    acrossClasses: null,
    evidence: pairs.map(({ C, igp, base }) => `51, C = ${C}: ${igp} / ${base} = ${two(igp / base)}, N₁ 53/32 = 1.66`),
  };
}

/** Every comparative sentence of the paper with its verdict, in the paper's order. */
export function evaluateClaims(): readonly Claim[] {
  return [
    difference('igp-resnet', 'IGP-ResNet37(41)', 'Bi-Real ResNet18(64)', 3.29),
    difference('igp-densenet', 'IGP-DenseNet51(53)', 'BinaryDenseNet51(32)', 1.41),
    sameComputation(),
    binarizationCosts(),
    ...lowerThanOthers(),
    exceptions(),
    architectureDesign(),
    shortcuts(),
    noNumbers(
      'ebi-real',
      'increasing residual connections further for Bi-Real ResNet cannot … decrease error',
      'the paper prints no error of EBi-Real',
    ),
    blockCost(
      'equal-resnet-blocks',
      'the computational complexity of different model blocks [is] roughly the same, M·Nᴵᴿ ≈ 2·Nᴮᴿ',
      [
        ['21(53)', 3, 53, 64],
        ['37(41)', 7, 41, 64],
        ['69(31)', 15, 31, 64],
        ['41(48)', 7, 48, 64],
      ],
    ),
    consistently(),
    denseCost(),
  ];
}

function binarizationCosts(): Claim {
  const float = row('Full-precision ResNet18*');
  const rows = BINARY.filter(({ sizeClass }) => sizeClass === '18').toSorted((a, b) => a.top1Error - b.top1Error);
  const [lowest, highest] = [rows[0] as Table1Row, rows.at(-1) as Table1Row];
  return {
    id: 'binarization-costs',
    quote: 'Binarization … results in a high error increase',
    section: 'Introduction',
    verdict: verdictOf(lowest.top1Error - float.top1Error >= LARGE_MARGIN),
    withinClass: null,
    acrossClasses: null,
    evidence: [lowest, highest].map(
      (item) => `${named(item)}: ${two(item.top1Error - float.top1Error)} above ${named(float)}`,
    ),
  };
}
