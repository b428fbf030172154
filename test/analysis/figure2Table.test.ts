/** Figure 2's statements at real widths, and docs/analysis.md: its table is the code's, its examples print what it says. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { figure2Networks, figure2Statements, figure2Table, type Statement } from 'bitpath/analysis';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const document = readFileSync(join(root, 'docs/analysis.md'), 'utf8');
const failing = (name: string, level: Statement['level']) =>
  figure2Statements(name)
    .filter((statement) => statement.level === level && statement.holds < statement.of)
    .map(({ statement, holds, of }) => (of === 1 ? statement : `${statement} (${holds} of ${of})`));

describe('Figure 2 at real widths', () => {
  it('holds for blocks that keep to the base’s width', () => {
    for (const name of ['binary-resnet18', 'bireal-resnet18-64', 'bireal-resnet34-64', 'ebireal-resnet18-64']) {
      assert.deepEqual(failing(name, 'block'), [], name);
    }
    assert.deepEqual(failing('igp-resnet21-53', 'block'), []);
  });

  it('IGP-ResNets lower N_2nd in blocks, at a higher cost; two of them not in the network', () => {
    assert.deepEqual(failing('igp-resnet37-41', 'block'), ['cost ≈ the base’s (0 of 8)']);
    assert.deepEqual(failing('igp-resnet37-41', 'network'), ['1-bit operations ≈ the base’s']);
    for (const name of ['igp-resnet21-53', 'igp-resnet41-48']) {
      const network = ['N_2nd < the base’s', 'N_3rd < the base’s', '1-bit operations ≈ the base’s'];
      assert.deepEqual(failing(name, 'network'), network, name);
    }
  });

  it('IGP-DenseNets lower N_3rd in blocks with many channels only', () => {
    assert.ok(failing('igp-densenet51-53', 'block').includes('N_3rd < the base’s (19 of 23)'));
  });

  it('is told for each network of the families, and for no other', () => {
    assert.deepEqual([...new Set(figure2Table().map(({ network }) => network))], figure2Networks());
    assert.deepEqual(figure2Statements('resnet18'), []);
    assert.throws(() => figure2Statements('resnet19'), { code: 'ERR_BITPATH_UNKNOWN_NAME' });
    for (const { holds, of } of figure2Table()) assert.ok(holds >= 0 && holds <= of && of > 0);
  });
});

describe('docs/analysis.md', () => {
  it('has the table', () => {
    for (const name of figure2Networks()) {
      const base = figure2Statements(name).find((statement) => statement.base !== null)?.base ?? '–';
      const cell = (level: Statement['level']) => failing(name, level).join('; ') || 'all hold';
      const row = `| ${name} | ${base} | ${cell('block')} | ${cell('network')} |`;
      assert.ok(document.includes(`\n${row}\n`), row);
    }
  });

  const examples = [...document.matchAll(/<!-- run -->\n```js\n(.*?)```\n```text\n(.*?)```/gs)];
  it('has two examples', () => assert.equal(examples.length, 2));
  for (const [i, [, code = '', output]] of examples.entries()) {
    it(`example ${i + 1} prints what it says`, () => {
      mkdirSync(join(root, 'out/readme'), { recursive: true });
      const file = join(root, `out/readme/analysis${i}.mjs`);
      writeFileSync(file, code);
      assert.equal(execFileSync(process.execPath, [file], { cwd: root, encoding: 'utf8' }), output);
    });
  }
});
