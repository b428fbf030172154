/** Comma-separated values as in RFC 4180, with a line of titles; lines end in LF. */
import type { FileHandle } from 'node:fs/promises';
import { TextSink } from '../disk.js';
import type { Columns, RowWriter } from './index.js';
import { type Cell, tableColumns, tableRow } from './table.js';

export async function csvWriter(file: FileHandle, columns: Columns): Promise<RowWriter> {
  const sink = new TextSink(file);
  const line = (cells: readonly Cell[]) => sink.write(`${cells.map(csvField).join(',')}\n`);
  await line(tableColumns(columns).map(({ name }) => name));
  return {
    write: (input, result) => line(tableRow(input, result, columns)),
    async end() {
      await sink.flush();
      return sink.position;
    },
  };
}

function csvField(cell: Cell): string {
  const text = String(cell ?? '');
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
