/** Parquet, through hyparquet-writer. Loaded by nothing but a job that writes it. */
import type { FileHandle } from 'node:fs/promises';
import { loadOptional } from '../../packages.js';
import { writeFully } from '../disk.js';
import type { Columns, RowWriter } from './index.js';
import { type Cell, tableColumns, tableRow } from './table.js';

/** Rows of a group, which are held until it is written. */
const GROUP_ROWS = 10_000;

export async function parquetWriter(file: FileHandle, columns: Columns): Promise<RowWriter> {
  const { ByteWriter, ParquetWriter, schemaFromColumnData } = await loadWriter();
  const titles = tableColumns(columns);
  const cells: Cell[][] = titles.map(() => []);
  // Its own writer of files writes from the main thread; this one takes what it has gathered after each group.
  const bytes = new ByteWriter();
  let position = 0;
  const drain = async () => {
    await writeFully(file, new Uint8Array(bytes.buffer, 0, bytes.index), position);
    position += bytes.index;
    bytes.index = 0;
  };
  const columnData = () =>
    titles.map(({ name, type }, i) => ({ name, type, data: cells[i] as Cell[], nullable: true }));
  const parquet = new ParquetWriter({
    writer: bytes,
    schema: schemaFromColumnData({ columnData: columnData() }),
    createdBy: 'bitpath',
  });
  const writeGroup = async () => {
    await parquet.write({ columnData: columnData(), rowGroupSize: GROUP_ROWS });
    for (const column of cells) column.length = 0;
    await drain();
  };
  return {
    async write(input, result) {
      for (const [i, cell] of tableRow(input, result, columns).entries()) cells[i]?.push(cell);
      if (cells[0]?.length === GROUP_ROWS) await writeGroup();
    },
    async end() {
      if (cells[0]?.length !== 0) await writeGroup();
      await parquet.finish();
      await drain();
      return position;
    },
  };
}

/** Throws `ERR_BITPATH_MISSING_PACKAGE`. */
export function loadWriter(): Promise<typeof import('hyparquet-writer')> {
  return loadOptional('Writing Parquet', 'hyparquet-writer', () => import('hyparquet-writer'));
}
