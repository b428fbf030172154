/** Clients that send a byte now and then, heads and bodies, and bodies without end: shut out in time, while others are answered. */
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Child } from '../service/children.js';
import { Mix } from '../service/mix.js';
import { saveSmallModel } from '../service/soakModel.js';
import { type Fault, hold } from './fault.js';

const CONNECTIONS = 100;
const LIMIT_MS = 2000;
/** Node looks for such connections once a second. */
const SLACK_MS = 3000;

export const slow: Fault = async ({ folder, say }) => {
  const models = [await saveSmallModel(folder)];
  const limits = { headers_timeout_ms: LIMIT_MS, request_timeout_ms: LIMIT_MS, body_bytes: 2 ** 20, connections: 1000 };
  const options = { port: 0, threads: 1, models, limits, log_level: 'warn' as const };
  const server = await Child.start('slow', folder, { kind: 'server', engine: 'bitpath', options });
  const mix = await Mix.create(server.started, 2);
  const counts: Record<string, number> = {};
  const infer = 'POST /v2/models/small/infer HTTP/1.1\r\nhost: localhost\r\n';
  try {
    const held: string[] = [];
    const kinds = [
      ['slow head', infer, 'x', 100],
      ['slow body', `${infer}content-length: 1000\r\n\r\n`, 'x', 100],
      ['announced too large', `${infer}content-length: ${2 ** 31}\r\n\r\n`, 'x', 100],
      ['chunks without end', `${infer}transfer-encoding: chunked\r\n\r\n`, `10000\r\n${'x'.repeat(2 ** 16)}\r\n`, 1],
    ] as const;
    for (const [kind, head, more, every] of kinds) {
      say(kind);
      let over = false;
      let good = 0;
      const others = (async () => {
        for (let i = 0; !over; i++) {
          if (Mix.kindOf(i) !== 'aborted') good += Number((await mix.send(i)) === '200');
        }
      })();
      const ends = await Promise.all(
        Array.from({ length: CONNECTIONS }, () => dribble(server.started, head, more, every)),
      );
      over = true;
      await others;
      for (const { status } of ends) counts[`${kind}: ${status}`] = (counts[`${kind}: ${status}`] ?? 0) + 1;
      counts[`${kind}: good requests meanwhile`] = good;
      const isRefused = ends.every(({ status }) => status === 'closed' || /^4/.test(status));
      const latest = Math.max(...ends.map(({ milliseconds }) => milliseconds));
      held.push(hold(isRefused, `${kind}: ${CONNECTIONS} connections, each a 4xx or closed`));
      held.push(hold(latest < LIMIT_MS + SLACK_MS, `${kind}: all within ${LIMIT_MS + SLACK_MS} ms`));
      held.push(hold(good > 0, `${kind}: others were answered meanwhile`));
    }
    mix.close();
    await sleep(300);
    const { connections, active } = await server.usage();
    held.push(hold(connections === 0 && active === 0, 'no request and no socket was left'));
    return { counts, held };
  } finally {
    mix.close();
    await server.stop();
  }
};

/** Sends `head` and then `more` every so many milliseconds until the connection is closed. */
function dribble(
  url: string,
  head: string,
  more: string,
  every: number,
): Promise<{ status: string; milliseconds: number }> {
  const { hostname, port } = new URL(url);
  const began = performance.now();
  return new Promise((resolve) => {
    let answer = '';
    let timer: NodeJS.Timeout | undefined;
    const socket = net.connect(Number(port), hostname, () => {
      socket.write(head);
      timer = setInterval(() => {
        if (socket.writableLength < 2 ** 20) socket.write(more);
      }, every);
    });
    socket.setEncoding('latin1').on('data', (chunk: string) => (answer += chunk));
    socket.on('error', () => {}); // reset while it was still being written to
    socket.on('close', () => {
      clearInterval(timer);
      const status = /^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 'closed';
      resolve({ status, milliseconds: performance.now() - began });
    });
  });
}
