import assert from 'node:assert/strict';
import net from 'node:net';
import test, { describe, it } from 'node:test';
import fc from 'fast-check';
import { encodeInferRequest, HEADER_LENGTH } from '#lib/protocol/index.js';
import { InFlight } from '#lib/serve/inFlight.js';
import { BodyMemory } from '#lib/serve/rest/bodyMemory.js';
import { inferRest, input, postJson, request } from './client.js';
import { body, INFER, post, served, WAITS } from './requests.js';
import { SIDE, start, until } from './servers.js';

describe('memory of bodies', () => {
  it('is lent to one at a time, whatever is taken, given back, and given back again', () => {
    const action = fc.oneof(
      fc.record({ do: fc.constant('take' as const), bytes: fc.integer({ min: 0, max: 2 ** 22 }) }),
      fc.record({ do: fc.constant('give' as const), which: fc.nat(30) }),
    );
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const memory = new BodyMemory();
        const taken: { readonly bytes: Uint8Array; isGiven: boolean }[] = [];
        for (const step of actions) {
          if (step.do === 'take') {
            const bytes = memory.take(step.bytes);
            assert.ok(bytes.length >= step.bytes);
            for (const other of taken) assert.ok(other.isGiven || other.bytes.buffer !== bytes.buffer);
            taken.push({ bytes, isGiven: false });
          } else {
            const one = taken[step.which];
            if (one === undefined) continue;
            // Given twice, it must not be lent twice; unless it was taken again between, then that one gave it.
            const isLentAgain = taken.some(
              (other) => other !== one && !other.isGiven && other.bytes.buffer === one.bytes.buffer,
            );
            if (isLentAgain) continue;
            memory.give(one.bytes.subarray(Math.min(8, one.bytes.length)));
            one.isGiven = true;
          }
        }
      }),
    );
  });

  it('comes again, and not from elsewhere', () => {
    const memory = new BodyMemory();
    const first = memory.take(100_000);
    assert.notEqual(memory.take(100_000).buffer, first.buffer);
    memory.give(first);
    memory.give(first);
    assert.equal(memory.take(120_000).buffer, first.buffer);
    assert.notEqual(memory.take(120_000).buffer, first.buffer);
    const strange = new Uint8Array(2 ** 17);
    memory.give(strange);
    assert.notEqual(memory.take(2 ** 17).buffer, strange.buffer);
    structuredClone(null, { transfer: [first.buffer as ArrayBuffer] });
    memory.give(first);
    assert.equal(memory.take(100_000).length >= 100_000, true);
  });
});

