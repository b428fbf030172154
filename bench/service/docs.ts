/** docs/benchmark.md's section of measured figures: generated from committed results, so that none is typed in by hand. */
import { fail } from '#lib/bench/check.js';
import { markdownTable } from '#lib/bench/compareMarkdown.js';
import type { FaultReport } from '../faults/fault.js';
import { bareTable, goalsTable, loadTable, machineLine, SHOWN_LEVELS } from './report.js';
import type { ServeResult } from './result.js';
import type { SoakResult } from './soakResult.js';

const BEGIN = '<!-- service:begin -->';
const END = '<!-- service:end -->';
const MIB = 2 ** 20;

export interface FaultsResult {
  readonly machine: SoakResult['machine'];
  readonly reports: readonly FaultReport[];
}

/** A result with its path from the root. */
export interface From<T> {
  readonly path: string;
  readonly result: T;
}

export interface ServiceResults {
  readonly serve: From<ServeResult> | null;
  readonly soak: From<SoakResult> | null;
  readonly faults: readonly From<FaultsResult>[];
}

/** `document` with the section between its markers. */
export function withService(document: string, { serve, soak, faults }: ServiceResults): string {
  const [begin, end] = [document.indexOf(BEGIN), document.indexOf(END)];
  if (begin === -1 || end < begin) fail('docs/benchmark.md', `it must hold ${BEGIN} and ${END}`);
  const parts = [
    ...(serve === null ? [] : [serveSection(serve)]),
    ...(soak === null ? [] : [soakSection(soak)]),
    ...(faults.length === 0 ? [] : [faultsSection(faults)]),
  ];
  const section = parts.length === 0 ? 'No results have been committed yet.' : parts.join('\n\n');
  return `${document.slice(0, begin + BEGIN.length)}\n${section}\n${document.slice(end)}`;
}

function link(path: string): string {
  return `[${path}](../${path})`;
}

function serveSection({ path, result }: From<ServeResult>): string {
  const picture = (what: string, title: string) => `![${title}](../${path.replace(/\.json$/, `-${what}.svg`)})`;
  return [
    `*Load*: ${machineLine(result)}: ${link(path)}.`,
    '',
    ...goalsTable(result),
    '',
    ...bareTable(result),
    '',
    ...loadTable(result.load, SHOWN_LEVELS),
    '',
    picture('throughput', 'requests a second by connections'),
    picture('p99', 'p99 by connections'),
  ].join('\n');
}

function soakSection({ path, result: { machine, points, counts, verdict } }: From<SoakResult>): string {
  const columns = [
    { title: 'requests', align: 'right' },
    { title: 'RSS', align: 'right' },
    { title: 'heap', align: 'right' },
    { title: 'sockets', align: 'right' },
  ] as const;
  const mib = (bytes: number) => `${(bytes / MIB).toFixed(1)} MiB`;
  const rows = points.map(({ requests, rss, heapUsed, connections }) => {
    return [String(requests), mib(rss), mib(heapUsed), String(connections)];
  });
  return [
    `*Soak*: ${machine.cpu}, commit ${machine.commit}: ${link(path)}. Answers: ${countsText(counts)}.`,
    '',
    ...markdownTable(columns, rows),
    '',
    ...verdict.map(({ what, met, value }) => `- ${met ? 'met' : 'MISSED'}: ${what} (${value})`),
  ].join('\n');
}

function faultsSection(faults: readonly From<FaultsResult>[]): string {
  const columns = [{ title: 'fault' }, { title: 'counts' }, { title: 'file' }] as const;
  const rows = faults.flatMap(({ path, result }) => {
    return result.reports.map(({ fault, counts }) => [fault, countsText(counts), path.replace('bench/results/', '')]);
  });
  return ['*Faults*, each as promised:', '', ...markdownTable(columns, rows)].join('\n');
}

function countsText(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([key, value]) => `${key}: ${/RSS/.test(key) ? `${(value / MIB).toFixed(0)} MiB` : value}`)
    .join(', ');
}
