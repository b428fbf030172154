/** `bitpath table1`: the paper's table of results beside what the networks' graphs count. */
import { type Command, Option } from 'commander';
import type { Comparison, CountedRow } from '../analysis/table1.js';
import { jsonOption, newCommand } from './command.js';
import { terminalWidth } from './format.js';
import { writeJson, writeLines } from './output.js';

interface Options {
  readonly json?: true;
  readonly markdown?: true;
  readonly csv?: true;
  readonly wide?: true;
}

export function table1Command(): Command {
  return newCommand('table1')
    .summary('count the paper’s Table 1 again, and judge its claims')
    .description(
      'Prints the 39 rows of the paper’s Table 1, storage and computation as reported beside what the graphs count, and what its own numbers say of its claims.',
    )
    .addOption(jsonOption().conflicts(['markdown', 'csv']))
    .addOption(new Option('--markdown', 'print Markdown').conflicts(['csv']))
    .option('--csv', 'print the rows as CSV, all columns')
    .option('--wide', 'all columns in the terminal’s table, too')
    .addHelpText(
      'after',
      `
Storage and computation are counted as the paper counts: 1-bit weights take a
bit, full-precision ones 32, BatchNorm none; 64 1-bit multiply-accumulates are
one FLOP. A count is "=" where it has the printed digits. The columns of --wide:
1-bit and full-precision MACs (ReActNet's BOPs and FLOPs) and its OPs, BOPs/64 +
FLOPs; memory traffic if every op read and wrote its maps; storage and
computation with everything counted.

Examples:
  $ bitpath table1
  $ bitpath table1 --markdown > table1.md
  $ bitpath table1 --csv`,
    )
    .action(table1);
}

async function table1({ json, markdown, csv, wide }: Options): Promise<void> {
  const [{ countTable1 }, { evaluateClaims }, text] = await Promise.all([
    import('../analysis/table1.js'),
    import('../analysis/claims.js'),
    import('./table1Text.js'),
  ]);
  const rows = countTable1();
  const claims = evaluateClaims();
  if (json) writeJson('bitpath.table1/1', { rows: rows.map(documentOf), claims });
  else if (csv) writeLines(text.csvLines(rows));
  else if (markdown) writeLines(text.markdownLines(rows, claims));
  else writeLines(text.terminalLines(rows, claims, wide ?? false, terminalWidth()));
}

function documentOf({ counted, top1Error, top5Error, storageMbit, gflops, ...row }: CountedRow) {
  return {
    ...row,
    reported: { top1Error, top5Error, storageMbit, gflops },
    counted:
      counted === null
        ? null
        : {
            storage: comparison(counted.storage),
            computation: comparison(counted.computation),
            storageRule: counted.storageRule,
            ruleReason: counted.ruleReason,
            fitted: counted.fitted,
            otherReading: counted.otherReading && {
              architecture: counted.otherReading.architecture,
              storage: comparison(counted.otherReading.storage),
            },
            binaryMacs: counted.costs.binaryMacs,
            realMacs: counted.costs.realMacs,
            reactnetOps: counted.costs.flops,
            elementOps: counted.costs.elementOps,
            fullStorageMbit: counted.costs.fullStorageBits / 1e6,
            fullGflops: counted.costs.fullFlops / 1e9,
            trafficBytes: counted.costs.trafficBytes,
          },
  };
}

function comparison({ counted, deviation, agreement, reason }: Comparison) {
  return { counted, deviation, agreement, reason };
}
