/** The table of docs/threads.md, from a result of the benchmark: for its test, and for whoever edits it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../build/root.js';

interface Result {
  readonly machine: { readonly cpu: string; readonly cpus: number; readonly isa: string };
  readonly networks: readonly {
    readonly network: string;
    readonly engine: string;
    readonly isa: string | null;
    readonly stem: string;
    readonly threads: number;
    readonly batch: number;
    readonly latency: { readonly p50: number };
  }[];
  readonly scaling: readonly {
    readonly network: string;
    readonly engine: string;
    readonly by: string;
    readonly points: readonly { readonly x: number; readonly ms: number }[];
  }[];
}

const NETWORKS = ['bireal-resnet18-64', 'igp-resnet37-41'];

/** From the newest result of `npm run bench` that is kept. */
export function threadsTable(): string {
  const names = readdirSync(join(root, 'bench/results')).filter((name) => /^(?!serve|soak|faults).*\.json$/.test(name));
  const name = names.sort((a, b) => a.slice(-15).localeCompare(b.slice(-15))).at(-1)!;
  const { machine, networks, scaling } = JSON.parse(readFileSync(join(root, 'bench/results', name), 'utf8')) as Result;

  const call = (network: string, threads: number, batch: number) =>
    networks.find(
      (row) =>
        row.network === network &&
        row.engine === 'bitpath' &&
        row.isa === machine.isa &&
        row.stem === 'int16' &&
        row.threads === threads &&
        row.batch === batch,
    )!.latency.p50;
  const curve = (network: string, by: string) =>
    scaling.find((row) => row.network === network && row.engine === 'bitpath' && row.by === by)!.points;
  const ms = (time: number) => `${time.toPrecision(3)} ms`;
  const times = (from: number, to: number) => `${(from / to).toFixed(2)}×`;

  const turns = NETWORKS.flatMap((network) =>
    [1, 8].map((batch) => {
      const [one, two] = [call(network, 1, batch), call(network, 2, batch)];
      return `| ${network} | ${batch} | ${ms(one)} | ${ms(two)} | ${times(one, two)} |`;
    }),
  );
  const curves = NETWORKS.map((network) => {
    const [one, two] = curve(network, 'threads');
    const byBatch = curve(network, 'batch').filter(({ x }) => [1, 8, 32].includes(x));
    const perImage = byBatch.map(({ x, ms: time }) => ms(time / x)).join(' | ');
    return `| ${network} | ${perImage} | ${times(one!.ms, two!.ms)} |`;
  });
  return [
    `${machine.cpu}, ${machine.cpus} CPUs, ${machine.isa}, pictures of 224×224: [${name}](../bench/results/${name}).`,
    '',
    'Medians of a call, in turns with other engines:',
    '',
    '| network | batch | 1 thread | 2 threads | |',
    '| --- | ---: | ---: | ---: | ---: |',
    ...turns,
    '',
    'Time of an image, runs one after another:',
    '',
    '| network | batch 1, 1 thread | batch 8, 1 thread | batch 32, 1 thread | 2 threads at batch 8 |',
    '| --- | ---: | ---: | ---: | ---: |',
    ...curves,
    '',
  ].join('\n');
}
