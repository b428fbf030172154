/** Curves with points, each with a dashed line of where it would lie ideally. */
import type { EChartsOption } from 'echarts';
import { AXIS, type Draw, SERIES } from './charts.js';
import { axisFor } from './chartsBars.js';

export interface Curve {
  readonly points: readonly (readonly [x: number, y: number])[];
  readonly ideal: readonly (readonly [x: number, y: number])[];
}

export interface CurvesOptions {
  readonly curves: readonly Curve[];
  readonly x: string;
  readonly y: string;
  /** Doublings on both axes, so that what is proportional is a straight line of one slope, however fast. */
  readonly log: boolean;
  readonly formatX: (value: number) => string;
  readonly formatY: (value: number) => string;
}

export function curves({ curves: given, x, y, log, formatX, formatY }: CurvesOptions): Draw {
  const isWhole = (point: readonly number[]) => point.every(Number.isFinite);
  const curves = given.map(({ points, ideal }) => ({ points: points.filter(isWhole), ideal: ideal.filter(isWhole) }));
  const all = curves.flatMap(({ points, ideal }) => [...points, ...ideal]);
  const xRange = (log ? doublings : counts)(all.map(([value]) => value));
  const yRange = (log ? doublings : fromZero)(all.map(([, value]) => value));
  return (width) => {
    const axis = (format: (value: number) => string) => ({
      ...AXIS,
      ...(log ? { type: 'log' as const, logBase: 2 } : { type: 'value' as const }),
      axisLabel: { ...AXIS.axisLabel, formatter: format, hideOverlap: true },
    });
    const option: EChartsOption = {
      grid: { left: 62, right: 26, top: 14, bottom: 46, outerBoundsMode: 'none' },
      xAxis: { ...axis(formatX), ...xRange, name: x, nameLocation: 'middle', nameGap: 28 },
      yAxis: { ...axis(formatY), ...yRange, name: y, nameLocation: 'middle', nameGap: 40 },
      series: curves.flatMap(({ points, ideal }, i) => {
        const { color, symbol } = SERIES[i % SERIES.length] as (typeof SERIES)[number];
        const line = { type: 'line' as const, silent: true, clip: false };
        return [
          {
            ...line,
            symbol: 'none',
            data: ideal.map((point) => [...point]),
            lineStyle: { color, type: 'dashed' as const, width: 1 },
          },
          {
            ...line,
            symbol,
            symbolSize: 9,
            showAllSymbol: true,
            data: points.map((point) => [...point]),
            lineStyle: { color, width: 2 },
            itemStyle: { color, borderColor: 'var(--paper)', borderWidth: 1 },
          },
        ];
      }),
    };
    return { height: width < 400 ? 280 : 340, option };
  };
}

/** The powers of two around `values`; every second one where there are many. */
function doublings(values: readonly number[]): { min: number; max: number; interval: number } {
  const logs = values.filter((value) => value > 0 && Number.isFinite(value)).map(Math.log2);
  if (logs.length === 0) return { min: 1, max: 2, interval: 1 };
  const min = Math.floor(Math.min(...logs) + 1e-9);
  const steps = Math.max(1, Math.ceil(Math.max(...logs) - 1e-9) - min);
  const interval = Math.ceil(steps / 8);
  return { min: 2 ** min, max: 2 ** (min + Math.ceil(steps / interval) * interval), interval };
}

/** Threads from the fewest to the most, all of them if there is one only. */
function counts(values: readonly number[]): { min: number; max: number; interval: number } {
  const [least, most] = values.length === 0 ? [0, 1] : [Math.min(...values), Math.max(...values)];
  const min = least < most ? least : 0;
  return { min, max: most, interval: Math.max(1, Math.ceil((most - min) / 8)) };
}

function fromZero(values: readonly number[]): { min: number; max: number; interval: number } {
  return { min: 0, ...axisFor(Math.max(0, ...values.filter(Number.isFinite)), 6) };
}
