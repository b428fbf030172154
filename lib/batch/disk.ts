/** Writing that says what went wrong, and files that are there whole or not at all. */
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { BitpathError, isNodeError } from '../errors.js';

/** The disk is full, a quota or a limit on the size of files is reached. */
const FULL = ['ENOSPC', 'EDQUOT', 'EFBIG'];

/** What `action` gives; its failure as `ERR_BITPATH_DISK_FULL` or `ERR_BITPATH_BATCH_OUTPUT` of `file`. */
export async function writing<T>(file: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    if (cause instanceof BitpathError) throw cause;
    const code = isNodeError(cause) ? (cause.code ?? '') : '';
    const message = isNodeError(cause) ? cause.message : String(cause);
    if (FULL.includes(code)) {
      throw new BitpathError('ERR_BITPATH_DISK_FULL', { file, reason: `the disk is full (${message})` }, { cause });
    }
    throw new BitpathError(
      'ERR_BITPATH_BATCH_OUTPUT',
      { file, reason: `it cannot be written (${message})` },
      { cause },
    );
  }
}

/** Writes all of `bytes` at `position`: one call of write may take less than it is given. */
export async function writeFully(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    done += (await file.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
  }
}

/** Has `path` as `write` makes it, once it is on the disk: a crash leaves the old file or the new one. */
export async function replaceFile(
  path: string,
  temporary: string,
  write: (file: FileHandle) => Promise<void>,
): Promise<void> {
  await writing(path, async () => {
    const file = await open(temporary, 'w');
    try {
      await write(file);
      await file.sync();
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncFolder(dirname(path));
  });
}

/** Makes names in a folder last; some systems cannot open folders, and need not. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r').catch(() => null);
  await folder?.sync().catch(() => {});
  await folder?.close();
}

/** Lines of text into a file, gathered to writes of some size. */
export class TextSink {
  readonly #file: FileHandle;
  #position = 0;
  #waiting: string[] = [];
  #length = 0;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  async write(text: string): Promise<void> {
    this.#waiting.push(text);
    this.#length += text.length;
    if (this.#length >= 1 << 16) await this.flush();
  }

  async flush(): Promise<void> {
    const bytes = Buffer.from(this.#waiting.join(''));
    this.#waiting = [];
    this.#length = 0;
    await writeFully(this.#file, bytes, this.#position);
    this.#position += bytes.length;
  }

  /** Bytes written so far. */
  get position(): number {
    return this.#position;
  }
}
