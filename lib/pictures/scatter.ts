/** Error against a cost, all networks of Table 1: a shape for each family, hollow where another paper is quoted, a name for each. */
import type { EChartsOption } from 'echarts';
import { AXIS, type Drawing, SERIES } from '../bench/charts.js';
import { placeLabels } from './labels.js';
import { FAMILIES, type TablePoint } from './points.js';
import { textWidth } from './words.js';

export interface ScatterOptions {
  readonly points: readonly TablePoint[];
  readonly x: (point: TablePoint) => number | null;
  /** Of the axis, with its unit. */
  readonly axis: string;
  readonly isLog: boolean;
  readonly format: (value: number) => string;
  /** The network that the page is about, if it is one of them. */
  readonly architecture: string | null;
}

/** Below this width, points carry the row of Table 1 instead of a name. */
const ROOM_FOR_NAMES = 600;
const GRID = { left: 54, right: 18, top: 12, bottom: 48 };

export function scatter({ points, x, axis, isLog, format, architecture }: ScatterOptions): (width: number) => Drawing {
  const shown = points.flatMap((point) => {
    const at = x(point);
    return at === null || at <= 0 ? [] : [{ point, at }];
  });
  const xRange = isLog ? logRange(shown.map(({ at }) => at)) : linearRange(shown.map(({ at }) => at));
  /** Where a value lies on the axis, 0 … 1. */
  const along = (value: number) =>
    isLog
      ? Math.log(value / xRange.min) / Math.log(xRange.max / xRange.min)
      : (value - xRange.min) / (xRange.max - xRange.min);
  const yRange = range(shown.map(({ point }) => point.error));
  return (width) => {
    const isWide = width >= ROOM_FOR_NAMES;
    const height = isWide ? 780 : 520;
    const [plotWidth, plotHeight] = [width - GRID.left - GRID.right, height - GRID.top - GRID.bottom];
    const pixels = shown.map(({ point, at }) => ({
      x: GRID.left + along(at) * plotWidth,
      y: GRID.top + ((yRange.max - point.error) / (yRange.max - yRange.min)) * plotHeight,
    }));
    const texts = shown.map(({ point }) => (isWide ? point.label : String(point.row)));
    const isOwn = (i: number) => shown[i]?.point.architecture === architecture;
    const area = { x: GRID.left + 2, y: GRID.top, width: plotWidth - 2, height: plotHeight };
    const size = isWide ? 11 : 10;
    const places = placeLabels(
      pixels,
      texts.map((text, i) => textWidth(text, size) * (isOwn(i) ? 1.1 : 1) + 2),
      area,
      5,
      isOwn,
    );
    const option: EChartsOption = {
      grid: { ...GRID, outerBoundsMode: 'none' },
      xAxis: {
        ...AXIS,
        type: isLog ? 'log' : 'value',
        ...xRange,
        axisLabel: { show: false },
        axisTick: { show: false },
        splitLine: { show: false },
        name: axis,
        nameLocation: 'middle',
        nameGap: 30,
      },
      yAxis: {
        ...AXIS,
        type: 'value',
        ...yRange,
        interval: 2,
        name: 'top-1 error, ImageNet, %',
        nameLocation: 'middle',
        nameGap: 32,
      },
      series: [
        {
          type: 'custom',
          silent: true,
          clip: false,
          data: [0],
          // Everything that log axes and names need is drawn in pixels: ticks at round numbers, lines from far names.
          renderItem: () => ({
            type: 'group',
            children: [
              ...ticks(xRange, isLog).flatMap((value) => {
                const left = GRID.left + along(value) * plotWidth;
                const bottom = GRID.top + plotHeight;
                return [
                  {
                    type: 'line' as const,
                    shape: { x1: left, y1: GRID.top, x2: left, y2: bottom },
                    style: { stroke: 'var(--grid)', fill: 'none' },
                  },
                  {
                    type: 'text' as const,
                    style: {
                      ...TEXT,
                      text: format(value),
                      x: left,
                      y: bottom + 8,
                      fill: 'var(--muted)',
                      align: 'center' as const,
                    },
                  },
                ];
              }),
              ...places.flatMap((place, i) => {
                const { x: x1, y: y1 } = pixels[i] as (typeof pixels)[number];
                const x2 = place.x > x1 ? place.x - 1 : place.x + place.width + 1;
                if (!place.isFar) return [];
                const shape = { x1, y1, x2, y2: place.y + place.height / 2 };
                return [
                  {
                    type: 'line' as const,
                    shape,
                    style: { stroke: 'var(--muted)', fill: 'none', lineWidth: 0.8, opacity: 0.7 },
                  },
                ];
              }),
            ],
          }),
        },
        ...FAMILIES.map((_, family) => ({
          type: 'scatter' as const,
          silent: true,
          clip: false,
          symbol: SERIES[family]?.symbol ?? 'circle',
          symbolSize: 10,
          data: shown.flatMap(({ point, at }) => {
            if (point.family !== family) return [];
            const color = SERIES[family]?.color ?? 'var(--ink)';
            const itemStyle = point.cited
              ? { color: 'var(--paper)', borderColor: color, borderWidth: 1.6, opacity: 1 }
              : { color, borderColor: 'var(--paper)', borderWidth: 1, opacity: 1 };
            const isTheOne = point.architecture === architecture;
            return [{ value: [at, point.error], itemStyle, symbolSize: isTheOne ? 16 : 10 }];
          }),
        })),
        {
          type: 'custom' as const,
          silent: true,
          clip: false,
          data: [0],
          renderItem: () => ({
            type: 'group' as const,
            children: places.map((place, i) => ({
              type: 'text' as const,
              style: {
                ...TEXT,
                fontSize: size,
                text: texts[i] ?? '',
                x: place.x > (pixels[i]?.x ?? 0) ? place.x : place.x + place.width,
                y: place.y + 2,
                align: place.x > (pixels[i]?.x ?? 0) ? ('left' as const) : ('right' as const),
                fill: 'var(--ink)',
                fontWeight: isOwn(i) ? ('bold' as const) : ('normal' as const),
              },
            })),
          }),
        },
      ],
    };
    return { height, option };
  };
}

