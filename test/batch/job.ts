/** Pictures, a small network, and the command line over both. */
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createModel } from 'bitpath';
import { bitpath, type Result, type RunOptions, writePicture } from '../cli/run.js';

/** Makes `count` pictures in `folder/pictures`, every other one in a folder below, and one that is none. */
export async function makePictures(folder: string, count: number): Promise<void> {
  await mkdir(join(folder, 'pictures/more'), { recursive: true });
  await Promise.all(
    Array.from({ length: count }, (_, i) =>
      writePicture(join(folder, 'pictures', i % 2 === 0 ? '' : 'more', `p${i}.${i % 5 === 0 ? 'png' : 'jpg'}`), i),
    ),
  );
  await writeFile(join(folder, 'pictures/broken.jpg'), 'no picture');
}

/** A network that loads and computes in no time. Another seed gives another network of the same name. */
export async function makeModel(folder: string, name = 'small', seed = 1): Promise<string> {
  const file = `${name}.safetensors`;
  await createModel('bireal-resnet18-64', { classes: 12, inputSize: 32, seed }).save(join(folder, file));
  return file;
}

/** `bitpath batch …` in `folder`, with the small network unless another is named. */
export function batch(folder: string, args: readonly string[], options: RunOptions = {}): Promise<Result> {
  const model = args.includes('--model') ? [] : ['--model', 'small.safetensors'];
  return bitpath(['batch', ...model, '-t', '2', ...args], { cwd: folder, ...options });
}

export interface Row {
  readonly image: string;
  readonly id?: string;
  readonly predictions?: readonly { index: number; id: string; name: string; probability: number }[];
  readonly logits?: readonly number[];
  readonly error?: { readonly code: string; readonly message: string };
}

export function rows(path: string): Row[] {
  const text = readFileSync(path, 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Row);
}

export const has = (...path: string[]) => existsSync(join(...path));
