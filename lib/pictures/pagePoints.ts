/** The page's plots of error, and their numbers as a table. */
import { legend } from '../bench/charts.js';
import { html, Markup, tableOf } from '../bench/reportMarkup.js';
import type { PageContext } from './page.js';
import { FAMILIES } from './points.js';
import { PLOT_NARROW, PLOT_OPTIONS, PLOT_WIDE, PLOTS, plotSvg } from './scatterPlots.js';
import { operations } from './words.js';

const COLUMNS = [
  { title: 'network' },
  { title: 'row', align: 'right' },
  { title: 'family' },
  { title: 'top-1 error, %', align: 'right' },
  { title: 'GFLOPs', align: 'right' },
  { title: 'Mbit', align: 'right' },
  { title: 'N_2nd', align: 'right' },
  { title: 'from' },
] as const;

export function pointsSection({ points, charts, architecture }: PageContext): Markup {
  const own = architecture?.name ?? null;
  const isThere = points.some((point) => point.architecture === own);
  const missing = points.filter(({ isCounted }) => !isCounted).length;
  const figures = PLOTS.map((plot) => {
    const draw = (width: number) => new Markup(plotSvg(charts, plot, points, own, width));
    return html`<figure class="chart plot"><figcaption><b>${PLOT_OPTIONS[plot].title}</b></figcaption>
<div class="wide">${draw(PLOT_WIDE)}</div>
<div class="narrow">${draw(PLOT_NARROW)}</div></figure>
`;
  });
  const rows = points.map(({ label, row, family, error, gflops, storageMbit, secondCost, isCounted }) => [
    label,
    String(row),
    FAMILIES[family],
    error.toFixed(2),
    gflops.toFixed(isCounted ? 4 : 2),
    storageMbit.toFixed(isCounted ? 2 : 1),
    secondCost === null ? '–' : operations(secondCost),
    isCounted ? 'graph' : 'paper',
  ]);
  return html`<p>Error on ImageNet is what the paper’s Table 1 reports; storage, computation and N<sub>2nd</sub> (of the whole network) are counted from
the graphs${missing > 0 && `, except for ${missing} networks that cannot be built yet: theirs are the paper’s figures, without N`}. Filled: the paper’s own
runs; hollow and * : quoted from other papers; # : downsampling is binary, too. ${isThere ? 'The large point is the network of this page. ' : ''}Full-precision
ResNet18 and 34 (30.70 % at 1.81 GFLOPs, 26.80 % at 3.66) lie far outside. <span class="narrow">Numbers are rows of Table 1.</span></p>
${legend(FAMILIES)}
${figures}
${tableOf('Networks of Table 1', COLUMNS, rows)}`;
}
