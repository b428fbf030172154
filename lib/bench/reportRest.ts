/** The machine, the headline, memory, start-up, what was left out and how answers were checked. */
import { bytes, count, fed, figure, milliseconds, NONE, plural, setting, times } from './reportFormat.js';
import { html, type Insert, type Markup, tableOf } from './reportMarkup.js';
import { bySetting, PEERS } from './reportRivals.js';
import type { BenchResult, NetworkCase } from './result.js';

export function header({ machine, options, networks }: BenchResult): Markup {
  const threads = [...new Set(networks.map((item) => item.threads))].sort((a, b) => a - b);
  const facts: [string, string][] = [
    ['CPU', machine.cpu],
    ['CPUs', count(machine.cpus)],
    ['instruction set', machine.isa],
    ['core clock, measured', `${figure(machine.clockGHz)} GHz`],
    ['threads of the networks', threads.join(', ') || NONE],
    ['operating system', machine.os],
    ['Node.js', machine.node],
    ['bitpath', machine.bitpath],
    ['onnxruntime-node', machine.onnxruntime ?? 'not installed'],
    ['commit', machine.commit],
    ['date', machine.date],
    [
      'options',
      Object.entries(options)
        .map(([name, value]) => `${name}: ${optionText(value)}`)
        .join(', ') || 'none',
    ],
  ];
  const warnings = [
    options['quick'] === true && 'This was a quick run: few rounds, wide noise bands, not for quoting.',
    machine.commit.endsWith('-dirty') && 'The working tree had changes that are in no commit.',
  ];
  return html`<dl class="facts">${facts.map(([name, text]) => html`<div><dt>${name}</dt><dd>${text}</dd></div>\n`)}</dl>
${warnings.map((text) => text && html`<p class="warning">${text}</p>\n`)}`;
}

function optionText(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
}

/** Our networks at the smallest setting, as large figures. */
export function headline({ networks, machine }: BenchResult): Markup {
  const own = bySetting(networks.filter(({ engine }) => engine === 'bitpath'))[0] ?? [];
  if (own.length === 0) return html``;
  const tiles = own.map((item) => {
    const isa = item.isa === null || item.isa === machine.isa ? '' : `, ${item.isa}`;
    const ratios = PEERS.filter((peer) => item.speedup[peer] !== null).map(
      (peer) => `${times(item.speedup[peer])} ${peer}`,
    );
    return html`<li><b>${milliseconds(item.latency.p50)}</b><span class="name">${item.network}</span>
<small>${fed(item)}${isa}</small>${ratios.length > 0 && html`<small>${ratios.join(', ')}</small>`}</li>\n`;
  });
  const peers = own.some((item) => PEERS.some((peer) => item.speedup[peer] !== null))
    ? '; ×: how many times as fast as onnxruntime running ResNet18 in float32 and int8'
    : '';
  return html`<p class="lead">Median time of a call with ${setting(own[0] as NetworkCase)}${peers}:</p>\n<ul class="tiles">${tiles}</ul>`;
}

const right = (title: string) => ({ title, align: 'right' }) as const;

export function memory({ memory }: BenchResult): Markup {
  if (memory.length === 0) return html`<p class="note">Not measured in this run.</p>`;
  const rows = memory.map((item) => [
    item.network,
    bytes(item.fileBytes),
    bytes(item.weightBytes),
    times(item.weightBytes / item.fileBytes),
    bytes(item.arenaBytes),
    bytes(item.peakRssBytes),
    item.allocatedPerRun === null ? NONE : bytes(item.allocatedPerRun),
  ]);
  const columns = [
    { title: 'network' },
    right('file'),
    right('weights in memory'),
    right('/ file'),
    right('feature maps'),
    right('peak above bare Node'),
    right('growth a run'),
  ];
  return html`<p>The peak is the largest resident set of a process that loads the model and answers, less that of a bare Node. Growth is what
a steady run allocates and keeps.</p>
${tableOf('Memory', columns, rows)}`;
}

export function startup({ startup }: BenchResult): Markup {
  if (startup.length === 0) return html`<p class="note">Not measured in this run.</p>`;
  const rows = startup.map(({ network, firstAnswerMs, importMs }) => [
    network,
    milliseconds(firstAnswerMs.p50),
    milliseconds(firstAnswerMs.p95),
    milliseconds(importMs.p50),
    milliseconds(importMs.p95),
    count(firstAnswerMs.samples),
  ]);
  const columns = [
    { title: 'network' },
    right('first answer, p50'),
    right('p95'),
    right('import, p50'),
    right('p95'),
    right('processes'),
  ];
  return html`<p>From the call of <code>loadModel</code> to the first answer, and the time of <code>import</code> before it, each in a fresh
process with files in the page cache.</p>
${tableOf('Start-up', columns, rows)}`;
}

export function omitted({ omitted }: BenchResult): Markup {
  if (omitted.length === 0) return html`<p>Nothing was left out.</p>`;
  return html`<ul class="omitted">${omitted.map(({ what, why }) => html`<li><b>${what}</b>: ${why}</li>\n`)}</ul>`;
}

/** Each way of checking, with the cases that it holds for. */
export function checks({ networks }: BenchResult): Markup {
  const ways = new Map<string, Map<string, number>>();
  for (const item of networks) {
    const cases = ways.get(item.checked) ?? new Map<string, number>();
    const name = `${item.network} (${item.engine})`;
    ways.set(item.checked, cases.set(name, (cases.get(name) ?? 0) + 1));
  }
  if (ways.size === 0) return html`<p class="note">No network was measured.</p>`;
  const rows: Insert[][] = [...ways].map(([way, cases]) => [
    html`<span class="wrap">${way}</span>`,
    [...cases].map(([name, count], i) => html`${i > 0 && html`<br>`}${name}: ${plural(count, 'case')}`),
  ]);
  return html`<p>Every case’s answer was checked before it was timed.</p>
${tableOf('How answers were checked', [{ title: 'check' }, { title: 'of' }], rows)}`;
}
