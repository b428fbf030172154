/** The page: pictures and the same numbers as tables, in one file. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { buildArchitecture, listArchitectures } from 'bitpath';
import { levelRows } from '#lib/pictures/analysisText.js';
import { drawing } from '#lib/pictures/index.js';
import { analyseNetwork } from '#lib/pictures/networkAnalysis.js';
import { networkRows } from '#lib/pictures/networkRows.js';
import { tablePoints } from '#lib/pictures/points.js';
import { assertIds, assertOffline, elementsOf } from './svg.js';

describe('the page', () => {
  for (const name of ['igp-resnet37-41', 'binary-densenet51-32', 'resnet18']) {
    it(`of ${name} has everything, twice`, async () => {
      const analysis = analyseNetwork(buildArchitecture(name));
      const architecture = listArchitectures().find((known) => known.name === name)!;
      const page = await drawing({ analysis, architecture, title: architecture.title }, 'page');
      assertOffline(page);
      assertIds(page);
      const body = page.replace(/^<!DOCTYPE html>/, '').replace(/<meta [^>]*>/g, '');
      const elements = elementsOf(body);
      const rows = elements.filter(({ name: tag }) => tag === 'tr').map(({ text }) => text);
      for (const paths of [analysis.block.paths, analysis.paths]) {
        for (const cells of levelRows(paths))
          assert.ok(
            rows.some((text) => text.endsWith(cells.join(''))),
            cells.join(),
          );
      }
      for (const { name: part, shape, cost } of networkRows(analysis.graph, analysis.parts)) {
        assert.ok(
          rows.some((text) => text.startsWith(part) && text.includes(shape) && text.includes(cost)),
          part,
        );
      }
      for (const { label, error } of tablePoints()) {
        assert.ok(
          rows.some((text) => text.startsWith(label) && text.includes(error.toFixed(2))),
          label,
        );
      }
      const pictures = elements.filter(
        ({ name: tag, attributes }) => tag === 'svg' && attributes['aria-hidden'] === undefined,
      );
      for (const { attributes } of pictures) {
        assert.equal(attributes['role'], 'img');
        assert.ok(attributes['aria-label'] ?? attributes['aria-labelledby'], 'a name');
      }
      // A block, a network and three plots for wide pages and for narrow ones, and a sample of each level's line.
      assert.equal(pictures.length, 1 + 2 + 2 * 3 + analysis.block.paths.levels.length);
      for (const { attributes } of elements) {
        if (attributes['class'] === 'picture') assert.equal(attributes['tabindex'], '0', 'scrolls by keyboard');
      }
    });
  }
});
