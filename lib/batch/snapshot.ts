/**
 * The job's list of pictures as it was when the job began, in a file: results are numbered by it, and a list that has changed
 * since then is found out, line by line, without holding either.
 */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { BitpathError } from '../errors.js';
import { replaceFile, TextSink } from './disk.js';
import type { Input } from './inputs.js';
import { readLines } from './lines.js';

export interface InputList {
  readonly count: number;
  /** SHA-256 of all lines. */
  readonly digest: string;
}

/** Writes the list. */
export async function writeSnapshot(path: string, inputs: AsyncIterable<Input>): Promise<InputList> {
  let list: InputList = { count: 0, digest: '' };
  await replaceFile(path, `${path}.tmp`, async (file) => {
    const sink = new TextSink(file);
    list = await digestInputs(inputs, (line) => sink.write(line));
    await sink.flush();
  });
  return list;
}

/** The list's figures; each of its lines is given to `take`. */
export async function digestInputs(
  inputs: AsyncIterable<Input>,
  take: (line: string) => Promise<void> = async () => {},
): Promise<InputList> {
  const hash = createHash('sha256');
  let count = 0;
  for await (const input of inputs) {
    const line = `${encode(input)}\n`;
    hash.update(line);
    await take(line);
    count++;
  }
  return { count, digest: `sha256:${hash.digest('hex')}` };
}

/** The pictures in order. */
export async function* readSnapshot(path: string): AsyncGenerator<Input, void, undefined> {
  const file = await open(path, 'r');
  try {
    for await (const { bytes, isWhole } of readLines(file)) {
      if (!isWhole) throw damaged(path);
      yield decode(bytes, path);
    }
  } finally {
    await file.close();
  }
}

/** Throws `ERR_BITPATH_BATCH_CHANGED` naming the first picture that is another one in `inputs`. */
export async function compareSnapshot(path: string, inputs: AsyncIterable<Input>, out: string): Promise<void> {
  const before = readSnapshot(path);
  let number = 0;
  for await (const input of inputs) {
    number++;
    const { value } = await before.next();
    const then = value === undefined ? null : encode(value);
    if (then !== encode(input)) throw changed(out, number, value ?? undefined, input);
  }
  const { value } = await before.next();
  await before.return();
  if (value !== undefined) throw changed(out, number + 1, value, undefined);
}

function changed(out: string, number: number, before: Input | undefined, now: Input | undefined): BitpathError {
  const text = (input: Input | undefined) => {
    if (input === undefined) return 'none';
    return `${JSON.stringify(input.image)}${input.id === null ? '' : ` with id ${JSON.stringify(input.id)}`}`;
  };
  return new BitpathError('ERR_BITPATH_BATCH_CHANGED', {
    out,
    what: `picture ${number}`,
    before: text(before),
    now: text(now),
  });
}

function encode({ image, path, id }: Input): string {
  return JSON.stringify({ image, path: path === image ? undefined : path, id: id ?? undefined });
}

function decode(bytes: Buffer, file: string): Input {
  try {
    const { image, path, id } = JSON.parse(bytes.toString()) as { image: string; path?: string; id?: string };
    return { image, path: path ?? image, id: id ?? null };
  } catch {
    throw damaged(file);
  }
}

function damaged(file: string): BitpathError {
  return new BitpathError('ERR_BITPATH_BATCH_OUTPUT', { file, reason: 'it is damaged; --restart begins the job anew' });
}
