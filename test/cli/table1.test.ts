import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { countTable1, evaluateClaims } from 'bitpath/analysis';
import { textWidth } from '#lib/cli/format.js';
import { bitpath, root } from './run.js';

interface Document {
  schema: string;
  rows: {
    row: number;
    label: string;
    reported: { storageMbit: number };
    counted: null | {
      otherReading: { architecture: string } | null;
      storage: { counted: number; agreement: string };
      fullGflops: number;
      reactnetOps: number;
    };
  }[];
  claims: { id: string }[];
}

describe('bitpath table1', () => {
  const counted = countTable1();

  it('prints a line for each row, in 100 columns', async () => {
    const { code, stdout, stderr } = await bitpath(['table1']);
    assert.deepEqual([code, stderr], [0, '']);
    const lines = stdout.split('\n');
    for (const { row, label } of counted) assert.ok(lines[row]!.trimStart().startsWith(`${row}  ${label}`), lines[row]);
    assert.match(lines[22]!, /37\.13 +15\.63 +33\.2 +30\.98 +−6\.7 % ! +0\.13 +0\.1254 +=$/);
    assert.match(
      stdout,
      /Storage off by more than 1 %\n(.*\n)*? {2}row 22: unexplained; the name’s other reading,\s+igp-resnet37-41-c4d8, counts 32\.27\s+\(−2\.8 %\)/,
    );
    assert.doesNotMatch(stdout, /not built yet/i);
    assert.match(stdout, /\nFitted\n {2}rows 34, 37: /);
    for (const line of lines) assert.ok(textWidth(line) <= 100, line);
  });

  it('--wide adds columns', async () => {
    const { stdout } = await bitpath(['table1', '--wide']);
    assert.match(stdout.split('\n')[0]!, /1-bit GMACs +real GMACs +GOPs +MB moved +all Mbit +all GFLOPs$/);
  });

  it('fits a terminal', async () => {
    const { stdout } = await bitpath(['table1', '--wide'], { terminal: { stdout: 80 } });
    for (const line of stdout.split('\n')) assert.ok(textWidth(line) <= 80, line);
  });

  it('--json has the rows and claims of bitpath/analysis', async () => {
    const { code, stdout, stderr } = await bitpath(['table1', '--json']);
    assert.deepEqual([code, stderr], [0, '']);
    const document = JSON.parse(stdout) as Document;
    assert.equal(document.schema, 'bitpath.table1/1');
    assert.equal(document.rows.length, 39);
    document.rows.forEach((row, i) => {
      const expected = counted[i]!;
      assert.equal(row.label, expected.label);
      assert.equal(row.reported.storageMbit, expected.storageMbit);
      assert.equal(row.counted?.storage.counted, expected.counted?.storage.counted);
      assert.equal(row.counted?.storage.agreement, expected.counted?.storage.agreement);
      assert.equal(row.counted?.otherReading?.architecture, i === 21 ? 'igp-resnet37-41-c4d8' : undefined);
      assert.equal(row.counted?.reactnetOps, expected.counted?.costs.flops);
    });
    assert.deepEqual(document.claims, JSON.parse(JSON.stringify(evaluateClaims())));
  });

  it('--csv has a header and as many cells in every line', async () => {
    const { stdout } = await bitpath(['table1', '--csv']);
    const lines = stdout.trimEnd().split('\n');
    assert.equal(lines.length, 40);
    const cells = (line: string) => line.replace(/"([^"]|"")*"/g, '').split(',').length;
    const header = lines[0]!.split(',');
    assert.ok(header.includes('storage_mbit_counted'));
    for (const line of lines) assert.equal(cells(line), cells(lines[0]!), line);
  });

  it('--markdown has a table of 39 rows and one of claims, with stars escaped', async () => {
    const { stdout } = await bitpath(['table1', '--markdown']);
    const tableLines = stdout.split('\n').filter((line) => line.startsWith('|'));
    assert.equal(tableLines.length, 2 + 39 + 2 + evaluateClaims().length);
    assert.match(stdout, /\| BNN ResNet18#\\\* \|/);
  });

  it('says without a stack trace that the disk is full', { skip: !existsSync('/dev/full') }, () => {
    const main = join(root, 'dist/cli/main.js');
    const run = spawnSync('sh', ['-c', '"$0" "$1" table1 --csv > /dev/full', process.execPath, main], {
      encoding: 'utf8',
    });
    assert.equal(run.status, 1);
    assert.match(run.stderr, /^bitpath: .*ENOSPC.* \(ENOSPC\)\n$/);
  });

  it('takes one form at a time', async () => {
    const { code, stdout, stderr } = await bitpath(['table1', '--json', '--csv']);
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, /'--json' cannot be used with option '--csv' \(ERR_BITPATH_USAGE\)/);
  });
});