const TEXT = { fontFamily: 'inherit', fontSize: 12, verticalAlign: 'top' as const };

/** A little more than the values need. */
function logRange(values: readonly number[]): { min: number; max: number } {
  if (values.length === 0) return { min: 1, max: 10 };
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return { min: low / 1.4, max: high * 1.5 };
}

/** Names want room on both sides. */
function linearRange(values: readonly number[]): { min: number; max: number } {
  if (values.length === 0) return { min: 0, max: 1 };
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const room = (high - low || high) * 0.28;
  return { min: Math.max(0, low - room), max: high + room };
}

function range(values: readonly number[]): { min: number; max: number } {
  if (values.length === 0) return { min: 0, max: 100 };
  return { min: 2 * Math.floor((Math.min(...values) - 1) / 2), max: 2 * Math.ceil((Math.max(...values) + 1) / 2) };
}

/** Round numbers in a range: 1, 2, 5 times the powers of ten, or multiples of one of these. */
export function ticks({ min, max }: { readonly min: number; readonly max: number }, isLog: boolean): readonly number[] {
  const steps = (low: number, high: number, digits: readonly number[]) => {
    const found: number[] = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
      for (const digit of digits) found.push(Number((digit * 10 ** power).toPrecision(2)));
    }
    return found;
  };
  if (isLog) {
    const inside = (digits: readonly number[]) =>
      steps(min, max, digits).filter((value) => value >= min && value <= max);
    const few = inside([1, 2, 5]);
    return few.length >= 4 ? few : inside([1, 1.5, 2, 3, 4, 5, 7]);
  }
  const step = steps((max - min) / 100, max - min, [1, 2, 5]).find((size) => (max - min) / size <= 7) ?? max - min;
  const first = Math.ceil(min / step);
  const count = Math.floor(max / step + 1e-9) - first + 1;
  return Array.from({ length: count }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}
