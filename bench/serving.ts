/**
 * Writes docs/benchmark.md's figures of the service from the newest results in bench/results/; with --check only says whether they
 * are what the results give.
 *
 *   npm run bench:serving -- [--check]
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { reportError, writeLines } from '#lib/cli/output.js';
import { type FaultsResult, type From, withService } from './service/docs.js';
import type { ServeResult } from './service/result.js';
import { root } from './service/save.js';
import type { SoakResult } from './service/soakResult.js';

type Dated = { readonly machine: { readonly date: string } };

/** All results whose name begins with `what`, the newest first. */
function results<T extends Dated>(what: string): From<T>[] {
  return readdirSync(join(root, 'bench/results'))
    .filter((name) => name.startsWith(`${what}-`) && name.endsWith('.json'))
    .map((name) => `bench/results/${name}`)
    .map((path) => ({ path, result: JSON.parse(readFileSync(join(root, path), 'utf8')) as T }))
    .sort((a, b) => (a.result.machine.date < b.result.machine.date ? 1 : -1));
}

try {
  const file = join(root, 'docs/benchmark.md');
  const before = readFileSync(file, 'utf8');
  const after = withService(before, {
    serve: results<ServeResult>('serve')[0] ?? null,
    soak: results<SoakResult>('soak')[0] ?? null,
    faults: results<FaultsResult>('faults'),
  });
  if (!process.argv.includes('--check')) {
    writeFileSync(file, after);
    writeLines(['docs/benchmark.md: the figures of the service']);
  } else if (before !== after) {
    writeLines(['docs/benchmark.md is not what the results give: npm run bench:serving']);
    process.exitCode = 1;
  }
} catch (error) {
  reportError(error);
  process.exitCode = 1;
}
