/** The analysis as a page that needs nothing else: no script, no request, light and dark, desktop and phone. */
import type { Charts } from '../bench/charts.js';
import { html, type Insert, Markup, tableOf } from '../bench/reportMarkup.js';
import { STYLE } from '../bench/reportStyle.js';
import type { Architecture } from '../architectures/index.js';
import type { Value } from '../graph/types.js';
import { blockText, lanesOf, levelRows, reportedText } from './analysisText.js';
import { blockPicture } from './blockPicture.js';
import { keyOf, laneSample } from './key.js';
import type { LayOut } from './layout.js';
import type { NetworkAnalysis } from './networkAnalysis.js';
import { networkPicture } from './networkPicture.js';
import { networkRows } from './networkRows.js';
import { pointsSection } from './pagePoints.js';
import { PICTURE_STYLE } from './style.js';
import { type Picture, svgOf } from './svg.js';
import type { TablePoint } from './points.js';
import { bigText, operations, ordinal, shapeText } from './words.js';

const PAGE_STYLE = `
.picture { overflow-x: auto; margin: 1rem 0; padding: 2px; }
.picture:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
.picture svg, .keys svg { max-width: none; }
.levels { max-width: 640px; }
figure.plot { max-width: 900px; margin: 1.5rem 0; }
.keys { list-style: none; padding: 0; margin: .75rem 0; display: flex; flex-wrap: wrap; gap: .35rem 1.4rem; font-size: .9rem; }
.keys svg { vertical-align: -5px; margin-right: .4rem; }
sub { font-size: .72em; line-height: 0; }
@media print { .picture { overflow: visible; } .picture svg { max-width: 100%; height: auto; } .narrow { display: none; } .wide { display: block; } }
`;

export interface PageContext {
  readonly analysis: NetworkAnalysis;
  /** Null for a model file. */
  readonly architecture: Architecture | null;
  readonly title: string;
  readonly points: readonly TablePoint[];
  readonly layOut: LayOut;
  readonly charts: Charts;
}

export async function analysisPage(context: PageContext): Promise<string> {
  const { title } = context;
  const sections = [
    ['block', 'Gradient paths of a block', await blockSection(context)],
    ['network', 'The whole network', await networkSection(context)],
    ['error', 'Beside the other networks of the paper', pointsSection(context)],
  ] as const;
  return html`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title}: gradient paths</title>
<style>${new Markup(STYLE + PAGE_STYLE + PICTURE_STYLE)}</style>
</head>
<body>
<main>
<h1>${title}</h1>
${facts(context)}
<nav aria-label="Sections"><ul>${sections.map(([id, name]) => html`<li><a href="#${id}">${name}</a></li>`)}</ul></nav>
${sections.map(([id, name, body]) => html`<section id="${id}"><h2>${name}</h2>\n${body}</section>\n`)}</main>
</body>
</html>
`.text;
}

function facts({ analysis, architecture }: PageContext): Markup {
  const { graph, costs, paths } = analysis;
  const reported = reportedText(architecture);
  const pairs: [string, Insert][] = [
    ['architecture', graph.name],
    ['input', shapeText(valueAt(analysis, graph.nodes[0]?.output).shape)],
    ['storage, as the paper counts', `${(costs.storageBits / 1e6).toFixed(2)} Mbit`],
    ['computation, as the paper counts', `${(costs.flops / 1e9).toFixed(4)} GFLOPs`],
    ['multiply-accumulates', `${operations(costs.binaryMacs)} of 1 bit, ${operations(costs.realMacs)} real`],
    ['gradient paths', `${bigText(paths.total)}, the longest through ${paths.longest} 1-bit convolutions`],
    ...(reported === null ? [] : [['reported by the paper', reported] as [string, Insert]]),
    ...(architecture === null ? [] : [[`source (${architecture.status})`, architecture.source] as [string, Insert]]),
  ];
  return html`<dl class="facts">${pairs.map(([name, text]) => html`<div><dt>${name}</dt><dd>${text}</dd></div>\n`)}</dl>`;
}

function valueAt({ graph }: NetworkAnalysis, id: number | undefined): Value {
  return graph.values[id ?? 0] as Value;
}

function scrolling(picture: Picture, id: string): Markup {
  return html`<div class="picture" tabindex="0" role="region" aria-label="${picture.title}">${svgOf(picture, id, true)}</div>\n`;
}

