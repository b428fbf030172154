/** The paper's claims about its blocks, put to the widths in the networks' names and to Table 1. */
import { ALMOST_THE_SAME, allOf, type Claim, DESIGN, named, row, two } from './claim.js';

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
      ...[
        ['BinaryDenseNet51(32)', 'Bi-Real ResNet18(64)'],
        ['BinaryDenseNet69(32)', 'Bi-Real ResNet34(64)'],
      ].map(([dense = '', residual = '']) => {
        const [a, b] = [row(dense), row(residual)];
        return `${named(a)} at ${two(a.gflops)} GFLOPs, ${named(b)} at ${two(b.gflops)}`;
      }),
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

/** Claims of the section on design, in the paper's order. */
export function designClaims(): readonly Claim[] {
  return [
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
