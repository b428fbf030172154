/** The README's measured table: generated from a committed result, so that no figure is typed in by hand. */
import { BitpathError } from '../errors.js';
import { escapeCell, markdownTable } from './compareMarkdown.js';
import { PICTURE, pictured } from './readmePicture.js';
import { band, figure, milliseconds, times } from './reportFormat.js';
import { bySetting, isOwn, labelOf, PEERS, speedupBand } from './reportRivals.js';
import type { BenchResult, NetworkCase } from './result.js';

const BEGIN = '<!-- bench:begin -->';
const END = '<!-- bench:end -->';

/** What stands between the markers as long as there is no result. */
export const NO_RESULTS = 'No results have been committed yet.';

const COLUMNS = [
  { title: 'network' },
  { title: 'threads', align: 'right' },
  { title: 'batch', align: 'right' },
  { title: 'one call', align: 'right' },
  { title: 'images/s', align: 'right' },
  { title: '× float32', align: 'right' },
  { title: '× int8', align: 'right' },
] as const;

/** @param path Of the result, from the README. */
export function readmeSection(result: BenchResult, path: string): string {
  const { cpu, isa, clockGHz, node, onnxruntime, commit, date } = result.machine;
  const machine = [
    cpu,
    isa,
    `${figure(clockGHz)} GHz`,
    `Node.js ${node.replace(/^v/, '')}`,
    ...(onnxruntime === null ? [] : [`onnxruntime-node ${onnxruntime}`]),
    `commit ${commit}`,
    date.slice(0, 10),
  ];
  const groups = shownSettings(result);
  const rows = groups.flatMap((items) => items.map((item) => rowOf(result, item)));
  return [
    ...(pictured(result).length > 0 ? [`![Speed-up over onnxruntime: the table below as bars](${PICTURE})`, ''] : []),
    `${machine.map(escapeCell).join(', ')}: [${path}](${path}).`,
    'Medians; × is how many times as fast as onnxruntime running ResNet18 in that arithmetic with as many threads and the same',
    'batch, measured in turns, and in brackets its noise band.',
    '',
    ...markdownTable(COLUMNS, rows),
  ].join('\n');
}

/** One image on the fewest and on the most threads, and the largest batch up to 8 on the fewest. */
function shownSettings({ networks }: BenchResult): NetworkCase[][] {
  const groups = bySetting(networks);
  const first = (items: readonly NetworkCase[] | undefined) => items?.[0] as NetworkCase;
  const fewest = first(groups[0])?.threads;
  const most = first(groups.at(-1))?.threads;
  const largest = groups.findLast((items) => first(items).threads === fewest && first(items).batch <= 8);
  return groups.filter((items) => {
    const { threads, batch } = first(items);
    return (batch === 1 && (threads === fewest || threads === most)) || items === largest;
  });
}

function rowOf(result: BenchResult, item: NetworkCase): string[] {
  const { network, engine, threads, batch, latency, imagesPerSecond, speedup } = item;
  return [
    isOwn(item) ? labelOf(item, result) : `${network} in ${engine}`,
    String(threads),
    String(batch),
    milliseconds(latency.p50),
    figure(imagesPerSecond),
    ...PEERS.map((peer) => {
      const interval = speedupBand(result, item, peer);
      return `${times(speedup[peer])}${interval === null ? '' : ` (${band(interval)})`}`;
    }),
  ];
}

/** What stands between the markers of `readme`. Throws `ERR_BITPATH_BENCH_FILE` unless there is one pair of them. */
export function currentSection(readme: string): string {
  const [before, after] = placeOf(readme);
  return readme.slice(before, after).trim();
}

/** `readme` with `section` between the markers; they stay. */
export function withSection(readme: string, section: string): string {
  const [before, after] = placeOf(readme);
  return `${readme.slice(0, before)}\n${section}\n${readme.slice(after)}`;
}

function placeOf(readme: string): [before: number, after: number] {
  const begins = readme.split(BEGIN).length - 1;
  const ends = readme.split(END).length - 1;
  const [before, after] = [readme.indexOf(BEGIN) + BEGIN.length, readme.indexOf(END)];
  if (begins !== 1 || ends !== 1 || before > after) {
    const reason = `it must hold ${BEGIN} and ${END} once each, in this order`;
    throw new BitpathError('ERR_BITPATH_BENCH_FILE', { file: 'README.md', reason });
  }
  return [before, after];
}

/** The result that a section was made of, as a path from the README; null for {@link NO_RESULTS}. */
export function sourceOf(section: string): string | null {
  return /\]\((bench\/results\/[^)]+\.json)\)/.exec(section)?.[1] ?? null;
}
