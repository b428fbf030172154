/** Curves of a result as SVG files: light and dark by what the reader's screen prefers. */
import { type Charts, SERIES } from '#lib/bench/charts.js';
import { curves } from '#lib/bench/chartsCurves.js';
import { milliseconds, tick } from '#lib/bench/reportFormat.js';
import { escapeHtml } from '#lib/bench/reportMarkup.js';
import { STYLE } from '#lib/bench/reportStyle.js';
import type { LoadCase } from './result.js';
import { serviceLabel } from './report.js';

const WIDTH = 720;
const LINE = 18;
const TITLE = 26;

interface Line {
  readonly name: string;
  readonly points: readonly LoadCase[];
}

/** One line a service and input. */
export function linesOf(load: readonly LoadCase[]): Line[] {
  const lines = new Map<string, LoadCase[]>();
  for (const item of load) {
    const name = `${serviceLabel(item)}, ${item.input === 'jpeg' ? 'JPEG' : 'tensor'}`;
    lines.set(name, [...(lines.get(name) ?? []), item]);
  }
  return [...lines].map(([name, points]) => ({
    name,
    points: points.toSorted((a, b) => a.connections - b.connections),
  }));
}

export function throughputSvg(charts: Charts, load: readonly LoadCase[]): string {
  return drawing(charts, 'Requests a second', load, 'requests/s', tick, ({ requestsPerSecond }) => requestsPerSecond);
}

export function latencySvg(charts: Charts, load: readonly LoadCase[]): string {
  return drawing(charts, 'p99 of an answer', load, 'ms', milliseconds, ({ latency }) => latency.p99);
}

function drawing(
  charts: Charts,
  title: string,
  load: readonly LoadCase[],
  y: string,
  formatY: (value: number) => string,
  pick: (item: LoadCase) => number,
): string {
  // Tensors first: there are more lines than colours that can be told apart.
  const ordered = load.toSorted((a, b) => Number(a.input === 'jpeg') - Number(b.input === 'jpeg'));
  const lines = linesOf(ordered).slice(0, SERIES.length);
  const draw = curves({
    curves: lines.map(({ points }) => ({
      points: points.map((item) => [item.connections, pick(item)] as const),
      ideal: [],
    })),
    x: 'connections',
    y,
    log: true,
    formatX: tick,
    formatY,
  });
  const { height } = draw(WIDTH);
  const inner = charts
    .svg(draw, WIDTH, title)
    .replace(/^<svg [^>]*>/, '')
    .replace(/<\/svg>\s*$/, '');
  const legend = lines.map(({ name }, i) => {
    const { color } = SERIES[i] as (typeof SERIES)[number];
    const at = TITLE + height + LINE * (i + 0.5);
    return `<line x1="62" x2="86" y1="${at}" y2="${at}" style="stroke:${color}" stroke-width="3"/><text x="94" y="${at + 4}">${escapeHtml(name)}</text>`;
  });
  const total = TITLE + height + LINE * lines.length + 10;
  const root = `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${total}" viewBox="0 0 ${WIDTH} ${total}" role="img" aria-label="${escapeHtml(title)}">`;
  return `${root}
<style>${variables()} svg { font-family: system-ui, sans-serif; } text { font-size: 12px; fill: var(--ink); } .title { font-weight: 600; font-size: 14px; }</style>
<rect width="100%" height="100%" style="fill:var(--paper)"/>
<text class="title" x="62" y="18">${escapeHtml(title)} by connections</text>
<g transform="translate(0 ${TITLE})">${inner}</g>
${legend.join('\n')}
</svg>
`;
}

/** The report's colours, light and dark. */
function variables(): string {
  const [light = ''] = /:root \{[^}]*\}/.exec(STYLE) ?? [];
  const [dark = ''] = /@media \(prefers-color-scheme: dark\) \{ :root \{[^}]*\} \}/.exec(STYLE) ?? [];
  return `${light} ${dark}`;
}
