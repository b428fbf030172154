/** Dynamic batching, on a clock that stands still: who is computed with whom, and when. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { BitpathError } from '#lib/errors.js';
import { DynamicBatcher } from '#lib/serve/batching/batcher.js';
import type { BatchingPolicy, QueuePolicy } from '#lib/serve/batching/policy.js';
import { FakeClock, settled } from './clock.js';

fc.configureGlobal({ seed: 7 });

const QUEUE: QueuePolicy = {
  timeout_action: 'REJECT',
  default_timeout_microseconds: 0,
  allow_timeout_override: true,
  max_queue_size: 0,
};
const POLICY: BatchingPolicy = {
  max_batch_size: 4,
  preferred_batch_size: [],
  max_queue_delay_microseconds: 0,
  preserve_ordering: false,
  priority_levels: 0,
  default_priority_level: 0,
  default_queue_policy: QUEUE,
  priority_queue_policy: {},
};

interface Submitted {
  readonly size?: number;
  readonly kind?: string;
  readonly priority?: number;
  readonly timeout?: number;
  readonly signal?: AbortSignal;
}

/** A batcher whose batches stay under way until they are finished. */
function bench(policy: Partial<BatchingPolicy> = {}, instances = 1) {
  const clock = new FakeClock();
  const batches: {
    readonly items: readonly string[];
    readonly instance: number;
    readonly signal: AbortSignal;
    finish(error?: unknown): void;
  }[] = [];
  const batcher = new DynamicBatcher<string, string>(
    { ...POLICY, ...policy },
    instances,
    (items, instance, signal) =>
      new Promise((resolve, reject) => {
        const finish = (error?: unknown) =>
          error === undefined ? resolve(items.map((item) => item.toUpperCase())) : reject(error);
        batches.push({ items, instance, signal, finish });
      }),
    clock,
  );
  const answers: string[] = [];
  const submit = (item: string, { size = 1, kind = 'a', priority = 0, timeout = 0, ...rest }: Submitted = {}) =>
    batcher.submit(item, { size, kind, priority, timeout, ...rest }).then(
      ({ result }) => answers.push(result),
      (error) => answers.push(`${item}: ${error instanceof BitpathError ? error.code : error}`),
    );
  /** What was sent so far. */
  const sent = () => batches.map(({ items }) => items.join(''));
  return { clock, batcher, batches, answers, submit, sent };
}

