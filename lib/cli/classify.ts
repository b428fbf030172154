/** `bitpath classify`: what is on these pictures? */
import type { Command } from 'commander';
import type { Prediction } from '../images/predictions.js';
import { integerOption, jsonOption, modelOption, newCommand, threadsOption } from './command.js';
import { bar, cut, milliseconds, percent, terminalWidth } from './format.js';
import { codeAndMessage, reportError, warnIfScalar, writeJson, writeLines } from './output.js';
import type { Answer } from '../predict.js';
import { startProgress } from './progress.js';

interface Options {
  readonly model?: string;
  readonly top: number;
  readonly threads?: number;
  readonly json?: true;
  readonly timings?: true;
  readonly logits?: true;
}

export function classifyCommand(): Command {
  return newCommand('classify')
    .summary('say what is on pictures')
    .description('Says what is on each picture (JPEG, PNG, WebP, AVIF, GIF, TIFF, SVG), the likeliest classes first.')
    .argument('<image...>', 'picture files')
    .addOption(modelOption())
    .addOption(integerOption('-k, --top <n>', 'classes to show for each picture', 1, 1_000_000).default(5))
    .addOption(threadsOption())
    .addOption(jsonOption())
    .option('--timings', 'add times; a picture is then finished before the next one begins')
    .option('--logits', 'with --json: add the logits of all classes, in full precision')
    .addHelpText(
      'after',
      `
A picture that cannot be read is reported on stderr; the others are answered,
and the exit code is 1.

Examples:
  $ bitpath classify photo.jpg
  $ bitpath classify --json --top 1 photos/*.jpg > answers.json`,
    )
    .action(async (images: string[], options: Options, command: Command) => {
      if (options.logits && !options.json) command.error("error: option '--logits' needs '--json'");
      await classify(images, options);
    });
}

interface Timings {
  readonly load: number;
  readonly compile: number;
}

async function classify(images: readonly string[], options: Options): Promise<void> {
  const started = performance.now();
  const [{ loadModel }, { decodeImage }, { topK }, { picturePreprocessing, predict }] = await Promise.all([
    import('../model.js'),
    import('../images/decode.js'),
    import('../images/predictions.js'),
    import('../predict.js'),
  ]);
  const model = await loadModel(options.model);
  picturePreprocessing(model);
  const loaded = performance.now();
  const executor = await model.compile({ threads: options.threads });
  warnIfScalar(executor);
  const timings: Timings = { load: loaded - started, compile: performance.now() - loaded };
  if (options.timings) await executor.warmup();

  const { isa, threads } = executor;
  const results: object[] = [];
  const errors: object[] = [];
  const progress = await startProgress(images.length);
  try {
    let done = 0;
    const concurrency = options.timings ? 1 : 4;
    const decode = (path: string) => decodeImage(path);
    const nameOf = (path: string) => path;
    for await (const answer of predict(images, { model, executor, decode, nameOf, concurrency })) {
      const { item: image, logits, error } = answer;
      if (logits === null) {
        errors.push({ image, ...codeAndMessage(error) });
        progress.around(() => reportError(error));
      } else {
        const predictions = topK(logits, model.labels, options.top);
        if (options.json) results.push(resultJson(answer, predictions, options));
        else progress.around(() => writeLines(resultLines(answer, predictions, options, done > 0)));
      }
      progress.update(++done);
    }
  } finally {
    progress.stop();
    executor.dispose();
  }
  if (errors.length > 0) process.exitCode = 1;

  if (options.json) {
    const times = options.timings && { isa, threads, loadMs: timings.load, compileMs: timings.compile };
    writeJson('bitpath.classify/1', { model: model.name, results, errors, timings: times || undefined });
  } else if (options.timings) {
    const { load, compile } = timings;
    writeLines(['', `load ${milliseconds(load)}  compile ${milliseconds(compile)}  (${isa}, threads: ${threads})`]);
  }
}

function resultJson(
  { item, logits, times }: Answer<string>,
  predictions: readonly Prediction[],
  options: Options,
): object {
  return {
    image: item,
    predictions: predictions.map(({ index, id, name, probability }) => ({ index, id, name, probability })),
    logits: options.logits && logits ? Array.from(logits) : undefined,
    timings: options.timings && { decodeMs: times.decode, preprocessMs: times.preprocess, runMs: times.run },
  };
}

const BAR_COLUMNS = 20;

function resultLines(
  { item, times: { decode, preprocess, run } }: Answer<string>,
  predictions: readonly Prediction[],
  options: Options,
  separated: boolean,
): string[] {
  const lines = predictions.map(({ name, probability }) => {
    return cut(`${percent(probability).padStart(9)}  ${bar(probability, BAR_COLUMNS)}  ${name}`, terminalWidth());
  });
  if (options.timings) {
    const [decoded, prepared, ran] = [decode, preprocess, run].map(milliseconds);
    lines.push(`  decode ${decoded}  preprocess ${prepared}  run ${ran}`);
  }
  return [...(separated ? [''] : []), item, ...lines];
}