test('in mixed traffic over kept connections, each gets the answer to what it sent', async () => {
  const { url, server } = await start({ limits: { body_bytes: 2 ** 18, in_flight_bytes: 2 ** 24 } });
  const port = Number(new URL(url).port);
  // Of this size and above, memory is reused; the tiny network takes 8 × 8 pictures.
  const count = 8;
  const length = count * 3 * SIDE * SIDE;
  const tensor = (seed: number) => {
    const data = Float32Array.from({ length }, (_, i) => Math.sin(i * 0.7 + seed));
    return request(input({ shape: [count, 3, SIDE, SIDE], data, parameters: {} }), {
      parameters: { pad: 'x'.repeat(20_000) },
      outputs: [{ name: 'logits', parameters: { binary_data: true } }],
    });
  };
  const answers = new Map<number, number[]>();
  for (let seed = 0; seed < 5; seed++) answers.set(seed, await logits(url, tensor(seed)));
  assert.notDeepEqual(answers.get(0), answers.get(1));

  const leave = (seed: number, part: number) =>
    new Promise<void>((resolve) => {
      const { headerLength, bytes } = encodeInferRequest(tensor(seed));
      const socket = net.connect(port, '127.0.0.1', () => {
        socket.write(
          `POST ${INFER} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${bytes.length}\r\n` +
            `${HEADER_LENGTH}: ${headerLength}\r\n\r\n`,
        );
        socket.write(bytes.subarray(0, Math.floor(bytes.length * part)), () => socket.destroy());
      });
      socket.on('error', () => {}); // it was meant
      socket.on('close', () => resolve());
    });
  const tooLong = async () => {
    // Not without end: a client that has its answer may go on reading it, into memory.
    let left = 128;
    const chunks = new ReadableStream({
      pull: (controller) => (left-- > 0 ? controller.enqueue(new Uint8Array(2 ** 16)) : controller.close()),
    });
    const status = await fetch(url + INFER, { method: 'POST', body: chunks, duplex: 'half' } as RequestInit)
      .then((response) => response.status)
      .catch(() => 413); // closed before it had sent all
    assert.equal(status, 413);
  };
  const wrong = async (seed: number) => {
    const { bytes } = encodeInferRequest(tensor(seed));
    const broken = await postJson(url + INFER, bytes.subarray(0, -4) as Uint8Array<ArrayBuffer>, {
      [HEADER_LENGTH]: '40',
    });
    assert.equal(broken.status, 400);
  };
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ kind: fc.nat(6), seed: fc.nat(4), part: fc.constantFrom(0, 0.3, 0.9, 1) }), {
        minLength: 5,
        maxLength: 25,
      }),
      async (steps) => {
        await Promise.all(
          steps.map(async ({ kind, seed, part }) => {
            if (kind === 0) await leave(seed, part);
            else if (kind === 1) await tooLong();
            else if (kind === 2) await wrong(seed);
            else assert.deepEqual(await logits(url, tensor(seed)), answers.get(seed));
          }),
        );
      },
    ),
    { numRuns: 25 },
  );
  await until(() => server.service.inFlight.bytes === 0);
});

async function logits(url: string, what: ReturnType<typeof request>): Promise<number[]> {
  const { outputs } = await inferRest(url + INFER, what);
  return Array.from(outputs[0]?.data as Float32Array);
}

