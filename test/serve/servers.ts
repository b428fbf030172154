/** Servers for tests: small networks, loopback, ports that the system picks. */
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import type { Model } from 'bitpath';
import sharp from 'sharp';
import { type Addresses, createServer, type Server, type ServerExtras, type ServerOptions } from '#lib/serve/index.js';
import { tinyModel } from './tinyModel.js';

export { CLASSES, floats, SIDE, tinyModel, VALUES } from './tinyModel.js';

// Here and not in the functions below: called in a hook, `after` belongs to that hook's suite.
const folders: string[] = [];
const servers: Server[] = [];
after(async () => {
  await Promise.all(servers.map((server) => server.close()));
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A folder that is removed after the tests of the file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'bitpath-serve-'));
  folders.push(folder);
  return folder;
}

/** Puts a version of a model into a repository folder, all at once. */
export async function publish(folder: string, name: string, version: string, model: Model): Promise<void> {
  const target = join(folder, name, version);
  await mkdir(target, { recursive: true });
  await model.save(join(target, 'next'));
  await rename(join(target, 'next'), join(target, 'model.safetensors'));
}

export interface Running extends Addresses {
  readonly server: Server;
}

/** A server that listens, and is closed after the tests of the file. It has a tiny model where none is given. */
export async function start(options: ServerOptions = {}, extras: ServerExtras = {}): Promise<Running> {
  let given = options;
  if (options.models === undefined && options.model_repository === undefined) {
    const folder = temporaryFolder();
    await tinyModel().save(join(folder, 'tiny.safetensors'));
    given = { ...options, models: [join(folder, 'tiny.safetensors')] };
  }
  const server = await createServer({ port: 0, threads: 1, drain_secs: 5, ...given }, { logger: false, ...extras });
  servers.push(server);
  return { server, ...(await server.listen()) };
}

/** A picture of noise. */
export function picture(seed: number, format: 'jpeg' | 'png' = 'png', width = 20, height = 12): Promise<Buffer> {
  const pixels = Uint8Array.from(
    { length: width * height * 3 },
    (_, i) => Math.imul(i + seed * 7919, 0x9e3779b1) >>> 24,
  );
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .toFormat(format)
    .toBuffer();
}

/** Resolves once `condition` holds; the test's own time limit bounds it. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}
