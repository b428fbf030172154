/** `bitpath bench`: how fast is this machine, and is the answer right? */
import { type Command, Option } from 'commander';
import type { BenchResult, Machine } from '../bench/result.js';
import { integerOption, newCommand, threadsOption } from './command.js';
import { reportWarning, toJson, writeJson, writeLines } from './output.js';
import { startProgress } from './progress.js';

/** Those of `lib/bench`, which is loaded when the command runs; a test holds the two equal. */
export const PART_NAMES = ['kernels', 'layers', 'networks', 'scaling', 'memory', 'startup'] as const;

/** Of the minute before the run. */
const QUIET_LOAD = 0.5;

interface Options {
  readonly quick?: true;
  readonly only?: (typeof PART_NAMES)[number][];
  readonly size: number;
  readonly threads?: number;
  /** True without a file. */
  readonly json?: true | string;
  readonly html?: string;
  readonly save?: string;
}

export function benchCommand(): Command {
  return newCommand('bench')
    .summary('measure how fast this machine runs the networks, beside onnxruntime')
    .description(
      'Measures kernels, layers, whole networks, how time grows, memory and start-up, and runs onnxruntime’s float32 and int8 ' +
        'ResNet18 beside them where it is installed. Every answer is checked before it is timed.',
    )
    .option('-q, --quick', 'seconds instead of minutes: fewer rounds, sizes and shapes')
    .addOption(new Option('--only <parts...>', 'only these parts').choices(PART_NAMES))
    .addOption(threadsOption())
    .addOption(integerOption('--size <pixels>', 'height and width of the pictures', 32, 1024).default(224))
    .option('--json [file]', 'write one JSON document to a file, or to stdout and nothing\nelse (docs/cli.md)')
    .option('--html <file>', 'write a report with charts (needs the package echarts)')
    .option('--save <folder>', 'write both to files named by CPU, ISA and date')
    .addHelpText(
      'after',
      `
Leave the machine alone meanwhile. docs/benchmark.md says what is measured, how,
and what is unfair to whom.

Examples:
  $ bitpath bench --quick
  $ bitpath bench --only networks --threads 1 --json result.json`,
    )
    .action(bench);
}

async function bench(options: Options): Promise<void> {
  const [{ runBench }, { mkdir, writeFile }, { join }] = await Promise.all([
    import('../bench/index.js'),
    import('node:fs/promises'),
    import('node:path'),
  ]);
  const { json, html, save, quick, only, threads, size } = options;
  const report = html === undefined && save === undefined ? null : await import('../bench/report.js');
  // Before minutes of measuring, not after.
  await report?.checkReport();
  if (save !== undefined) await mkdir(save, { recursive: true });

  let progress = await startProgress(1);
  let result: BenchResult;
  try {
    let started = 1;
    let last = Promise.resolve();
    result = await runBench({
      ...(quick && { quick }),
      ...(only && { only }),
      ...(threads !== undefined && { threads }),
      size,
      onStep(done, total, name) {
        last = last.then(async () => {
          if (total !== started) {
            progress.stop();
            progress = await startProgress(total);
            started = total;
          }
          progress.update(done, name);
        });
      },
    });
    await last;
  } finally {
    progress.stop();
  }

  const load = Number(result.options['loadBefore']);
  if (load > QUIET_LOAD) {
    reportWarning(`other programs were running (load ${load.toFixed(1)}): these figures are none to be quoted`);
  }
  const text = `${toJson(result)}\n`;
  const files: [file: string, text: string][] = [];
  if (typeof json === 'string') files.push([json, text]);
  if (html !== undefined && report !== null) files.push([html, await report.reportHtml(result)]);
  if (save !== undefined && report !== null) {
    const name = fileNameOf(result.machine);
    files.push([join(save, `${name}.json`), text], [join(save, `${name}.html`), await report.reportHtml(result)]);
  }
  for (const [file, content] of files) await writeFile(file, content);

  if (json === true) writeJson(result.format, { ...result });
  else {
    const { benchLines } = await import('./benchTable.js');
    const written = files.map(([file]) => `written: ${file}`);
    writeLines([...benchLines(result), ...(written.length > 0 ? ['', ...written] : [])]);
  }
}

/** Such as `amd-epyc-family-26-model-17-avx512-2026-11-24`. */
export function fileNameOf({ cpu, isa, date }: Pick<Machine, 'cpu' | 'isa' | 'date'>): string {
  const slug = cpu
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
  return `${slug || 'cpu'}-${isa}-${date.slice(0, 10)}`;
}
