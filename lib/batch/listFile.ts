/** Lists of pictures: a JSON object a line. */
import { open } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { describe } from '../check.js';
import { BitpathError, isNodeError } from '../errors.js';
import type { Input } from './inputs.js';
import { readLines } from './lines.js';

/** A line is a path and perhaps an id. */
const MAX_LINE_BYTES = 1 << 16;

/**
 * The pictures of a list. `image` is a path, relative to the list's folder; `id` a text or a number, kept for the results;
 * other fields are for others. Blank lines are passed over.
 *
 * @throws `ERR_BITPATH_BATCH_INPUT` naming the line for anything else.
 */
export async function* readList(list: string): AsyncGenerator<Input, void, undefined> {
  const fail = (reason: string, cause?: unknown) =>
    new BitpathError('ERR_BITPATH_BATCH_INPUT', { input: list, reason }, { cause });
  const file = await open(list, 'r').catch((cause: unknown) => {
    throw fail(`it cannot be read (${isNodeError(cause) ? cause.message : String(cause)})`, cause);
  });
  const folder = dirname(list);
  let number = 0;
  try {
    for await (const { bytes } of readLines(file, MAX_LINE_BYTES)) {
      number++;
      if (bytes.length > MAX_LINE_BYTES) throw fail(`line ${number} has ${bytes.length} bytes, over ${MAX_LINE_BYTES}`);
      const text = bytes
        .toString()
        .replace(number === 1 ? /^\ufeff/ : /^(?!)/, '')
        .trim();
      if (text === '') continue;
      let line: unknown;
      try {
        line = JSON.parse(text);
      } catch (cause) {
        throw fail(`line ${number} is not JSON (${(cause as Error).message})`, cause);
      }
      const { image, id } = (typeof line === 'object' ? (line ?? {}) : {}) as { image?: unknown; id?: unknown };
      if (typeof image !== 'string' || image === '') {
        throw fail(`line ${number}: expected a path as "image" but received ${describe(image)}`);
      }
      if (id !== undefined && typeof id !== 'string' && typeof id !== 'number') {
        throw fail(`line ${number}: expected a text or a number as "id" but received ${describe(id)}`);
      }
      const path = isAbsolute(image) ? image : join(folder, image);
      yield { image, path, id: id === undefined ? null : String(id) };
    }
  } finally {
    await file.close();
  }
}
