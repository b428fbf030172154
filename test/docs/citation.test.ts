/** CITATION.cff: the fields that its format requires, and what package.json says. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

/** This file runs as out/test/docs/citation.test.js. */
const root = fileURLToPath(new URL('../../../', import.meta.url));
const read = (path: string) => readFileSync(join(root, path), 'utf8');

describe('CITATION.cff', () => {
  const lines = read('CITATION.cff')
    .split('\n')
    .filter((text) => text !== '' && !/^\s*#/.test(text));
  /** `key: value` at the left margin, quotes taken off. */
  const field = (key: string) => {
    const found = lines.filter((text) => text.startsWith(`${key}:`));
    assert.equal(found.length, 1, key);
    return found[0]!
      .slice(key.length + 1)
      .trim()
      .replace(/^"(.*)"$/, '$1');
  };
  const packageJson = JSON.parse(read('package.json'));

  it('is YAML of the plain kind: keys, lists, folded text, spaces', () => {
    for (const text of lines) assert.match(text, /^(?: *(?:- )?[a-z-]+:(?: .+)?| +- .+| {2,}\S.*)$/, text);
    assert.ok(lines.every((text) => !text.includes('\t')));
  });

  it('has the required fields, and those of package.json', () => {
    assert.equal(field('cff-version'), '1.2.0');
    assert.notEqual(field('message'), '');
    assert.equal(field('title'), packageJson.name);
    assert.equal(field('version'), packageJson.version);
    assert.equal(field('license'), packageJson.license);
    assert.equal(field('type'), 'software');
    for (const list of ['authors', 'keywords', 'references', 'abstract']) field(list);
    assert.ok(lines.includes('  - name: The bitpath authors'));
    assert.equal(
      lines.some((text) => text.startsWith('repository-code:')),
      packageJson.repository !== undefined,
    );
  });

  it('refers to the paper and to Bi-Real net, each with type, title and authors', () => {
    const references = lines
      .slice(lines.indexOf('references:') + 1)
      .join('\n')
      .split(/^ {2}- /m)
      .slice(1);
    assert.equal(references.length, 2);
    for (const reference of references) {
      for (const key of [/^type: [a-z-]+$/m, /^ {4}title: /m, /^ {4}authors:$/m]) assert.match(reference, key);
    }
    const [ours = '', biRealNet = ''] = references;
    assert.match(ours, /Improving Gradient Paths for Binary Convolutional Neural Networks/);
    const authors = (text: string) => [...text.matchAll(/family-names: (.*)/g)].map(([, name]) => name);
    assert.deepEqual(authors(ours), ['Zhu', 'Hofstee', 'Lee', 'Alars']);
    assert.deepEqual(authors(biRealNet), ['Liu', 'Wu', 'Luo', 'Yang', 'Liu', 'Cheng']);
    assert.match(biRealNet, /^ {4}year: 2018$/m);
  });
});
