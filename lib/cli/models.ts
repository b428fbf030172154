/** `bitpath models`: what is there to run? */
import type { Command } from 'commander';
import { jsonOption, newCommand } from './command.js';
import { bytes, facts, table, terminalWidth, textWidth } from './format.js';
import { writeJson, writeLines } from './output.js';

interface Options {
  readonly json?: true;
  readonly architectures?: true;
}

export function modelsCommand(): Command {
  return newCommand('models')
    .summary('list the trained networks that come with bitpath')
    .description('Lists the trained networks that come with bitpath, the default one first.')
    .addOption(jsonOption())
    .option('--architectures', 'list the networks that bitpath can build instead; they have no weights')
    .addHelpText(
      'after',
      `
Storage is a bit for each 1-bit weight and 32 for each other number. Computation
is multiply-adds of one picture, with 64 of 1 bit counted as one. Top-1 and
top-5 are accuracies in per cent, as measured by whoever trained the network.

Examples:
  $ bitpath models
  $ bitpath models --architectures`,
    )
    .action((options: Options) => (options.architectures ? architectures(options) : models(options)));
}

async function models({ json }: Options): Promise<void> {
  const { listModels } = await import('../model.js');
  const models = await listModels();
  if (json) {
    writeJson('bitpath.models/1', { models });
    return;
  }
  const rows = models.map(({ name, architecture, input, bytes: size, top1, top5, ...model }) => [
    model.default ? `${name} *` : name,
    architecture,
    `${input.height}×${input.width}`,
    bytes(size),
    `${(model.storageBits / 1e6).toFixed(1)} Mbit`,
    `${((model.binaryMacs / 64 + model.realMacs) / 1e6).toFixed(1)} M`,
    top1?.toFixed(2) ?? '–',
    top5?.toFixed(2) ?? '–',
  ]);
  const lines = table(COLUMNS, rows, Number.POSITIVE_INFINITY);
  const fits = lines.every((line) => textWidth(line) <= terminalWidth());
  writeLines([...(fits ? lines : rows.flatMap(block)), '', '* default']);
}

const COLUMNS = [
  { title: 'model' },
  { title: 'architecture' },
  { title: 'input' },
  { title: 'size', align: 'right' },
  { title: 'storage', align: 'right' },
  { title: 'computation', align: 'right' },
  { title: 'top-1', align: 'right' },
  { title: 'top-5', align: 'right' },
] as const;

/** A row for terminals that are too narrow for the table. */
function block([name = '', ...cells]: readonly string[], index: number): string[] {
  const pairs = cells.map((cell, i) => [`  ${COLUMNS[i + 1]?.title}`, cell] as const);
  return [...(index > 0 ? [''] : []), name, ...facts(pairs, terminalWidth())];
}

async function architectures({ json }: Options): Promise<void> {
  const [{ listArchitectures }, { listUnits }] = await Promise.all([
    import('../architectures/index.js'),
    import('../blocks/units/index.js'),
  ]);
  const architectures = listArchitectures().map(({ body: _, reported: __, ...rest }) => rest);
  const units = listUnits().map(({ name, title, formula }) => ({ name, title, formula }));
  if (json) {
    writeJson('bitpath.architectures/1', { architectures, units });
    return;
  }
  const columns = [
    { title: 'architecture' },
    { title: 'title' },
    { title: 'row' },
    { title: 'status' },
    { title: 'beyond Bi-Real ResNet18' },
  ];
  const rows = architectures.map(({ name, title, rows: numbers, status, beyond, sameGraphAs }) => [
    name,
    title,
    numbers.join(', '),
    status,
    sameGraphAs === null ? beyond : `the graph of ${sameGraphAs}`,
  ]);
  const width = terminalWidth();
  const lines = table(columns, rows, Number.POSITIVE_INFINITY);
  const fits = lines.every((line) => textWidth(line) <= width);
  // Half a sentence says nothing.
  writeLines([
    ...(fits ? lines : table(columns.slice(0, -1), rows, width)),
    '',
    ...facts(
      [
        ['row', 'of the paper’s Table 1'],
        ['status', 'fact, reconstructed in part, or declared: our own choice in part (docs/architectures.md)'],
        ['units', `${units.map(({ name }) => name).join(', ')}: an architecture with another unit is called`],
        ['', '<architecture>+<unit>, such as igp-resnet37-41+reactnet'],
      ],
      width,
    ),
  ]);
}
