/** `bitpath analyze`: how do gradients get through a network? As text, and as pictures. */
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { ArchitectureOptions } from '../architectures/index.js';
import type { Graph } from '../graph/types.js';
import { BitpathError } from '../errors.js';
import { integerOption, jsonOption, newCommand } from './command.js';
import { writeJson, writeLines } from './output.js';

/** Those of `lib/pictures`, which is loaded when the command runs; a test holds the two equal. */
export const PICTURES = ['block', 'network', 'computation', 'storage', 'n2nd'] as const;

interface Options {
  readonly block?: string;
  readonly levels: number;
  readonly groupBy: 'cost' | 'length';
  readonly join?: 'mean' | 'sum';
  readonly inputSize?: number;
  readonly svg?: string;
  readonly picture?: (typeof PICTURES)[number];
  readonly html?: string;
  readonly json?: true;
}

export function analyzeCommand(): Command {
  return newCommand('analyze')
    .summary('count a network’s gradient paths, and draw them')
    .description(
      'Shows what a network’s blocks are, how cheaply gradients get through them (N_1st, N_2nd, N_3rd of the paper), and what the network stores and computes; draws it on request.',
    )
    .argument('<architecture-or-model>', 'an architecture, a shipped model or a .safetensors file')
    .option(
      '--block <names>',
      'the block to draw, or several in a row with commas\nbetween (default: the first two layers or more)',
    )
    .addOption(integerOption('--levels <n>', 'levels of gradient paths, 1 to 5', 1, 5).default(3))
    .addOption(new Option('--group-by <what>', 'what makes a level').choices(['cost', 'length']).default('cost'))
    .addOption(
      new Option('--join <how>', 'how branches meet, where it is left open (default: mean)').choices(['mean', 'sum']),
    )
    .addOption(integerOption('--input-size <pixels>', 'height and width of the input (default: 224)', 1, 65535))
    .option('--svg <file>', 'write one picture (needs the package elkjs, or echarts for plots)')
    .addOption(new Option('--picture <which>', 'the picture of --svg (default: block)').choices(PICTURES))
    .option('--html <file>', 'write a page with all of them (needs both packages)')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
A gradient path leads from a block's output back to its input; its cost N is the
sum of the multiply-accumulates of the 1-bit convolutions on it, its length L
their number. N_2nd is the second smallest cost that occurs.

Examples:
  $ bitpath analyze igp-resnet37-41
  $ bitpath analyze bireal-resnet18-64 --block body.4,body.5 --svg paths.svg
  $ bitpath analyze binary-densenet51-32 --group-by length --html page.html`,
    )
    .action(analyze);
}

async function analyze(name: string, options: Options): Promise<void> {
  const { block, levels, groupBy, svg, html, json, picture = 'block' } = options;
  if (svg === undefined && options.picture !== undefined) throw usageError('--picture is the picture of --svg <file>');
  if (svg !== undefined && html !== undefined && resolve(svg) === resolve(html)) {
    throw usageError(`--svg and --html would both write ${svg}`);
  }
  const [{ analyseNetwork }, { drawing }, text, { listArchitectures }, { storageRuleOf }] = await Promise.all([
    import('../pictures/networkAnalysis.js'),
    import('../pictures/index.js'),
    import('./analyzeText.js'),
    import('../architectures/index.js'),
    import('../analysis/table1Rules.js'),
  ]);
  const graph = await findGraph(name, options);
  const architecture = listArchitectures().find((known) => known.name === name) ?? null;
  // As its row of Table 1 is counted, which table1 shows.
  const storage = storageRuleOf(architecture?.rows ?? []);
  const analysis = analyseNetwork(graph, {
    levels,
    groupBy,
    ...(block !== undefined && { block }),
    ...(storage !== undefined && { storage }),
  });
  const subject = { analysis, architecture, title: architecture?.title ?? name };

  const files: [file: string, content: string][] = [];
  // All of it is drawn before anything is written.
  if (svg !== undefined) files.push([svg, await drawing(subject, picture)]);
  if (html !== undefined) files.push([html, await drawing(subject, 'page')]);
  const { writeFile } = await import('node:fs/promises');
  for (const [file, content] of files) await writeFile(file, content);

  if (json) writeJson('bitpath.analyze/1', text.documentOf(subject));
  else {
    const written = files.map(([file]) => `written: ${file}`);
    writeLines([...text.linesOf(subject), ...(written.length > 0 ? ['', ...written] : [])]);
  }
}

/** An architecture with these options, or the graph of a model, which is what it is. */
async function findGraph(name: string, { join, inputSize }: Options): Promise<Graph> {
  const { buildArchitecture, listArchitectures } = await import('../architectures/index.js');
  const isKnown = listArchitectures().some((architecture) => architecture.name === name);
  const build: ArchitectureOptions = { ...(join && { join }), ...(inputSize !== undefined && { inputSize }) };
  if (isKnown) return buildArchitecture(name, build);
  const { findNetwork } = await import('./find.js');
  const { model, isRandom } = await findNetwork(name);
  if (isRandom) return buildArchitecture(name, build);
  if (Object.keys(build).length > 0) {
    const reason = `a model has its own join and input size: --join and --input-size are for architectures, ${name} is none`;
    throw usageError(reason);
  }
  return model.graph;
}

function usageError(reason: string): BitpathError {
  return new BitpathError('ERR_BITPATH_USAGE', { reason });
}
