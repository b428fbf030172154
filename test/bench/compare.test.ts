/** The comparison of two results, and the noise bands under it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { compareResults } from '#lib/bench/compare.js';
import { medianInterval, unpairedRatio } from '#lib/bench/compareIntervals.js';
import { comparisonLines, markdownTable } from '#lib/bench/compareMarkdown.js';
import type { BenchResult, NetworkCase } from '#lib/bench/result.js';
import { Random } from '#lib/graph/random.js';
import { EVIL, empty, full, lone, poisoned, timing } from './reportFixtures.js';

describe('medianInterval', () => {
  const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1);

  it('is what tables of the sign test say', () => {
    // 95 % intervals of a median: n = 6: 1st … 6th; n = 9: 2nd … 8th; n = 20: 6th … 15th; n = 25: 8th … 18th.
    for (const [n, low, high, coverage] of [
      [6, 1, 6, 0.96875],
      [9, 2, 8, 0.9609375],
      [20, 6, 15, 0.9586],
      [25, 8, 18, 0.9567],
    ] as const) {
      const interval = medianInterval(upTo(n).reverse());
      assert.deepEqual([interval?.low, interval?.high], [low, high], `n = ${n}`);
      assert.ok(Math.abs(interval!.coverage - coverage) < 1e-4, String(interval!.coverage));
    }
  });

  it('is the range, and says so, where there are few values', () => {
    assert.deepEqual(medianInterval([3, 1, 2]), { low: 1, high: 3, coverage: 0.75 });
    assert.deepEqual(medianInterval([5]), { low: 5, high: 5, coverage: 0 });
    assert.equal(medianInterval([]), null);
  });

  it('holds the median as often as it promises, of a lopsided distribution too', () => {
    const random = new Random(7);
    let inside = 0;
    for (let trial = 0; trial < 4000; trial++) {
      const sample = Array.from({ length: 9 }, () => -Math.log(1 - random.uniform(0, 1)));
      const { low, high } = medianInterval(sample)!;
      if (low <= Math.LN2 && Math.LN2 <= high) inside++;
    }
    assert.ok(Math.abs(inside / 4000 - 0.961) < 0.015, String(inside / 4000));
  });

  it('of a ratio takes the far ends', () => {
    const band = unpairedRatio([10, 11, 12, 13, 14], [5, 5, 5, 5, 5]);
    assert.deepEqual([band?.low, band?.high, band?.coverage], [2, 2.8, 0.875]);
    assert.equal(unpairedRatio([], [1]), null);
  });
});

/** `full()` with every network's own times multiplied. */
function slower(factor: (item: NetworkCase) => number): BenchResult {
  const result = full();
  const networks = result.networks.map((item) => {
    const { latency } = item;
    const times = factor(item);
    const rounds = latency.rounds.map((ms) => ms * times);
    return { ...item, latency: { ...latency, p50: latency.p50 * times, rounds } };
  });
  return { ...result, networks };
}

