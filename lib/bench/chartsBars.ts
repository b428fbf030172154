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
  /** The end of the axis, so that charts side by side have one scale. */
  readonly max: number;
  readonly axis: string;
  readonly format: (value: number) => string;
  /** A dashed line across all bars. */
  readonly reference: { readonly value: number; readonly text: string };
}

const BAR = 15;
const GAP = 4;
const LABEL = 18;
const ROW_GAP = 10;
const [TOP, BOTTOM, SIDE] = [22, 44, 12];

export function bars({ rows, max, axis, format, reference }: BarsOptions): Draw {
  const heights = rows.map((row) => LABEL + row.bars.length * (BAR + GAP) + ROW_GAP);
  const height = heights.reduce((sum, value) => sum + value, 0);
  const tops = heights.map((_, i) => heights.slice(0, i).reduce((sum, value) => sum + value, 0));

  /** The y axis counts pixels: rows with fewer bars are lower. */
  const drawRow = (width: number): CustomSeriesRenderItem => {
    return (params, api) => {
      const row = rows[params.dataIndex] as BarRow;
      const top = tops[params.dataIndex] as number;
      const at = (x: number, y: number) => api.coord([x, y]) as [number, number];
      const [left, labelY] = at(0, top + LABEL / 2);
      const label = {
        type: 'text' as const,
        style: { ...textStyle(), x: left + 2, y: labelY, text: shortened(visible(row.label), Math.floor(width / 7.2)) },
      };
      const shapes = row.bars.flatMap((bar, i) => {
        const y = at(0, top + LABEL + i * (BAR + GAP))[1];
        return barShapes(bar, (value) => at(value, 0)[0], y);
      });
      return { type: 'group', children: [label, ...shapes] as never[] };
    };
  };

  return (width) => {
    const option: EChartsOption = {
      grid: { left: SIDE, right: SIDE, top: TOP, bottom: BOTTOM, outerBoundsMode: 'none' },
      xAxis: {
        ...AXIS,
        type: 'value',
        min: 0,
        max,
        name: axis,
        nameLocation: 'middle',
        nameGap: 26,
        axisLabel: { ...AXIS.axisLabel, formatter: (value: number) => format(value), hideOverlap: true },
        splitNumber: width < 400 ? 4 : 6,
      },
      yAxis: { type: 'value', min: 0, max: height, inverse: true, show: false },
      series: [
        {
          type: 'custom',
          silent: true,
          clip: false,
          data: rows.map((_, i) => [0, tops[i] as number]),
          renderItem: drawRow(width),
        },
        {
          type: 'line',
          silent: true,
          data: [],
          markLine: {
            silent: true,
            symbol: 'none',
            lineStyle: { color: 'var(--ink)', type: 'dashed', width: 1 },
            label: { ...AXIS.axisLabel, formatter: () => reference.text, position: 'start', distance: [0, 4] },
            data: [{ xAxis: reference.value }],
          },
        },
      ],
    };
    return { height: TOP + height + BOTTOM, option };
  };
}

function barShapes({ value, band, text, color, mark }: Bar, x: (value: number) => number, y: number): Shape[] {
  const middle = y + BAR / 2;
  const end = Math.max(
    x(value),
    band === null ? 0 : x(band.high),
    mark === null || mark === undefined ? 0 : x(mark) + 6,
  );
  const line = (x1: number, y1: number, x2: number, y2: number): Shape => ({
    type: 'line',
    shape: { x1, y1, x2, y2 },
    style: { stroke: 'var(--ink)', lineWidth: 1.5 },
  });
  const shapes: Shape[] = [
    { type: 'rect', shape: { x: x(0), y, width: x(value) - x(0), height: BAR }, style: { fill: color } },
    { type: 'text', style: { ...textStyle(), x: end + 6, y: middle, text } },
  ];
  if (band !== null) {
    const [low, high] = [x(band.low), x(band.high)];
    shapes.push(line(low, middle, high, middle));
    for (const whisker of [low, high]) shapes.push(line(whisker, middle - 4, whisker, middle + 4));
  }
  if (mark !== null && mark !== undefined) {
    const center = x(mark);
    const points = [
      [center, middle - 6],
      [center + 6, middle],
      [center, middle + 6],
      [center - 6, middle],
    ];
    shapes.push({
      type: 'polygon',
      shape: { points },
      style: { fill: 'var(--paper)', stroke: 'var(--ink)', lineWidth: 1.5 },
    });
  }
  return shapes;
}

/** A round number a little above `value`, that leaves room for the text behind the longest bar. */
export function axisEnd(value: number, room = 1.45): number {
  const least = value * room;
  if (!(least > 0) || !Number.isFinite(least)) return 1;
  const power = 10 ** Math.floor(Math.log10(least));
  const step = [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].find((factor) => factor * power >= least * 0.999) ?? 10;
  return step * power;
}