describe('dynamic batching', () => {
  it('sends what is there to a free instance at once, and the rest together when it is free again', async () => {
    const { submit, sent, batches, answers } = bench();
    for (const item of 'abcdefg') submit(item);
    assert.deepEqual(sent(), ['a']);
    batches[0]!.finish();
    await settled();
    assert.deepEqual(sent(), ['a', 'bcde']);
    assert.deepEqual(answers, ['A']);
    batches[1]!.finish();
    await settled();
    assert.deepEqual(sent(), ['a', 'bcde', 'fg']);
    assert.deepEqual(answers, [...'ABCDE']);
  });

  it('works on as many batches as there are instances', async () => {
    const { submit, sent, batches } = bench({}, 2);
    for (const item of 'abcd') submit(item);
    assert.deepEqual(sent(), ['a', 'b']);
    assert.notEqual(batches[0]!.instance, batches[1]!.instance);
    batches[1]!.finish();
    await settled();
    assert.deepEqual(sent(), ['a', 'b', 'cd']);
    assert.equal(batches[2]!.instance, batches[1]!.instance);
  });

  it('counts pictures, not requests, splits none and lets no small one overtake', async () => {
    const { submit, sent, batches } = bench();
    submit('x');
    submit('a', { size: 3 });
    submit('b', { size: 2 });
    submit('c', { size: 1 });
    batches[0]!.finish();
    await settled();
    assert.deepEqual(sent(), ['x', 'a']);
    batches[1]!.finish();
    await settled();
    assert.deepEqual(sent(), ['x', 'a', 'bc']);
  });

  it('refuses what no batch has room for', async () => {
    const { submit, answers } = bench();
    submit('a', { size: 5 });
    await settled();
    assert.deepEqual(answers, ['a: ERR_BITPATH_ARGUMENT']);
  });

  it('computes only one kind together, and takes others of the kind from behind', async () => {
    const { submit, sent, batches } = bench();
    submit('x');
    for (const [item, kind] of [
      ['a', 'f'],
      ['b', 'u'],
      ['c', 'f'],
      ['d', 'u'],
    ] as const)
      submit(item, { kind });
    batches[0]!.finish();
    await settled();
    batches[1]!.finish();
    await settled();
    assert.deepEqual(sent(), ['x', 'ac', 'bd']);
  });

  it('waits for company as long as the queue delay says, from the oldest on', async () => {
    const { submit, sent, clock } = bench({ max_queue_delay_microseconds: 10_000 });
    submit('a');
    await clock.advance(6);
    submit('b');
    await clock.advance(3.9);
    assert.deepEqual(sent(), []);
    await clock.advance(0.2);
    assert.deepEqual(sent(), ['ab']);
  });

  it('waits no longer once a batch is full', async () => {
    const { submit, sent } = bench({ max_queue_delay_microseconds: 10_000 });
    for (const item of 'abcde') submit(item);
    await settled();
    assert.deepEqual(sent(), ['abcd']);
  });

  it('sends preferred sizes as soon as they are reached, the largest that there is', async () => {
    const { submit, sent, batches, clock } = bench(
      { max_queue_delay_microseconds: 10_000, preferred_batch_size: [2, 3], max_batch_size: 8 },
      1,
    );
    submit('a');
    submit('b');
    assert.deepEqual(sent(), ['ab']);
    for (const item of 'cdef') submit(item);
    batches[0]!.finish();
    await settled();
    assert.deepEqual(sent(), ['ab', 'cde']);
    batches[1]!.finish();
    await clock.advance(9);
    assert.deepEqual(sent(), ['ab', 'cde']);
    await clock.advance(1);
    assert.deepEqual(sent(), ['ab', 'cde', 'f']);
  });

  it('refuses at once what a full queue has no place for', async () => {
    const { submit, answers, batcher } = bench({ default_queue_policy: { ...QUEUE, max_queue_size: 2 } });
    for (const item of 'abcd') submit(item);
    await settled();
    assert.deepEqual(answers, ['d: ERR_BITPATH_QUEUE_FULL']);
    assert.equal(batcher.pending, 2);
  });

  it('rejects what waits longer than its timeout', async () => {
    const { submit, answers, clock, sent, batches } = bench({
      default_queue_policy: { ...QUEUE, default_timeout_microseconds: 5000 },
    });
    submit('x');
    submit('a');
    submit('b', { timeout: 2000 });
    submit('c', { timeout: 9000 });
    await clock.advance(2);
    assert.deepEqual(answers, ['b: ERR_BITPATH_TIMEOUT']);
    await clock.advance(3);
    assert.deepEqual(
      answers,
      ['b: ERR_BITPATH_TIMEOUT', 'a: ERR_BITPATH_TIMEOUT', 'c: ERR_BITPATH_TIMEOUT'],
      'its own timeout only shortens',
    );
    batches[0]!.finish();
    await settled();
    assert.deepEqual(sent(), ['x']);
    assert.equal(clock.timers, 0);
  });

  it('passes over a timeout of the request where the policy says so', async () => {
    const { submit, answers, clock } = bench({ default_queue_policy: { ...QUEUE, allow_timeout_override: false } });
    submit('x');
    submit('a', { timeout: 1 });
    await clock.advance(1000);
    assert.deepEqual(answers, []);
  });

  it('delays what waits too long behind all others, where the policy says so', async () => {
    const { submit, answers, clock, sent, batches } = bench({
      max_batch_size: 1,
      default_queue_policy: { ...QUEUE, timeout_action: 'DELAY', default_timeout_microseconds: 1000 },
    });
    submit('x');
    submit('a');
    await clock.advance(2);
    submit('b');
    for (let i = 0; i < 3; i++) {
      batches[i]!.finish();
      await settled();
    }
    assert.deepEqual(sent(), ['x', 'b', 'a']);
    assert.deepEqual(answers, ['X', 'B', 'A']);
  });

  it('serves higher priorities first, each with a queue of its own', async () => {
    const { submit, sent, batches, answers } = bench({
      priority_levels: 2,
      default_priority_level: 2,
      max_batch_size: 2,
      priority_queue_policy: { 1: { ...QUEUE, max_queue_size: 2 } },
    });
    submit('x');
    submit('a');
    submit('b', { priority: 2 });
    submit('c', { priority: 1 });
    submit('d', { priority: 7 });
    submit('e', { priority: 1 });
    submit('f', { priority: 1 });
    for (let i = 0; i < 4; i++) {
      batches[i]?.finish();
      await settled();
    }
    assert.deepEqual(sent(), ['x', 'ce', 'ab', 'd']);
    assert.equal(answers[0], 'f: ERR_BITPATH_QUEUE_FULL');
  });

  it('lets answers overtake each other, unless they are to keep their order', async () => {
    for (const preserve_ordering of [false, true]) {
      const { submit, answers, batches, sent } = bench({ preserve_ordering, max_batch_size: 1 }, 2);
      for (const item of 'abc') submit(item);
      batches[1]!.finish();
      await settled();
      assert.deepEqual(answers, preserve_ordering ? [] : ['B']);
      assert.deepEqual(sent(), ['a', 'b', 'c'], 'the instance goes on in either case');
      batches[0]!.finish();
      batches[2]!.finish();
      await settled();
      assert.deepEqual(answers, preserve_ordering ? ['A', 'B', 'C'] : ['B', 'A', 'C']);
    }
  });

  it('keeps the order also behind a batch that fails', async () => {
    const { submit, answers, batches } = bench({ preserve_ordering: true, max_batch_size: 1 }, 2);
    submit('a');
    submit('b');
    batches[1]!.finish();
    batches[0]!.finish('broken');
    await settled();
    assert.deepEqual(answers, ['a: broken', 'B']);
  });

  it('takes out what nobody waits for any more, and stops a batch that nobody waits for', async () => {
    const { submit, answers, batches, sent, batcher } = bench();
    const [first, second, third] = [new AbortController(), new AbortController(), new AbortController()] as const;
    submit('a', { signal: first.signal });
    submit('b', { signal: second.signal });
    submit('c', { signal: third.signal });
    second.abort('gone');
    await settled();
    assert.deepEqual(answers, ['b: gone']);
    assert.equal(batcher.pending, 1);
    assert.equal(batches[0]!.signal.aborted, false);
    first.abort('gone too');
    assert.equal(batches[0]!.signal.aborted, true);
    batches[0]!.finish('aborted');
    await settled();
    assert.deepEqual(sent(), ['a', 'c']);
    submit('d', { signal: AbortSignal.abort('before') });
    await settled();
    assert.deepEqual(answers, ['b: gone', 'a: gone too', 'd: before']);
  });

  it('goes on with a batch as long as somebody waits for a part of it', async () => {
    const { submit, batches, answers } = bench();
    const controller = new AbortController();
    submit('x');
    submit('a', { signal: controller.signal });
    submit('b');
    batches[0]!.finish();
    await settled();
    controller.abort('gone');
    assert.equal(batches[1]!.signal.aborted, false);
    batches[1]!.finish();
    await settled();
    assert.deepEqual(answers, ['X', 'a: gone', 'B']);
  });

  it('fails a whole batch, and only that', async () => {
    const { submit, batches, answers } = bench();
    for (const item of 'xab') submit(item);
    batches[0]!.finish();
    await settled();
    submit('c');
    batches[1]!.finish('broken');
    await settled();
    batches[2]!.finish();
    await settled();
    assert.deepEqual(answers, ['X', 'a: broken', 'b: broken', 'C']);
  });

  it('answers every request once, whatever comes, goes and fails', async () => {
    const action = fc.oneof(
      fc.record({
        do: fc.constant('submit' as const),
        size: fc.integer({ min: 1, max: 4 }),
        kind: fc.constantFrom('a', 'b'),
        priority: fc.nat(3),
        timeout: fc.constantFrom(0, 1000, 5000),
      }),
      fc.record({ do: fc.constant('finish' as const), fails: fc.boolean() }),
      fc.record({ do: fc.constant('abort' as const), which: fc.nat(20) }),
      fc.record({ do: fc.constant('advance' as const), by: fc.integer({ min: 1, max: 4 }) }),
    );
    const policies = fc.record({
      max_queue_delay_microseconds: fc.constantFrom(0, 2000),
      preserve_ordering: fc.boolean(),
      preferred_batch_size: fc.constantFrom([], [2]),
      priority_levels: fc.constantFrom(0, 2),
      default_queue_policy: fc.record({
        timeout_action: fc.constantFrom('REJECT' as const, 'DELAY' as const),
        default_timeout_microseconds: fc.constantFrom(0, 3000),
        allow_timeout_override: fc.boolean(),
        max_queue_size: fc.constantFrom(0, 3),
      }),
    });
    await fc.assert(
      fc.asyncProperty(
        policies,
        fc.array(action, { maxLength: 40 }),
        fc.integer({ min: 1, max: 3 }),
        async (policy, actions, instances) => {
          const { submit, batches, answers, clock, batcher } = bench(policy, instances);
          const controllers: AbortController[] = [];
          const finished = new Set<number>();
          const finish = (fails: boolean) => {
            const next = batches.findIndex((_, i) => !finished.has(i));
            if (next === -1) return;
            finished.add(next);
            batches[next]!.finish(fails ? 'broken' : undefined);
          };
          for (const step of actions) {
            if (step.do === 'submit') {
              const controller = new AbortController();
              submit(`r${controllers.push(controller)}`, { ...step, signal: controller.signal });
            } else if (step.do === 'finish') finish(step.fails);
            else if (step.do === 'abort') controllers[step.which]?.abort('gone');
            else await clock.advance(step.by);
            await settled();
            assert.ok(batches.length - finished.size <= instances);
            assert.ok(batches.every(({ items }) => items.length <= 4));
          }
          for (let i = 0; i < 200 && (batcher.pending > 0 || finished.size < batches.length); i++) {
            finish(false);
            await clock.advance(1);
          }
          await settled();
          assert.equal(batcher.pending, 0);
          assert.equal(answers.length, controllers.length);
          assert.equal(clock.timers, 0);
        },
      ),
      { numRuns: 150 },
    );
  });
});
