/** Table 1 as text: for a terminal, as Markdown, as CSV. */
import type { Claim, Verdict } from '../analysis/claim.js';
import type { Comparison, CountedRow } from '../analysis/table1.js';
import { facts, table, wrap } from './format.js';

interface Column {
  readonly title: string;
  /** Names in CSV files; titles change more easily. */
  readonly field: string;
  readonly align?: 'right';
  readonly cell: (row: CountedRow) => string;
  /** Without rounding, for programs. */
  readonly value: (row: CountedRow) => string | number | null | undefined;
}

const right = 'right' as const;
const MISSING = '–';
const signed = (fraction: number) => `${fraction < 0 ? '−' : '+'}${(Math.abs(fraction) * 100).toFixed(1)} %`;

/** "=" where the printed digits are met, else the deviation; "!" where nobody knows why it is over 1 %. */
function deviation(comparison: Comparison | undefined): string {
  if (comparison === undefined) return MISSING;
  if (comparison.agreement === 'equal') return '=';
  return signed(comparison.deviation) + (comparison.agreement === 'unexplained' ? ' !' : '');
}
const number = (value: number | undefined, digits: number) => value?.toFixed(digits) ?? MISSING;

const PAPER: readonly Column[] = [
  { title: '#', field: 'row', align: right, cell: ({ row }) => String(row), value: ({ row }) => row },
  { title: 'model', field: 'label', cell: ({ label }) => label, value: ({ label }) => label },
  {
    title: 'top-1',
    field: 'top1_error',
    align: right,
    cell: (row) => row.top1Error.toFixed(2),
    value: (row) => row.top1Error,
  },
  {
    title: 'top-5',
    field: 'top5_error',
    align: right,
    cell: (row) => row.top5Error?.toFixed(2) ?? MISSING,
    value: (row) => row.top5Error,
  },
  {
    title: 'Mbit',
    field: 'storage_mbit_reported',
    align: right,
    cell: (row) => row.storageMbit.toFixed(1),
    value: (row) => row.storageMbit,
  },
  {
    title: 'counted',
    field: 'storage_mbit_counted',
    align: right,
    cell: ({ counted }) => number(counted?.storage.counted, 2),
    value: ({ counted }) => counted?.storage.counted,
  },
  {
    title: '',
    field: 'storage_agreement',
    align: right,
    cell: ({ counted }) => deviation(counted?.storage),
    value: ({ counted }) => counted?.storage.agreement,
  },
  {
    title: 'GFLOPs',
    field: 'gflops_reported',
    align: right,
    cell: (row) => row.gflops.toFixed(2),
    value: (row) => row.gflops,
  },
  {
    title: 'counted',
    field: 'gflops_counted',
    align: right,
    cell: ({ counted }) => number(counted?.computation.counted, 4),
    value: ({ counted }) => counted?.computation.counted,
  },
  {
    title: '',
    field: 'gflops_agreement',
    align: right,
    cell: ({ counted }) => deviation(counted?.computation),
    value: ({ counted }) => counted?.computation.agreement,
  },
];

function cost(title: string, field: string, digits: number, of: (costs: Costs) => number): Column {
  const value = ({ counted }: CountedRow) => (counted === null ? undefined : of(counted.costs));
  return { title, field, align: right, value, cell: (row) => number(value(row), digits) };
}
type Costs = NonNullable<CountedRow['counted']>['costs'];
const BESIDE: readonly Column[] = [
  cost('1-bit GMACs', 'binary_gmacs', 2, ({ binaryMacs }) => binaryMacs / 1e9),
  cost('real GMACs', 'real_gmacs', 3, ({ realMacs }) => realMacs / 1e9),
  cost('GOPs', 'reactnet_gops', 4, ({ flops }) => flops / 1e9),
  cost('MB moved', 'traffic_mb', 1, ({ trafficBytes }) => trafficBytes / 1e6),
  cost('all Mbit', 'storage_mbit_full', 2, ({ fullStorageBits }) => fullStorageBits / 1e6),
  cost('all GFLOPs', 'gflops_full', 4, ({ fullFlops }) => fullFlops / 1e9),
];

export function terminalLines(
  rows: readonly CountedRow[],
  claims: readonly Claim[],
  wide: boolean,
  width: number,
): readonly string[] {
  const columns = wide ? [...PAPER, ...BESIDE] : PAPER;
  const cells = rows.map((row) => columns.map(({ cell }) => cell(row)));
  const textWidth = Math.min(width, 100);
  return [
    ...table(columns, cells, width),
    '',
    ...wrap(LEGEND, textWidth),
    ...notes(rows).flatMap(({ title, items }) => ['', title, ...indented(items, textWidth)]),
    '',
    'Claims, by the paper’s own numbers',
    ...claims.flatMap((claim) => claimLines(claim, textWidth)),
  ];
}

const LEGEND =
  'Errors in per cent. = has the printed digits; otherwise the deviation, with ! where it is over 1 % and unexplained; – is not printed there.';

interface Note {
  readonly title: string;
  /** Rows, and what is said of them. */
  readonly items: readonly (readonly [rows: string, text: string])[];
}

