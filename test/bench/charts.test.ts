/** The charts: both widths, colours of the page only, text that stays text and stays inside. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { type Charts, type Draw, legend, loadCharts, NARROW, SERIES, WIDE } from '#lib/bench/charts.js';
import { axisFor, bars } from '#lib/bench/chartsBars.js';
import { curves } from '#lib/bench/chartsCurves.js';
import { roofline } from '#lib/bench/chartsRoofline.js';
import { tick } from '#lib/bench/reportFormat.js';
import { html, shortened, visible } from '#lib/bench/reportMarkup.js';
import { STYLE } from '#lib/bench/reportStyle.js';
import { EVIL } from './reportFixtures.js';

const bar = { value: 2, band: { low: 1.8, high: 2.3 }, text: '2.00×', color: 'var(--series-1)', mark: 1 };

const DRAWN: Record<string, Draw> = {
  bars: bars({
    rows: [
      { label: EVIL, bars: [bar, { ...bar, band: null, mark: null }] },
      { label: 'no bars', bars: [] },
    ],
    longest: 2.3,
    textLength: 6,
    axis: 'times',
    format: tick,
    reference: { value: 1, text: 'one' },
  }),
  'no bars': bars({ rows: [], longest: 0, textLength: 0, axis: '', format: tick }),
  roofline: roofline({
    groups: ['a', 'b'],
    points: [
      { intensity: 100, rate: 300, group: 0, number: 1 },
      { intensity: 3, rate: 20, group: 1, number: null },
    ],
    ceilings: [{ rate: 341, text: `${EVIL}${EVIL}` }],
    bandwidth: 12,
  }),
  'no roof': roofline({
    groups: ['a'],
    points: [{ intensity: 1, rate: 1, group: 0, number: null }],
    ceilings: [],
    bandwidth: 1,
  }),
  curves: curves({
    curves: [
      {
        points: [
          [1, 3],
          [2, 6],
          [32, 90],
        ],
        ideal: [
          [1, 3],
          [32, 96],
        ],
      },
    ],
    x: 'images',
    y: 'ms',
    log: true,
    formatX: tick,
    formatY: tick,
  }),
  'one point': curves({
    curves: [
      {
        points: [[1, 1]],
        ideal: [
          [1, 1],
          [1, 1],
        ],
      },
    ],
    x: 'threads',
    y: 'times',
    log: false,
    formatX: tick,
    formatY: tick,
  }),
};

describe('charts', () => {
  let charts: Charts;
  before(async () => {
    charts = await loadCharts();
  });

  for (const [name, draw] of Object.entries(DRAWN)) {
    for (const width of [WIDE, NARROW]) {
      const svgOf = () => charts.svg(draw, width, EVIL);

      it(`${name}, ${width} pixels wide: inert, and coloured by the page`, () => {
        const svg = svgOf();
        assert.match(
          svg,
          new RegExp(`^<svg xmlns="[^"]*" viewBox="0 0 ${width} \\d+" role="img" aria-label="&lt;img src=x`),
        );
        assert.doesNotMatch(svg, /class=|<style|ecmeta|\bid=|pointer|NaN|undefined|Infinity|<img/);
        for (const [, color] of svg.matchAll(/(?:fill|stroke)="([^"]*)"/g)) {
          assert.match(color!, /^(none|var\(--[\w-]+\))$/);
          const variable = /--[\w-]+/.exec(color!)?.[0];
          if (variable !== undefined)
            assert.equal(STYLE.split(`${variable}:`).length, 3, `${variable} in light and dark`);
        }
        assert.ok(svgOf() === svg, 'the same again');
      });

      it(`${name}, ${width} pixels wide: text of 11 pixels or more, inside the drawing`, () => {
        const texts = [...svgOf().matchAll(/<text ([^>]*)>([^<]*)</g)];
        assert.ok(texts.length > 2 || name === 'no bars', `only ${texts.length} texts`);
        for (const [, attributes = '', text = ''] of texts) {
          const size = Number(/font-size:(\d+)px/.exec(attributes)?.[1]);
          assert.ok(size >= 11, attributes);
          if (attributes.includes('rotate') || attributes.includes('matrix')) continue; // the name of the y axis
          const [, moved = '0'] = /translate\(([-\d.]+)/.exec(attributes) ?? [];
          const x = Number(/ x="([-\d.]+)"/.exec(attributes)?.[1] ?? 0) + Number(moved);
          // A generous estimate of what fonts of 12 pixels take.
          const length = text.replace(/&\w+;|&#\d+;/g, '.').length * 7;
          const anchor = /text-anchor="(\w+)"/.exec(attributes)?.[1];
          const left = anchor === 'middle' ? x - length / 2 : anchor === 'end' ? x - length : x;
          assert.ok(left > -6 && left + length < width + 16, `${text} lies at ${left} … ${left + length} of ${width}`);
        }
      });
    }
  }

  it('puts the right number of doublings on an axis', () => {
    const labels = [...charts.svg(DRAWN['curves']!, WIDE, '').matchAll(/>(\d+)</g)].map(([, text]) => Number(text));
    assert.deepEqual(labels, [2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32]);
  });

  it('axes end a little beyond what they show', () => {
    assert.deepEqual(axisFor(13.2, 6), { max: 15, interval: 2.5 });
    assert.deepEqual(axisFor(1.5, 6), { max: 1.5, interval: 0.25 });
    for (const nothing of [0, -1, Number.NaN, Infinity]) assert.deepEqual(axisFor(nothing, 6), { max: 1, interval: 1 });
  });

  it('legends tell series by shape as well as by colour', () => {
    const { text } = legend(SERIES.map((_, i) => `<${i}>`));
    assert.equal(new Set([...text.matchAll(/ d="([^"]*)"/g)].map(([, path]) => path)).size, SERIES.length);
    assert.equal(text.match(/&lt;\d&gt;/g)?.length, SERIES.length);
  });
});

describe('markup', () => {
  it('escapes what is inserted, in text and in attributes, except markup', () => {
    assert.equal(
      html`<a title="${'"<'}">${['&', html`<b>${"'"}</b>`, null, false, 0]}</a>`.text,
      '<a title="&quot;&lt;">&amp;<b>&#39;</b>0</a>',
    );
  });

  it('shows characters that steer', () => {
    assert.equal(visible('a\u0000\n\u202eb\ud800c😀'), 'a\\u0000\\u000a\\u202eb\\ud800c😀');
    assert.deepEqual([shortened('abcdef', 6), shortened('abcdefg', 6)], ['abcdef', 'abcde…']);
  });
});