describe('bytes in flight', () => {
  it('are held, refused and released by count', () => {
    const inFlight = new InFlight(100);
    let refused = 0;
    inFlight.onRefused = () => refused++;
    const busy = { code: 'ERR_BITPATH_BUSY' };
    const [a, b] = [inFlight.open(), inFlight.open()];
    a.add(60);
    b.add(40);
    assert.throws(() => a.add(1), busy);
    assert.throws(() => inFlight.check(1), busy);
    a.release();
    a.release();
    assert.equal(inFlight.bytes, 40);
    inFlight.check(60);
    assert.equal(inFlight.bytes, 40, 'a look takes nothing');
    a.add(1000); // over: what still comes is for nobody
    assert.equal(inFlight.bytes, 40);
    b.release();
    assert.deepEqual([inFlight.bytes, refused], [0, 2]);
  });

  it('have a limit: one request more is refused at once, and served once another is answered', async () => {
    const limits = { body_bytes: body.length + 200, in_flight_bytes: body.length + 200 };
    const running = await start({ limits, model_defaults: { dynamic_batching: WAITS, max_batch_size: 2 } });
    const url = running.url + INFER;
    const gone = new AbortController();
    const first = fetch(url, { method: 'POST', body, signal: gone.signal }).catch(() => 'gone');
    await until(() => served(running).pending === 1);
    assert.equal(running.server.service.inFlight.bytes, body.length);

    const refused = await post(url);
    assert.deepEqual([refused.status, refused.body.code], [503, 'ERR_BITPATH_BUSY']);
    assert.equal(refused.headers.get('retry-after'), '1');
    assert.equal(refused.headers.get('connection'), 'close');
    const stream = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode(body));
        controller.close();
      },
    });
    const chunked = await post(url, stream, { duplex: 'half' } as RequestInit);
    assert.deepEqual([chunked.status, chunked.body.code], [503, 'ERR_BITPATH_BUSY'], 'without a length, as it comes');
    const large = await post(url, 'x'.repeat(limits.body_bytes + 1));
    assert.deepEqual([large.status, large.body.code], [413, 'ERR_BITPATH_TOO_LARGE'], 'which no wait will help');
    const form = new FormData();
    form.append('file', new Blob([new Uint8Array(300)]));
    assert.equal((await post(`${running.url}/classify`, form)).status, 503);
    assert.equal((await fetch(`${running.url}/v2/health/live`)).status, 200);
    const metrics = await (await fetch(`${running.url}/metrics`)).text();
    assert.match(metrics, new RegExp(`^bitpath_in_flight_bytes ${body.length}$`, 'm'));
    assert.match(metrics, /^bitpath_busy_requests_total 3$/m);

    gone.abort();
    assert.equal(await first, 'gone');
    await until(() => running.server.service.inFlight.bytes === 0);
    const two = {
      name: 'input',
      datatype: 'FP32',
      shape: [2, 3, SIDE, SIDE],
      data: Array(2 * 3 * SIDE * SIDE).fill(0),
    };
    const fits = JSON.stringify({ inputs: [two] });
    assert.ok(fits.length <= limits.in_flight_bytes);
    assert.equal((await post(url, fits)).status, 200);
  });

  it('count a body as the larger of its two forms', async () => {
    const { gzipSync } = await import('node:zlib');
    const limits = { body_bytes: 8192, json_bytes: 8192, in_flight_bytes: 8192 };
    const running = await start({ limits, model_defaults: { dynamic_batching: WAITS, max_batch_size: 2 } });
    const url = running.url + INFER;
    const zipped = gzipSync(body + ' '.repeat(8192 - body.length));
    const options = { headers: { 'content-encoding': 'gzip' } };
    const gone = new AbortController();
    const first = post(url, zipped, { ...options, signal: gone.signal }).catch(() => 'gone');
    await until(() => served(running).pending === 1);
    assert.equal(running.server.service.inFlight.bytes, 8192, 'alone it fits, whatever it came as');
    gone.abort();
    assert.equal(await first, 'gone');
    await until(() => running.server.service.inFlight.bytes === 0);

    const second = fetch(url, { method: 'POST', body });
    await until(() => served(running).pending === 1);
    const answer = await post(url, zipped, options);
    assert.deepEqual([answer.status, answer.body.code], [503, 'ERR_BITPATH_BUSY']);
    await post(url);
    assert.equal((await second).status, 200);
  });

  it('are not what is wrong with a form that is too large by itself', async () => {
    const limits = { body_bytes: 2 ** 16, in_flight_bytes: 2 ** 16 };
    const { url } = await start({ limits });
    const form = new FormData();
    for (const name of ['a', 'b']) form.append('files', new Blob([new Uint8Array(2 ** 16 - 500)]), name);
    const answer = await post(`${url}/classify`, form);
    assert.deepEqual([answer.status, answer.body.code], [413, 'ERR_BITPATH_TOO_LARGE']);
  });

  it('grow as a body is expanded, and not when it is already there', async () => {
    const { gzipSync } = await import('node:zlib');
    const { url, server } = await start();
    const { inFlight } = server.service;
    const added: number[] = [];
    const open = inFlight.open.bind(inFlight);
    inFlight.open = () => {
      const held = open();
      return {
        ...held,
        add: (bytes) => {
          added.push(bytes);
          held.add(bytes);
        },
      };
    };
    const zipped = gzipSync(body + ' '.repeat(2 ** 20));
    assert.equal((await post(url + INFER, zipped, { headers: { 'content-encoding': 'gzip' } })).status, 200);
    assert.equal(
      added.reduce((a, b) => a + b),
      body.length + 2 ** 20,
    );
    assert.ok(Math.max(...added) <= 2 ** 16);
  });

  it('must have room for one body', async () => {
    await assert.rejects(start({ limits: { in_flight_bytes: 2 ** 20 } }), {
      code: 'ERR_BITPATH_CONFIG',
      message: /limits\.body_bytes.*limits\.in_flight_bytes.*1048576/,
    });
  });
});
