#!/usr/bin/env node
/** The command line. A command is one file here and one line below; what it works with is loaded when it runs. */
import { readFileSync } from 'node:fs';
import { CommanderError } from 'commander';
import { BitpathError } from '../errors.js';
import { analyzeCommand } from './analyze.js';
import { batchCommand } from './batch.js';
import { benchCommand } from './bench.js';
import { classifyCommand } from './classify.js';
import { newCommand } from './command.js';
import { convertCommand } from './convert.js';
import { describeCommand } from './describe.js';
import { diffCommand } from './diff.js';
import { doctorCommand } from './doctor.js';
import { evaluateCommand } from './evaluate.js';
import { exportCommand } from './export.js';
import { modelsCommand } from './models.js';
import { onInterrupt, quietOnClosedPipe, reportError } from './output.js';
import { searchCommand } from './search.js';
import { serveCommand } from './serve.js';
import { table1Command } from './table1.js';
import { asksForVersions, printVersions } from './version.js';
import { workerCommand } from './worker.js';

// Not by root.ts: the help needs nothing but this folder.
const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

const program = newCommand('bitpath')
  .description('Binary convolutional networks on this machine’s CPU: a picture in, its class out.')
  .usage('<command> [options]')
  .version(version, '-V, --version', 'print the version; with --json, of all parts')
  .helpCommand('help [command]', 'print what a command does and takes')
  .addCommand(classifyCommand())
  .addCommand(batchCommand())
  .addCommand(workerCommand())
  .addCommand(modelsCommand())
  .addCommand(serveCommand())
  .addCommand(describeCommand())
  .addCommand(evaluateCommand())
  .addCommand(convertCommand())
  .addCommand(exportCommand())
  .addCommand(diffCommand())
  .addCommand(benchCommand())
  .addCommand(analyzeCommand())
  .addCommand(table1Command())
  .addCommand(searchCommand())
  .addCommand(doctorCommand())
  .addHelpText(
    'after',
    `
Environment:
  BITPATH_THREADS  threads, where --threads is not given
  BITPATH_ISA      instruction set: scalar, avx2, avx512 or neon; by default the
                   best one that this machine supports

Exit codes:
  0  all went well
  1  something failed; of several pictures the others are answered
  2  the command line is wrong, and nothing was done
  3  batch: the file is whole, and some of its rows are errors

Example:
  $ bitpath classify photo.jpg`,
  );

quietOnClosedPipe();
onInterrupt();
const done = asksForVersions(process.argv.slice(2)) ? printVersions() : program.parseAsync();
done.catch((error: unknown) => {
  // Commander has written what there was to write (command.ts).
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else {
    reportError(error);
    process.exitCode = error instanceof BitpathError && error.code === 'ERR_BITPATH_USAGE' ? 2 : 1;
  }
});
