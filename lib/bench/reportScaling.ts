/** How time grows with images, pixels and threads, beside what it would ideally do. */
import { type Charts, dashed, legend, SERIES } from './charts.js';
import { type Curve, curves } from './chartsCurves.js';
import { count, milliseconds, percent, tick } from './reportFormat.js';
import { folded, html, type Markup, shortened, tableOf } from './reportMarkup.js';
import type { BenchResult, ScalingCurve } from './result.js';

type By = ScalingCurve['by'];
type Point = ScalingCurve['points'][number];

const KINDS: Record<By, { title: string; explanation: string; x: string; y: string }> = {
  batch: {
    title: 'Images of a batch',
    explanation: 'both axes double; dashed: as many times the first point as there are images',
    x: 'images of a batch',
    y: 'ms a call',
  },
  pixels: {
    title: 'Pixels of an image',
    explanation: 'both axes double; dashed: proportional to pixels, from the first point',
    x: 'pixels',
    y: 'ms a call',
  },
  threads: {
    title: 'Threads',
    explanation: 'speed-up over the fewest threads; dashed: n threads are n times as fast',
    x: 'threads',
    y: 'times as fast',
  },
};

/** `ms` of an ideal machine at `x`, going by the first point. */
export function idealMs(by: By, first: Point, x: number): number {
  return by === 'threads' ? (first.ms * first.x) / x : (first.ms * x) / first.x;
}

export function scaling(result: BenchResult, charts: Charts): Markup {
  const parts = (['batch', 'pixels', 'threads'] as const).flatMap((by) => {
    const all = result.scaling
      .filter((curve) => curve.by === by && curve.points.length > 0)
      .map((curve) => ({ ...curve, points: [...curve.points].sort((a, b) => a.x - b.x) }));
    return chunks(all, SERIES.length).map((some) => part(by, some, charts));
  });
  if (parts.length === 0) return html`<p class="note">Not measured in this run.</p>`;
  return html`<div class="charts">${parts.map(({ chart }) => html`<div>${chart}</div>`)}</div>
${folded(
  'Scaling as tables',
  parts.map(({ table }) => table),
)}`;
}

function part(by: By, some: readonly ScalingCurve[], charts: Charts): { chart: Markup; table: Markup } {
  const { title, explanation, x, y } = KINDS[by];
  const drawn = some.map((curve) => (by === 'threads' ? speedup(curve) : growth(curve)));
  const draw = curves({
    curves: drawn,
    x,
    y,
    log: by !== 'threads',
    formatX: tick,
    formatY: (value) => (by === 'threads' ? `${tick(value)}×` : tick(value)),
  });
  const names = some.map(({ network, engine }) => shortened(`${network}, ${engine}`, 48));
  const rows = some.flatMap(({ network, engine, points }) =>
    points.map((point) => {
      const ideal = idealMs(by, points[0] as Point, point.x);
      return [
        `${network}, ${engine}`,
        count(point.x),
        milliseconds(point.ms),
        milliseconds(ideal),
        percent(ideal / point.ms),
      ];
    }),
  );
  return {
    chart: html`${charts.figure(title, explanation, draw)}${legend(names, [dashed('ideal')])}`,
    table: tableOf(title, columnsOf(x), rows),
  };
}

function growth({ by, points }: ScalingCurve): Curve {
  const [first, last] = [points[0] as Point, points.at(-1) as Point];
  return {
    points: points.map(({ x, ms }) => [x, ms]),
    ideal: [first, last].map(({ x }) => [x, idealMs(by, first, x)]),
  };
}

function speedup({ points }: ScalingCurve): Curve {
  const [first, last] = [points[0] as Point, points.at(-1) as Point];
  return {
    points: points.map(({ x, ms }) => [x, first.ms / ms]),
    ideal: [first, last].map(({ x }) => [x, x / first.x]),
  };
}

function columnsOf(x: string) {
  return [
    { title: 'network, engine' },
    { title: x, align: 'right' },
    { title: 'time of a call', align: 'right' },
    { title: 'ideal', align: 'right' },
    { title: 'ideal / time', align: 'right' },
  ] as const;
}

function chunks<T>(list: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size));
}
