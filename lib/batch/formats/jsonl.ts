/** A JSON object a line. */
import type { FileHandle } from 'node:fs/promises';
import { TextSink } from '../disk.js';
import type { RowWriter } from './index.js';

export function jsonlWriter(file: FileHandle): RowWriter {
  const sink = new TextSink(file);
  return {
    write: ({ image, id }, result) => sink.write(`${JSON.stringify({ image, id: id ?? undefined, ...result })}\n`),
    async end() {
      await sink.flush();
      return sink.position;
    },
  };
}
