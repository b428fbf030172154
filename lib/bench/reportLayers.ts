/** A network's instructions: the roofline, and the table whose first row is the most worth mending. */
import { type Charts, dashed, legend, SERIES } from './charts.js';
import { bars } from './chartsBars.js';
import { roofline } from './chartsRoofline.js';
import {
  bytes,
  figure,
  microseconds,
  milliseconds,
  NONE,
  percent,
  plural,
  quantity,
  tick,
  times,
} from './reportFormat.js';
import { folded, html, type Insert, type Markup, shortened, tableOf, visible } from './reportMarkup.js';
import type { BenchResult, LayerTable } from './result.js';

type Row = LayerTable['rows'][number];

/** A layer with the time that it takes above its floor. */
export interface Layer extends Row {
  readonly floorMicroseconds: number;
  readonly gapMicroseconds: number;
  /** Time / floor; null without a floor. */
  readonly ratio: number | null;
}

/** The largest gap first. A layer without arithmetic has no floor: all of its time is a gap. */
export function byGap({ rows }: LayerTable): Layer[] {
  return rows
    .map((row) => {
      const share = row.cycles > 0 ? row.floorCycles / row.cycles : 0;
      const floorMicroseconds = row.microseconds * share;
      return {
        ...row,
        floorMicroseconds,
        gapMicroseconds: row.microseconds - floorMicroseconds,
        ratio: share > 0 ? 1 / share : null,
      };
    })
    .sort((a, b) => b.gapMicroseconds - a.gapMicroseconds);
}

/** As many layers carry a number in the chart, and stand in the table unfolded. */
const NUMBERED = 8;
const SHOWN = 12;

export function layers(result: BenchResult, charts: Charts): Markup {
  if (result.layers.length === 0) return html`<p class="note">Not measured in this run.</p>`;
  return html`<p>One call, instruction by instruction. The floor is the fewest cycles that the instruction’s arithmetic takes on this
machine; the gap is the time above it, and the largest gap stands first. The roofline shows the same: how much arithmetic a layer does
on each byte that it reads and writes, and how fast it does it. Dashed lines are the most that the kind of arithmetic allows.</p>
${result.layers.map((table) => networkLayers(table, charts))}`;
}

function networkLayers(table: LayerTable, charts: Charts): Markup {
  const title = `${table.network}, from a ${table.input === 'uint8' ? 'picture' : 'tensor'}, ${table.isa}`;
  const ranked = byGap(table);
  if (ranked.length === 0) return html`<h3>${title}</h3>\n<p class="note">No layers were recorded.</p>`;
  const rows = ranked.map((layer, i) => rowOf(layer, i + 1, table));
  const sum = (of: (layer: Layer) => number) => ranked.reduce((total, layer) => total + of(layer), 0);
  const [time, floor] = [sum((layer) => layer.microseconds), sum((layer) => layer.floorMicroseconds)];
  const foot = [
    'Σ',
    plural(ranked.length, 'layer'),
    microseconds(time - floor),
    microseconds(time),
    microseconds(floor),
    floor > 0 ? times(time / floor) : NONE,
    percent(time / 1000 / table.totalMs),
    '',
    '',
    quantity(
      sum((layer) => layer.macs),
      '',
    ),
    bytes(sum((layer) => layer.bytes)),
  ];
  const first = tableOf('Layers by their gap', COLUMNS, rows.slice(0, SHOWN), foot);
  const rest = rows.slice(SHOWN);
  return html`<h3>${title}</h3>
<p class="note">A whole call takes ${milliseconds(table.totalMs)}; its layers sum up to ${milliseconds(time / 1000)}, of which the floor is ${milliseconds(floor / 1000)}.</p>
<div class="charts"><div>${chartOf(ranked, charts)}</div><div>${kindsOf(ranked, charts)}</div></div>
${first}${rest.length > 0 && folded(`${plural(rest.length, 'more layer')}`, tableOf('The other layers', COLUMNS, rest))}`;
}

