/** The three plots of Table 1, and one of them as a file of its own. */
import type { Charts } from '../bench/charts.js';
import { escapeHtml } from '../bench/reportMarkup.js';
import type { TablePoint } from './points.js';
import { type ScatterOptions, scatter } from './scatter.js';
import { operations } from './words.js';

export const PLOTS = ['computation', 'storage', 'n2nd'] as const;
export type Plot = (typeof PLOTS)[number];

type PlotOptions = Pick<ScatterOptions, 'x' | 'axis' | 'isLog' | 'format'> & { readonly title: string };

export const PLOT_OPTIONS: Readonly<Record<Plot, PlotOptions>> = {
  computation: {
    title: 'Error against computation',
    axis: 'computation, GFLOPs',
    isLog: false,
    format: String,
    x: ({ gflops }) => gflops,
  },
  storage: {
    title: 'Error against storage',
    axis: 'storage, Mbit (log)',
    isLog: true,
    format: String,
    x: ({ storageMbit }) => storageMbit,
  },
  n2nd: {
    title: 'Error against the second smallest cost of a gradient path',
    axis: 'N2nd of the network, operations (log)',
    isLog: true,
    format: operations,
    x: ({ secondCost }) => secondCost,
  },
};

export const PLOT_WIDE = 880;
export const PLOT_NARROW = 340;

export function plotSvg(
  charts: Charts,
  plot: Plot,
  points: readonly TablePoint[],
  architecture: string | null,
  width: number,
): string {
  const { title, ...options } = PLOT_OPTIONS[plot];
  return charts.svg(scatter({ ...options, points, architecture }), width, title);
}

/** Light and dark of the page's variables, which a file of its own has to bring. */
const COLOURS: Readonly<Record<string, readonly [light: string, dark: string]>> = {
  paper: ['#ffffff', '#14161a'],
  ink: ['#16181d', '#eceef2'],
  muted: ['#565c68', '#a6adba'],
  grid: ['#e1e4ea', '#2e333c'],
  'series-1': ['#0072b2', '#56b4e9'],
  'series-2': ['#c44f00', '#f08c3a'],
  'series-3': ['#00805c', '#35c79a'],
  'series-4': ['#a24c83', '#dd93bf'],
};

/** A plot by itself: plain colours, which every viewer draws, and a style that turns them where the screen is dark. */
export function plotFile(
  charts: Charts,
  plot: Plot,
  points: readonly TablePoint[],
  architecture: string | null,
): string {
  const dark = Object.values(COLOURS).flatMap(([from, to]) =>
    ['fill', 'stroke'].map((attribute) => `[${attribute}="${from}"]{${attribute}:${to}}`),
  );
  const note =
    'filled: the paper’s own runs; hollow (*): quoted from other papers; circles: IGP, diamonds: Bi-Real ResNet,';
  const rest = 'triangles: BinaryDenseNet, squares: other binary ResNets. # downsampling is binary, too';
  const { title } = PLOT_OPTIONS[plot];
  const drawn = plotSvg(charts, plot, points, architecture, PLOT_WIDE).replace(
    /var\(--([\w-]+)\)/g,
    (_, name: string) => {
      return COLOURS[name]?.[0] ?? '#000000';
    },
  );
  const height = Number(/viewBox="0 0 \d+ (\d+)"/.exec(drawn)?.[1] ?? 0);
  const body = drawn.replace(/^<svg[^>]*>/, '').replace(/<\/svg>\s*$/, '');
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${PLOT_WIDE}" height="${height + 78}" viewBox="0 0 ${PLOT_WIDE} ${height + 78}" role="img" aria-labelledby="plot-title plot-desc" font-family="system-ui,-apple-system,'Segoe UI',Roboto,'Liberation Sans',Arial,sans-serif" font-size="12">
<title id="plot-title">${escapeHtml(title)}</title>
<desc id="plot-desc">${escapeHtml(`Top-1 error on ImageNet as the paper reports it. ${points.map(({ label, error }) => `${label}: ${error} %`).join('; ')}.`)}</desc>
<style>@media screen and (prefers-color-scheme:dark){${dark.join('')}}</style>
<rect width="100%" height="100%" fill="#ffffff"/>
<text x="14" y="28" font-size="15" font-weight="600" fill="#16181d">${escapeHtml(title)}</text>
<text x="14" y="47" font-size="11" fill="#565c68">${note}</text>
<text x="14" y="61" font-size="11" fill="#565c68">${rest}</text>
<g transform="translate(0 74)">${body}</g>
</svg>
`;
}
