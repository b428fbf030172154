/** Forms of the results, by the output's name. The command line asks without loading what writes them. */
import { extname } from 'node:path';

export type OutputFormat = 'jsonl' | 'csv' | 'parquet';
const FORMATS: readonly OutputFormat[] = ['jsonl', 'csv', 'parquet'];

/** The format that the name ends in, or null. */
export function formatOf(path: string): OutputFormat | null {
  return FORMATS.find((format) => extname(path).toLowerCase() === `.${format}`) ?? null;
}
