/**
 * The service under load: requests a second and latencies by connections, with and without batching, from tensors and from JPEGs,
 * beside the same service over onnxruntime's float ResNet18 and beside the bare executor, all in turns.
 *
 *   npm run bench:serve -- [--quick] [--rounds 3] [--ms 600] [--levels 1,2,4] [--network name] [--no-save]
 */
import { parseArgs } from 'node:util';
import { loadCharts } from '#lib/bench/charts.js';
import { doublings } from '#lib/bench/context.js';
import { reportError, writeLines } from '#lib/cli/output.js';
import { native } from '#lib/native.js';
import { bareTable, goalsTable, loadTable, machineLine } from './service/report.js';
import { runServe } from './service/run.js';
import { resultName, save, toJson } from './service/save.js';
import { sayer } from './service/say.js';
import { latencySvg, throughputSvg } from './service/svg.js';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    ms: { type: 'string' },
    levels: { type: 'string' },
    network: { type: 'string', default: 'bireal-resnet18-64' },
    rival: { type: 'string', default: 'resnet18' },
    size: { type: 'string', default: '224' },
    threads: { type: 'string' },
    'max-batch': { type: 'string', default: '8' },
    'no-save': { type: 'boolean', default: false },
  },
});

try {
  const { quick } = values;
  const cpus = native().availableThreads();
  const result = await runServe(
    {
      network: values.network,
      rival: values.rival,
      size: Number(values.size),
      // As a server has it by default.
      threads: Number(values.threads ?? Math.max(1, cpus - 1)),
      loneThreads: values.threads === undefined ? cpus : Number(values.threads),
      cpus,
      rounds: Number(values.rounds ?? (quick ? 1 : 3)),
      milliseconds: Number(values.ms ?? (quick ? 200 : 600)),
      levels: values.levels?.split(',').map(Number) ?? (quick ? [1, 8, 64] : doublings(256)),
      maxBatch: Number(values['max-batch']),
    },
    sayer(),
  );
  writeLines([machineLine(result), '', ...loadTable(result.load), '', ...bareTable(result), '', ...goalsTable(result)]);
  if (!values['no-save']) {
    const charts = await loadCharts();
    const name = resultName('serve', result.machine);
    const files = {
      '.json': toJson(result),
      '-throughput.svg': throughputSvg(charts, result.load),
      '-p99.svg': latencySvg(charts, result.load),
    };
    writeLines(['', ...save(name, files)]);
  }
} catch (error) {
  reportError(error);
  process.exitCode = 1;
}
