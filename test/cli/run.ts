/** Runs the real command line in a child process, and makes pictures for it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';

/** The package's root folder. This file runs as out/test/cli/run.js. */
export const root = fileURLToPath(new URL('../../../', import.meta.url));
const main = join(root, 'dist/cli/main.js');

export interface Result {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Columns of a terminal that stderr (and stdout) shall take themselves for. */
  readonly terminal?: { readonly stdout?: number; readonly stderr?: number };
}

/** Starts `bitpath …args`. */
export function start(args: readonly string[], { env = {}, cwd = root, terminal = {} }: RunOptions = {}): ChildProcess {
  // What a terminal's stream has and a pipe's has not. A pty needs programs that not every machine has.
  const fake = Object.entries(terminal).map(
    ([stream, columns]) => `Object.assign(process.${stream}, { isTTY: true, columns: ${columns} });`,
  );
  const preload = fake.length === 0 ? [] : ['--import', `data:text/javascript,${encodeURIComponent(fake.join(''))}`];
  const { BITPATH_ISA: _isa, BITPATH_THREADS: _threads, ...inherited } = process.env;
  return spawn(process.execPath, [...preload, main, ...args], {
    cwd,
    env: { ...inherited, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 120_000,
  });
}

/** Runs `bitpath …args` to its end. */
export function bitpath(args: readonly string[], options: RunOptions = {}): Promise<Result> {
  return ended(start(args, options));
}

export function ended(child: ChildProcess): Promise<Result> {
  return new Promise((resolve, reject) => {
    let stdout = '';
    let stderr = '';
    child.stdout?.setEncoding('utf8').on('data', (text) => (stdout += text));
    child.stderr?.setEncoding('utf8').on('data', (text) => (stderr += text));
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}

/** A folder that is removed after the tests of the file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'bitpath-cli-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A drawing; each seed gives another one. */
export function drawing(seed: number, width: number, height: number): string {
  const at = (i: number, range: number) => ((seed * 7919 + i * 104729) % 997) % range;
  const shapes = Array.from({ length: 12 }, (_, i) => {
    const colour = `rgb(${at(i, 256)},${at(i + 20, 256)},${at(i + 40, 256)})`;
    return `<ellipse cx="${at(i + 1, width)}" cy="${at(i + 2, height)}" rx="${8 + at(i + 3, 40)}" ry="${8 + at(i + 4, 40)}" fill="${colour}"/>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><rect width="100%" height="100%" fill="#9bd"/>${shapes.join('')}</svg>`;
}

/** Writes a drawing as a file of the type that its name ends in; the sides are never equal. */
export async function writePicture(path: string, seed: number): Promise<void> {
  const svg = drawing(seed, 180 + 10 * (seed % 5), 140 + 6 * (seed % 7));
  if (path.endsWith('.svg')) await writeFile(path, svg);
  else await sharp(Buffer.from(svg)).toFile(path);
}
