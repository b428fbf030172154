import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkEqual, checkFloat, checkQuantized, likeness } from '#lib/bench/check.js';
import { doublings } from '#lib/bench/context.js';
import { interleave, median, percentile, timingOf } from '#lib/bench/harness.js';
import { pictures } from '#lib/bench/inputs.js';
import { groupSizes } from '#lib/bench/networks.js';

describe('statistics', () => {
  it('median is the middle, or the mean of the middle two, of values in any order', () => {
    assert.equal(median([9, 1, 5]), 5);
    assert.equal(median([10, 1, 2, 9]), 5.5);
    assert.equal(median([3]), 3);
    assert.ok(Number.isNaN(median([])));
  });

  it('percentile is the nearest rank', () => {
    const sorted = Array.from({ length: 200 }, (_, i) => i + 1);
    assert.deepEqual(
      [0, 0.5, 0.95, 0.99, 1].map((fraction) => percentile(sorted, fraction)),
      [1, 100, 190, 198, 200],
    );
    assert.equal(percentile([7], 0.99), 7);
  });

  it('timingOf has percentiles over all calls and a median for each round', () => {
    assert.deepEqual(timingOf([[3, 1, 2], [10], [5, 4]]), {
      samples: 6,
      p50: 3,
      p95: 10,
      p99: 10,
      rounds: [2, 10, 4.5],
    });
  });
});

describe('interleave', () => {
  it('gives every task a turn in every round, each round another one first', async () => {
    const turns: string[] = [];
    const task = (name: string, async: boolean) => ({
      name,
      async,
      run: () => {
        if (turns.at(-1) !== name) turns.push(name);
        return async ? Promise.resolve() : undefined;
      },
    });
    const done: number[] = [];
    const tasks = [task('a', false), task('b', true), task('c', false)];
    const timings = await interleave(tasks, { rounds: 3, msPerTask: 1 }, (round) => done.push(round));
    // Rounds abc, bca, cab: calls of one turn are one letter, and no turn follows another of the same task.
    assert.equal(turns.join(''), 'abcbcacab');
    assert.deepEqual(done, [1, 2, 3]);
    for (const { rounds, samples, p50, p95, p99 } of timings) {
      assert.equal(rounds.length, 3);
      assert.ok(samples >= 6);
      assert.ok(p50 <= p95 && p95 <= p99);
    }
  });

  it('says which task failed, and why', async () => {
    const cause = new Error('out of order');
    for (const async of [false, true]) {
      const run = () => {
        throw cause;
      };
      await assert.rejects(interleave([{ name: 'broken', run, async }], { rounds: 1, msPerTask: 1 }), {
        code: 'ERR_BITPATH_BENCH',
        message: 'broken: out of order',
        cause,
      });
    }
  });
});

describe('checks', () => {
  const error = { code: 'ERR_BITPATH_BENCH' };
  const floats = (...values: number[]) => Float32Array.from(values);

  it('checkEqual wants the same bits', () => {
    checkEqual('case', floats(1, -0, Infinity), floats(1, -0, Infinity), 'the reference');
    assert.throws(() => checkEqual('case', floats(1, 2), floats(1, 2.0000002), 'the reference'), {
      ...error,
      message: 'case: value 1 is 2 where the reference has 2.000000238418579',
    });
    assert.throws(() => checkEqual('case', floats(0), floats(-0), 'it'), error);
    assert.throws(() => checkEqual('case', floats(Number.NaN), floats(Number.NaN), 'it'), error);
    assert.throws(() => checkEqual('case', floats(1), floats(1, 2), 'it'), error);
  });

  it('likeness compares directions, sizes and the largest', () => {
    assert.deepEqual(likeness(floats(3, 4), floats(3, 4)), { relative: 0, cosine: 1, sameTop1: true });
    assert.deepEqual(likeness(floats(4, -3), floats(3, 4)), { relative: 1.75, cosine: 0, sameTop1: false });
    assert.ok(Number.isNaN(likeness(floats(Number.NaN, 1), floats(1, 1)).cosine));
  });

  it('checkFloat and checkQuantized look at each image', () => {
    const good = floats(1, 2, 100, 200);
    assert.equal(checkFloat('case', good, good, 2), 0);
    // 2e-3 of the first image's largest, 1e-5 of the second's.
    assert.throws(() => checkFloat('case', floats(1, 2.002, 100, 200), good, 2), error);
    assert.ok(checkFloat('case', floats(1, 2, 100, 200.002), good, 2) < 2e-5);
    assert.throws(() => checkFloat('case', floats(1, Number.NaN, 100, 200), good, 2), error);
    assert.ok(checkQuantized('case', floats(1.01, 2, 100, 201), good, 2) > 0.999);
    assert.throws(() => checkQuantized('case', floats(2, 1, 100, 200), good, 2), error);
  });
});

describe('inputs', () => {
  it('are the same for a seed, other ones for another, in both forms', () => {
    const normalization = { mean: [0.5, 0.4, 0.3], std: [0.2, 0.3, 0.4] };
    const { pixels, tensor } = pictures(3, 2, 32, normalization);
    assert.deepEqual(pictures(3, 2, 32, normalization), { pixels, tensor });
    assert.notDeepEqual(pixels.subarray(0, 3072), pixels.subarray(3072));
    assert.deepEqual(pictures(4, 1, 32, normalization).pixels, pixels.subarray(3072));
    const [image, channel, row, column] = [1, 2, 5, 9];
    const pixel = pixels[3072 * image + (row * 32 + column) * 3 + channel] as number;
    const value = tensor[3072 * image + channel * 1024 + row * 32 + column];
    assert.equal(value, Math.fround((pixel / 255 - 0.3) / 0.4));
  });

  it('use most of a byte’s range', () => {
    const { pixels } = pictures(0, 4, 64, { mean: [0, 0, 0], std: [1, 1, 1] });
    assert.ok(new Set(pixels).size > 150);
  });
});

describe('the plan', () => {
  it('doubles up to a limit, which is in it', () => {
    assert.deepEqual([1, 2, 3, 8, 12].map(doublings), [[1], [1, 2], [1, 2, 3], [1, 2, 4, 8], [1, 2, 4, 8, 12]]);
  });

  it('has batches up to 32 on 1 … n threads, and quickly the first of them', () => {
    const full = groupSizes({ quick: false, threads: 2 });
    assert.equal(full.length, 12);
    assert.deepEqual(full.at(-1), { threads: 2, batch: 32 });
    assert.deepEqual(groupSizes({ quick: true, threads: 1 }), [
      { threads: 1, batch: 1 },
      { threads: 1, batch: 8 },
    ]);
    assert.ok(groupSizes({ quick: true, threads: 4 }).some(({ threads }) => threads === 4));
  });
});
