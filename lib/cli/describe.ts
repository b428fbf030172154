/** `bitpath describe`: what is in a network, and how does this machine run it? */
import type { Command } from 'commander';
import type { ExecutorDescription, InstructionDescription, InstructionProfile } from '../executor.js';
import type { Model } from '../model.js';
import { integerOption, jsonOption, newCommand, threadsOption } from './command.js';
import { findNetwork } from './find.js';
import { bytes, cut, facts, percent, plural, short, table, terminalWidth, textWidth } from './format.js';
import { warnIfScalar, writeJson, writeLines } from './output.js';

interface Options {
  readonly json?: true;
  readonly threads?: number;
  readonly batch: number;
  readonly profile?: true;
}

export function describeCommand(): Command {
  return newCommand('describe')
    .summary('show what is in a network and how this machine runs it')
    .description('Shows a network’s input, preprocessing and size, and each instruction that it is compiled to here.')
    .argument(
      '<model-or-architecture>',
      'a shipped model, a .safetensors file, or an architecture, also with another unit (gets random weights)',
    )
    .addOption(threadsOption())
    .addOption(integerOption('-b, --batch <n>', 'images computed together', 1, 65536).default(1))
    .option('--profile', 'run it, and show how long each instruction takes')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
MACs are multiply-accumulates of one image; bytes are packed weights and
constants. With --profile: median microseconds of one image, and what share of
them the MACs would take if nothing else stood in their way.

Examples:
  $ bitpath describe igp-densenet51-53-tiny-imagenet --profile --threads 1
  $ bitpath describe igp-resnet37-41+reactnet
  $ bitpath describe bireal-resnet18-64 --json`,
    )
    .action(describe);
}

async function describe(name: string, options: Options): Promise<void> {
  const { model, isRandom } = await findNetwork(name);
  const executor = await model.compile({ threads: options.threads, batch: options.batch });
  warnIfScalar(executor);
  const description = {
    ...(await summarise(model)),
    isRandom,
    acceptsUint8: executor.acceptsUint8,
    compiled: executor.describe({ profile: options.profile ?? false }),
  };
  executor.dispose();
  if (options.json) writeJson('bitpath.describe/1', documentOf(description));
  else writeLines(linesOf(description));
}

interface Summary {
  readonly model: Model;
  readonly outputs: readonly { readonly name: string; readonly shape: Shape }[];
  readonly input: Shape;
  /** Numbers of 1-bit and of float32 parameters. */
  readonly bits: number;
  readonly floats: number;
}
interface Shape {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

async function summarise(model: Model): Promise<Summary> {
  const [{ inputShape }, { countParams }] = await Promise.all([import('../model.js'), import('../graph/index.js')]);
  const { graph } = model;
  const outputs = graph.outputs.map(({ name, value }) => ({
    name,
    shape: (graph.values[value] as { shape: Shape }).shape,
  }));
  return { model, outputs, input: inputShape(graph), ...countParams(graph) };
}

interface Description extends Summary {
  readonly isRandom: boolean;
  readonly acceptsUint8: boolean;
  readonly compiled: ExecutorDescription;
}

/** What one image costs that comes as `input`: instructions for the other kind of input do not run. */
function totals(instructions: readonly InstructionDescription[], input: 'float32' | 'uint8') {
  const run = instructions.filter((instruction) => instruction.input === 'any' || instruction.input === input);
  const macs = (ops: readonly InstructionDescription[]) => ops.reduce((sum, instruction) => sum + instruction.macs, 0);
  return {
    instructions: run.length,
    binaryMacs: macs(run.filter(({ op }) => op === 'binaryConv')),
    realMacs: macs(run.filter(({ op }) => op !== 'binaryConv')),
  };
}

function documentOf(description: Description): Record<string, unknown> {
  const { model, isRandom, input, outputs, bits, floats, acceptsUint8, compiled } = description;
  const { instructions, ...rest } = compiled;
  return {
    name: model.name,
    randomParameters: isRandom,
    provenance: model.provenance,
    input: { ...input, dtypes: acceptsUint8 ? ['float32', 'uint8'] : ['float32'] },
    preprocessing: model.preprocessing,
    outputs: outputs.map(({ name, shape }) => ({ name, ...shape })),
    labels: model.labels?.length ?? 0,
    parameters: { binary: bits, real: floats, storageBits: bits + 32 * floats },
    compiled: rest,
    instructions,
    totals: {
      float32: totals(instructions, 'float32'),
      uint8: acceptsUint8 ? totals(instructions, 'uint8') : undefined,
    },
  };
}

function linesOf(description: Description): string[] {
  const { model, isRandom, input, outputs, bits, floats, acceptsUint8, compiled } = description;
  const { preprocessing, provenance } = model;
  const width = terminalWidth();
  const pairs: [string, string][] = [
    ['name', model.name],
    ['title', String(provenance.title ?? model.graph.name)],
    ['input', `${shapeText(input)}: float32${acceptsUint8 ? ', or a picture (uint8)' : ''}`],
  ];
  if (isRandom) pairs.push(['weights', 'random: this network has learnt nothing']);
  if (preprocessing !== null) {
    const { resize, crop, mean, std } = preprocessing;
    const antialiased = resize.antialias ? ', antialiased' : '';
    pairs.push(
      [
        'preprocessing',
        `shorter side to ${resize.shorterSide} (${resize.interpolation}${antialiased}), centre crop ${crop.height}×${crop.width},`,
      ],
      ['', `mean ${mean.join(' ')}, std ${std.join(' ')}`],
    );
  }
  const storage = bits / 8 + 4 * floats;
  pairs.push(
    ['outputs', outputs.map(({ name, shape }) => `${name} ${shapeText(shape)}`).join(', ')],
    [
      'parameters',
      `${short(bits)} of 1 bit, ${short(floats)} of float32: ${bytes(storage)} (${((storage * 8) / 1e6).toFixed(1)} Mbit)`,
    ],
    ['compiled for', `${compiled.isa}, ${plural(compiled.threads, 'thread')}, batch ${compiled.batch}`],
    ...profileFacts(compiled),
    ['memory', `weights ${bytes(compiled.weightBytes)}, feature maps ${bytes(compiled.arenaBytes)}`],
  );
  for (const kind of acceptsUint8 ? (['uint8', 'float32'] as const) : (['float32'] as const)) {
    const { instructions, binaryMacs, realMacs } = totals(compiled.instructions, kind);
    const name = kind === 'uint8' ? 'one picture' : 'one tensor';
    pairs.push([name, `${instructions} instructions, ${short(binaryMacs)} 1-bit MACs, ${short(realMacs)} real MACs`]);
  }
  return [...facts(pairs, width), '', ...instructionLines(compiled.instructions, width)];
}

function profileFacts({ profile, instructions }: ExecutorDescription): [string, string][] {
  if (profile === undefined) return [];
  const ran = instructions.filter(({ input }) => input === 'any' || input === profile.input);
  const sum = (of: 'nanoseconds' | 'cycles' | 'floorCycles') =>
    ran.reduce((total, instruction) => total + (instruction.profile?.[of] ?? 0), 0);
  const what = profile.input === 'uint8' ? 'a picture' : 'a tensor';
  const share = percent(sum('floorCycles') / sum('cycles'), 0);
  return [
    [
      'time',
      `${(sum('nanoseconds') / 1e6).toFixed(2)} ms for ${what}, ${share} of it MACs, at ${profile.clockGHz.toFixed(2)} GHz`,
    ],
  ];
}

const COLUMNS = [
  { title: '#', align: 'right' },
  { title: 'kernel' },
  { title: 'ISA' },
  { title: 'output' },
  { title: 'MACs', align: 'right' },
  { title: 'bytes', align: 'right' },
] as const;
const TIMES = [
  { title: 'µs', align: 'right' },
  { title: 'MACs’ share', align: 'right' },
] as const;

/** One line an instruction where there is room; otherwise steps and nodes go on a second line. */
function instructionLines(instructions: readonly InstructionDescription[], width: number): string[] {
  const hasMarks = instructions.some(({ input }) => input !== 'any');
  const profiled = instructions.some(({ profile }) => profile !== undefined);
  const columns = profiled ? [...COLUMNS, ...TIMES] : COLUMNS;
  const rows = instructions.map(({ kernel, isa, output, macs, weightBytes, input, profile }, i) => [
    `${i}${input === 'float32' ? 'f' : input === 'uint8' ? 'p' : hasMarks ? ' ' : ''}`,
    kernel,
    isa,
    shapeText(output),
    macs === 0 ? '–' : short(macs),
    weightBytes === 0 ? '–' : bytes(weightBytes),
    ...(profiled ? timesOf(profile) : []),
  ]);
  const steps = instructions.map((instruction) => stepsText(instruction.steps));
  const nodes = instructions.map((instruction) => instruction.nodes.join(' '));
  const footnote = hasMarks ? ['', 'p: runs for pictures only, f: for float32 tensors only'] : [];

  const wide = table(
    [...columns, { title: 'fused steps' }, { title: 'nodes' }],
    rows.map((row, i) => [...row, steps[i] ?? '', nodes[i] ?? '']),
    Number.POSITIVE_INFINITY,
  );
  if (wide.every((line) => textWidth(line) <= width)) return [...wide, ...footnote];

  const [titles = '', ...narrow] = table(columns, rows, width);
  const below = narrow.flatMap((line, i) => [
    line,
    cut(`     ${[steps[i], nodes[i]].filter(Boolean).join(' ← ')}`, width),
  ]);
  return [titles, cut('     fused steps ← nodes', width), ...below, ...footnote];
}

/** `sign sign sign` is `sign×3`. */
function stepsText(steps: readonly string[]): string {
  const runs: { step: string; count: number }[] = [];
  for (const step of steps) {
    const last = runs.at(-1);
    if (last?.step === step) last.count++;
    else runs.push({ step, count: 1 });
  }
  return runs.map(({ step, count }) => (count === 1 ? step : `${step}×${count}`)).join(' ');
}

function timesOf(profile: InstructionProfile | undefined): string[] {
  if (profile === undefined) return ['–', '–'];
  const { nanoseconds, cycles, floorCycles } = profile;
  return [(nanoseconds / 1000).toFixed(1), floorCycles === 0 ? '–' : percent(floorCycles / cycles, 0)];
}

function shapeText({ channels, height, width }: Shape): string {
  return height === 1 && width === 1 ? String(channels) : `${channels}×${height}×${width}`;
}
