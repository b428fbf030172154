/**
 * Charts as SVG text, drawn by ECharts without a browser. Colours are CSS variables of the page (reportStyle.ts), so that one
 * drawing serves light and dark; nothing moves, and nothing needs a script.
 */
import type { CustomSeriesRenderItemReturn, EChartsOption } from 'echarts';
import { BitpathError } from '../errors.js';
import { escapeHtml, html, Markup } from './reportMarkup.js';

/** Pixels that a drawing is made for. A phone gets a drawing of its own: a shrunken one could not be read. */
export const WIDE = 560;
export const NARROW = 340;

export interface Drawing {
  readonly height: number;
  readonly option: EChartsOption;
}

/** What {@link Charts.svg} draws, for a width. */
export type Draw = (width: number) => Drawing;

/** The colours and shapes of up to six series: Okabe and Ito's, told apart by the colour-blind, and by shape without colour. */
export const SERIES = ['circle', 'diamond', 'triangle', 'rect', 'arrow', 'pin'].map((symbol, i) => ({
  symbol,
  color: `var(--series-${i + 1})`,
}));

export type Shape = NonNullable<CustomSeriesRenderItemReturn>;

export const FONT_SIZE = 12;
const TEXT = { fontFamily: 'inherit', fontSize: FONT_SIZE } as const;

/** Text inside a custom shape. */
export const textStyle = (fill = 'var(--ink)') => ({ ...TEXT, fill, textVerticalAlign: 'middle' as const });

/** What every axis looks like. `as const` where ECharts wants literals. */
export const AXIS = {
  axisLabel: { ...TEXT, color: 'var(--muted)' },
  axisLine: { show: true, lineStyle: { color: 'var(--muted)' } },
  axisTick: { lineStyle: { color: 'var(--muted)' } },
  splitLine: { show: true, lineStyle: { color: 'var(--grid)' } },
  minorSplitLine: { lineStyle: { color: 'var(--grid)', opacity: 0.5 } },
  nameTextStyle: { ...TEXT, color: 'var(--muted)' },
} as const;

/** Draws charts; from {@link loadCharts}. */
export class Charts {
  readonly #init: typeof import('echarts/core').init;

  constructor(init: typeof import('echarts/core').init) {
    this.#init = init;
  }

  svg(draw: Draw, width: number, label: string): string {
    const { height, option } = draw(width);
    const chart = this.#init(null, null, { renderer: 'svg', ssr: true, width, height });
    try {
      chart.setOption({ animation: false, backgroundColor: 'transparent', textStyle: TEXT, ...option });
      return inert(chart.renderToSVGString(), label);
    } finally {
      chart.dispose();
    }
  }

  /** A chart with its title and explanation, once for desktops and once for phones. */
  figure(title: string, explanation: string | Markup, draw: Draw): Markup {
    return html`<figure class="chart"><figcaption><b>${title}</b> <span>${explanation}</span></figcaption>
<div class="wide">${new Markup(this.svg(draw, WIDE, title))}</div>
<div class="narrow">${new Markup(this.svg(draw, NARROW, title))}</div></figure>
`;
  }
}

/**
 * Without what a script would need, and without names that count charts, so that the same result gives the same page. Those of
 * clip paths are among them: nothing that we draw lies outside its axes.
 */
function inert(svg: string, label: string): string {
  return svg
    .replace(/<(style|defs)[\s\S]*?<\/\1>\n?/g, '')
    .replace(/ (?:class|clip-path|ecmeta_\w+|pointer-events)="[^"]*"/g, '')
    .replace(/^<svg width="\d+" height="\d+"[^>]*?(viewBox="[^"]*")>/, (_, viewBox: string) => {
      return `<svg xmlns="http://www.w3.org/2000/svg" ${viewBox} role="img" aria-label="${escapeHtml(label)}">`;
    });
}

/**
 * Only a report loads ECharts.
 *
 * @throws `ERR_BITPATH_MISSING_PACKAGE` without it.
 */
export async function loadCharts(): Promise<Charts> {
  try {
    const [core, charts, components, renderers] = await Promise.all([
      import('echarts/core'),
      import('echarts/charts'),
      import('echarts/components'),
      import('echarts/renderers'),
    ]);
    const { CustomChart, LineChart, ScatterChart } = charts;
    const { GridComponent, MarkLineComponent } = components;
    core.use([CustomChart, LineChart, ScatterChart, GridComponent, MarkLineComponent, renderers.SVGRenderer]);
    return new Charts(core.init);
  } catch (cause) {
    const reason = (cause instanceof Error ? cause.message : String(cause)).split('\n')[0];
    throw new BitpathError(
      'ERR_BITPATH_MISSING_PACKAGE',
      { feature: 'Drawing charts', package: 'echarts', reason },
      { cause },
    );
  }
}

/** A legend beside the chart, as HTML: it wraps on a phone. */
export function legend(names: readonly string[], extra: readonly Markup[] = []): Markup {
  const entries = names.map((name, i) => {
    const { color, symbol } = SERIES[i % SERIES.length] as (typeof SERIES)[number];
    return html`<li><svg viewBox="-8 -8 16 16" width="14" height="14" aria-hidden="true"><path fill="${color}" d="${PATHS[symbol]}"/></svg> ${name}</li>`;
  });
  return html`<ul class="legend">${entries}${extra.map((item) => html`<li>${item}</li>`)}</ul>\n`;
}

/** The symbols of {@link SERIES} as ECharts draws them, 12 pixels wide. */
const PATHS: Readonly<Record<string, string>> = {
  circle: 'M-6 0A6 6 0 1 1 6 0A6 6 0 1 1 -6 0Z',
  diamond: 'M0 -6L6 0L0 6L-6 0Z',
  triangle: 'M0 -6L6 6L-6 6Z',
  rect: 'M-6 -6H6V6H-6Z',
  arrow: 'M0 -6L4 6L0 3L-4 6Z',
  pin: 'M0 6L-4 0A4.2 4.2 0 1 1 4 0Z',
};

/** A dashed line with its meaning, for {@link legend}. */
export function dashed(meaning: string): Markup {
  return html`<svg viewBox="0 0 24 8" width="24" height="8" aria-hidden="true"><path d="M0 4H24" stroke="currentColor" stroke-width="1.5" stroke-dasharray="4 3"/></svg> ${meaning}`;
}
