/** A result as Markdown: on the terminal, and in docs/benchmark.md. */
import { markdownTable } from '#lib/bench/compareMarkdown.js';
import { figure, milliseconds, percent } from '#lib/bench/reportFormat.js';
import type { LoadCase, PartCase, ServeResult, Service } from './result.js';

export function serviceLabel({ engine, network, threads, loneThreads = threads, maxBatch }: Service): string {
  const batching = maxBatch === 1 ? 'no batching' : `batches to ${maxBatch}`;
  const lone = loneThreads === threads ? '' : ` (${loneThreads} alone)`;
  return `${network}${engine === 'bitpath' ? '' : ` in ${engine}`}, ${threadsLabel(threads)}${lone}, ${batching}`;
}

function threadsLabel(threads: number): string {
  return threads === 1 ? '1 thread' : `${threads} threads`;
}

const inputLabel = { tensor: 'tensor', jpeg: 'JPEG' } as const;

/** Levels that the document shows; the file has all. */
export const SHOWN_LEVELS = [1, 4, 16, 64, 256];

export function machineLine({ machine }: Pick<ServeResult, 'machine'>): string {
  const { cpu, cpus, isa, clockGHz, node, onnxruntime, fastify, commit, date } = machine;
  return [
    cpu,
    `${cpus} CPUs`,
    isa,
    `${figure(clockGHz)} GHz`,
    `Node.js ${node.replace(/^v/, '')}`,
    `Fastify ${fastify}`,
    `onnxruntime-node ${onnxruntime}`,
    `commit ${commit}`,
    date.slice(0, 10),
  ].join(', ');
}

export function loadTable(load: readonly LoadCase[], levels: readonly number[] | null = null): string[] {
  const columns = [
    { title: 'service' },
    { title: 'input' },
    { title: 'connections', align: 'right' },
    { title: 'requests/s', align: 'right' },
    { title: 'p50', align: 'right' },
    { title: 'p95', align: 'right' },
    { title: 'p99', align: 'right' },
    { title: 'requests/CPU s', align: 'right' },
  ] as const;
  const rows = load
    .filter(({ connections }) => levels?.includes(connections) ?? true)
    .map((item) => [
      serviceLabel(item),
      inputLabel[item.input],
      String(item.connections),
      figure(item.requestsPerSecond),
      milliseconds(item.latency.p50),
      milliseconds(item.latency.p95),
      milliseconds(item.latency.p99),
      figure(item.requestsPerCpuSecond),
    ]);
  return markdownTable(columns, rows);
}

export function bareTable({ bare, light, parts = [] }: ServeResult): string[] {
  const columns = [
    { title: 'without load' },
    { title: 'images/s', align: 'right' },
    { title: 'p50', align: 'right' },
    { title: 'p99', align: 'right' },
  ] as const;
  return markdownTable(columns, [
    ...bare.map(({ network, threads, batch, imagesPerSecond, latency }) => [
      `bare executor: ${network}, ${threadsLabel(threads)}, batch ${batch}`,
      figure(imagesPerSecond),
      milliseconds(latency.p50),
      milliseconds(latency.p99),
    ]),
    ...parts.map((item) => [partLabel(item), '–', milliseconds(item.latency.p50), milliseconds(item.latency.p99)]),
    ...light.map((item) => [
      `${serviceLabel(item)}: a request every ${milliseconds(item.periodMs)}`,
      '–',
      milliseconds(item.latency.p50),
      milliseconds(item.latency.p99),
    ]),
  ]);
}

function partLabel({ part, threads, periodMs }: PartCase): string {
  const what =
    part === 'network'
      ? `bare executor, ${threadsLabel(threads)}, batch 1`
      : 'HTTP to a server that reads the body and answers';
  return `${what}: ${periodMs === 0 ? 'one after another' : `one every ${milliseconds(periodMs)}`}`;
}

export function goalsTable({ goals }: ServeResult): string[] {
  if (goals === null) return ['Goals: not all sides were measured.'];
  const verdict = (met: boolean) => (met ? 'met' : 'missed');
  const columns = [{ title: 'goal' }, { title: 'measured', align: 'right' }, { title: '' }] as const;
  return markdownTable(columns, [
    [
      'overhead over the bare executor at saturation, tensor input: ≤ 15 %',
      percent(goals.overhead),
      verdict(goals.overhead <= 0.15),
    ],
    ['p99 under light load ÷ the network’s own time: ≤ 2', figure(goals.lightP99), verdict(goals.lightP99 <= 2)],
    ...(goals.lightP99Lone === undefined
      ? []
      : [
          [
            'p99 under light load ÷ the network’s own time with a lone request’s threads',
            figure(goals.lightP99Lone),
            '',
          ],
        ]),
    ['requests a CPU second ÷ float ResNet18’s: ≥ 4', figure(goals.perCore), verdict(goals.perCore >= 4)],
    ['requests a second ÷ float ResNet18’s', figure(goals.perService), ''],
  ]);
}
