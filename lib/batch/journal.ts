/**
 * The results of a job so far, in a file that is only ever appended to. A record is a line, its checksum first; what a crash
 * left behind the last whole record is cut off. All that can be lost is work: a result is a function of picture and model, and
 * is computed again.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { BitpathError } from '../errors.js';
import { writeFully, writing } from './disk.js';
import { readLines } from './lines.js';
import type { Result } from './result.js';

/** Records wait for so many bytes or milliseconds, since each sync takes its time. */
const SYNC_BYTES = 1 << 18;
const SYNC_MS = 250;

/** Where nothing was found. */
const ABSENT = -1;

export class Journal {
  readonly #path: string;
  readonly #file: FileHandle;
  /** Of each picture's record in the file, which is all that is held of it. */
  readonly #offsets: Float64Array;
  #size: number;
  #done = 0;
  #waiting: { index: number; line: Buffer }[] = [];
  #waitingBytes = 0;
  #synced = performance.now();
  readonly #mayWrite: () => Promise<void>;
  /** Bytes of broken records at the end, which opening has cut off. */
  readonly droppedBytes: number;

  private constructor(
    path: string,
    file: FileHandle,
    offsets: Float64Array,
    { size, droppedBytes, mayWrite }: { size: number; droppedBytes: number; mayWrite: () => Promise<void> },
  ) {
    this.#path = path;
    this.#mayWrite = mayWrite;
    this.#file = file;
    this.#offsets = offsets;
    this.#size = size;
    this.#done = offsets.reduce((count, offset) => count + Number(offset !== ABSENT), 0);
    this.droppedBytes = droppedBytes;
  }

  /** Opens the journal of `run`, or begins it. Another run's is thrown away. Before each write `mayWrite` may throw. */
  static async open(path: string, run: string, count: number, mayWrite = async () => {}): Promise<Journal> {
    return writing(path, async () => {
      const file = await open(path, 'a+').then(async (created) => {
        await created.close();
        return open(path, 'r+');
      });
      try {
        const header = record(JSON.stringify({ run }));
        const { offsets, size, total } = await scan(file, header, count);
        if (size === 0) {
          await file.truncate(0);
          await writeFully(file, header, 0);
        } else if (size < total) await file.truncate(size);
        await file.sync();
        return new Journal(path, file, offsets, {
          size: size === 0 ? header.length : size,
          droppedBytes: size === 0 ? 0 : total - size,
          mayWrite,
        });
      } catch (error) {
        await file.close();
        throw error;
      }
    });
  }

  /** Pictures that have a result. */
  get done(): number {
    return this.#done;
  }

  has(index: number): boolean {
    return this.#offsets[index] !== ABSENT;
  }

  /** Takes a result; of two for the same picture the first counts. It is on the disk after {@link flush}, or some records later. */
  async append(index: number, result: Result): Promise<void> {
    if (this.has(index)) return;
    const line = record(JSON.stringify([index, result]));
    this.#offsets[index] = this.#size + this.#waitingBytes;
    this.#done++;
    this.#waiting.push({ index, line });
    this.#waitingBytes += line.length;
    if (this.#waitingBytes >= SYNC_BYTES || performance.now() - this.#synced >= SYNC_MS) await this.flush();
  }

  /** Returns once all that was appended is on the disk. Throws `ERR_BITPATH_DISK_FULL` or `ERR_BITPATH_BATCH_OUTPUT`. */
  async flush(): Promise<void> {
    await this.#mayWrite();
    if (this.#waiting.length > 0) {
      const waiting = this.#waiting;
      const bytes = Buffer.concat(waiting.map(({ line }) => line));
      try {
        await writing(this.#path, async () => {
          await writeFully(this.#file, bytes, this.#size);
          await this.#file.datasync();
        });
      } catch (error) {
        // Half a record is no harm, but its space may be what another file needs.
        await this.#file.truncate(this.#size).catch(() => {});
        for (const { index } of waiting) this.#offsets[index] = ABSENT;
        this.#done -= waiting.length;
        this.#waiting = [];
        this.#waitingBytes = 0;
        throw error;
      }
      this.#size += bytes.length;
      this.#waiting = [];
      this.#waitingBytes = 0;
    }
    this.#synced = performance.now();
  }

  /** All results in order of the pictures. Every picture must have one. */
  async *results(): AsyncGenerator<Result, void, undefined> {
    await this.flush();
    const reader = new RecordReader(this.#path, this.#file, this.#size);
    for (const offset of this.#offsets) {
      const [, result] = JSON.parse(await reader.payloadAt(offset)) as [number, Result];
      yield result;
    }
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

const CHECKSUM_DIGITS = 8;

function record(payload: string): Buffer {
  const bytes = Buffer.from(payload);
  return Buffer.concat([Buffer.from(`${checksum(bytes)} `), bytes, Buffer.from('\n')]);
}

function checksum(payload: Uint8Array): string {
  return crc32(payload).toString(16).padStart(CHECKSUM_DIGITS, '0');
}

/** The payload of a record's line, or null where line and checksum do not fit. */
function payloadOf(line: Buffer): string | null {
  const payload = line.subarray(CHECKSUM_DIGITS + 1);
  const isRecord = line.toString('latin1', 0, CHECKSUM_DIGITS + 1) === `${checksum(payload)} `;
  return isRecord ? payload.toString() : null;
}

/** Offsets of the records up to the first broken one, and where that begins. A file with another header has none. */
async function scan(file: FileHandle, header: Buffer, count: number) {
  const offsets = new Float64Array(count).fill(ABSENT);
  const { size: total } = await file.stat();
  let size = 0;
  for await (const { bytes, start, end, isWhole } of readLines(file)) {
    const payload = isWhole ? payloadOf(bytes) : null;
    if (payload === null) break;
    if (start === 0) {
      if (!header.subarray(0, -1).equals(bytes)) break;
    } else {
      const index = Number(/^\[(\d+),/.exec(payload)?.[1]);
      if (!(index < count)) break;
      if (offsets[index] === ABSENT) offsets[index] = start;
    }
    size = end;
  }
  return { offsets, size, total };
}

/** Records by their offset, mostly one behind the other: reads a stretch of the file at a time. */
class RecordReader {
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #size: number;
  #bytes = Buffer.alloc(0);
  #start = 0;

  constructor(path: string, file: FileHandle, size: number) {
    this.#path = path;
    this.#file = file;
    this.#size = size;
  }

  async payloadAt(offset: number): Promise<string> {
    for (let stretch = 1 << 18; ; stretch *= 4) {
      const at = offset - this.#start;
      const end = at >= 0 && at < this.#bytes.length ? this.#bytes.indexOf(10, at) : -1;
      if (end !== -1) {
        const payload = payloadOf(this.#bytes.subarray(at, end));
        if (payload !== null) return payload;
        throw this.#damaged(`the record at byte ${offset} has changed since it was written`);
      }
      if (this.#start === offset && offset + this.#bytes.length >= this.#size) {
        throw this.#damaged(`the record at byte ${offset} is gone`);
      }
      const bytes = Buffer.allocUnsafe(Math.min(stretch, this.#size - offset));
      const { bytesRead } = await this.#file.read(bytes, 0, bytes.length, offset);
      this.#bytes = bytes.subarray(0, bytesRead);
      this.#start = offset;
    }
  }

  #damaged(reason: string): BitpathError {
    return new BitpathError('ERR_BITPATH_BATCH_OUTPUT', { file: this.#path, reason });
  }
}
