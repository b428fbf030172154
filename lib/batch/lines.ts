/** Lines of a file of any length, without holding it. */
import type { FileHandle } from 'node:fs/promises';

const READ_BYTES = 1 << 16;
const NEWLINE = 10;

export interface Line {
  readonly bytes: Buffer;
  /** Where the line begins in the file, and where the next one does. */
  readonly start: number;
  readonly end: number;
  /** False for what stands behind the last newline. */
  readonly isWhole: boolean;
}

/**
 * All lines, without their newlines. What is longer than `longest` bytes comes as a line that is not whole,
 * and is the last.
 */
export async function* readLines(file: FileHandle, longest = 1 << 24): AsyncGenerator<Line, void, undefined> {
  let rest = Buffer.alloc(0);
  let start = 0; // of `rest` in the file
  for (;;) {
    const buffer = Buffer.allocUnsafe(READ_BYTES);
    const { bytesRead } = await file.read(buffer, 0, READ_BYTES, start + rest.length);
    if (bytesRead === 0) break;
    const chunk = Buffer.concat([rest, buffer.subarray(0, bytesRead)]);
    // What was left over has no newline.
    let search = rest.length;
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE, search); at !== -1; at = chunk.indexOf(NEWLINE, search)) {
      yield { bytes: chunk.subarray(from, at), start: start + from, end: start + at + 1, isWhole: true };
      from = at + 1;
      search = from;
    }
    rest = chunk.subarray(from);
    start += from;
    if (rest.length > longest) break;
  }
  if (rest.length > 0) yield { bytes: rest, start, end: start + rest.length, isWhole: false };
}
