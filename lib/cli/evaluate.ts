/** `bitpath evaluate`: how often is a network right? */
import type { Command } from 'commander';
import type { Sample } from '../datasets.js';
import { integerOption, jsonOption, modelOption, newCommand, threadsOption } from './command.js';
import { facts, percent, plural, terminalWidth } from './format.js';
import { codeAndMessage, reportError, warnIfScalar, writeJson, writeLines } from './output.js';
import { startProgress } from './progress.js';

interface Options {
  readonly model?: string;
  readonly threads?: number;
  readonly limit?: number;
  readonly json?: true;
  readonly timings?: true;
}

export function evaluateCommand(): Command {
  return newCommand('evaluate')
    .summary('measure a network’s accuracy on labelled pictures')
    .description(
      'Measures top-1 and top-5 accuracy and calibration on labelled pictures, and how many it classifies a second.',
    )
    .argument('<data>', 'a folder with a folder of pictures for each class, or a .bin pack')
    .addOption(modelOption())
    .addOption(
      integerOption('-n, --limit <n>', 'take only so many pictures, evenly spread over the data', 1, 2 ** 31 - 1),
    )
    .addOption(threadsOption())
    .addOption(jsonOption())
    .option('--timings', 'with --json: add times and pictures a second')
    .addHelpText(
      'after',
      `
Class folders are called after a label’s id or one of its names (n01443537,
goldfish). Pictures that cannot be read are reported on stderr and left out; the
exit code is then 1.

Examples:
  $ bitpath evaluate validation/
  $ bitpath evaluate val.bin --limit 1000 --json`,
    )
    .action(evaluate);
}

/** Pictures that are computed together: large enough for a team of threads, small enough for a lively bar. */
const BATCH = 16;

/** Of confidence, for the calibration error. */
const BINS = 15;

async function evaluate(path: string, options: Options): Promise<void> {
  const [{ loadModel, outputShape }, { openDataset }, { decodeImage }, { topK }, { picturePreprocessing, predict }] =
    await Promise.all([
      import('../model.js'),
      import('../datasets.js'),
      import('../images/decode.js'),
      import('../images/predictions.js'),
      import('../predict.js'),
    ]);
  const model = await loadModel(options.model);
  picturePreprocessing(model);
  const dataset = await openDataset(path, { classes: outputShape(model.graph).channels, labels: model.labels });
  const total = Math.min(options.limit ?? dataset.size, dataset.size);
  const executor = await model.compile({ threads: options.threads, batch: Math.min(BATCH, total) });
  warnIfScalar(executor);
  await executor.warmup();

  const { isa, threads } = executor;
  const count = { images: 0, top1: 0, top5: 0 };
  /** Σ confidence − Σ right in each bin. */
  const gaps = new Float64Array(BINS);
  const errors: object[] = [];
  let runMs = 0;
  const progress = await startProgress(total);
  const start = performance.now();
  try {
    const decode = (sample: Sample) => decodeImage(sample.bytes, { name: sample.name });
    const nameOf = ({ name }: Sample) => name;
    const concurrency = threads + 3;
    for await (const answer of predict(dataset.samples(total), { model, executor, decode, nameOf, concurrency })) {
      const { item, logits, error, times } = answer;
      if (logits === null) {
        errors.push({ image: item.name, ...codeAndMessage(error) });
        progress.around(() => reportError(error));
      } else {
        const first = topK(logits, null, 5);
        const rank = first.findIndex(({ index }) => index === item.label);
        const confidence = first[0]?.probability ?? 0;
        const bin = Math.min(BINS - 1, Math.floor(confidence * BINS));
        gaps[bin] = (gaps[bin] ?? 0) + confidence - Number(rank === 0);
        count.images++;
        if (rank === 0) count.top1++;
        if (rank >= 0) count.top5++;
        runMs += times.run;
      }
      const rate = count.images / ((performance.now() - start) / 1000);
      const accuracy = count.images === 0 ? '–' : percent(count.top1 / count.images);
      progress.update(count.images + errors.length, `top-1 ${accuracy}  ${rate.toFixed(0)} images/s`);
    }
  } finally {
    progress.stop();
    executor.dispose();
  }
  if (errors.length > 0) process.exitCode = 1;

  const seconds = (performance.now() - start) / 1000;
  const { images, top1, top5 } = count;
  const inPercent = (correct: number) => (images === 0 ? null : (100 * correct) / images);
  const calibrationError = inPercent(gaps.reduce((sum, gap) => sum + Math.abs(gap), 0));
  const speed = {
    imagesPerSecond: images / seconds,
    networkImagesPerSecond: runMs === 0 ? 0 : images / (runMs / 1000),
  };
  if (options.json) {
    writeJson('bitpath.evaluate/1', {
      model: model.name,
      data: path,
      images,
      top1: inPercent(top1),
      top5: inPercent(top5),
      top1Correct: top1,
      top5Correct: top5,
      ece: calibrationError,
      errors,
      timings: options.timings && { isa, threads, seconds, ...speed },
    });
    return;
  }
  const line = (correct: number) => (images === 0 ? '–' : `${percent(correct / images, 2)}  (${correct} of ${images})`);
  const pairs: [string, string][] = [
    ['model', model.name],
    ['data', path],
    ['top-1', line(top1)],
    ['top-5', line(top5)],
    ['ECE', calibrationError === null ? '–' : `${calibrationError.toFixed(2)} %  (calibration error, ${BINS} bins)`],
    ['speed', `${speed.imagesPerSecond.toFixed(0)} images/s from file to class`],
    [
      '',
      `${speed.networkImagesPerSecond.toFixed(0)} images/s the network alone (${isa}, threads: ${threads}, batch ${executor.batch})`,
    ],
  ];
  if (errors.length > 0) pairs.push(['failed', `${plural(errors.length, 'picture')}, left out of the figures`]);
  writeLines(facts(pairs, terminalWidth()));
}
