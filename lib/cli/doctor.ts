/** `bitpath doctor`: what a bug report needs, and whether this machine computes what it should. */
import type { Command } from 'commander';
import type { Isa } from '../native.js';
import { jsonOption, newCommand } from './command.js';
import { facts, terminalWidth } from './format.js';
import { type Addon, attempt, type Found, findInstallation } from './installation.js';
import { writeJson, writeLines } from './output.js';

export function doctorCommand(): Command {
  return newCommand('doctor')
    .summary('print what a bug report needs, and test this machine')
    .description(
      'Prints versions, CPU and instruction sets, and runs the default network with each instruction set: all must give the same bits.',
    )
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Exit codes: 0 where all is well (a scalar fallback is well, but slow), else 1.

Examples:
  $ bitpath doctor
  $ bitpath doctor --json`,
    )
    .action(doctor);
}

interface SelfTest {
  readonly model: string;
  readonly isas: readonly Isa[];
  /** Those that do not give the bits of the scalar kernels. */
  readonly wrong: readonly Isa[];
}

async function doctor({ json }: { readonly json?: true }): Promise<void> {
  const [{ cpuName }, installation] = await Promise.all([import('../bench/machine.js'), findInstallation()]);
  const { bitpath, node, platform, libc, packages, addon } = installation;
  const cpu = cpuName();
  const selfTest = await attempt(runSelfTest);
  const healthy = !('code' in addon) && !('code' in selfTest) && selfTest.wrong.length === 0;
  if (!healthy) process.exitCode = 1;
  if (json) {
    writeJson('bitpath.doctor/1', { ...installation, cpu, selfTest, healthy });
    return;
  }
  const lines: [string, string][] = [
    ['bitpath', bitpath],
    ['Node.js', `${node}, ${platform}${libc === null ? '' : `, ${libc}`}`],
    ['CPU', cpu],
    [
      'addon',
      'code' in addon ? `${addon.message} (${addon.code})` : `${addon.path}, build id ${addon.buildId.slice(0, 12)}`,
    ],
    ['instruction sets', 'code' in addon ? 'unknown' : addon.isas.map((isa) => isaText(isa, addon.isa)).join(', ')],
    ...Object.entries(packages).map(([name, version]): [string, string] => [name, version ?? 'not installed']),
    ['self-test', selfTestText(selfTest)],
  ];
  writeLines(facts(lines, terminalWidth()));
  if (!('code' in addon) && addon.isa === 'scalar') writeLines(['', ...SCALAR]);
}

const SCALAR = [
  'S C A L A R   F A L L B A C K',
  'This CPU has no instruction set that bitpath has kernels for (AVX2, AVX-512 or NEON), or BITPATH_ISA asks for none.',
  'Answers are right, and many times slower than they could be.',
];

async function runSelfTest(): Promise<SelfTest> {
  const [{ loadModel }, { native }] = await Promise.all([import('../model.js'), import('../native.js')]);
  const model = await loadModel();
  const isas = native()
    .isas.filter(({ supported }) => supported)
    .map(({ name }) => name);
  const answer = async (isa: Isa): Promise<string> => {
    using executor = await model.compile({ isa });
    const { channels, height, width } = executor.inputShape;
    const pixels = Uint8Array.from({ length: channels * height * width }, (_, i) => (i * 7919) % 251);
    const outputs = await executor.run(pixels);
    return Object.values(outputs)
      .map(({ data }) => Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64'))
      .join();
  };
  const expected = await answer('scalar');
  const wrong: Isa[] = [];
  for (const isa of isas) if ((await answer(isa)) !== expected) wrong.push(isa);
  return { model: model.name, isas, wrong };
}

function isaText({ name, supported }: Addon['isas'][number], chosen: Isa): string {
  return `${name}${name === chosen ? ' (used)' : supported ? '' : ' (not on this machine)'}`;
}

function selfTestText(test: Found<SelfTest>): string {
  if ('code' in test) return `FAILED: ${test.message} (${test.code})`;
  if (test.wrong.length > 0) return `FAILED: ${test.wrong.join(', ')} differ from scalar for ${test.model}`;
  return `passed: ${test.isas.join(', ')} give the same bits for ${test.model}`;
}
