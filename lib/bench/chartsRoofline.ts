/** Achieved MACs a cycle against arithmetic intensity, both logarithmic, below the machine's ceilings. */
import type { EChartsOption } from 'echarts';
import { AXIS, type Draw, SERIES } from './charts.js';
import { tick } from './reportFormat.js';
import { shortened, visible } from './reportMarkup.js';

export interface RooflinePoint {
  /** MACs a byte. */
  readonly intensity: number;
  /** MACs a cycle. */
  readonly rate: number;
  /** Index of the group that it belongs to. */
  readonly group: number;
  /** Written on it, for points that the text speaks of. */
  readonly number: number | null;
}

export interface Ceiling {
  /** MACs a cycle. */
  readonly rate: number;
  readonly text: string;
}

export interface RooflineOptions {
  readonly groups: readonly string[];
  readonly points: readonly RooflinePoint[];
  readonly ceilings: readonly Ceiling[];
  /** Bytes a cycle: the slope. */
  readonly bandwidth: number;
}

export function roofline({ groups, points, ceilings, bandwidth }: RooflineOptions): Draw {
  const x = decades(points.map(({ intensity }) => intensity));
  const y = decades([...points.map(({ rate }) => rate), ...ceilings.map(({ rate }) => rate)]);
  /** The slope, from the left or lower edge to the highest ceiling. */
  const roof = Math.min(y.max, Math.max(...ceilings.map(({ rate }) => rate), y.min));
  const foot = Math.max(x.min, y.min / bandwidth);
  const slope = [foot, Math.min(x.max, roof / bandwidth)].map((at) => [at, at * bandwidth]);

  const axisLabel = { ...AXIS.axisLabel, formatter: (value: number) => tick(value) };

  return (width) => {
    const axis = {
      ...AXIS,
      type: 'log' as const,
      minorTick: { show: true },
      minorSplitLine: { ...AXIS.minorSplitLine, show: width > 400 },
    };
    const option: EChartsOption = {
      grid: { left: 58, right: 22, top: 14, bottom: 46, outerBoundsMode: 'none' },
      xAxis: { ...axis, ...x, axisLabel, name: 'MACs a byte', nameLocation: 'middle', nameGap: 28 },
      yAxis: { ...axis, ...y, axisLabel, name: 'MACs a cycle', nameLocation: 'middle', nameGap: 34 },
      series: [
        {
          type: 'line',
          silent: true,
          clip: false,
          symbol: 'none',
          data: slope,
          lineStyle: { color: 'var(--muted)', type: 'dotted', width: 1.5 },
          markLine: {
            silent: true,
            symbol: 'none',
            lineStyle: { color: 'var(--ink)', type: 'dashed', width: 1 },
            label: { ...AXIS.axisLabel, position: 'insideStartTop' },
            data: ceilings.map(({ rate, text }) => ({
              yAxis: rate,
              label: { formatter: () => shortened(visible(text), Math.floor((width - 90) / 7)) },
            })),
          },
        },
        ...groups.map((_, group) => ({
          type: 'scatter' as const,
          silent: true,
          clip: false,
          symbol: shape(group).symbol,
          itemStyle: { color: shape(group).color, borderColor: 'var(--paper)', borderWidth: 1, opacity: 1 },
          data: points
            .filter((point) => point.group === group)
            // Those with a number last: they lie on top.
            .sort((a, b) => Number(a.number !== null) - Number(b.number !== null))
            .map(({ intensity, rate, number }) => ({
              value: [intensity, rate],
              symbolSize: number === null ? 9 : 18,
              label: {
                show: number !== null,
                formatter: () => String(number),
                position: 'inside' as const,
                // The middle of a triangle's box is not the triangle's.
                offset: shape(group).symbol === 'triangle' ? [0, 3] : [0, 0],
                fontSize: 11,
                fontFamily: 'inherit',
                color: 'var(--paper)',
                fontWeight: 'bold' as const,
              },
            })),
        })),
      ],
    };
    return { height: width < 400 ? 320 : 380, option };
  };
}

function shape(group: number): (typeof SERIES)[number] {
  return SERIES[group % SERIES.length] as (typeof SERIES)[number];
}

/** The powers of ten around `values`. */
function decades(values: readonly number[]): { min: number; max: number } {
  const logs = values.filter((value) => value > 0 && Number.isFinite(value)).map(Math.log10);
  if (logs.length === 0) return { min: 1, max: 10 };
  const min = Math.floor(Math.min(...logs));
  return { min: 10 ** min, max: 10 ** Math.max(min + 1, Math.ceil(Math.max(...logs))) };
}
