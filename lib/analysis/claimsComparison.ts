/** The paper's claims about errors, put to its Table 1. */
import { buildArchitecture } from '../architectures/index.js';
import type { Table1Row } from '../architectures/table1.js';
import { graphCost } from '../graph/cost.js';
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
  PAIRS,
  row,
  SAME_MEANS,
  two,
  type Verdict,
  verdictOf,
} from './claim.js';
import { gradientPaths } from './gradientPaths.js';

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

function increasedShortcuts(): Claim {
  const fewer = [
    ['Bi-Real ResNet18*', 'CI-Net ResNet18#*'],
    ['Bi-Real ResNet18*', 'XNOR-Net++ ResNet18#*'],
    ['CI-Net ResNet18*', 'CI-Net ResNet18#*'],
    ['BinaryDenseNet51(32)', 'Bi-Real ResNet18(64)'],
    ['BinaryDenseNet69(32)', 'Bi-Real ResNet34(64)'],
  ].map(([more = '', less = '']) => ({ more: row(more), less: row(less) }));
  const lower = allOf(fewer.map(({ more, less }) => more.top1Error < less.top1Error));
  return {
    id: 'increased-shortcuts',
    quote: 'the error of BCNNs decreases when the increased shortcuts improve gradient paths',
    section: ABSTRACT,
    // No pair shows it of shortcuts alone.
    verdict: lower === 'holds' ? 'partly' : lower,
    withinClass: null,
    acrossClasses: null,
    evidence: [
      ...fewer.map(({ more, less }) => {
        const points = less.top1Error - more.top1Error;
        const change = points >= 0 ? `${two(points)} lower` : `${two(-points)} higher`;
        return `${named(more)} at ${two(more.gflops)} GFLOPs, ${named(less)} at ${two(less.gflops)}: ${change}`;
      }),
      'no two rows differ in shortcuts alone: downsampling, training or computation differ too',
    ],
  };
}

function sameComputation(): Claim {
  const pairs = PAIRS.filter(({ igp }) => igp.label === 'IGP-ResNet37(41)' || igp.label === 'IGP-DenseNet51(53)');
  const ratio = ({ igp, base }: (typeof pairs)[number]) => igp.gflops / base.gflops - 1;
  const binaryGmacs = ({ architecture }: Table1Row) => graphCost(buildArchitecture(architecture)).binaryMacs / 1e9;
  return {
    id: 'same-computation',
    quote: 'with almost the same computational complexity',
    section: ABSTRACT,
    verdict: allOf(pairs.map((pair) => Math.abs(ratio(pair)) <= ALMOST_THE_SAME)),
    withinClass: null,
    acrossClasses: null,
    evidence: [
      SAME_MEANS,
      ...pairs.map((pair) => {
        const change = Math.round(ratio(pair) * 100);
        const signed = change < 0 ? `−${-change}` : `+${change}`;
        return `${pair.igp.label} ${two(pair.igp.gflops)}, ${pair.base.label} ${two(pair.base.gflops)} GFLOPs: ${signed} %`;
      }),
      ...pairs.map(({ igp, base }) => {
        const [own, other] = [binaryGmacs(igp), binaryGmacs(base)];
        return `1-bit GMACs, counted: ${igp.label} ${two(own)}, ${base.label} ${two(other)}: ${two(own / other)} times`;
      }),
      'a FLOP here is one full-precision or 64 1-bit multiply-accumulates',
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
  const margin = `criterion: a large margin is ${LARGE_MARGIN} point or more`;
  return [
    claim('lower-than-others', '', lower, both),
    claim('large-margin', ' by a large margin', large, [margin, ...both]),
  ];
}

function exceptions(): Claim {
  const igp = row('IGP-ResNet37(41)');
  const rivals = BINARY.filter((candidate) => !isIgp(candidate) && candidate.sizeClass === igp.sizeClass);
  const below = rivals.filter(({ top1Error }) => top1Error < igp.top1Error);
  const right = (igpRow: Table1Row, rows: readonly Table1Row[]) =>
    rows.every((candidate) => candidate.top1Error >= igpRow.top1Error || isExcepted(candidate));
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
      'criterion: whatever is below an IGP row is one of the five',
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
    evidence: [
      `criterion: high is ${LARGE_MARGIN} point or more`,
      ...[lowest, highest].map(
        (item) => `${named(item)}: ${two(item.top1Error - float.top1Error)} above ${named(float)}`,
      ),
    ],
  };
}

function indeedLower(): Claim {
  const second = ({ architecture }: Table1Row) =>
    gradientPaths(buildArchitecture(architecture), { count: 2 }).levels[1]?.cost ?? Number.POSITIVE_INFINITY;
  const pairs = PAIRS.map(({ igp, base }) => ({ igp, base, own: second(igp), other: second(base) }));
  const millions = (cost: number) => two(cost / 1e6);
  const improved = pairs.filter(({ own, other }) => own < other).length;
  return {
    id: 'indeed-decrease',
    quote: 'improving gradient paths for Bi-Real ResNet and BinaryDenseNet indeed decrease their error',
    section: COMPARISON,
    verdict: allOf(pairs.map(({ igp, base, own, other }) => igp.top1Error < base.top1Error && own < other)),
    withinClass: null,
    acrossClasses: null,
    evidence: [
      ...pairs.map(
        ({ igp, base, own, other }) =>
          `${named(igp)} against ${named(base)}: ${two(base.top1Error - igp.top1Error)} lower; N_2nd of the network ${millions(own)} M against ${millions(other)} M`,
      ),
      `the paths of the network are improved, by N_2nd, in ${improved} of ${pairs.length}`,
    ],
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
    increasedShortcuts(),
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
