/** What all commands share: how they fail, and options that several of them take. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { BitpathError } from '../errors.js';
import { reportError } from './output.js';

/** A command whose usage errors look like every other error, and come as a `CommanderError` instead of an exit. */
export function newCommand(name: string): Command {
  const command = new Command(name)
    .exitOverride()
    .helpOption('-h, --help', 'print this help')
    .configureHelp({ subcommandTerm: (subcommand) => subcommand.name() })
    .configureOutput({
      outputError: (text) => {
        const reason = text
          .trim()
          .replace(/^error: /, '')
          .replace(/\.$/, '')
          .replace(/\n\((.*)\)$/, (_, hint: string) => ` (${hint.charAt(0).toLowerCase()}${hint.slice(1)})`);
        reportError(new BitpathError('ERR_BITPATH_USAGE', { reason }));
        process.stderr.write(`Try: ${commandPath(command)} --help\n`);
      },
    });
  return command;
}

function commandPath(command: Command): string {
  return command.parent === null ? command.name() : `${commandPath(command.parent)} ${command.name()}`;
}

/** An option `flags` (such as `--top <n>`) whose value is an integer in [min, max]. */
export function integerOption(flags: string, description: string, min: number, max: number): Option {
  return new Option(flags, description).argParser((text: string) => {
    const value = /^[+-]?\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Expected an integer from ${min} to ${max}`);
  });
}

export function threadsOption(): Option {
  return integerOption(
    '-t, --threads <n>',
    'most threads to use (default: the CPUs that this process may use)',
    1,
    1024,
  );
}

export function modelOption(): Option {
  return new Option('-m, --model <name-or-file>', 'a shipped model (see bitpath models) or a .safetensors file');
}

export function jsonOption(): Option {
  return new Option('--json', 'print one JSON document on stdout and nothing else (docs/cli.md)');
}