async function blockSection({ analysis, layOut }: PageContext): Promise<Markup> {
  const { block, groupBy } = analysis;
  const lanes = lanesOf(block);
  const title = `Gradient paths of ${block.name}`;
  const picture = await blockPicture(block.diagram, lanes, layOut, { id: 'block-picture', title, withKey: false });
  const levels = levelRows(block.paths).map((row, i) => [sample(i), ...row]);
  const boxes = block.diagram.boxes.flatMap((box, i) => {
    if (box.kind === 'end') return [];
    const into = block.diagram.edges.flatMap(({ to }, edge) => (to === i ? [edge] : []));
    const on = block.drawn.flatMap(({ edges }, level) =>
      into.some((edge) => edges.has(edge)) ? [ordinal(level + 1)] : [],
    );
    return [
      [
        box.name || '–',
        [box.title, ...box.lines.slice(0, -1)].join(': '),
        box.cost > 0 ? operations(box.cost) : '0',
        on.join(', '),
      ],
    ];
  });
  return html`<p>${blockText(block)}. N is what it takes to back-propagate through one 1-bit convolution; a path costs the sum of N over those on
it, L is their number, and full precision costs nothing. ${groupBy === 'length' ? 'Paths are grouped by length here. ' : ''}Thin lines are data,
downward. A thick line is one path of its level, from the output back to the input: where it runs through a hatched box, it pays
that box’s N.</p>
<ul class="keys">${keyOf(lanes, block.diagram, true)
    .kinds('block-picture')
    .map(({ sample, text }) => html`<li>${sample}${text}</li>`)}</ul>
<div class="levels">${tableOf(`Levels of gradient paths of ${block.name}`, LEVELS, levels)}</div>
${scrolling(picture, 'block-picture')}
${tableOf('What the block is made of, and which levels have a path through it', BOXES, boxes)}`;
}

const LEVELS = [
  { title: 'line' },
  { title: 'level' },
  { title: 'cost N', align: 'right' },
  { title: 'length L', align: 'right' },
  { title: 'paths', align: 'right' },
] as const;
const BOXES = [
  { title: 'scope' },
  { title: 'operation' },
  { title: 'N', align: 'right' },
  { title: 'on paths of level' },
] as const;
const PARTS = [
  { title: 'part' },
  { title: 'is a' },
  { title: 'M', align: 'right' },
  { title: 'output' },
  { title: 'MACs', align: 'right' },
  { title: 'of the computation', align: 'right' },
  { title: 'made of' },
] as const;

function sample(index: number): Markup {
  return html`<svg class="bp" width="52" height="19" viewBox="-1 0 52 19" role="img" aria-label="GP${index + 1}">${laneSample(index, 9.5)}</svg>`;
}

async function networkSection({ analysis, layOut }: PageContext): Promise<Markup> {
  const { graph, parts, paths } = analysis;
  const rows = networkRows(graph, parts);
  const options = {
    title: `${graph.name}, part by part`,
    input: shapeText(valueAt(analysis, graph.nodes[0]?.output).shape),
    output: shapeText(valueAt(analysis, graph.outputs[0]?.value).shape),
    withTitle: false,
  };
  const wide = await networkPicture(rows, layOut, { ...options, id: 'network-wide' });
  const narrow = await networkPicture(rows, layOut, { ...options, id: 'network-narrow', isNarrow: true });
  const table = rows.map(({ name, role, convs, shape, cost, share, ops }) => [
    name,
    role,
    convs > 0 ? String(convs) : '–',
    shape,
    cost,
    `${(share * 100).toPrecision(2)}\u00a0%`,
    html`<span class="wrap">${ops}</span>`,
  ]);
  return html`<p>A box is a part that all data passes: hatched with its number M of 1-bit convolutions, or with a double border where all is full
precision. Bars are shares of the computation, 1-bit multiply-accumulates ÷ 64 + real ones.</p>
<div class="levels">${tableOf('Levels of gradient paths of the whole network', LEVELS.slice(1), levelRows(paths))}</div>
<div class="wide">${scrolling(wide, 'network-wide')}</div>
<div class="narrow">${scrolling(narrow, 'network-narrow')}</div>
<details><summary>The parts as a table</summary>
${tableOf('Parts of the network', PARTS, table)}</details>
`;
}
