/** `bitpath batch`: what is on all of these pictures? */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { BatchJob, Identity, JobSummary, OutputFormat, Picture, Result } from '../batch/index.js';
import type { Model } from '../model.js';
import { integerOption, jsonOption, modelOption, newCommand, threadsOption } from './command.js';
import { facts, plural, terminalWidth } from './format.js';
import { beforeInterrupt, printable, reportWarning, warnIfScalar, writeJson, writeLines } from './output.js';
import { type Progress, startProgress } from './progress.js';

interface Options {
  readonly out: string;
  readonly model?: string;
  readonly top: number;
  readonly logits?: true;
  readonly restart?: true;
  readonly threads?: number;
  readonly batch: number;
  readonly queue?: string;
  readonly queueName: string;
  readonly chunk: number;
  readonly root?: string;
  readonly json?: true;
  readonly timings?: true;
}

/** The output is whole, and some of its rows are errors: nothing that another run would change. */
const EXIT_SOME_FAILED = 3;

export function batchCommand(): Command {
  return newCommand('batch')
    .summary('classify many pictures into a file, resumably')
    .description(
      'Says what is on each of many pictures, in a file. Killed at any moment and run again, it goes on where it was; the file is the same.',
    )
    .argument('<input...>', 'folders, .jsonl lists, patterns such as "photos/**/*.jpg"')
    .addOption(new Option('-o, --out <file>', 'where to: .jsonl, .csv or .parquet').makeOptionMandatory())
    .addOption(modelOption())
    .addOption(integerOption('-k, --top <n>', 'classes to keep for each picture', 1, 1_000_000).default(5))
    .option('--logits', 'keep the logits of all classes too')
    .option('--restart', 'forget what earlier runs computed, replace their file')
    .addOption(threadsOption())
    .addOption(integerOption('-b, --batch <n>', 'pictures to compute together', 1, 65536).default(16))
    .option('--queue <url>', 'have workers compute it: redis://host:port (see bitpath worker)')
    .addOption(queueNameOption())
    .addOption(integerOption('--chunk <n>', 'with --queue: pictures in a worker’s job', 1, 10_000).default(64))
    .option('--root <folder>', 'with --queue: send paths below it, for workers with a --root')
    .addOption(jsonOption())
    .option('--timings', 'with --json: add times and pictures a second')
    .addHelpText(
      'after',
      `
Pictures that cannot be read have a row with their error; the exit code is 3.
The folder <file>.job beside the file keeps what is done; its manifest stays.

Examples:
  $ bitpath batch photos/ --out results.jsonl
  $ bitpath batch list.jsonl --out results.parquet --top 1
  $ bitpath batch "2024-*/**/*.jpg" --out results.csv --queue redis://localhost`,
    )
    .action(async (sources: string[], options: Options, command: Command) => {
      for (const option of ['chunk', 'root', 'queueName'] as const) {
        const isGiven = command.getOptionValueSource(option) === 'cli';
        const flag = option === 'queueName' ? 'queue-name' : option;
        if (isGiven && options.queue === undefined) command.error(`error: option '--${flag}' needs '--queue'`);
      }
      const { formatOf } = await import('../batch/formats/names.js');
      const format = formatOf(options.out);
      if (format === null) {
        const reason = 'Expected a name that ends in .jsonl, .csv or .parquet';
        command.error(`error: option '-o, --out <file>' argument '${options.out}' is invalid. ${reason}`);
      }
      await batch(sources, options, format);
    });
}

export function queueNameOption(): Option {
  return new Option('--queue-name <name>', 'the queue’s name in Redis').default('bitpath').argParser((name: string) => {
    if (/^[\w.-]{1,100}$/.test(name)) return name;
    throw new InvalidArgumentError('Expected letters, digits, dots, dashes and underscores');
  });
}

