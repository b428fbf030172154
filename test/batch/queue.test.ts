/** A batch job through a queue gives the file that one process gives, whatever happens to workers and to Redis. */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { ended, start, temporaryFolder } from '../cli/run.js';
import { batch, has, makeModel, makePictures, rows } from './job.js';
import { redisMissing, testRedis } from './redis.js';

const COUNT = 60;
const folder = temporaryFolder();
const redis = testRedis();
let queue: string[] = [];
let number = 0;
const children = new Set<ChildProcess>();

/** A worker, and what it has printed. */
function worker(args: readonly string[] = []) {
  const model = args.includes('--model') ? [] : ['--model', 'small.safetensors'];
  const child = start(['worker', ...queue, ...model, '-t', '1', '--stalled-after', '1', ...args], { cwd: folder });
  children.add(child);
  let text = '';
  let error = '';
  let look = () => {};
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      if (stream === child.stdout) text += chunk;
      else error += chunk;
      look();
    });
  }
  return {
    child,
    text: () => text,
    /** Resolves once its output matches. */
    saw: (pattern: RegExp, from = 0) =>
      new Promise<void>((resolve, reject) => {
        look = () => pattern.test(text.slice(from)) && resolve();
        child.on('close', () => reject(new Error(`the worker has ended without ${pattern}: ${text}${error}`)));
        look();
      }),
    closed: new Promise<number | null>((resolve) => child.on('close', resolve)),
  };
}

const send = (out: string, args: readonly string[] = []) =>
  start(['batch', '-m', 'small.safetensors', 'pictures', '--out', out, ...queue, '--chunk', '4', ...args], {
    cwd: folder,
  });
const expected = () => readFileSync(join(folder, 'plain.jsonl'));
const written = (out: string) => readFileSync(join(folder, out));

