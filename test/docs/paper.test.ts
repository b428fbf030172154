/** docs/paper.md: its links lead somewhere, the tests that it names exist, and its numbers are the code's. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { listArchitectures } from 'bitpath';
import { evaluateClaims } from 'bitpath/analysis';
import { cellsOf, paper, read, root, SENTENCES, SUMMARY, TABLES, tableOf } from './paperNumbers.js';

const VERDICTS = ['holds', 'holds with a condition', 'does not hold', 'not reproduced', 'not testable here'];

describe('docs/paper.md: the summary', () => {
  const lines = tableOf('summary').map(cellsOf);
  it('has these rows and verdicts of these kinds', () => {
    assert.deepEqual(
      lines.map(([id]) => id),
      Object.keys(SUMMARY),
    );
    for (const [id, , verdict = ''] of lines) assert.ok(VERDICTS.includes(verdict), `${id} ${verdict}`);
  });
  for (const [id = '', text, , numbers] of lines) {
    it(`${id}: ${text}`, () => assert.equal(numbers, SUMMARY[id]?.()));
  }
});

describe('docs/paper.md: the tables', () => {
  for (const [name, expected] of Object.entries(TABLES)) {
    it(name, () => assert.equal(tableOf(name).join('\n'), expected().join('\n')));
  }
});

describe('docs/paper.md: the claims', () => {
  for (const { id, evidence } of evaluateClaims()) {
    it(`${id}: its numbers are in the evidence`, () => {
      const because = tableOf('claims').find((text) => text.startsWith(`| \`${id}\` |`))!;
      for (const [number] of because.matchAll(/\d+\.\d+/g)) assert.ok(evidence.join(' ').includes(number), number);
    });
  }
});

describe('docs/paper.md: the sentences', () => {
  for (const [name, expected] of Object.entries(SENTENCES)) {
    it(name, () => assert.ok(paper.replace(/\s+/g, ' ').includes(expected()), expected()));
  }
});

describe('docs/paper.md: what it points to', () => {
  it('links lead to files', () => {
    const targets = [...paper.matchAll(/\]\(([^)#\s]+)[^)\s]*\)/g)].map(([, target = '']) => target);
    for (const target of targets) assert.ok(existsSync(join(root, 'docs', target)), target);
    assert.ok(targets.length > 30, String(targets.length));
  });

  it('each link to a test names tests of that file', () => {
    const links = paper.replace(/\s+/g, ' ').matchAll(/\]\(\.\.\/(test\/[^)]+)\)((?:,? “[^”]+”)*)/g);
    let named = 0;
    for (const [link, path = '', names = ''] of links) {
      const titles = [...names.matchAll(/“([^”]+)”/g)].map(([, title = '']) => title);
      assert.ok(titles.length > 0, `${link} names no test`);
      const source = read(path);
      for (const title of titles) {
        assert.match(
          source,
          new RegExp(`\\b(it|test|describe)\\(\\s*['\`]${literal(title)}['\`]`),
          `${path}: ${title}`,
        );
        named++;
      }
    }
    assert.ok(named > 30, String(named));
  });

  it('commands and architectures are there', () => {
    const commands = [...paper.matchAll(/`npx bitpath (\w+)/g)].map(([, command = '']) => command);
    for (const command of commands) assert.ok(existsSync(join(root, `lib/cli/${command}.ts`)), command);
    assert.ok(commands.length >= 3);
    const names = new Set(listArchitectures().map(({ name }) => name));
    const written = [...paper.matchAll(/`([a-z]+-(?:resnet|densenet|chain-)\d[\w-]*)(?:\+\w+)?`/g)];
    for (const [, name = ''] of written) assert.ok(names.has(name), name);
  });
});

/** For a title in a pattern. */
function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
