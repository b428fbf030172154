/** `bitpath diff`: where do two engines part? */
import type { Command } from 'commander';
import type { Model } from '../model.js';
import type { Comparison, LayerReport } from '../onnx/diff/index.js';
import { integerOption, jsonOption, newCommand, threadsOption } from './command.js';
import { findNetwork } from './find.js';
import { plural, short, table, terminalWidth } from './format.js';
import { writeJson, writeLines } from './output.js';
import { startProgress } from './progress.js';

interface Options {
  readonly images: number;
  readonly seed: number;
  readonly threads?: number;
  readonly json?: true;
  readonly all?: true;
}

export function diffCommand(): Command {
  return newCommand('diff')
    .summary('compare a network with another engine, layer by layer')
    .description(
      'Runs an ONNX model in onnxruntime (or takes tensors that were recorded elsewhere), computes each layer of the network ' +
        'from the other side’s own tensors, and says where the two part.',
    )
    .argument(
      '<model-or-architecture>',
      'a shipped model, a .safetensors file, or an architecture (gets random weights)',
    )
    .argument('<file>', 'an ONNX model, or recorded tensors: .npz or .safetensors')
    .addOption(integerOption('-n, --images <n>', 'random inputs for an ONNX model', 1, 1024).default(2))
    .addOption(integerOption('--seed <n>', 'of the random inputs', 0, 2 ** 31 - 1).default(0))
    .option('--all', 'show the layers that are equal too')
    .addOption(threadsOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Layers lie between values that have the same name on both sides. Equal means:
within 1e-4 of the layer's largest value, and no sign flipped farther than 1e-3
from its threshold. One that differs exits with 1.

ONNX models need the package onnxruntime-node.

Examples:
  $ bitpath diff igp-resnet37-41-reactnet-tiny-imagenet out.onnx
  $ bitpath diff model.safetensors golden.npz --json`,
    )
    .action(diff);
}

async function diff(name: string, file: string, options: Options): Promise<void> {
  const { model } = await findNetwork(name);
  const progress = await startProgress(model.graph.nodes.length);
  let done = 0;
  const onLayer = ({ nodes }: LayerReport) => {
    done += nodes.length;
    progress.update(done);
  };
  let comparison: Comparison;
  try {
    comparison = await compare(model, file, options, onLayer);
  } finally {
    progress.stop();
  }
  if (!comparison.agree) process.exitCode = 1;
  if (options.json) writeJson('bitpath.diff/1', documentOf(model, file, comparison));
  else writeLines(linesOf(comparison, options.all === true));
}

async function compare(
  model: Model,
  file: string,
  { images, seed, threads = 2 }: Options,
  onLayer: (report: LayerReport) => void,
): Promise<Comparison> {
  const { compareWithProto, compareWithTensors } = await import('../onnx/diff/index.js');
  if (/\.(npz|safetensors)$/i.test(file)) {
    return compareWithTensors(model, await readTensors(file), { threads, onLayer });
  }
  const { readOnnxFile } = await import('../onnx/proto/file.js');
  return compareWithProto(model, await readOnnxFile(file), { images, seed, threads, file, onLayer });
}

async function readTensors(file: string) {
  const [{ readFile }, { readNpz }, { readSafetensors }, { BitpathError }] = await Promise.all([
    import('node:fs/promises'),
    import('../formats/npz.js'),
    import('../formats/safetensors.js'),
    import('../errors.js'),
  ]);
  const bytes = await readFile(file).catch((cause: Error) => {
    throw new BitpathError(
      'ERR_BITPATH_MODEL_FILE',
      { file, reason: `it cannot be read (${cause.message})` },
      { cause },
    );
  });
  return /\.npz$/i.test(file) ? readNpz(bytes, file) : readSafetensors(bytes, file).tensors;
}

function documentOf(model: Model, file: string, { layers, endToEnd, ...rest }: Comparison): Record<string, unknown> {
  return { model: model.name, file, ...rest, layers, endToEnd };
}

const COLUMNS = [
  { title: 'layer' },
  { title: 'ops' },
  { title: 'shape' },
  { title: 'difference', align: 'right' },
  { title: 'signs flipped', align: 'right' },
  { title: '' },
] as const;

function linesOf({ layers, endToEnd, values, known, agree }: Comparison, all: boolean): string[] {
  const shown = all ? layers : layers.filter(({ verdict }) => verdict !== 'equal');
  const rows = shown.map(({ name, ops, shape, relative, signs, verdict, hint }) => [
    name,
    ops.length > 4 ? `${ops.slice(0, 3).join(' ')} … ${ops.at(-1)}` : ops.join(' '),
    `${shape.channels}×${shape.height}×${shape.width}`,
    relative === 0 ? '0' : relative.toExponential(1),
    signs.clear + signs.near === 0 ? '–' : `${signs.flipped} + ${signs.nearFlipped} near`,
    hint === '' ? verdict : `${verdict}: ${hint}`,
  ]);
  const lines = rows.length > 0 ? [...table(COLUMNS, rows, terminalWidth()), ''] : [];
  const count = (verdict: string) => layers.filter((layer) => layer.verdict === verdict).length;
  const signs = layers.reduce((sum, layer) => sum + layer.signs.clear + layer.signs.near, 0);
  const near = layers.reduce((sum, layer) => sum + layer.signs.near, 0);
  lines.push(
    `${plural(layers.length, 'layer')} compared (${known} of ${values} values have a counterpart): ${count('equal')} equal, ` +
      `${count('differs')} differ, ${count('sensitive')} too sensitive to tell`,
    `largest difference of an equal layer ${largest(layers)}; ${short(signs)} signs, ${short(near)} of them near a threshold`,
  );
  if (endToEnd !== null) {
    const { images, sameTop1, relative } = endToEnd;
    lines.push(
      `end to end, where one flipped sign changes all that follows: ${sameTop1} of ${plural(images, 'image')} with the same ` +
        `top-1, outputs within ${relative.toExponential(1)} of the largest`,
    );
  }
  const first = layers.find(({ verdict }) => verdict === 'differs');
  if (first !== undefined) lines.push('', ...verdictLines(first));
  else if (!agree) lines.push('', SENSITIVE);
  return lines;
}

const SENSITIVE =
  'No layer is wrong for sure. Those that are too sensitive have signs inside, of values that both sides compute themselves: ' +
  'with tensors from between those signs they could be told.';

function verdictLines({ name, nodes, signs }: LayerReport): string[] {
  const range = nodes.length > 1 ? `${nodes[0]} … ${name}` : name;
  const consequence =
    signs.flipped > 0
      ? `${plural(signs.flipped, 'sign')} flip that are no matter of rounding, so all layers after it see another input.`
      : 'The difference is more than rounding, and all layers after it see another input.';
  return [`They part first at ${range}. ${consequence}`];
}

function largest(layers: readonly LayerReport[]): string {
  const equal = layers.filter(({ verdict }) => verdict === 'equal').map(({ relative }) => relative);
  // A layer of bits is all or nothing: signs near a threshold have a column of their own.
  return Math.max(0, ...equal.filter((relative) => relative <= 1e-4)).toExponential(1);
}
