/** Horizontal bars in groups, each with its value written behind it, and whiskers where the noise band is known. */
import type { CustomSeriesRenderItem, EChartsOption } from 'echarts';
import { AXIS, type Draw, type Shape, textStyle } from './charts.js';
import { shortened, visible } from './reportMarkup.js';

export interface Bar {
  readonly value: number;
  /** Of the whiskers. */
  readonly band: { readonly low: number; readonly high: number } | null;
  /** Stands behind the bar. */
  readonly text: string;
  readonly color: string;
  /** A second value, shown as a diamond on the bar. */
  readonly mark?: number | null;
}

export interface BarRow {
  readonly label: string;
  readonly bars: readonly Bar[];
}

export interface BarsOptions {
  readonly rows: readonly BarRow[];
  /** The longest bar or whisker, of all charts that share a scale. */
  readonly longest: number;
  /** Characters of the longest text behind a bar. */
  readonly textLength: number;
  readonly axis: string;
  readonly format: (value: number) => string;
  /** A dashed line across all bars. */
  readonly reference?: { readonly value: number; readonly text: string };
}

const BAR = 15;
const GAP = 4;
const LABEL = 18;
const ROW_GAP = 10;
const LEFT = 12;
const [TOP, BOTTOM, SIDE] = [22, 44, 20];

export function bars({ rows, longest, textLength, axis, format, reference }: BarsOptions): Draw {
  const heights = rows.map((row) => LABEL + row.bars.length * (BAR + GAP) + ROW_GAP);
  const height = heights.reduce((sum, value) => sum + value, 0);
  const tops = heights.map((_, i) => heights.slice(0, i).reduce((sum, value) => sum + value, 0));

  /** The y axis counts pixels: rows with fewer bars are lower. */
  const drawRow = (width: number): CustomSeriesRenderItem => {
    return (params, api) => {
      const row = rows[params.dataIndex] as BarRow;
      const top = tops[params.dataIndex] as number;
      const x = (value: number) => (api.coord([value, 0]) as [number, number])[0];
      const y = (pixels: number) => TOP + top + pixels;
      const name = shortened(visible(row.label), Math.floor((width - 30) / 7));
      const shapes = [label(x(0) + 2, y(LABEL / 2), name)];
      for (const [i, bar] of row.bars.filter(({ value }) => Number.isFinite(value)).entries())
        shapes.push(...barShapes(bar, x, y(LABEL + i * (BAR + GAP))));
      if (reference !== undefined) {
        const [at, from, to] = [x(reference.value), y(0), y(heights[params.dataIndex] as number)];
        shapes.push({
          ...line(at, from, at, to),
          z2: 1,
          style: { fill: 'none', stroke: 'var(--ink)', lineWidth: 1, lineDash: [4, 3] },
        });
        if (params.dataIndex === 0) shapes.push(label(at + 4, from - 8, reference.text, 'var(--muted)'));
      }
      return { type: 'group', children: shapes as never[] };
    };
  };

  return (width) => {
    const plot = width - LEFT - SIDE;
    const { max, interval } = axisFor(
      longest / (1 - Math.min(0.6, (textLength * 6.6 + 12) / plot)),
      width < 400 ? 4 : 6,
    );
    const option: EChartsOption = {
      grid: { left: LEFT, right: SIDE, top: TOP, bottom: BOTTOM, outerBoundsMode: 'none' },
      xAxis: {
        ...AXIS,
        type: 'value',
        min: 0,
        max,
        interval,
        name: axis,
        nameLocation: 'middle',
        nameGap: 26,
        axisLine: { ...AXIS.axisLine, onZero: false },
        axisLabel: { ...AXIS.axisLabel, formatter: (value: number) => format(value) },
      },
      yAxis: { type: 'value', min: 0, max: height, inverse: true, show: false },
      series: [
        { type: 'custom', silent: true, clip: false, data: tops.map((top) => [0, top]), renderItem: drawRow(width) },
      ],
    };
    return { height: TOP + height + BOTTOM, option };
  };
}

function line(x1: number, y1: number, x2: number, y2: number) {
  return {
    type: 'line' as const,
    z2: 2,
    shape: { x1, y1, x2, y2 },
    style: { fill: 'none', stroke: 'var(--ink)', lineWidth: 1.5 },
  };
}

/** Text with a border of the page's colour, so that lines behind it do not cross it out. */
function label(x: number, y: number, text: string, fill?: string): Shape {
  return { type: 'text', z2: 3, style: { ...textStyle(fill), x, y, text, stroke: 'var(--paper)', lineWidth: 3 } };
}

function barShapes(
  { value, band: whiskers, text, color, mark: diamond }: Bar,
  x: (value: number) => number,
  y: number,
): Shape[] {
  const band = whiskers !== null && Number.isFinite(whiskers.low + whiskers.high) ? whiskers : null;
  const mark = Number.isFinite(diamond) ? (diamond as number) : null;
  const middle = y + BAR / 2;
  const end = Math.max(x(value), band === null ? 0 : x(band.high), mark === null ? 0 : x(mark) + 6);
  const shapes: Shape[] = [
    { type: 'rect', shape: { x: x(0), y, width: x(value) - x(0), height: BAR }, style: { fill: color } },
    label(end + 6, middle, text),
  ];
  if (band !== null) {
    const [low, high] = [x(band.low), x(band.high)];
    shapes.push(line(low, middle, high, middle));
    for (const whisker of [low, high]) shapes.push(line(whisker, middle - 4, whisker, middle + 4));
  }
  if (mark !== null) {
    const center = x(mark);
    const points = [
      [center, middle - 6],
      [center + 6, middle],
      [center, middle + 6],
      [center - 6, middle],
    ];
    shapes.push({
      type: 'polygon',
      z2: 2,
      shape: { points },
      style: { fill: 'var(--paper)', stroke: 'var(--ink)', lineWidth: 1.5 },
    });
  }
  return shapes;
}

/** An axis from 0 to at least `least`, in at most `ticks` round steps. */
export function axisFor(least: number, ticks: number): { max: number; interval: number } {
  if (!(least > 0) || !Number.isFinite(least)) return { max: 1, interval: 1 };
  const rough = least / ticks;
  const power = 10 ** Math.floor(Math.log10(rough));
  const interval = power * ([1, 2, 2.5, 5].find((factor) => factor * power >= rough * 0.999) ?? 10);
  return { max: Math.ceil((least / interval) * 0.999) * interval, interval };
}
