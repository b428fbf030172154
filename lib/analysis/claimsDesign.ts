/** The paper's claims about its blocks, put to the widths in the networks' names and to Table 1. */
import type { SizeClass, Table1Row } from '../architectures/table1.js';
import { ALMOST_THE_SAME, allOf, BINARY, type Claim, DESIGN, named, row, SAME_MEANS, two } from './claim.js';

/** Rows of plain topology are those marked #; none of the others has it with Bi-Real's training. */
function shortcuts(): Claim {
  const of = (size: SizeClass) => BINARY.filter(({ sizeClass, label }) => sizeClass === size && label.includes('#'));
  const compared = [
    ...['Bi-Real ResNet18*', 'Bi-Real ResNet18(64)'].map((label) => ({ own: row(label), plain: of('18') })),
    ...['Bi-Real ResNet34*', 'Bi-Real ResNet34(64)'].map((label) => ({ own: row(label), plain: of('34') })),
  ];
  const isLower = (own: Table1Row) => (plain: Table1Row) => own.top1Error < plain.top1Error;
  const claims = compared.map(({ own, plain: rows }) => {
    const above = rows.filter(isLower(own));
    const below = rows.filter((candidate) => !isLower(own)(candidate));
    const list = (found: readonly Table1Row[]) => found.map(named).join(', ') || 'none';
    return {
      truths: rows.map(isLower(own)),
      text: `${named(own)} (${own.cited ? 'cited' : 'the authors’ training'}): below ${list(above)}; not below ${list(below)}`,
    };
  });
  return {
    id: 'bi-real-shortcuts',
    quote: 'the error of Bi-Real ResNet is lower than that of binary ResNet',
    section: DESIGN,
    verdict: allOf(claims.flatMap(({ truths }) => truths)),
    withinClass: null,
    acrossClasses: null,
    evidence: [
      ...claims.map(({ text }) => text),
      'no two rows differ in shortcuts alone: those of plain topology (#) binarise the downsampling and train otherwise',
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
    evidence: [
      SAME_MEANS,
      ...pairs.map(([name, convs, width, base], i) => {
        return `${name}: ${convs}·${width}² / 2·${base}² = ${two(ratios[i] as number)}`;
      }),
    ],
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
    evidence: [
      SAME_MEANS,
      ...pairs.map(({ C, igp, base }) => `51, C = ${C}: ${igp} / ${base} = ${two(igp / base)}, N₁ 53/32 = 1.66`),
    ],
  };
}

/** N_2nd of a block: a conv of width w against one of width W. */
function residualSecond(): Claim {
  const widths = [
    ['21(53)', 53],
    ['37(41)', 41],
    ['69(31)', 31],
    ['41(48)', 48],
  ] as const;
  return {
    id: 'lower-resnet-paths',
    quote: 'Nᴮᴿ > Nᴵᴿ and IGP-ResNet block has better gradient paths than Bi-Real ResNet block',
    section: DESIGN,
    verdict: allOf(widths.map(([, width]) => width < 64)),
    withinClass: null,
    acrossClasses: null,
    evidence: widths.map(([name, width]) => `${name}: Nᴵᴿ / Nᴮᴿ = ${width}² / 64² = ${two((width / 64) ** 2)}`),
  };
}

/** N_3rd of a block at the widths of Table 1; operations for each pixel and tap. */
function denseThird(): Claim {
  const blocks = (
    [
      ['51(53)', 53],
      ['69(48)', 48],
    ] as const
  ).flatMap(([name, k]) =>
    [64, 128, 256, 512].map((C) => ({ name, C, igp: C * k + k * k, base: C * 32 + (C + 32) * 32 })),
  );
  return {
    id: 'lower-dense-paths',
    quote: 'N₁ᴮᴰ + N₂ᴮᴰ > N₁ᴵᴰ + N₂ᴵᴰ and the gradient paths in IGP-DenseNet are better',
    section: DESIGN,
    verdict: allOf(blocks.map(({ igp, base }) => base > igp)),
    withinClass: null,
    acrossClasses: null,
    evidence: blocks.map(({ name, C, igp, base }) => `${name}, C = ${C}: ${base} ${base > igp ? '>' : '≤'} ${igp}`),
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
    residualSecond(),
    denseCost(),
    denseThird(),
  ];
}
