/** A comparison as Markdown: aligned, so that it reads on a terminal as well. */
import type { ComparedCase, Comparison, Difference } from './compare.js';
import { band, bytes, figure, milliseconds, NONE, plural, times } from './reportFormat.js';
import { type Column, visible } from './reportMarkup.js';
import type { BenchResult } from './result.js';

/** Lines of a table. What would end a cell, or start markup in it, is escaped. */
export function markdownTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const all = [columns.map(({ title }) => title), ...rows].map((row) =>
    columns.map((_, c) => escapeCell(row[c] ?? '')),
  );
  const widths = columns.map((_, c) => Math.max(3, ...all.map((row) => lengthOf(row[c] as string))));
  const lineOf = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const lines = all.map((row) => {
    return lineOf(
      row.map((text, c) => {
        const fill = ' '.repeat((widths[c] as number) - lengthOf(text));
        return columns[c]?.align === 'right' ? fill + text : text + fill;
      }),
    );
  });
  const rule = columns.map(({ align }, c) => {
    const width = widths[c] as number;
    return align === 'right' ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width);
  });
  return [lines[0] as string, lineOf(rule), ...lines.slice(1)];
}

function lengthOf(text: string): number {
  return [...text].length;
}

/** Markup that a cell of a table can hold, written so that it shows as it is. */
export function escapeCell(text: string): string {
  return visible(text).replace(/[\\|<>[\]`*]/g, '\\$&');
}

const COLUMNS = [
  { title: 'case' },
  { title: 'old', align: 'right' },
  { title: 'new', align: 'right' },
  { title: 'gain', align: 'right' },
  { title: 'band', align: 'right' },
  { title: 'verdict' },
] as const;

const TITLES: Record<ComparedCase['group'], string> = {
  'speed-up': 'Against onnxruntime in the same run: what the machine did to both cancels',
  network: 'Networks, median of a call',
  'start-up': 'Start-up',
  kernel: 'Kernels',
  layers: 'Profiled calls',
  memory: 'Memory',
};

/** @param names What the two files are called. */
export function comparisonLines(
  comparison: Comparison,
  [a, b]: readonly [BenchResult, BenchResult],
  names: readonly [string, string],
): string[] {
  const { cases, onlyOld, onlyNew, machine, other } = comparison;
  const lines = [
    `old: ${described(names[0], a)}`,
    `new: ${described(names[1], b)}`,
    '',
    ...(machine.length > 0
      ? ['**DIFFERENT MACHINES: the times below do not tell what the code does.**', ...machine.map(differenceLine), '']
      : []),
    ...(other.length > 0 ? ['Not alike besides:', ...other.map(differenceLine), ''] : []),
    'gain: how many times as fast (or small) as before. band: its noise band, from the rounds of both; each median’s',
    'distribution-free interval (order statistics) at 97.5 %, so that the quotient of their ends covers 95 %. Drift of the',
    'machine between the runs is not in it: where onnxruntime’s own times have moved, go by the ratios against it.',
  ];
  for (const [group, title] of Object.entries(TITLES)) {
    const some = cases.filter((item) => item.group === group);
    if (some.length > 0) lines.push('', `### ${title}`, '', ...markdownTable(COLUMNS, some.map(rowOf)));
  }
  if (cases.length === 0) lines.push('', 'The two have no case in common.');
  lines.push(
    ...namesOf('Only in the old one', onlyOld),
    ...namesOf('Only in the new one', onlyNew),
    '',
    summary(cases),
  );
  return lines;
}

function described(name: string, { machine }: BenchResult): string {
  const { cpu, isa, commit, date } = machine;
  return visible(`${name} (${cpu}, ${isa}, commit ${commit}, ${date})`);
}

function differenceLine({ what, old, new: now }: Difference): string {
  return `- ${escapeCell(what)}: ${escapeCell(old)} → ${escapeCell(now)}`;
}

function namesOf(title: string, names: readonly string[]): string[] {
  return names.length === 0 ? [] : ['', `${title}:`, ...names.map((name) => `- ${escapeCell(name)}`)];
}

function rowOf({ name, unit, old, new: now, gain, band: interval, verdict }: ComparedCase): string[] {
  const value = (number: number) =>
    ({ ms: milliseconds, B: bytes, '×': times, 'GMAC/s': (gmacs: number) => `${figure(gmacs)} GMAC/s` })[unit](number);
  const loud = verdict === 'faster' || verdict === 'slower' ? verdict.toUpperCase() : verdict;
  return [name, value(old), value(now), times(gain), interval === null ? NONE : band(interval), loud];
}

function summary(cases: readonly ComparedCase[]): string {
  const count = (verdict: string) => cases.filter((item) => item.verdict === verdict).length;
  return (
    `${plural(cases.length, 'case')}: ${count('faster')} faster, ${count('slower')} slower, ${count('within noise')} within noise; ` +
    `${count('cannot tell')} without a band that could tell`
  );
}
