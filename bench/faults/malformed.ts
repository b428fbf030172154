/** Malformed requests by the hundred thousand, below the queue's limit: each a 4xx or a closed connection, good ones in between answered. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { bombard } from '../../test/serve/malformed.js';
import { tinyModel } from '../../test/serve/tinyModel.js';
import { Child } from '../service/children.js';
import { type Fault, hold } from './fault.js';

const CHUNK = 5000;

export const malformed: Fault = async ({ requests, seed, folder, say }) => {
  const file = join(folder, 'tiny.safetensors');
  await tinyModel().save(file);
  const options = { port: 0, threads: 1, models: [file], log_level: 'warn' as const };
  const server = await Child.start('malformed', folder, { kind: 'server', engine: 'bitpath', options }, [
    '--expose-gc',
  ]);
  const counts: Record<string, number> = {};
  const note = (kind: string, statuses: ReadonlyMap<number, number>) => {
    for (const [status, count] of statuses) {
      const key = `${kind} ${status === 0 ? 'closed' : status}`;
      counts[key] = (counts[key] ?? 0) + count;
    }
  };
  try {
    const before = await server.usage(true);
    let sent = 0;
    for (let chunk = 0; sent < requests; chunk++) {
      const count = Math.min(CHUNK, requests - sent);
      // It throws at the first answer that is none of 4xx.
      const { bad, odd, good } = await bombard(server.started, count, seed + chunk);
      note('malformed', bad);
      note('strange', odd);
      note('good', good);
      sent += count;
      if (sent % (4 * CHUNK) === 0) say(`${sent} malformed requests`);
    }
    await sleep(200);
    const after = await server.usage(true);
    const good = Object.entries(counts).filter(([key]) => key.startsWith('good'));
    return {
      counts: { ...counts, 'RSS before': before.rss, 'RSS after': after.rss },
      held: [
        hold(true, `${sent} malformed requests: each a 4xx or a closed connection, and no strange one a 5xx`),
        hold(good.length === 1 && good[0]?.[0] === 'good 200', 'every good request in between was answered with 200'),
        hold(after.active === 0 && after.connections === 0, 'no request and no socket was left'),
      ],
    };
  } finally {
    await server.stop();
  }
};
