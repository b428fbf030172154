/**
 * A server under requests without end: what it holds after many must be what it held after few. A small network, so that it is the
 * server that is soaked; tensors, JSON, pictures, wrong requests and clients that go away, mixed.
 *
 *   npm run bench:soak -- [--first 20000] [--requests 200000] [--lanes 16] [--seconds 300] [--no-save]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { markdownTable } from '#lib/bench/compareMarkdown.js';
import { describeMachine } from '#lib/bench/machine.js';
import { reportError, writeLines } from '#lib/cli/output.js';
import type { ServerOptions } from '#lib/serve/index.js';
import { Child } from './service/children.js';
import type { Usage } from './service/host.js';
import { Mix } from './service/mix.js';
import { resultName, save, toJson } from './service/save.js';
import { sayer } from './service/say.js';
import { saveSmallModel } from './service/soakModel.js';
import { soakVerdict, type SoakPoint, type SoakResult } from './service/soakResult.js';

const { values } = parseArgs({
  options: {
    first: { type: 'string', default: '20000' },
    requests: { type: 'string', default: '200000' },
    lanes: { type: 'string', default: '16' },
    seconds: { type: 'string', default: '600' },
    'no-save': { type: 'boolean', default: false },
  },
});

const MIB = 2 ** 20;

async function soak(): Promise<SoakResult> {
  const [first, requests, lanes] = [Number(values.first), Number(values.requests), Number(values.lanes)];
  const say = sayer();
  const folder = await mkdtemp(join(tmpdir(), 'bitpath-soak-'));
  const options: ServerOptions = { port: 0, threads: 1, models: [await saveSmallModel(folder)], log_level: 'warn' };
  const server = await Child.start('soak', folder, { kind: 'server', engine: 'bitpath', options }, ['--expose-gc']);
  const mix = await Mix.create(server.started, lanes);
  const counts: Record<string, number> = {};
  const points: SoakPoint[] = [];
  const began = performance.now();
  let sent = 0;
  const until = async (end: number) => {
    const lane = async () => {
      while (sent < end) {
        const status = await mix.send(sent++);
        counts[status] = (counts[status] ?? 0) + 1;
      }
    };
    await Promise.all(Array.from({ length: lanes }, lane));
  };
  try {
    // Between the two that count, to show the way.
    const ends = [...Array.from({ length: Math.ceil(requests / first) - 1 }, (_, i) => (i + 1) * first), requests];
    for (const end of ends) {
      await until(end);
      await sleep(300); // connections that were given up are noticed
      const usage = await server.ask<Usage>('usage', true);
      points.push({ requests: end, seconds: (performance.now() - began) / 1000, ...usage });
      say(`${end} requests: RSS ${(usage.rss / MIB).toFixed(1)} MiB, heap ${(usage.heapUsed / MIB).toFixed(1)} MiB`);
      if (performance.now() - began > 1000 * Number(values.seconds)) throw new Error(`${end} requests took too long`);
    }
    mix.close();
    await sleep(300);
    const after = await server.ask<Usage>('usage', true);
    const result = {
      format: 'bitpath.soak/1',
      machine: describeMachine(),
      options: { first, requests, lanes },
      counts,
    } as const;
    return { ...result, points, after, verdict: soakVerdict(points, after) };
  } finally {
    mix.close();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

try {
  const result = await soak();
  const mib = (bytes: number) => (bytes / MIB).toFixed(1);
  const columns = ['requests', 'RSS MiB', 'heap MiB', 'external MiB', 'sockets', 'active', 'requests/s'] as const;
  const rows = result.points.map((point, i) => {
    const { requests = 0, seconds = 0 } = result.points[i - 1] ?? {};
    const rate = (point.requests - requests) / (point.seconds - seconds);
    const { rss, heapUsed, external, connections, active } = point;
    return [
      String(point.requests),
      mib(rss),
      mib(heapUsed),
      mib(external),
      String(connections),
      String(active),
      rate.toFixed(0),
    ];
  });
  writeLines(
    markdownTable(
      columns.map((title) => ({ title, align: 'right' as const })),
      rows,
    ),
  );
  writeLines([
    '',
    `answers: ${JSON.stringify(result.counts)}`,
    ...result.verdict.map(({ what, met, value }) => `${met ? 'met   ' : 'MISSED'} ${what}: ${value}`),
  ]);
  if (!values['no-save']) writeLines(save(resultName('soak', result.machine), { '.json': toJson(result) }));
  if (result.verdict.some(({ met }) => !met)) process.exitCode = 1;
} catch (error) {
  reportError(error);
  process.exitCode = 1;
}
