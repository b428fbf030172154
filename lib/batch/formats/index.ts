/** What writes the results. */
import type { FileHandle } from 'node:fs/promises';
import type { Input } from '../inputs.js';
import type { Result } from '../result.js';
import { csvWriter } from './csv.js';
import { jsonlWriter } from './jsonl.js';
import type { OutputFormat } from './names.js';

/** What decides a table's columns. */
export interface Columns {
  /** Predictions that each picture has. */
  readonly top: number;
  /** Logits that each has; 0 without. */
  readonly logits: number;
}

/** Takes rows in order. */
export interface RowWriter {
  write(input: Input, result: Result): Promise<void>;
  /** Writes what has waited; returns the length of the file. */
  end(): Promise<number>;
}

/** Throws `ERR_BITPATH_MISSING_PACKAGE` for Parquet without its package: better now than after the last picture. */
export async function requireFormat(format: OutputFormat): Promise<void> {
  if (format === 'parquet') await (await import('./parquet.js')).loadWriter();
}

export async function openWriter(format: OutputFormat, file: FileHandle, columns: Columns): Promise<RowWriter> {
  if (format === 'jsonl') return jsonlWriter(file);
  if (format === 'csv') return csvWriter(file, columns);
  const { parquetWriter } = await import('./parquet.js');
  return parquetWriter(file, columns);
}
