/** The 1-bit convolutions, shape by shape, against what the machine's instructions reach. */
import type { Charts } from './charts.js';
import { bars, type BarRow } from './chartsBars.js';
import { count, figure, NONE, percent } from './reportFormat.js';
import { folded, html, type Markup, tableOf } from './reportMarkup.js';
import type { BenchResult, KernelCase } from './result.js';

const COLUMNS = [
  { title: 'channels × size' },
  { title: 'kernel' },
  { title: 'GMAC/s', align: 'right' },
  { title: 'of the limit', align: 'right' },
  { title: 'without epilogue', align: 'right' },
  { title: 'of the limit', align: 'right' },
  { title: 'limit', align: 'right' },
] as const;

export function kernels(result: BenchResult, charts: Charts): Markup {
  const isas = [...new Set(result.kernels.map(({ isa }) => isa))];
  if (isas.length === 0) return html`<p class="note">Not measured in this run.</p>`;
  const parts = isas.map((isa) => {
    const cases = result.kernels.filter((item) => item.isa === isa);
    const hasBare = cases.some(({ gmacsBare }) => gmacsBare !== null);
    const best = Math.max(
      1,
      ...cases.flatMap((item) => [shareOf(item, item.gmacs), shareOf(item, item.gmacsBare ?? 0)]),
    );
    const draw = bars({
      rows: cases.map(barRow),
      longest: best + 0.03,
      textLength: 17,
      axis: 'share of the limit',
      format: (value) => `${Math.round(value * 100)} %`,
      reference: { value: 1, text: 'limit' },
    });
    const limits = cases.map(({ limitGmacs }) => limitGmacs);
    const [low, high] = [figure(Math.min(...limits)), figure(Math.max(...limits))];
    const limit = `limit ${low === high ? low : `${low} … ${high}`} GMAC/s`;
    return {
      figure: charts.figure(isa, hasBare ? `${limit}; diamonds: without the epilogue` : limit, draw),
      table: tableOf(`${isa}: useful ±1 products a second`, COLUMNS, cases.map(row)),
    };
  });
  return html`<p>3×3 convolutions of stride 1 on one thread, in useful ±1 products a second (10⁹: GMAC/s): what rounding a width up to the
machine’s words costs is not counted as work. The limit is what the inner loop’s instructions reach out of registers at
${figure(result.machine.clockGHz)} GHz. The epilogue is affine, add, store and sign.</p>
<div class="charts">${parts.map((part) => part.figure)}</div>
${folded(
  'Kernels as a table',
  parts.map((part) => part.table),
)}`;
}

function shareOf({ limitGmacs }: KernelCase, gmacs: number): number {
  const share = gmacs / limitGmacs;
  return Number.isFinite(share) ? share : 0;
}

function barRow(item: KernelCase): BarRow {
  const share = shareOf(item, item.gmacs);
  return {
    label: `${count(item.channels)} channels, ${count(item.size)} × ${count(item.size)}`,
    bars: [
      {
        value: share,
        band: null,
        text: `${percent(share)}, ${figure(item.gmacs)} GMAC/s`,
        color: 'var(--series-1)',
        mark: item.gmacsBare === null ? null : shareOf(item, item.gmacsBare),
      },
    ],
  };
}

function row(item: KernelCase): string[] {
  const { gmacsBare } = item;
  return [
    `${count(item.channels)} × ${count(item.size)}`,
    item.kernel,
    figure(item.gmacs),
    percent(item.gmacs / item.limitGmacs),
    figure(gmacsBare),
    gmacsBare === null ? NONE : percent(gmacsBare / item.limitGmacs),
    figure(item.limitGmacs),
  ];
}
