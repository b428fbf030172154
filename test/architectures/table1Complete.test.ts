/** Every row of Table 1 is a network that builds and is counted. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listArchitectures, TABLE_1 } from 'bitpath';
import { countTable1 } from 'bitpath/analysis';

test('every row’s architecture is there', () => {
  const names = new Set(listArchitectures().map(({ name }) => name));
  const missing = TABLE_1.filter(({ architecture }) => !names.has(architecture));
  assert.deepEqual(
    missing.map(({ row, architecture }) => `${row} ${architecture}`),
    [],
  );
});

test('every row is counted, and one deviation is left unexplained', () => {
  const unexplained = countTable1().flatMap(({ row, counted }) => {
    assert.ok(counted !== null, `row ${row}`);
    return [
      ...(counted.storage.agreement === 'unexplained' ? [`${row} storage`] : []),
      ...(counted.computation.agreement === 'unexplained' ? [`${row} computation`] : []),
    ];
  });
  assert.deepEqual(unexplained, ['22 storage']);
});
