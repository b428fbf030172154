/** `bitpath search`: which networks of the family fit a budget? */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { FoundArchitecture, SearchOptions, SearchResult } from '../analysis/searchArchitectures.js';
import { BitpathError } from '../errors.js';
import { integerOption, jsonOption, newCommand, threadsOption } from './command.js';
import { facts, table, terminalWidth, wrap } from './format.js';
import { writeJson, writeLines } from './output.js';
import { type Calibration, calibrate, timesOf } from './searchTimes.js';

interface Options {
  readonly storage: number;
  readonly gflops: number;
  readonly use: number;
  readonly columns?: readonly number[];
  readonly minWidth?: number;
  readonly maxWidth?: number;
  readonly minDepth?: number;
  readonly maxDepth?: number;
  readonly limit: number;
  readonly calibrate?: true;
  readonly measure?: true;
  readonly threads?: number;
  readonly json?: true;
}

export function searchCommand(): Command {
  return newCommand('search')
    .summary('look for networks with better gradient paths within a budget')
    .description(
      'Lists the networks of IGP-ResNet’s family, and chains of single units, within a budget that no other one beats in everything.',
    )
    .addOption(positiveOption('--storage <mbit>', 'most storage, as the paper counts').makeOptionMandatory())
    .addOption(positiveOption('--gflops <n>', 'most computation, as the paper counts').makeOptionMandatory())
    .addOption(numberOption('--use <share>', 'least share of the storage to be used, 0 to 1', 0, 1).default(0.9))
    .addOption(
      new Option('--columns <list>', 'columns of fractals; 1 is chains (default: 1,2,3,4,5)').argParser(integers),
    )
    .addOption(integerOption('--min-width <n>', 'of the first stage (default: 24)', 1, 4096))
    .addOption(integerOption('--max-width <n>', 'of the first stage (default: 256)', 1, 4096))
    .addOption(integerOption('--min-depth <n>', '1-bit convs on the longest path', 1, 4096))
    .addOption(integerOption('--max-depth <n>', '1-bit convs on the longest path', 1, 4096))
    .addOption(integerOption('-n, --limit <n>', 'networks to show, evenly spread', 1, 100000).default(30))
    .option('--calibrate', 'fit the predicted times to this machine first, by running seven networks')
    .option('--measure', 'run those that are shown, and print their times instead of predictions')
    .addOption(threadsOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
N_2nd and N_3rd are the least operations on a gradient path through a 1-bit
conv, and the next least; longest is the most convs on a path. Of networks that
are shown none is worse than another in everything: less is better, of 1-bit
GMACs more. The list is no ranking.

Examples:
  $ bitpath search --storage 33.2 --gflops 0.16
  $ bitpath search --storage 33.2 --gflops 0.16 --columns 3,4 --min-width 40`,
    )
    .action(search);
}

function positiveOption(flags: string, description: string): Option {
  return new Option(flags, description).argParser((text: string) => {
    const value = numberOf(text);
    if (value > 0 && value < Number.POSITIVE_INFINITY) return value;
    throw new InvalidArgumentError('Expected a number above 0');
  });
}

function numberOption(flags: string, description: string, min: number, max: number): Option {
  return new Option(flags, description).argParser((text: string) => {
    const value = numberOf(text);
    if (value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Expected a number from ${min} to ${max}`);
  });
}

/** `.16`, `1e-1`, `33.2`; NaN for all else, such as `0x10` and nothing. */
function numberOf(text: string): number {
  return /^\+?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
}

function integers(text: string): readonly number[] {
  const list = text.split(',').map((part) => (/^\d{1,2}$/.test(part) ? Number(part) : Number.NaN));
  if (list.every((value) => value >= 1 && value <= 10)) return [...new Set(list)];
  throw new InvalidArgumentError('Expected integers from 1 to 10 with commas between them');
}

async function search(options: Options): Promise<void> {
  const { searchArchitectures } = await import('../analysis/searchArchitectures.js');
  const bounds = Object.fromEntries(
    (['columns', 'minWidth', 'maxWidth', 'minDepth', 'maxDepth'] as const)
      .map((name) => [name, options[name]])
      .filter(([, value]) => value !== undefined),
  ) as Partial<SearchOptions>;
  const budget = { storageMbit: options.storage, gflops: options.gflops, use: options.use };
  const calibration = options.calibrate ? await calibrate(options.threads) : undefined;
  const model = calibration === undefined ? {} : { costModel: calibration.model };
  let result: SearchResult;
  try {
    result = searchArchitectures({ budget, ...bounds, ...model });
  } catch (cause) {
    // All arguments are the command line's.
    if (!(cause instanceof BitpathError) || cause.code !== 'ERR_BITPATH_ARGUMENT') throw cause;
    throw new BitpathError('ERR_BITPATH_USAGE', { reason: cause.message }, { cause });
  }
  const shown = spread(result.front, options.limit);
  const times = options.measure ? await timesOf(shown, options.threads) : undefined;
  if (options.json) {
    const { front, ...rest } = result;
    const networks = (times === undefined ? front : shown).map((found, i) => ({ ...found, measuredMs: times?.[i] }));
    writeJson('bitpath.search/1', {
      budget,
      bounds,
      ...rest,
      calibration,
      shown: networks.length,
      nondominated: front.length,
      networks,
    });
  } else writeLines(linesOf(result, shown, times, calibration));
}

/** At most `limit` of `list`, first and last among them. */
function spread<T>(list: readonly T[], limit: number): readonly T[] {
  if (list.length <= limit) return list;
  if (limit === 1) return list.slice(0, 1);
  return Array.from({ length: limit }, (_, i) => list[Math.round((i * (list.length - 1)) / (limit - 1))] as T);
}

const COLUMNS = [
  { title: 'network' },
  { title: 'N_2nd', align: 'right' },
  { title: 'N_3rd', align: 'right' },
  { title: 'longest', align: 'right' },
  { title: 'Mbit', align: 'right' },
  { title: 'GFLOPs', align: 'right' },
  { title: '1-bit GMACs', align: 'right' },
  { title: 'ms', align: 'right' },
] as const;

function prediction(calibration: Calibration | undefined): string {
  if (calibration === undefined) {
    return 'predicted for another machine; --calibrate fits that to this one, --measure runs them here';
  }
  const { networks, largestError } = calibration;
  return `predicted from ${networks} networks run here, each met within ${Math.round(largestError * 100)} %`;
}

function linesOf(
  { front, considered }: SearchResult,
  shown: readonly FoundArchitecture[],
  times: readonly number[] | undefined,
  calibration: Calibration | undefined,
): readonly string[] {
  if (front.length === 0) return ['No network is within this budget and these bounds.'];
  const millions = (value: number) => (Number.isFinite(value) ? `${(value / 1e6).toFixed(1)} M` : '–');
  const rows = shown.map((found, i) => [
    found.name,
    millions(found.secondCost),
    millions(found.thirdCost),
    String(found.longest),
    (found.storageBits / 1e6).toFixed(2),
    (found.flops / 1e9).toFixed(4),
    (found.binaryMacs / 1e9).toFixed(2),
    (times?.[i] ?? found.milliseconds).toFixed(2),
  ]);
  const width = terminalWidth();
  return [
    ...table(COLUMNS, rows, width),
    '',
    ...facts(
      [
        ['shown', `${shown.length} of ${front.length} that no other network beats in everything, of ${considered}`],
        ['ms', times === undefined ? prediction(calibration) : 'measured here: median of one image'],
      ],
      Math.min(width, 100),
    ),
    ...wrap('name: kind, depth(width), c columns, blocks of each stage', Math.min(width, 100)),
  ];
}
