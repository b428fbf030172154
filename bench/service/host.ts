/**
 * A process of its own that serves one model, or runs its bare executor, and tells what it cost: the other end of `children.ts`.
 * Messages come over IPC; traffic comes over loopback like anybody's.
 */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeHeapSnapshot } from 'node:v8';
import type { Executor } from '#lib/executor.js';
import { inputShape, loadModel } from '#lib/model.js';
import type { ServerOptions } from '#lib/serve/index.js';
import { createServer, type Server } from '#lib/serve/index.js';
import { picture } from '#lib/bench/inputs.js';
import { normalizationOf } from '#lib/bench/peers.js';
import { loadOrt } from './ortExecutor.js';

export type Job =
  | { readonly kind: 'server'; readonly engine: 'bitpath' | 'onnxruntime'; readonly options: ServerOptions }
  | { readonly kind: 'bare'; readonly file: string; readonly threads: number; readonly batch: number }
  /** HTTP and nothing else: `answer` bytes, once all of the body has come. */
  | { readonly kind: 'http'; readonly answer: number };

/** Runs of the bare executor for `milliseconds`, one every `period`; 0: one behind the other. */
export interface BareTask {
  readonly milliseconds: number;
  readonly period: number;
}

export interface Usage {
  /** Of all threads, since the process began. */
  readonly cpuMicroseconds: number;
  readonly rss: number;
  readonly heapUsed: number;
  readonly external: number;
  /** By kind, as `process.getActiveResourcesInfo` has them. */
  readonly resources: Readonly<Record<string, number>>;
  /** Requests on their way and pictures that wait. */
  readonly active: number;
  readonly connections: number;
}

export interface BareTurn {
  readonly milliseconds: number;
  readonly images: number;
  /** Of each call. */
  readonly calls: readonly number[];
}

let server: Server | undefined;
let bare: { readonly executor: Executor; readonly pixels: Uint8Array; readonly batch: number } | undefined;

const COMMANDS: Readonly<Record<string, (argument: never) => unknown>> = {
  async start(job: Job) {
    if (job.kind === 'http') return startHttp(job.answer);
    if (job.kind === 'bare') {
      const model = await loadModel(job.file);
      const { height } = inputShape(model.graph);
      const executor = await model.compile({ threads: job.threads, batch: job.batch });
      const one = picture(0, height, normalizationOf(model)).pixels;
      const pixels = new Uint8Array(one.length * job.batch);
      for (let i = 0; i < job.batch; i++) pixels.set(one, i * one.length);
      bare = { executor, pixels, batch: job.batch };
      return executor.isa;
    }
    // The one line in which the two services differ.
    server = await createServer(job.options, job.engine === 'onnxruntime' ? { load: loadOrt } : {});
    return (await server.listen()).url;
  },
  /** Runs of the bare executor, as the server would make them: off the JavaScript thread. */
  async run({ milliseconds, period }: BareTask): Promise<BareTurn> {
    if (bare === undefined) throw new Error('there is no bare executor');
    const { executor, pixels, batch } = bare;
    for (let i = 0; i < 3; i++) await executor.run(pixels);
    const calls: number[] = [];
    const began = performance.now();
    let before = began;
    for (let due = began; before - began < milliseconds; due += period) {
      const wait = period === 0 ? 0 : due - performance.now();
      if (wait > 0) {
        await sleep(wait);
        before = performance.now();
      }
      await executor.run(pixels);
      const now = performance.now();
      calls.push(now - before);
      before = now;
    }
    return { milliseconds: before - began, images: calls.length * batch, calls };
  },
  async usage(collect: boolean): Promise<Usage> {
    if (collect) for (let i = 0; i < 2; i++) globalThis.gc?.();
    const { user, system } = process.cpuUsage();
    const { rss, heapUsed, external } = process.memoryUsage();
    const resources: Record<string, number> = {};
    for (const name of process.getActiveResourcesInfo()) resources[name] = (resources[name] ?? 0) + 1;
    const served = server?.service.repository.served() ?? [];
    const active =
      served.reduce((sum, { active }) => sum + active, 0) + (server === undefined ? 0 : server.service.decoder.pending);
    const connections = await new Promise<number>((resolve) => {
      if (server === undefined) resolve(0);
      else server.app.server.getConnections((error, count) => resolve(error === null ? count : Number.NaN));
    });
    return { cpuMicroseconds: user + system, rss, heapUsed, external, resources, active, connections };
  },
  async idle() {
    await server?.service.repository.idle();
  },
  async refresh() {
    await server?.service.repository.refresh();
  },
  snapshot: (path: string) => writeHeapSnapshot(path),
  async stop() {
    await server?.close();
    bare?.executor.dispose();
    process.disconnect();
  },
};

function startHttp(length: number): Promise<string> {
  const answer = Buffer.alloc(length);
  const plain = http.createServer((request, response) => {
    request.on('data', () => {});
    request.on('end', () => response.end(answer));
  });
  return new Promise((resolve) => {
    plain.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(plain.address() as AddressInfo).port}`));
  });
}

// Whoever started it is gone: so is its reason.
process.on('disconnect', () => process.exit());
process.on('message', async ({ id, command, argument }: { id: number; command: string; argument: never }) => {
  try {
    const result = await COMMANDS[command]?.(argument);
    if (process.connected) process.send?.({ id, result });
  } catch (error) {
    process.send?.({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
});
