/** The rows of Table 1 are the paper's: against its text, as it was printed, and against what the architectures say. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getArchitecture, listArchitectures, TABLE_1 } from 'bitpath';

test('Table 1 has 39 rows in order, and its sums are those of the printed columns', () => {
  assert.equal(TABLE_1.length, 39);
  assert.deepEqual(
    TABLE_1.map(({ row }) => row),
    Array.from({ length: 39 }, (_, i) => i + 1),
  );
  const sum = (of: (row: (typeof TABLE_1)[number]) => number) => TABLE_1.reduce((total, row) => total + of(row), 0);
  // Added up by a script from the paper’s text, not from the rows here.
  assert.equal(sum(({ top1Error }) => top1Error).toFixed(2), '1536.89');
  assert.equal(sum(({ top5Error }) => top5Error ?? 0).toFixed(2), '623.88');
  assert.equal(sum(({ storageMbit }) => storageMbit).toFixed(1), '2332.8');
  assert.equal(sum(({ gflops }) => gflops).toFixed(2), '12.15');
});

test('marks are those of the labels', () => {
  assert.equal(TABLE_1.filter(({ cited }) => cited).length, 31);
  assert.equal(TABLE_1.filter(({ binaryDownsample }) => binaryDownsample).length, 7);
  const uncited = TABLE_1.filter(({ cited }) => !cited).map(({ label }) => label);
  assert.ok(uncited.every((label) => /^(Bi-Real|IGP|BinaryDenseNet)/.test(label)));
  assert.ok(TABLE_1.every(({ top1Error, top5Error }) => top5Error === null || top5Error < top1Error));
  assert.equal(TABLE_1.filter(({ top5Error }) => top5Error === null).length, 4);
});

test('what architectures report is what their row says', () => {
  const names = new Set(listArchitectures().map(({ name }) => name));
  let checked = 0;
  // A network that the authors trained again has two rows; the architecture reports the authors' own.
  for (const row of TABLE_1.filter(({ label, architecture }) => !/^B.*\*$/.test(label) && names.has(architecture))) {
    const { reported } = getArchitecture(row.architecture);
    assert.deepEqual(
      { ...reported, top5Error: reported?.top5Error ?? null },
      { top1Error: row.top1Error, top5Error: row.top5Error, storageMbit: row.storageMbit, gflops: row.gflops },
      row.label,
    );
    checked++;
  }
  assert.ok(checked >= 10, `only ${checked}`);
});
