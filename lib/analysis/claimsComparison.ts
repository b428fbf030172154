/** The paper's claims about errors, put to its Table 1. */
import type { Table1Row } from '../architectures/table1.js';
import {
  ABSTRACT,
  ALMOST_THE_SAME,
  allOf,
  BINARY,
  type Claim,
  COMPARISON,
  error,
  IGP,
  isIgp,
  LARGE_MARGIN,
  named,
  row,
  two,
  type Verdict,
  verdictOf,
} from './claim.js';

/** The five rows that the paper excepts by name. */
const EXCEPTED = ['FULW', 'Proxy', 'Real-to-bin', 'ReActNet-ResNet18', 'DIR-Net²'];
const isExcepted = ({ label }: Table1Row) => EXCEPTED.some((name) => label.startsWith(name));
/** Rows that change the topology and not how values are approximated. The paper names BNAS-E and no others. */
const isDesign = ({ label }: Table1Row) => /^(BNAS|Bi-Real|BinaryDenseNet)/.test(label);

const best = (rows: readonly Table1Row[]) => rows.reduce((a, b) => (b.top1Error < a.top1Error ? b : a));
/** Of a sentence that names no size class. */
const overall = (within: Verdict, across: Verdict): Verdict => (within === across ? within : 'partly');

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

function indeedLower(): Claim {
  const pairs = [
    ['IGP-ResNet37(41)', 'Bi-Real ResNet18(64)'],
    ['IGP-ResNet41(48)', 'Bi-Real ResNet34(64)'],
    ['IGP-DenseNet51(53)', 'BinaryDenseNet51(32)'],
    ['IGP-DenseNet69(48)', 'BinaryDenseNet69(32)'],
  ].map(([igp = '', base = '']) => ({ igp: row(igp), base: row(base) }));
  return {
    id: 'indeed-decrease',
    quote: 'improving gradient paths for Bi-Real ResNet and BinaryDenseNet indeed decrease their error',
    section: COMPARISON,
    verdict: allOf(pairs.map(({ igp, base }) => igp.top1Error < base.top1Error)),
    withinClass: null,
    acrossClasses: null,
    evidence: pairs.map(
      ({ igp, base }) => `${named(igp)} against ${named(base)}: ${two(base.top1Error - igp.top1Error)} lower`,
    ),
  };
}

function complementary(): Claim {
  return {
    id: 'complementary',
    quote: 'we can improve the performance of BCNNs in these references further with our proposed architectures',
    section: COMPARISON,
    verdict: 'undecided',
    withinClass: null,
    acrossClasses: null,
    evidence: ['the paper prints no error of a network that has both'],
  };
}

/** Claims of the Abstract, the Introduction and the comparison, in the paper's order. */
export function comparisonClaims(): readonly Claim[] {
  return [
    difference('igp-resnet', 'IGP-ResNet37(41)', 'Bi-Real ResNet18(64)', 3.29),
    difference('igp-densenet', 'IGP-DenseNet51(53)', 'BinaryDenseNet51(32)', 1.41),
    sameComputation(),
    binarizationCosts(),
    ...lowerThanOthers(),
    exceptions(),
    complementary(),
    architectureDesign(),
    indeedLower(),
  ];
}
