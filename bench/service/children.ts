/** Starts `host.ts` and asks it things. A child that dies ends the run, with what it last said. */
import { type ChildProcess, fork } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fail } from '#lib/bench/check.js';
import type { Job, Usage } from './host.js';

const HOST = fileURLToPath(new URL('./host.js', import.meta.url));

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

export class Child {
  readonly name: string;
  /** Of a server its URL, of an executor its instruction set. */
  started = '';
  readonly #process: ChildProcess;
  readonly #waiting: Map<number, Waiting>;
  #next = 1;

  private constructor(name: string, process: ChildProcess, waiting: Map<number, Waiting>) {
    this.name = name;
    this.#process = process;
    this.#waiting = waiting;
  }

  /** @param folder For its log: a server writes a line for each request, here as anywhere. */
  static async start(name: string, folder: string, job: Job, nodeOptions: readonly string[] = []): Promise<Child> {
    const log = join(folder, `${name.replace(/\W+/g, '-')}.log`);
    const file = openSync(log, 'w');
    const child = fork(HOST, [], { execArgv: [...nodeOptions], stdio: ['ignore', 'inherit', file, 'ipc'] });
    closeSync(file);
    const waiting = new Map<number, Waiting>();
    child.on('message', ({ id, result, error }: { id: number; result?: unknown; error?: string }) => {
      const asked = waiting.get(id);
      waiting.delete(id);
      if (error === undefined) asked?.resolve(result);
      else asked?.reject(new Error(`${name}: ${error}`));
    });
    child.on('exit', (code, signal) => {
      const said = readFileSync(log, 'utf8').trim().split('\n').slice(-3).join('\n').slice(-2000);
      for (const { reject } of waiting.values()) {
        reject(new Error(`${name} ended (${signal ?? code})${said === '' ? '' : `: ${said}`}`));
      }
      waiting.clear();
    });
    const self = new Child(name, child, waiting);
    try {
      self.started = await self.ask<string>('start', job);
      return self;
    } catch (cause) {
      child.kill();
      return fail(name, (cause as Error).message.split('\n')[0] ?? '', cause);
    }
  }

  ask<T>(command: string, argument: unknown = null): Promise<T> {
    const id = this.#next++;
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
      this.#process.send({ id, command, argument }, (error) => {
        if (error === null) return;
        this.#waiting.delete(id);
        reject(error);
      });
    });
  }

  usage(collect = false): Promise<Usage> {
    return this.ask<Usage>('usage', collect);
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = new Promise((resolve) => this.#process.once('exit', resolve));
    await this.ask('stop').catch(() => this.#process.kill('SIGKILL'));
    await exited;
  }

  /** At once, with whatever it was doing. */
  kill(): void {
    this.#process.kill('SIGKILL');
  }
}
