/** The HTML report: what it draws is counted, and nothing from the file becomes markup. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { reportHtml } from '#lib/bench/report.js';
import { bytes, figure, milliseconds, percent, quantity, tick, times } from '#lib/bench/reportFormat.js';
import { byGap } from '#lib/bench/reportLayers.js';
import { isOwn, speedupBand } from '#lib/bench/reportRivals.js';
import { idealMs } from '#lib/bench/reportScaling.js';
import type { BenchResult } from '#lib/bench/result.js';
import { empty, full, layerTable, lone, networkCases, poisoned } from './reportFixtures.js';

const VOID = ['meta', 'br'];

interface Tag {
  readonly name: string;
  readonly attributes: string;
}

/** Every start tag; fails where tags do not nest or `<` and `>` stand alone. */
function tagsOf(page: string): Tag[] {
  const tags: Tag[] = [];
  const open: string[] = [];
  const rest = page.replace(/<style>[^<]*<\/style>/g, '').replace(/^<!DOCTYPE html>/, '');
  const pattern = /<(\/?)([a-z][a-zA-Z0-9]*)((?:\s+[\w:-]+(?:="[^"<>]*")?)*)\s*(\/?)>/g;
  const text = rest.replace(pattern, (_, close: string, name: string, attributes: string, self: string) => {
    if (close === '/') assert.equal(open.pop(), name, 'tags that nest');
    else {
      tags.push({ name, attributes });
      if (self === '' && !VOID.includes(name)) open.push(name);
    }
    return '';
  });
  assert.deepEqual(open, []);
  assert.doesNotMatch(text, /[<>]/, 'text that escapes what it should');
  return tags;
}

function textOf(page: string): string {
  return page
    .replace(/<style>[^<]*<\/style>/g, '')
    .replace(/<[^>]*>/g, '\n')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&');
}

function section(page: string, id: string): string {
  const found = new RegExp(`<section id="${id}">[\\s\\S]*?</section>`).exec(page)?.[0];
  assert.ok(found, `no section ${id}`);
  return found;
}

/** As people read it: spaces that do not break are spaces. */
function plain(text: string): string {
  return text.replace(/[\u00a0\u202f]/g, ' ');
}

/** The first drawing of each figure is for desktops, the second for phones. */
function drawings(part: string): string[] {
  return [...part.matchAll(/<div class="wide">([\s\S]*?)<\/div>/g)].map(([, svg]) => svg!);
}

const count = (text: string, pattern: RegExp) => text.match(pattern)?.length ?? 0;

/** Figures of the data that must be readable on the page. */
function assertSays(page: string, ...texts: readonly string[]): void {
  const text = plain(textOf(page));
  for (const expected of texts) assert.ok(text.includes(plain(expected)), `the page does not say ${expected}`);
}

/** Made once: it is drawn often enough. */
let page: Promise<string> | undefined;
function fullPage(): Promise<string> {
  page ??= reportHtml(full());
  return page;
}

describe('the report', () => {
  const variants: Record<string, BenchResult> = {
    full: full(),
    lone: lone(),
    empty: empty(),
    evil: poisoned(full()),
    'many settings': { ...empty(), networks: networkCases([1, 2, 4], [1, 2, 4]).filter((_, i) => i % 4 < 2) },
    'no rounds': {
      ...empty(),
      networks: full().networks.map((item) => ({ ...item, latency: { ...item.latency, rounds: [] } })),
    },
    'no numbers': broken(full()),
  };
  for (const [name, result] of Object.entries(variants)) {
    it(`of ${name} is well-formed, needs nothing else and shows no accident`, async () => {
      const page = await (name === 'full' ? fullPage() : reportHtml(result));
      const tags = tagsOf(page);
      for (const { name, attributes } of tags) {
        assert.ok(!['script', 'link', 'img', 'iframe', 'object', 'image', 'use'].includes(name), name);
        for (const [, attribute = '', value = ''] of attributes.matchAll(/([\w:-]+)="([^"]*)"/g)) {
          assert.doesNotMatch(attribute, /^(on.*|src|srcset|action)$/);
          if (attribute === 'href') assert.match(value, /^#/);
          if (attribute !== 'title') assert.doesNotMatch(value, /url\(/);
        }
      }
      assert.doesNotMatch(page.replaceAll('http://www.w3.org/2000/svg', ''), /https?:|@import|url\(/);
      assert.equal(/.{0,200}(?:NaN|undefined|Infinity|\[object|null).{0,20}/.exec(page)?.[0], undefined);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: none must come through
      assert.doesNotMatch(page, /[\u0000-\u0009\u000b-\u001f\u202a-\u202e]/);
      const links = tags
        .filter(({ name }) => name === 'a')
        .map(({ attributes }) => /href="#(.*)"/.exec(attributes)?.[1]);
      assert.equal(links.length, 9);
      for (const id of links) section(page, id!);
    });
  }

  it('shows markup of a file as text', async () => {
    const page = await reportHtml(poisoned({ ...full(), networks: [], scaling: [] }));
    assertSays(
      page,
      `bitpath on <img src=x onerror="alert(1)">&{a|b}'\\u202e\\u0007AMD EPYC`,
      `{a|b}'\\u202e\\u0007bconv_vpopcntq_8x8`,
    );
    assert.ok(count(page, /&lt;img src=x/g) > 100);
  });

  it('is the same for the same result', async () => {
    const { scaling, layers } = full();
    const result = { ...empty(), scaling: scaling.slice(0, 3), layers: layers.slice(1) };
    const [once, again] = [await reportHtml(result), await reportHtml(result)];
    assert.ok(once === again);
  });

  it('names the machine, the versions and the commit', async () => {
    const { machine } = full();
    const { cpu, os, node, bitpath, commit, date } = machine;
    assertSays(
      await fullPage(),
      cpu,
      os,
      node,
      bitpath,
      commit,
      date,
      machine.onnxruntime!,
      '3.70 GHz',
      'threads: [1,2]',
    );
  });

  it('warns of quick runs and of changes in no commit', async () => {
    const result = { ...empty(), options: { quick: true }, machine: { ...empty().machine, commit: '01234567-dirty' } };
    assert.equal(count(await reportHtml(result), /<p class="warning">/g), 2);
    assert.equal(count(await fullPage(), /<p class="warning">/g), 0);
  });

  it('draws a bar for each speed-up, with whiskers and its value', async () => {
    const result = full();
    const part = section(await fullPage(), 'speed-up');
    const charts = drawings(part);
    assert.equal(charts.length, 4);
    for (const [chart, setting] of charts.map((svg, i) => [svg, [1, 1, 2, 2][i]! * 10 + [1, 8, 1, 8][i]!] as const)) {
      const own = result.networks.filter((item) => isOwn(item) && item.threads * 10 + item.batch === setting);
      assert.equal(own.length, 6);
      assert.equal(count(chart, /<path [^>]*fill="var\(--series-1\)"/g), 6);
      assert.equal(count(chart, /<path [^>]*fill="var\(--series-2\)"/g), 6);
      // Two bars a row with three strokes of a whisker each.
      assert.equal(count(chart, /stroke="var\(--ink\)" stroke-width="1.5"/g), 36);
      assertSays(
        chart,
        ...own.flatMap(({ speedup }) => [`${times(speedup.float32)} float32`, `${times(speedup.int8)} int8`]),
      );
    }
  });

  it('draws bars as long as their values', async () => {
    const [chart] = drawings(section(await fullPage(), 'speed-up'));
    const lengths = [
      ...chart!.matchAll(/<path d="M[\d.]+ [\d.]+l([\d.]+) 0l0 15l-[\d.]+ 0Z" fill="var\(--series-1\)"/g),
    ].map(([, length]) => Number(length));
    const values = full()
      .networks.filter((item) => isOwn(item) && item.threads === 1 && item.batch === 1)
      .map(({ speedup }) => speedup.float32!);
    assert.equal(lengths.length, 6);
    for (const [i, length] of lengths.entries()) {
      assert.ok(Math.abs(length / lengths[0]! - values[i]! / values[0]!) < 0.01, `${length} for ${values[i]}`);
    }
  });

  it('has a row for each network case, with its percentiles', async () => {
    const part = section(await fullPage(), 'latency');
    assert.equal(count(part, /<th scope="row">/g), 32);
    for (const { latency, imagesPerSecond } of full().networks) {
      assertSays(
        part,
        milliseconds(latency.p50),
        milliseconds(latency.p95),
        milliseconds(latency.p99),
        figure(imagesPerSecond),
      );
    }
  });

  it('draws every kernel with its rate and its share of the limit', async () => {
    const part = section(await fullPage(), 'kernels');
    const charts = drawings(part);
    assert.equal(charts.length, 2);
    for (const chart of charts) {
      assert.equal(count(chart, /<path [^>]*fill="var\(--series-1\)"/g), 10);
      assert.equal(count(chart, /<polygon [^>]*fill="var\(--paper\)"/g), 9, 'a diamond where the bare rate is known');
    }
    assertSays(
      part,
      ...full().kernels.map(({ gmacs, limitGmacs }) => `${percent(gmacs / limitGmacs)}, ${figure(gmacs)} GMAC/s`),
    );
  });

  it('lists layers by their gap, and numbers the same ones in the roofline', async () => {
    const part = section(await fullPage(), 'layers');
    const { rows } = full().layers[0]!;
    assert.equal(
      count(part, /<th scope="row">/g) - 2,
      full().layers.reduce((sum, layer) => sum + layer.rows.length, 0),
    );
    const first = part.indexOf('<tbody>');
    assert.ok(part.indexOf('stem.0 … stem.pool', first) < part.indexOf('>fc<', first), 'the stem has the largest gap');
    const [chart] = drawings(part);
    const numbered = [...chart!.matchAll(/font-weight[^>]*>(\d)</g)].map(([, digit]) => Number(digit));
    const inChart = byGap(full().layers[0]!)
      .slice(0, 8)
      .flatMap(({ macs }, i) => (macs > 0 ? [i + 1] : []));
    assert.deepEqual(numbered.sort(), inChart);
    assert.equal(count(chart!, /stroke-dasharray/g) >= 4, true, 'ceilings');
    assertSays(chart!, 'bconv: 322', 'MACs a byte', 'MACs a cycle');
    assert.equal(rows.length, 22);
  });

  it('draws every point of every curve, and the ideal beside it', async () => {
    const part = section(await fullPage(), 'scaling');
    const charts = drawings(part);
    assert.equal(charts.length, 3);
    for (const [i, points] of [6, 6, 2].entries()) {
      for (const series of [1, 2, 3, 4]) {
        const marks = count(charts[i]!, new RegExp(`<path [^>]*fill="var\\(--series-${series}\\)"`, 'g'));
        assert.equal(marks, points, `points of series ${series} in chart ${i}`);
      }
      assert.equal(count(charts[i]!, /stroke-dasharray/g), 4);
    }
  });

  it('says what memory and start-up took, what was left out and how answers were checked', async () => {
    const page = await fullPage();
    assertSays(section(page, 'memory'), '4.05 MB', '4.24 MB', '1.05×', '31.4 MB', '0 B');
    assertSays(section(page, 'startup'), '91.2 ms', '18.4 ms');
    assertSays(section(page, 'omitted'), 'neon', 'this machine is no arm64');
    assertSays(section(page, 'checks'), 'bit for bit', 'bireal-resnet18-64 (bitpath): 12 cases', 'top-1 of 8 pictures');
  });

  it('says where nothing was measured', async () => {
    const page = await reportHtml(empty());
    assertSays(section(page, 'speed-up'), 'No peer was measured');
    for (const id of ['latency', 'kernels', 'layers', 'scaling', 'memory', 'startup']) {
      assertSays(section(page, id), 'Not measured in this run.');
    }
    assertSays(section(page, 'omitted'), 'Nothing was left out.');
    assertSays(await reportHtml(lone()), '12.5 ms', 'Neoverse-V2', 'npm install onnxruntime-node');
  });

  it('says which package is missing where echarts is', () => {
    const script = `
      import { register } from 'node:module';
      register('data:text/javascript,' + encodeURIComponent(
        'export function resolve(name, context, next) { if (name.startsWith("echarts")) throw new Error("gone"); return next(name, context); }'));
      const { checkReport, reportHtml } = await import(${JSON.stringify(import.meta.resolve('#lib/bench/report.js'))});
      for (const call of [checkReport, reportHtml]) await call({}).catch(({ code, message }) => console.log(code + ' ' + message));`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    const line =
      'ERR_BITPATH_MISSING_PACKAGE Drawing charts needs the package echarts, which could not be loaded (gone): npm install echarts\n';
    assert.equal(stdout, line + line, stderr);
  });
});

describe('what the report computes', () => {
  it('finds the band of a speed-up by its rival, and none without', () => {
    const result = full();
    const item = result.networks[0]!;
    const band = speedupBand(result, item, 'int8')!;
    assert.ok(band.low < item.speedup.int8! && item.speedup.int8! < band.high && band.high / band.low < 1.05);
    assert.equal(speedupBand({ ...result, networks: result.networks.filter(isOwn) }, item, 'int8'), null);
    const elsewhere = result.networks.map((other) => (isOwn(other) ? other : { ...other, threads: 7 }));
    assert.equal(speedupBand({ ...result, networks: elsewhere }, item, 'int8'), null, 'a peer with other threads');
    assert.equal(speedupBand(lone(), lone().networks[0]!, 'int8'), null);
  });

  it('ranks layers by the time above their floor', () => {
    const layers = byGap(layerTable('a', 4));
    assert.equal(layers.length, 10);
    for (const [i, layer] of layers.entries()) {
      assert.ok(i === 0 || layer.gapMicroseconds <= layers[i - 1]!.gapMicroseconds);
      assert.ok(Math.abs(layer.floorMicroseconds + layer.gapMicroseconds - layer.microseconds) < 1e-9);
    }
    const pool = layers.find(({ op }) => op === 'avgPool')!;
    assert.deepEqual([pool.ratio, pool.floorMicroseconds, pool.gapMicroseconds], [null, 0, 31]);
  });

  it('knows what is ideal', () => {
    assert.equal(idealMs('batch', { x: 2, ms: 10 }, 8), 40);
    assert.equal(idealMs('threads', { x: 1, ms: 10 }, 4), 2.5);
  });

  it('writes numbers', () => {
    const ours = [0, 0.01234, 0.9999, 1.234, 9.999, 99.96, 12345, Number.NaN, null].map(figure);
    assert.deepEqual(ours, ['0', '0.012', '1.00', '1.23', '10.0', '100', '12\u202f345', '–', '–']);
    assert.deepEqual([times(1.005), times(9.996), times(null), times(Infinity)], ['1.00×', '10.0×', '–', '–']);
    assert.deepEqual([percent(0.0521), percent(0.86), percent(Number.NaN)], ['5.2\u00a0%', '86\u00a0%', '–']);
    assert.deepEqual([milliseconds(0.5), milliseconds(2500)], ['0.500\u00a0ms', '2.50\u00a0s']);
    assert.deepEqual(
      [bytes(0), bytes(999), bytes(4_240_000), bytes(-2000)],
      ['0\u00a0B', '999\u00a0B', '4.24\u00a0MB', '-2.00\u00a0kB'],
    );
    assert.deepEqual([quantity(1.98e9, ''), quantity(12, '')], ['1.98\u00a0G', '12.0']);
    assert.deepEqual([tick(0.1), tick(2.5), tick(2048), tick(16384)], ['0.1', '2.5', '2048', '16.4\u00a0k']);
  });
});

/** A result in memory may hold what JSON cannot. */
function broken<T>(value: T, key = ''): T {
  if (key === 'options') return value;
  if (typeof value === 'number') return (key === 'batch' || key === 'threads' ? value : Number.NaN) as T;
  if (Array.isArray(value)) return value.map((item) => broken(item, key)) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, broken(item, name)])) as T;
}