async function batch(sources: readonly string[], options: Options, format: OutputFormat): Promise<void> {
  const { out, top } = options;
  const [{ BatchJob, modelDigest, requireFormat, versions }, { loadModel, outputShape }, predict] = await Promise.all([
    import('../batch/index.js'),
    import('../model.js'),
    import('../predict.js'),
  ]);
  await requireFormat(format);
  const model = await loadModel(options.model);
  predict.picturePreprocessing(model);
  const classes = outputShape(model.graph).channels;
  const logits = options.logits === true;
  const identity: Identity = {
    ...(await versions()),
    model: { name: model.name, digest: modelDigest(model) },
    top: Math.min(top, classes),
    logits,
    format,
  };
  const columns = { top: identity.top, logits: logits ? classes : 0 };
  const job = await BatchJob.open({ sources, out, identity, columns, restart: options.restart === true });
  const forget = beforeInterrupt(() => job.abandon());
  const start = performance.now();
  const before = job.done;
  let summary: JobSummary;
  try {
    if (job.droppedBytes > 0) {
      reportWarning(`${out}: the last run ended within a record; its last ${job.droppedBytes} bytes are left out`);
    }
    const progress = await startProgress(job.total);
    progress.update(job.done);
    const record = recorder(job, progress, start);
    try {
      if (options.queue !== undefined) await throughQueue(job, options, identity, record);
      else if (job.done < job.total) await here(job, model, options, record);
    } finally {
      // Also where the network or the queue failed: what was computed until then is kept.
      await job.flush().finally(() => progress.stop());
    }
    summary = await job.finish();
  } finally {
    forget();
    await job.close();
  }
  if (Object.keys(summary.failed).length > 0) process.exitCode = EXIT_SOME_FAILED;
  const seconds = (performance.now() - start) / 1000;
  report(summary, { options, model, total: job.total, before, seconds });
}

type Record = (picture: Picture, result: Result) => Promise<void>;

/** So many pictures are named as they fail; the others are in the output like these. */
const MOST_REPORTED = 20;

function recorder(job: BatchJob, progress: Progress, start: number): Record {
  const before = job.done;
  let failed = 0;
  return async ({ index }, result) => {
    if (job.has(index)) return;
    await job.record(index, result);
    if ('error' in result && ++failed <= MOST_REPORTED) {
      const { code, message } = result.error;
      progress.around(() => {
        process.stderr.write(`bitpath: ${printable(message)} (${code})\n`);
        if (failed === MOST_REPORTED) reportWarning('further pictures that fail are only named in the output');
      });
    }
    const rate = (job.done - before) / ((performance.now() - start) / 1000);
    progress.update(job.done, `${rate.toFixed(0)} pictures/s`);
  };
}

/** Computes what is missing in this process. */
async function here(job: BatchJob, model: Model, options: Options, record: Record): Promise<void> {
  const { computeResults } = await import('../batch/index.js');
  const batch = Math.min(options.batch, job.total - job.done);
  const executor = await model.compile({ threads: options.threads, batch });
  warnIfScalar(executor);
  try {
    const compute = { model, executor, top: options.top, logits: options.logits === true };
    for await (const { picture, result } of computeResults(job.pending(), compute)) {
      await record(picture, result);
    }
  } finally {
    executor.dispose();
  }
}

/** Has workers compute what is missing. */
async function throughQueue(job: BatchJob, options: Options, identity: Identity, record: Record): Promise<void> {
  const { computeThroughQueue, connect } = await import('../queue/index.js');
  await computeThroughQueue(job, {
    connection: await connect(options.queue as string),
    name: options.queueName,
    chunk: options.chunk,
    root: options.root ?? null,
    identity,
    record,
    warn: reportWarning,
  });
}

interface Run {
  readonly options: Options;
  readonly model: Model;
  readonly total: number;
  /** Pictures that had a result before this run. */
  readonly before: number;
  readonly seconds: number;
}

function report({ answered, failed, bytes }: JobSummary, { options, model, total, before, seconds }: Run): void {
  const { out } = options;
  const picturesPerSecond = (total - before) / seconds;
  if (options.json) {
    const timings = options.timings && { resumed: before, seconds, picturesPerSecond };
    writeJson('bitpath.batch/1', { model: model.name, out, pictures: total, answered, failed, bytes, timings });
    return;
  }
  const codes = Object.entries(failed);
  const count = codes.reduce((sum, [, n]) => sum + n, 0);
  const pairs: [string, string][] = [
    ['model', model.name],
    ['results', `${out}, ${plural(total, 'picture')}`],
  ];
  if (count > 0) pairs.push(['failed', codes.map(([code, n]) => `${n} with ${code}`).join(', ')]);
  if (before === total) pairs.push(['', 'all of them were there already']);
  else {
    if (before > 0) pairs.push(['resumed', `${before} were there already`]);
    pairs.push(['speed', `${picturesPerSecond.toFixed(0)} pictures/s from file to result`]);
  }
  writeLines(facts(pairs, terminalWidth()));
}