function notes(rows: readonly CountedRow[]): readonly Note[] {
  const found: readonly { title: string; text: (row: CountedRow) => string | null | undefined }[] = [
    {
      title: 'Storage off by more than 1 %',
      text: ({ counted }) => over(counted?.storage) && `${over(counted?.storage)}${otherReading(counted)}`,
    },
    { title: 'Computation off by more than 1 %', text: ({ counted }) => over(counted?.computation) },
    { title: 'Storage that counts more than weights', text: ({ counted }) => counted?.ruleReason },
    { title: 'Fitted', text: ({ counted }) => counted?.fitted },
  ];
  return found.map(({ title, text }) => ({ title, items: byText(rows, text) })).filter(({ items }) => items.length > 0);
}

function over(comparison: Comparison | undefined): string | null {
  if (comparison?.agreement === 'unexplained') return 'unexplained';
  return comparison?.reason ?? null;
}

function otherReading(counted: CountedRow['counted']): string {
  if (!counted?.otherReading) return '';
  const { architecture, storage } = counted.otherReading;
  return `; the name’s other reading, ${architecture}, counts ${storage.counted.toFixed(2)} (${signed(storage.deviation)})`;
}

/** Rows of which the same is said share an item. */
function byText(rows: readonly CountedRow[], textOf: (row: CountedRow) => string | null | undefined): Note['items'] {
  const byReason = new Map<string, number[]>();
  for (const row of rows) {
    const text = textOf(row);
    if (text === null || text === undefined) continue;
    byReason.set(text, [...(byReason.get(text) ?? []), row.row]);
  }
  return [...byReason].map(([text, numbers]) => [`row ${ranges(numbers)}`.replace(/^row (?=.*[,–])/, 'rows '), text]);
}

/** [1, 2, 3, 5] → "1–3, 5". */
function ranges(numbers: readonly number[]): string {
  const runs: [first: number, last: number][] = [];
  for (const value of numbers) {
    const run = runs.at(-1);
    if (run !== undefined && run[1] === value - 1) run[1] = value;
    else runs.push([value, value]);
  }
  return runs.map(([first, last]) => (first === last ? `${first}` : `${first}–${last}`)).join(', ');
}

function indented(items: Note['items'], width: number): readonly string[] {
  return items.flatMap(([rows, text]) =>
    wrap(`${rows}: ${text}`, width - 4).map((line, i) => `  ${i ? '  ' : ''}${line}`),
  );
}

function claimLines(claim: Claim, width: number): readonly string[] {
  const pairs = [[claim.verdict, `“${claim.quote}” (${claim.section})${scopes(claim)}`] as const];
  const [first = '', ...rest] = facts([...pairs, ['undecided', '']], width).slice(0, -1);
  const evidence = claim.evidence.flatMap((text) =>
    wrap(text, width - 13).map((line, i) => `${' '.repeat(i ? 13 : 11)}${line}`),
  );
  return ['', first, ...rest, ...evidence];
}

function scopes({ withinClass, acrossClasses }: Claim): string {
  if (withinClass === null || acrossClasses === null) return '';
  return `; within a size class: ${withinClass}, across: ${acrossClasses}`;
}

export function markdownLines(rows: readonly CountedRow[], claims: readonly Claim[]): readonly string[] {
  const columns = [...PAPER, ...BESIDE];
  const line = (cells: readonly string[]) => `| ${cells.map(escaped).join(' | ')} |`;
  return [
    line(columns.map(({ title }) => title)),
    line(columns.map(({ align }) => (align === 'right' ? '---:' : '---'))),
    ...rows.map((row) => line(columns.map(({ cell }) => cell(row)))),
    '',
    LEGEND,
    ...notes(rows).flatMap(({ title, items }) => [
      '',
      `**${title}**`,
      '',
      ...items.map(([of, text]) => `- ${of}: ${text}`),
    ]),
    '',
    '| verdict | within a size class | across | claim | numbers |',
    '| --- | --- | --- | --- | --- |',
    ...claims.map(({ verdict, withinClass, acrossClasses, quote, section, evidence }) => {
      const scope = (value: Verdict | null) => value ?? '';
      return line([verdict, scope(withinClass), scope(acrossClasses), `“${quote}” (${section})`, evidence.join('; ')]);
    }),
  ];
}

/** Labels have stars, which Markdown takes for emphasis. */
function escaped(text: string): string {
  return text.replace(/[|*_]/g, '\\$&');
}

/** RFC 4180; numbers in full precision. */
export function csvLines(rows: readonly CountedRow[]): readonly string[] {
  const columns: readonly Pick<Column, 'field' | 'value'>[] = [
    ...PAPER,
    { field: 'storage_reason', value: ({ counted }) => counted?.storage.reason },
    { field: 'gflops_reason', value: ({ counted }) => counted?.computation.reason },
    { field: 'fitted', value: ({ counted }) => counted?.fitted },
    { field: 'size_class', value: ({ sizeClass }) => sizeClass },
    { field: 'architecture', value: ({ architecture }) => architecture },
    ...BESIDE,
  ];
  const quoted = (value: string | number | null | undefined) => {
    const text = String(value ?? '');
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const line = (cells: readonly (string | number | null | undefined)[]) => cells.map(quoted).join(',');
  return [line(columns.map(({ field }) => field)), ...rows.map((row) => line(columns.map(({ value }) => value(row))))];
}
