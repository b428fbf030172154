/** `bitpath convert`: a model file out of an ONNX file. */
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { BitpathError, isNodeError } from '../errors.js';
import type { Label } from '../model.js';
import type { Convolution, OnnxReport } from '../onnx/import/index.js';
import { jsonOption, newCommand } from './command.js';
import { bytes, facts, short, table, terminalWidth, wrap } from './format.js';
import { writeJson, writeLines } from './output.js';

interface Options {
  readonly name?: string;
  readonly labels?: string;
  readonly preprocessing?: string;
  readonly json?: true;
}

export function convertCommand(): Command {
  return newCommand('convert')
    .summary('make a model file of an ONNX file')
    .description(
      'Reads a network from an ONNX file, recognises its 1-bit convolutions, writes it as a\nbitpath model and says what became of each convolution.',
    )
    .argument('<in.onnx>', 'the ONNX file; its external data lie beside it')
    .argument('<out.safetensors>', 'the model file to write')
    .option('--name <name>', 'name of the model (default: that of the ONNX file)')
    .option('--labels <file>', 'classes, one a line: a name, or an id, a tab and a name')
    .option('--preprocessing <file>', 'JSON as in a model file, or the word imagenet')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Without preprocessing a model takes tensors, but no pictures. "imagenet" scales
the shorter side to 8/7 of the network's input, crops the centre, and normalises
with ImageNet's mean and standard deviation.

Examples:
  $ bitpath convert birealnet18.onnx birealnet18.safetensors
  $ bitpath convert net.onnx net.safetensors --preprocessing imagenet --labels classes.txt
  $ bitpath diff net.safetensors net.onnx`,
    )
    .action(convert);
}

async function convert(source: string, target: string, options: Options): Promise<void> {
  const [{ fromOnnx }, { Model }] = await Promise.all([import('../onnx/import/index.js'), import('../model.js')]);
  const { name, labels, preprocessing, json } = options;
  const { model: found, report } = await fromOnnx(source, name === undefined ? {} : { name });
  const [, height, width] = report.input.shape;
  const model = new Model({
    ...found,
    labels: labels === undefined ? found.labels : await readLabels(labels),
    preprocessing:
      preprocessing === undefined ? found.preprocessing : await readPreprocessing(preprocessing, height, width),
  });
  await model.save(target);
  const size = model.toBytes().length;
  if (json) {
    const { labels: classes, preprocessing: steps } = model;
    writeJson('bitpath.convert/1', {
      model: model.name,
      file: target,
      bytes: size,
      labels: classes?.length ?? null,
      preprocessing: steps,
      ...report,
    });
    return;
  }
  writeLines([...describeReport(report), '', `${target}: ${bytes(size)}`]);
}

function describeReport({ producer, opset, input, outputs, convolutions, notes, ...costs }: OnnxReport): string[] {
  const width = terminalWidth();
  const list = (tensors: readonly { readonly name: string; readonly shape: readonly number[] }[]) =>
    tensors.map(({ name, shape }) => `${name} ${shape.join('×')}`).join(', ');
  const binary = convolutions.filter((layer) => layer.binary);
  const saved = convolutions.reduce((sum, layer) => sum + layer.floatBytes - layer.bytes, 0);
  return [
    ...facts(
      [
        ['from', `${producer || 'unknown'}, opset ${opset}`],
        ['input', list([input])],
        ['outputs', list(outputs)],
        ['1-bit', `${binary.length} of ${convolutions.length} layers, ${bytes(saved)} of weights saved`],
        ['MACs', `${short(costs.binaryMacs)} of 1 bit, ${short(costs.realMacs)} real`],
      ],
      width,
    ),
    '',
    ...table(COLUMNS, convolutions.map(row), width),
    ...notes.flatMap(({ text, nodes }) => {
      const shown = nodes.slice(0, 4).join(', ');
      const more = nodes.length > 4 ? ` and ${nodes.length - 4} more` : '';
      return ['', ...wrap(`Note: ${text}: ${shown}${more}.`, width)];
    }),
  ];
}

const COLUMNS = [
  { title: 'layer' },
  { title: 'bits', align: 'right' },
  { title: 'weights' },
  { title: 'MACs', align: 'right' },
  { title: 'bytes', align: 'right' },
  { title: 'because' },
] as const;

function row({ node, binary, weight, macs, bytes: size, reason, padValue }: Convolution): string[] {
  const padding = padValue === 0 ? '' : `, padded with ${padValue > 0 ? '+' : '−'}1`;
  return [node, binary ? '1' : '32', weight.join('×'), short(macs), bytes(size), reason + padding];
}

async function readLabels(path: string): Promise<Label[]> {
  const lines = (await readText(path)).split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line, index) => {
    const tab = line.indexOf('\t');
    return tab === -1 ? { id: String(index), name: line } : { id: line.slice(0, tab), name: line.slice(tab + 1) };
  });
}

async function readPreprocessing(given: string, height: number, width: number) {
  const { checkPreprocessing, defaultPreprocessing } = await import('../images/preprocessing.js');
  if (given !== 'imagenet') {
    const text = await readText(given);
    try {
      return checkPreprocessing(given, JSON.parse(text));
    } catch (cause) {
      if (cause instanceof BitpathError) throw cause;
      throw usageError(`${given} is no JSON (${(cause as Error).message})`, cause);
    }
  }
  const standard = defaultPreprocessing(height, width);
  const shorterSide = Math.max(Math.round((Math.min(height, width) * 8) / 7), Math.max(height, width));
  return { ...standard, resize: { ...standard.resize, shorterSide } };
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw usageError(`${path} cannot be read (${isNodeError(cause) ? cause.message : String(cause)})`, cause);
  }
}

function usageError(reason: string, cause: unknown): BitpathError {
  return new BitpathError('ERR_BITPATH_USAGE', { reason }, { cause });
}
