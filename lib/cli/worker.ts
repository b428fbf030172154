/** `bitpath worker`: computes pictures of batch jobs that wait in a queue. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { RunningWorker, WorkerEvent } from '../queue/index.js';
import { queueNameOption } from './batch.js';
import { integerOption, modelOption, newCommand, threadsOption } from './command.js';
import { milliseconds, plural } from './format.js';
import { writeLines, warnIfScalar } from './output.js';

interface Options {
  readonly queue: string;
  readonly queueName: string;
  readonly model?: string;
  readonly concurrency: number;
  readonly threads?: number;
  readonly batch: number;
  readonly root?: string;
  readonly stalledAfter: number;
  readonly health?: { readonly host: string; readonly port: number };
  readonly json?: true;
}

export function workerCommand(): Command {
  return newCommand('worker')
    .summary('compute batch jobs from a queue')
    .description('Takes pictures of batch jobs from a queue in Redis and gives their results back (see bitpath batch).')
    .addOption(new Option('--queue <url>', 'the queue: redis://host:port').makeOptionMandatory())
    .addOption(queueNameOption())
    .addOption(modelOption())
    .addOption(integerOption('-c, --concurrency <n>', 'chunks to compute at a time', 1, 64).default(1))
    .addOption(threadsOption())
    .addOption(integerOption('-b, --batch <n>', 'pictures to compute together', 1, 65536).default(16))
    .option('--root <folder>', 'read pictures below it, and none elsewhere')
    .addOption(integerOption('--stalled-after <s>', 'silence until others take its chunks over', 1, 3600).default(30))
    .addOption(healthOption())
    .option('--json', 'print a JSON object for each event, one a line (docs/batch.md)')
    .addHelpText(
      'after',
      `
SIGTERM and Ctrl-C end it once it has finished the chunks that it has; a second
one ends it at once, and others take them over.

Examples:
  $ bitpath worker --queue redis://localhost
  $ bitpath worker --queue redis://redis:6379 --concurrency 2 --root /pictures`,
    )
    .action(worker);
}

function healthOption(): Option {
  return new Option('--health <host:port>', 'answer v2/health/live and v2/health/ready there').argParser((text) => {
    const [, host = '', digits = ''] = /^\[?([\w.:-]+?)\]?:(\d{1,5})$/.exec(text) ?? [];
    const port = Number(digits);
    if (host !== '' && port >= 1 && port <= 65535) return { host, port };
    throw new InvalidArgumentError('Expected a host and a port, such as 0.0.0.0:8081');
  });
}

async function worker(options: Options): Promise<void> {
  const [
    { checkRoot, connect, serveHealth, startWorker },
    { modelDigest, versions },
    { loadModel },
    { picturePreprocessing },
  ] = await Promise.all([
    import('../queue/index.js'),
    import('../batch/index.js'),
    import('../model.js'),
    import('../predict.js'),
  ]);
  if (options.root !== undefined) await checkRoot(options.root);
  const connection = await connect(options.queue);
  const model = await loadModel(options.model);
  picturePreprocessing(model);
  const identity = { ...(await versions()), model: { name: model.name, digest: modelDigest(model) } };
  const first = await model.compile({ threads: options.threads, batch: options.batch });
  warnIfScalar(first);
  const executors = [first, ...Array.from({ length: options.concurrency - 1 }, () => first.clone())];
  const log = (event: WorkerEvent) => writeLines([options.json ? JSON.stringify(event) : line(event)]);

  let running: RunningWorker | null = null;
  const { health } = options;
  const server = health && (await serveHealth(health.host, health.port, () => running?.isReady ?? false));
  const stopped = stopSignal();
  running = await startWorker({
    connection,
    name: options.queueName,
    identity,
    model,
    root: options.root ?? null,
    executors,
    stalledMs: options.stalledAfter * 1000,
    log,
  });
  await stopped;
  await running.stop();
  server?.close();
  for (const executor of executors) executor.dispose();
}

/** Resolves at the first SIGTERM or Ctrl-C; the next one ends the process. */
function stopSignal(): Promise<void> {
  process.removeAllListeners('SIGINT'); // of main.ts, which would end it at once
  return new Promise((resolve) => {
    let signals = 0;
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        if (++signals > 1) process.exit(signal === 'SIGINT' ? 130 : 143);
        resolve();
      });
    }
  });
}

function line(event: WorkerEvent): string {
  switch (event.event) {
    case 'ready':
      return `ready: queue ${event.queue}, model ${event.model}, ${plural(event.concurrency, 'chunk')} at a time`;
    case 'done':
      return `done: ${event.chunk}, ${plural(event.pictures, 'picture')} in ${milliseconds(event.milliseconds)}`;
    case 'failed':
      return `failed: ${event.chunk}, ${event.reason}`;
    case 'away':
      return `away: Redis does not answer (${event.reason}); waiting for it`;
    case 'back':
      return 'back: Redis answers again';
    case 'stalled':
      return `stalled: ${event.reason}`;
    case 'draining':
      return 'draining: finishing what was begun';
    case 'stopped':
      return 'stopped';
  }
}