describe('compareResults', () => {
  const network = (comparison: ReturnType<typeof compareResults>, group = 'network') =>
    comparison.cases.filter((item) => item.group === group);

  it('of a result with itself finds nothing but noise, and no difference', () => {
    const comparison = compareResults(full(), full());
    assert.equal(network(comparison).length, full().networks.length);
    for (const { gain, verdict, band } of network(comparison)) {
      assert.deepEqual([gain, verdict], [1, 'within noise']);
      assert.ok(band!.low < 1 && band!.high > 1);
    }
    assert.deepEqual([comparison.machine, comparison.other, comparison.onlyOld, comparison.onlyNew], [[], [], [], []]);
  });

  it('tells faster, slower and noise apart', () => {
    const now = slower(({ threads, batch }) => (threads === 2 ? 1.2 : batch === 8 ? 0.8 : 1.005));
    for (const { name, verdict, gain } of network(compareResults(full(), now))) {
      const expected = name.includes('2 threads') ? 'slower' : name.includes('batch 8') ? 'faster' : 'within noise';
      assert.equal(verdict, expected, name);
      assert.equal(gain < 1, expected !== 'faster', name);
    }
  });

  it('sees through a slow machine by the ratio in the same run', () => {
    const ratios = network(
      compareResults(
        full(),
        slower(() => 1.5),
      ),
      'speed-up',
    );
    assert.equal(ratios.length, 48);
    for (const { verdict, gain } of ratios) assert.deepEqual([verdict, gain], ['within noise', 1]);
  });

  it('claims nothing from a few rounds or one measurement', () => {
    const few = (ms: number) => ({
      ...lone(),
      networks: lone().networks.map((item) => ({ ...item, latency: timing(ms, 1, 4) })),
    });
    const [item] = network(compareResults(few(10), few(1)));
    assert.deepEqual([item?.verdict, item?.gain], ['cannot tell', 10]);
    for (const kernel of network(compareResults(full(), full()), 'kernel')) {
      assert.deepEqual([kernel.verdict, kernel.band], ['cannot tell', null]);
    }
  });

  it('counts a kernel’s higher rate and a smaller size as gains', () => {
    const now = full();
    const comparison = compareResults(full(), {
      ...now,
      kernels: now.kernels.map((kernel) => ({ ...kernel, gmacs: kernel.gmacs * 2 })),
      memory: now.memory.map((item) => ({ ...item, weightBytes: item.weightBytes / 2 })),
    });
    assert.equal(network(comparison, 'kernel').find(({ name }) => !name.includes('epilogue'))?.gain, 2);
    const weights = network(comparison, 'memory').find(({ name }) => name.endsWith('weights'));
    assert.deepEqual([weights?.gain, weights?.verdict], [2, 'less']);
  });

  it('lists what one side lacks', () => {
    const comparison = compareResults(full(), { ...full(), kernels: full().kernels.slice(1), startup: [] });
    assert.equal(comparison.onlyOld.length, 4);
    assert.deepEqual(comparison.onlyNew, []);
    assert.deepEqual(compareResults(empty(), full()).cases, []);
  });

  it('shouts where the machines differ', () => {
    const other = { ...full(), machine: { ...full().machine, cpu: 'Xeon', clockGHz: 2.9 }, options: { quick: true } };
    const comparison = compareResults(full(), other);
    assert.deepEqual(
      comparison.machine.map(({ what }) => what),
      ['CPU', 'core clock'],
    );
    assert.ok(comparison.other.some(({ what }) => what === 'option quick'));
    const text = comparisonLines(comparison, [full(), other], ['a', 'b']).join('\n');
    assert.match(text, /\*\*DIFFERENT MACHINES/);
    assert.match(text, /- CPU: AMD EPYC 9R14 96-Core Processor → Xeon/);
    const same = comparisonLines(compareResults(full(), full()), [full(), full()], ['a', 'b']).join('\n');
    assert.doesNotMatch(same, /DIFFERENT/);
  });

  it('takes a clock that was measured a little differently for the same', () => {
    const again = { ...full(), machine: { ...full().machine, clockGHz: full().machine.clockGHz * 1.02 } };
    assert.deepEqual(compareResults(full(), again).machine, []);
  });

  it('numbers cases of one name', () => {
    const { networks } = full();
    const twice = { ...empty(), networks: [networks[0]!, networks[0]!] };
    assert.deepEqual(
      network(compareResults(twice, twice)).map(({ name }) => name.endsWith('(2)')),
      [false, true],
    );
  });
});

describe('the comparison as Markdown', () => {
  it('has tables whose rows have as many cells as titles, whatever names hold', () => {
    const evil = poisoned(full());
    const lines = comparisonLines(compareResults(evil, evil), [evil, evil], [EVIL, EVIL]);
    const rows = lines.filter((line) => line.startsWith('| '));
    assert.ok(rows.length > 100, String(rows.length));
    for (const row of rows) assert.equal(row.match(/(?<!\\)\|/g)?.length, 7, row);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none must come through
    for (const line of lines) assert.doesNotMatch(line, /[\u0000-\u001f\u202e]|NaN|undefined|Infinity/);
    assert.ok(lines.some((line) => line.includes('\\<img src=x onerror="alert(1)"\\>&{a\\|b}')));
  });

  it('is aligned', () => {
    assert.deepEqual(markdownTable([{ title: 'a' }, { title: 'b', align: 'right' }], [['wide one', '1']]), [
      '| a        |   b |',
      '| -------- | --: |',
      '| wide one |   1 |',
    ]);
  });
});

describe('bench/compare', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bitpath-compare-'));
  after(() => rmSync(folder, { recursive: true }));
  const file = (name: string, content: unknown) => {
    writeFileSync(join(folder, name), JSON.stringify(content));
    return join(folder, name);
  };
  const run = (...args: readonly string[]) => {
    const script = fileURLToPath(new URL('../../bench/compare.js', import.meta.url));
    return spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' });
  };

  it('prints verdicts and a sum', () => {
    const { stdout, stderr, status } = run(
      file('a.json', full()),
      file(
        'b.json',
        slower(() => 2),
      ),
    );
    assert.deepEqual([status, stderr], [0, '']);
    assert.equal(stdout.match(/ SLOWER /g)?.length, full().networks.length);
    assert.match(stdout, /\n\d+ cases: 0 faster, 32 slower, 50 within noise; \d+ without a band that could tell\n$/);
  });

  it('names what it cannot read', () => {
    const bad = run(file('c.json', full()), file('d.json', { ...full(), format: 'bitpath.bench/0' }));
    assert.deepEqual([bad.status, bad.stdout], [1, '']);
    assert.match(bad.stderr, /d\.json: its format is "bitpath\.bench\/0".*\(ERR_BITPATH_BENCH_FILE\)\n$/);
    assert.match(
      run(join(folder, 'none.json'), 'x').stderr,
      /none\.json: it cannot be read \(.*\(ERR_BITPATH_BENCH_FILE\)\n$/,
    );
    assert.match(run('one').stderr, /\(ERR_BITPATH_USAGE\)\n$/);
  });
});
