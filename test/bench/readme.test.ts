/** The README's measured table is what the committed result gives, and nobody's typing. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadCharts } from '#lib/bench/charts.js';
import { parseResult } from '#lib/bench/parseResult.js';
import { PICTURE, readmePicture } from '#lib/bench/readmePicture.js';
import { currentSection, NO_RESULTS, readmeSection, sourceOf, withSection } from '#lib/bench/reportReadme.js';
import { isBenchResultName } from '#lib/bench/result.js';
import { empty, full, lone, networkCases, poisoned } from './reportFixtures.js';

/** This file runs as out/test/bench/readme.test.js. */
const root = fileURLToPath(new URL('../../../', import.meta.url));
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const results = existsSync(join(root, 'bench/results'))
  ? readdirSync(join(root, 'bench/results')).filter(isBenchResultName)
  : [];

describe('README.md’s measured table', () => {
  it('is what its result gives, and so is its picture', async (t) => {
    const section = currentSection(readme);
    const source = sourceOf(section);
    if (results.length === 0) {
      t.diagnostic('NOTHING MEASURED: bench/results/ holds no result, so the README has no table');
      assert.equal(section, NO_RESULTS);
      return;
    }
    assert.ok(source !== null, 'there are results: npm run bench:readme');
    const result = parseResult(readFileSync(join(root, source), 'utf8'), source);
    assert.equal(section, readmeSection(result, source), 'npm run bench:readme');
    const picture = readFileSync(join(root, PICTURE), 'utf8');
    assert.equal(picture, readmePicture(result, await loadCharts()), 'npm run bench:readme');
  });

  it('every committed result is one, and a page can be made of it', async () => {
    const { reportHtml } = await import('#lib/bench/report.js');
    for (const name of results) {
      const result = parseResult(readFileSync(join(root, 'bench/results', name), 'utf8'), name);
      assert.doesNotMatch(await reportHtml(result), /NaN|undefined|Infinity/, name);
    }
  });
});

describe('readmeSection', () => {
  const rowsOf = (section: string) => section.split('\n').filter((line) => line.startsWith('| '));

  it('has the machine, the file and a row for each case of the settings that it shows', () => {
    const section = readmeSection(full(), 'bench/results/a.json');
    assert.match(
      section,
      /^!\[[^\]]+\]\(docs\/images\/speedup\.svg\)\n\nAMD EPYC 9R14 96-Core Processor, avx512, 3\.70 GHz, Node\.js 20\.20\.2, onnxruntime-node 1\.30\.0, commit 0123456789, 2026-01-02: /,
    );
    assert.equal(sourceOf(section), 'bench/results/a.json');
    const rows = rowsOf(section);
    assert.equal(rows.length, 2 + 3 * 8);
    assert.match(
      rows[2]!,
      /^\| bireal-resnet18-64, picture, int16 stem +\| +1 \| +1 \| +3\.41\sms \| +293 \| +9\.85× \(9\.\d\d–9\.\d\d\) \|/,
    );
    assert.match(rows.at(-1)!, /^\| resnet18 in onnxruntime int8 +\| +2 \| +1 \|.* 3\.29× \([\d.–]+\) \| +1\.00× \|$/);
  });

  it('shows one image on the fewest and most threads, and the largest batch up to 8', () => {
    const section = readmeSection({ ...full(), networks: networkCases([1, 2, 4], [1, 2, 4, 16]) }, 'x');
    const settings = rowsOf(section)
      .slice(2)
      .map((row) => row.split('|').slice(2, 4).map(Number).join());
    assert.deepEqual([...new Set(settings)], ['1,1', '1,4', '4,1']);
  });

  it('copes with little', () => {
    assert.equal(rowsOf(readmeSection(empty(), 'x')).length, 2);
    assert.equal(rowsOf(readmeSection(lone(), 'x')).length, 3);
    assert.doesNotMatch(readmeSection(lone(), 'x'), /onnxruntime-node|NaN|undefined/);
  });

  it('shows markup as text', () => {
    const section = readmeSection(poisoned(full()), 'x');
    assert.doesNotMatch(section, /(?<!\\)<img/);
    for (const row of rowsOf(section)) assert.equal(row.match(/(?<!\\)\|/g)?.length, 8, row);
  });
});

describe('withSection', () => {
  const page = 'a\n<!-- bench:begin -->\nold\n<!-- bench:end -->\nb\n';

  it('replaces what stands between the markers, again and again', () => {
    const once = withSection(page, 'new');
    assert.equal(once, 'a\n<!-- bench:begin -->\nnew\n<!-- bench:end -->\nb\n');
    assert.equal(withSection(once, 'new'), once);
    assert.equal(currentSection(once), 'new');
  });

  it('refuses a page without the markers, or with two pairs, or turned round', () => {
    const turned = '<!-- bench:end --><!-- bench:begin -->';
    for (const bad of ['', page + page, turned, page.replace('<!-- bench:end -->', '')]) {
      assert.throws(() => withSection(bad, 'x'), { code: 'ERR_BITPATH_BENCH_FILE' });
    }
  });
});
