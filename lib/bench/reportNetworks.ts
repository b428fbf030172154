/** Whole networks: how much faster than the peers, and how long one call takes. */
import { type BarRow, bars } from './chartsBars.js';
import type { Charts } from './charts.js';
import { band, count, fed, figure, milliseconds, plural, setting, times } from './reportFormat.js';
import { folded, html, type Insert, type Markup, tableOf } from './reportMarkup.js';
import { bySetting, isOwn, labelOf, PEERS, type Peer, speedupBand } from './reportRivals.js';
import type { BenchResult, NetworkCase } from './result.js';

const COLORS: Record<Peer, string> = { float32: 'var(--series-1)', int8: 'var(--series-2)' };

/** How many times as fast as each peer, with the noise band. */
export function speedupRow(result: BenchResult, item: NetworkCase): BarRow {
  const found = PEERS.flatMap((peer) => {
    const value = item.speedup[peer];
    if (value === null) return [];
    return [{ value, band: speedupBand(result, item, peer), text: `${times(value)} ${peer}`, color: COLORS[peer] }];
  });
  return { label: labelOf(item, result), bars: found };
}

export function speedups(result: BenchResult, charts: Charts): Markup {
  const compared = result.networks.filter((item) => isOwn(item) && PEERS.some((peer) => item.speedup[peer] !== null));
  if (compared.length === 0) {
    return html`<p class="note">No peer was measured in this run, so there is nothing to compare with.</p>`;
  }
  const groups = bySetting(compared).map((items) => ({ items, rows: items.map((item) => speedupRow(result, item)) }));
  const ends = groups.flatMap(({ rows }) =>
    rows.flatMap((row) => row.bars.map((bar) => Math.max(bar.value, bar.band?.high ?? 0))),
  );
  const figures = groups.map(({ items, rows }) => {
    const draw = bars({
      rows,
      longest: Math.max(1, ...ends),
      textLength: 13,
      axis: 'times as fast as onnxruntime running ResNet18',
      format: (value) => `${value}×`,
      reference: { value: 1, text: '1×: as fast' },
    });
    return charts.figure(setting(items[0] as NetworkCase), 'median of the peer’s call / median of ours', draw);
  });
  const note = html`<p>Bars compare with onnxruntime running <b>float32</b> and <b>int8</b> ResNet18 with as many threads and the same
batch, measured in turns with it. Whiskers are the noise band: of the ratios round by round, an interval that holds their median with
95 % probability, whatever their distribution (with fewer than six rounds, their range).</p>`;
  const open = html`<div class="charts">${figures.slice(0, 6)}</div>`;
  if (figures.length <= 6) return html`${note}\n${open}`;
  const rest = folded(
    `${plural(figures.length - 6, 'more setting')}`,
    html`<div class="charts">${figures.slice(6)}</div>`,
  );
  return html`${note}\n${open}\n${rest}`;
}

const LATENCY_COLUMNS = [
  { title: 'network' },
  { title: 'p50', align: 'right' },
  { title: 'p95', align: 'right' },
  { title: 'p99', align: 'right' },
  { title: 'images/s', align: 'right' },
  { title: '× float32 (band)', align: 'right' },
  { title: '× int8 (band)', align: 'right' },
  { title: 'calls / rounds', align: 'right' },
] as const;

export function latencies(result: BenchResult): Markup {
  const tables = bySetting(result.networks).map((items) => {
    const title = `${setting(items[0] as NetworkCase)}: time of one call`;
    return {
      title,
      table: tableOf(
        title,
        LATENCY_COLUMNS,
        items.map((item) => latencyRow(result, item)),
      ),
    };
  });
  if (tables.length === 0) return html`<p class="note">Not measured in this run.</p>`;
  return html`<p>p50, p95 and p99: half, 95 % and 99 % of the calls took no longer; of fewer than 100 calls, p99 is the slowest.
A call answers the whole batch.</p>
${tables.slice(0, 3).map(({ table }) => table)}${tables.slice(3).map(({ title, table }) => folded(title, table))}`;
}

function latencyRow(result: BenchResult, item: NetworkCase): Insert[] {
  const { latency } = item;
  const engine = item.isa === null ? item.engine : `${item.engine} ${item.isa}`;
  return [
    html`${isOwn(item) ? html`<b>${item.network}</b>` : item.network}<small>${engine}: ${fed(item)}</small>`,
    milliseconds(latency.p50),
    milliseconds(latency.p95),
    milliseconds(latency.p99),
    figure(item.imagesPerSecond),
    ...PEERS.map((peer) => {
      const interval = speedupBand(result, item, peer);
      return `${times(item.speedup[peer])}${interval === null ? '' : ` (${band(interval)})`}`;
    }),
    `${count(latency.samples)} / ${latency.rounds.length}`,
  ];
}