describe('a queue', { skip: redisMissing }, () => {
  before(async () => {
    await Promise.all([redis.start(), makePictures(folder, COUNT), makeModel(folder), makeModel(folder, 'other', 2)]);
    const { code, stderr } = await batch(folder, ['pictures', '--out', 'plain.jsonl']);
    assert.equal(code, 3, stderr);
  });
  beforeEach(() => {
    queue = ['--queue', redis.url, '--queue-name', `test-${++number}`];
  });
  after(() => {
    for (const child of children) child.kill('SIGKILL');
  });

  it('gives what one process gives, with two workers that share the work and stop when asked', async () => {
    const workers = [worker(), worker(['--json', '--concurrency', '2'])] as const;
    await Promise.all([workers[0].saw(/^ready: queue test-/m), workers[1].saw(/"event":"ready"/)]);
    const { code, stderr } = await ended(send('shared.jsonl'));
    assert.equal(code, 3, stderr);
    assert.match(stderr, /^bitpath: pictures\/broken\.jpg: .* \(ERR_BITPATH_IMAGE\)\n$/);
    assert.deepEqual(written('shared.jsonl'), expected());
    for (const { child } of workers) child.kill('SIGTERM');
    assert.deepEqual(await Promise.all(workers.map(({ closed }) => closed)), [0, 0]);
    const done = workers[0].text().match(/^done: /gm)?.length ?? 0;
    const events = workers[1]
      .text()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { event: string });
    assert.equal(done + events.filter(({ event }) => event === 'done').length, Math.ceil((COUNT + 1) / 4));
    assert.deepEqual(events.slice(-2), [{ event: 'draining' }, { event: 'stopped' }]);
    // Nothing of the job is left in Redis.
    const keys = await redis.ask((client) => client.keys(`bull:test-${number}:*-*-*`));
    assert.deepEqual(
      keys.filter((key) => !/stalled-check$/.test(key)),
      [],
    );
  });

  it('survives workers that are killed in the middle of a chunk', async () => {
    const producer = send('killed.jsonl');
    const result = ended(producer);
    for (let i = 0; i < 2; i++) {
      const victim = worker(['-b', '1']);
      await victim.saw(/^done: /m);
      victim.child.kill('SIGKILL');
      await victim.closed;
    }
    const last = worker();
    const { code, stderr } = await result;
    assert.equal(code, 3, stderr);
    assert.deepEqual(written('killed.jsonl'), expected());
    last.child.kill('SIGKILL');
  });

  it('survives a Redis that is stopped and started, and says so', async () => {
    const producer = send('away.jsonl', ['--chunk', '1']);
    const result = ended(producer);
    const warned = new Promise<void>((resolve) => {
      producer.stderr?.on('data', (text: string) => text.includes('Redis does not answer') && resolve());
    });
    const one = worker(['-b', '1']);
    await one.saw(/^done: /m);
    one.child.kill('SIGSTOP'); // or it may be done before Redis is gone
    await redis.stop();
    one.child.kill('SIGCONT');
    await Promise.all([warned, one.saw(/^away: /m)]);
    await redis.start();
    const { code, stderr } = await result;
    assert.equal(code, 3, stderr);
    assert.deepEqual(written('away.jsonl'), expected());
    assert.match(
      stderr,
      /warning: redis:\/\/127.*: Redis does not answer \(.*waiting for it\n.*Redis answers again\n/s,
    );
    one.child.kill('SIGKILL');
  });

  it('survives a Redis that has forgotten everything', async () => {
    const producer = send('forgotten.jsonl');
    const result = ended(producer);
    const one = worker(['-b', '1']);
    await one.saw(/^done: /m);
    await redis.ask((client) => client.flushall());
    const { code, stderr } = await result;
    assert.equal(code, 3, stderr);
    assert.deepEqual(written('forgotten.jsonl'), expected());
    one.child.kill('SIGKILL');
  });

  it('goes on after the producer was killed, with what workers did meanwhile', async () => {
    const one = worker();
    const producer = send('producer.jsonl');
    await one.saw(/^done: /m);
    producer.kill('SIGKILL');
    await ended(producer);
    const { code, stderr } = await ended(send('producer.jsonl'));
    assert.equal(code, 3, stderr);
    assert.deepEqual(written('producer.jsonl'), expected());
    const chunks = [...one.text().matchAll(/^done: (\S+),/gm)].map(([, id]) => id);
    assert.equal(new Set(chunks).size, chunks.length, 'a chunk was computed twice');
    one.child.kill('SIGKILL');
  });

  it('EXPECTED FAILURE a worker with another model: both are named, nothing is lost', async () => {
    const wrong = worker(['--model', 'other.safetensors']);
    await wrong.saw(/^ready/m);
    const { code, stderr } = await ended(send('model.jsonl'));
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^bitpath: The worker has the model bireal-resnet18-64 \(sha256:\w+…\), the batch job wants .* \(ERR_BITPATH_QUEUE_MISMATCH\)\n$/,
    );
    wrong.child.kill('SIGKILL');
    await wrong.closed;
    const right = worker();
    const again = await ended(send('model.jsonl'));
    assert.equal(again.code, 3, again.stderr);
    assert.deepEqual(written('model.jsonl'), expected());
    right.child.kill('SIGKILL');
  });

  it('sends paths below a root, which may lie elsewhere for the worker', async () => {
    if (!has(folder, 'mount')) symlinkSync(folder, join(folder, 'mount'));
    const one = worker(['--root', 'mount']);
    const { code, stderr } = await ended(send('root.jsonl', ['--root', '.']));
    assert.equal(code, 3, stderr);
    assert.deepEqual(written('root.jsonl'), expected());
    const mismatch = await ended(send('no-root.jsonl'));
    assert.match(
      mismatch.stderr,
      /The worker has --root "mount", the batch job wants none \(ERR_BITPATH_QUEUE_MISMATCH\)/,
    );
    one.child.kill('SIGKILL');
  });

  it('a worker that does not see the files fails its chunks and records nothing; another one computes them', async () => {
    mkdirSync(join(folder, 'elsewhere'));
    writeFileSync(join(folder, 'elsewhere/other.txt'), '');
    const blind = worker(['--root', 'elsewhere']);
    await blind.saw(/^ready/m);
    const result = ended(send('blind.jsonl', ['--root', '.']));
    await blind.saw(
      /^failed: \S+, pictures\/\S+: worker \d+ on .*, --root elsewhere, cannot read it .*BATCH_INPUT\)$/m,
    );
    blind.child.kill('SIGKILL');
    await blind.closed;
    const one = worker(['--root', '.']);
    const { code, stderr } = await result;
    assert.equal(code, 3, stderr);
    assert.deepEqual(written('blind.jsonl'), expected());
    one.child.kill('SIGKILL');
  });

  it('EXPECTED FAILURE a worker does not start on a root that is missing or empty', async () => {
    mkdirSync(join(folder, 'empty'));
    for (const [root, message] of [
      ['gone', /for --root but received "gone", which cannot be read \(ENOENT/],
      ['empty', /for --root but received "empty", which is empty \(ERR_BITPATH_ARGUMENT\)\n$/],
      ['', /for --root but received "", which cannot be read/],
    ] as const) {
      const { code, stderr } = await ended(worker(['--root', root]).child);
      assert.equal(code, 1);
      assert.match(stderr, message);
    }
  });

  it('says that nobody works', async () => {
    const producer = send('nobody.jsonl');
    let stderr = '';
    await new Promise<void>((resolve) => {
      producer.stderr?.setEncoding('utf8').on('data', (text: string) => {
        stderr += text;
        if (stderr.includes('no worker takes from queue')) resolve();
      });
    });
    producer.kill('SIGKILL');
    await ended(producer);
  });

  it('can be left: the missing pictures are then computed here', async () => {
    const { code, stderr } = await batch(folder, ['pictures', '--out', 'nobody.jsonl']);
    assert.equal(code, 3, stderr);
    assert.deepEqual(written('nobody.jsonl'), expected());
    assert.equal(rows(join(folder, 'nobody.jsonl')).length, COUNT + 1);
  });

  it('EXPECTED FAILURE no Redis, no URL of one', async () => {
    const none = await batch(folder, ['pictures', '--out', 'none.jsonl', '--queue', 'redis://user:secret@127.0.0.1:1']);
    assert.equal(none.code, 1);
    assert.match(
      none.stderr,
      /^bitpath: redis:\/\/user@127\.0\.0\.1:1: Redis does not answer \(.*ECONNREFUSED.*\(ERR_BITPATH_QUEUE\)\n$/,
    );
    assert.ok(!none.stderr.includes('secret'));
    const query = await batch(folder, [
      'pictures',
      '--out',
      'none.jsonl',
      '--queue',
      'redis://127.0.0.1:1/0?password=secret',
    ]);
    assert.match(query.stderr, /^bitpath: redis:\/\/127\.0\.0\.1:1\/0: Redis does not answer/);
    for (const url of [
      'redis://user:secret%zz@127.0.0.1:1',
      'redis://:sec#secret@127.0.0.1:1',
      'redis://user:1/secret@127.0.0.1:1',
      'redis://user:1?secret@127.0.0.1:1',
      'redis://user:1#secret@127.0.0.1:1',
      'http://user:secret@127.0.0.1:1',
      'secret:secret@127.0.0.1:1',
    ]) {
      const { code, stderr } = await batch(folder, ['pictures', '--out', 'none.jsonl', '--queue', url]);
      assert.equal(code, 1);
      assert.match(stderr, /^bitpath: .*\(ERR_BITPATH_(ARGUMENT|QUEUE)\)\n$/, url);
      assert.doesNotMatch(stderr, /secret/, url);
    }
    assert.ok(!query.stderr.includes('secret'));
    const wrong = await batch(folder, ['pictures', '--out', 'none.jsonl', '--queue', 'localhost']);
    assert.match(
      wrong.stderr,
      /Expected a URL such as redis:\/\/localhost:6379 for --queue .*\(ERR_BITPATH_ARGUMENT\)/,
    );
  });
});
