/**
 * Writes the README's measured table and its picture from a committed result: the one that is named, or the newest in bench/results/.
 *
 *   npm run bench:readme -- [bench/results/<name>.json]
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadCharts } from '#lib/bench/charts.js';
import { parseResult } from '#lib/bench/parseResult.js';
import { PICTURE, readmePicture } from '#lib/bench/readmePicture.js';
import { NO_RESULTS, readmeSection, withSection } from '#lib/bench/reportReadme.js';
import { isBenchResultName } from '#lib/bench/result.js';
import { reportError, writeLines } from '#lib/cli/output.js';

/** This file runs as out/bench/readme.js. */
const root = fileURLToPath(new URL('../../', import.meta.url));

try {
  const readme = join(root, 'README.md');
  const path = pathOf(process.argv[2]);
  const section = path === null ? NO_RESULTS : readmeSection(read(path), path);
  if (path !== null) writeFileSync(join(root, PICTURE), readmePicture(read(path), await loadCharts()));
  writeFileSync(readme, withSection(readFileSync(readme, 'utf8'), section));
  writeLines([
    path === null ? 'bench/results/ holds no result: the table is empty' : `README.md: the table of ${path}`,
  ]);
} catch (error) {
  reportError(error);
  process.exitCode = 1;
}

/** From the root, with slashes. */
function pathOf(argument: string | undefined): string | null {
  if (argument !== undefined) return relative(root, argument).replaceAll('\\', '/');
  const folder = join(root, 'bench/results');
  const names = existsSync(folder) ? readdirSync(folder).filter(isBenchResultName) : [];
  const results = names.map((name) => `bench/results/${name}`).map((path) => ({ path, date: read(path).machine.date }));
  return results.sort((a, b) => (a.date < b.date ? 1 : -1))[0]?.path ?? null;
}

function read(path: string) {
  return parseResult(readFileSync(join(root, path), 'utf8'), path);
}
