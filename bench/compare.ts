/**
 * Two result files side by side, as Markdown.
 *
 *   npm run bench:compare -- old.json new.json
 */
import { readFileSync } from 'node:fs';
import { compareResults } from '#lib/bench/compare.js';
import { comparisonLines } from '#lib/bench/compareMarkdown.js';
import { parseResult } from '#lib/bench/parseResult.js';
import { reportError, writeLines } from '#lib/cli/output.js';
import { BitpathError } from '#lib/errors.js';

try {
  const [old, now, ...rest] = process.argv.slice(2);
  if (old === undefined || now === undefined || rest.length > 0) {
    throw new BitpathError('ERR_BITPATH_USAGE', {
      reason: 'expected two result files: bench:compare -- old.json new.json',
    });
  }
  const results = [read(old), read(now)] as const;
  writeLines(comparisonLines(compareResults(...results), results, [old, now]));
} catch (error) {
  reportError(error);
  process.exitCode = 1;
}

function read(path: string) {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const reason = `it cannot be read (${(cause as Error).message})`;
    throw new BitpathError('ERR_BITPATH_BENCH_FILE', { file: path, reason }, { cause });
  }
  return parseResult(text, path);
}
