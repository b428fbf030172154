/** A Redis of the tests' own, on a port of this machine only; Debian's `redis-server`. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { after } from 'node:test';
import { Redis } from 'ioredis';
import { temporaryFolder } from '../cli/run.js';

/** Said where tests are left out. */
export const redisMissing =
  spawnSync('redis-server', ['--version']).status === 0
    ? false
    : 'redis-server is not installed (apt install redis-server)';

export interface TestRedis {
  readonly url: string;
  start(): Promise<void>;
  /** Ends it; what it held comes back with the next start, as with its default settings. */
  stop(): Promise<void>;
  /** What `action` says of it. */
  ask<T>(action: (client: Redis) => Promise<T>): Promise<T>;
}

/** One that is ended after the tests of the file; made where the file is, not in a hook. */
export function testRedis(): TestRedis {
  let port = 0;
  const folder = temporaryFolder();
  let child: ChildProcess | null = null;
  const client = () =>
    new Redis(port, '127.0.0.1', { retryStrategy: (times) => Math.min(20 * times, 200), maxRetriesPerRequest: 100 });
  const redis: TestRedis = {
    get url() {
      return `redis://127.0.0.1:${port}`;
    },
    async start() {
      port ||= await freePort();
      const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--appendonly', 'yes'];
      child = spawn('redis-server', args, { stdio: 'ignore' });
      await redis.ask((one) => one.ping());
    },
    async stop() {
      const closed = new Promise((resolve) => child?.on('close', resolve));
      child?.kill('SIGTERM');
      await closed;
      child = null;
    },
    async ask(action) {
      const one = client();
      one.on('error', () => {});
      try {
        return await action(one);
      } finally {
        one.disconnect();
      }
    },
  };
  after(() => child?.kill('SIGKILL'));
  return redis;
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