/** Which kind of instruction takes the time, and how much of it is above the floor. */
function kindsOf(ranked: readonly Layer[], charts: Charts): Markup {
  const total = ranked.reduce((sum, layer) => sum + layer.microseconds, 0);
  const kinds = new Map<string, { time: number; floor: number; count: number }>();
  for (const { op, microseconds, floorMicroseconds } of ranked) {
    const { time, floor, count } = kinds.get(op) ?? { time: 0, floor: 0, count: 0 };
    kinds.set(op, { time: time + microseconds, floor: floor + floorMicroseconds, count: count + 1 });
  }
  const rows = [...kinds]
    .sort((a, b) => b[1].time - a[1].time)
    .map(([op, { time, floor, count }]) => {
      const text = `${microseconds(time)}, ${percent(time / total)}`;
      return {
        label: `${op}, ${plural(count, 'layer')}`,
        bars: [{ value: time, band: null, text, color: 'var(--series-1)', mark: floor > 0 ? floor : null }],
      };
    });
  const longest = Math.max(1e-3, ...rows.flatMap(({ bars }) => bars.map(({ value }) => value)));
  const draw = bars({ rows, longest, textLength: 15, axis: 'µs of a call', format: tick });
  return charts.figure('Where the time goes', 'by kind of instruction; diamonds: the floor', draw);
}

function chartOf(ranked: readonly Layer[], charts: Charts): Markup {
  const kinds = new Map<string, number>();
  for (const { op, macs } of ranked) if (macs > 0) kinds.set(op, (kinds.get(op) ?? 0) + macs);
  // The kinds with the most arithmetic have a shape each; the last shape is for all others.
  const ops = [...kinds].sort((a, b) => b[1] - a[1]).map(([op]) => op);
  const named = ops.slice(0, ops.length > SERIES.length ? SERIES.length - 1 : SERIES.length);
  const groups = ops.length > named.length ? [...named, 'others'] : named;
  const points = ranked.flatMap((layer, i) => {
    const [intensity, rate] = [layer.macs / layer.bytes, layer.macs / layer.cycles];
    if (!(intensity > 0 && rate > 0 && Number.isFinite(intensity) && Number.isFinite(rate))) return [];
    const group = named.indexOf(layer.op);
    return [{ intensity, rate, group: group === -1 ? groups.length - 1 : group, number: i < NUMBERED ? i + 1 : null }];
  });
  if (points.length === 0) return html``;
  const bandwidth = Math.max(...ranked.map((layer) => layer.bytes / layer.cycles).filter(Number.isFinite));
  const draw = roofline({ groups, points, ceilings: ceilingsOf(ranked, named), bandwidth });
  const slope = `dotted: ${figure(bandwidth)} bytes a cycle, the most that any layer here moved`;
  return html`${charts.figure('Roofline', `numbers are rows of the table below; ${slope}`, draw)}
${legend(groups, [dashed('ceiling of a kind of arithmetic')])}`;
}

/** The highest rate that a layer of each kind could have, by its own floor; those that are nearly the same are one. */
function ceilingsOf(ranked: readonly Layer[], ops: readonly string[]): { rate: number; text: string }[] {
  const ceilings: { rate: number; ops: string[] }[] = [];
  for (const op of ops) {
    const rates = ranked.filter((layer) => layer.op === op && layer.floorCycles > 0 && layer.macs > 0);
    if (rates.length === 0) continue;
    const rate = Math.max(...rates.map((layer) => layer.macs / layer.floorCycles));
    const near = ceilings.find((other) => Math.abs(Math.log(other.rate / rate)) < 0.15);
    if (near === undefined) ceilings.push({ rate, ops: [op] });
    else near.ops.push(op);
  }
  return ceilings.map(({ rate, ops }) => ({
    rate,
    text: `${shortened(visible(ops.join(', ')), 25)}: ${figure(rate)}`,
  }));
}

const COLUMNS = [
  { title: '#' },
  { title: 'nodes' },
  { title: 'gap', align: 'right' },
  { title: 'time', align: 'right' },
  { title: 'floor', align: 'right' },
  { title: 'ratio', align: 'right' },
  { title: 'share', align: 'right' },
  { title: 'op' },
  { title: 'kernel' },
  { title: 'MACs', align: 'right' },
  { title: 'moved', align: 'right' },
] as const;

function rowOf(layer: Layer, rank: number, { totalMs }: LayerTable): Insert[] {
  const { nodes } = layer;
  const name = nodes.length > 1 ? `${nodes[0]} … ${nodes.at(-1)}` : (nodes[0] ?? NONE);
  return [
    rank,
    html`<span title="${nodes.join(' ')}">${shortened(name, 44)}</span>`,
    microseconds(layer.gapMicroseconds),
    microseconds(layer.microseconds),
    microseconds(layer.floorMicroseconds),
    times(layer.ratio),
    percent(layer.microseconds / 1000 / totalMs),
    layer.op,
    layer.kernel,
    layer.macs > 0 ? quantity(layer.macs, '') : NONE,
    bytes(layer.bytes),
  ];
}
