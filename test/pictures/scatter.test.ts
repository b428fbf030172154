/** Error against costs: every network has a point and a name, and names can be read. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { countTable1 } from 'bitpath/analysis';
import fc from 'fast-check';
import { loadCharts } from '#lib/bench/charts.js';
import { overlap, placeLabels } from '#lib/pictures/labels.js';
import { FAMILIES, tablePoints } from '#lib/pictures/points.js';
import { ticks } from '#lib/pictures/scatter.js';
import { PLOT_NARROW, PLOT_OPTIONS, PLOT_WIDE, PLOTS, plotFile, plotSvg } from '#lib/pictures/scatterPlots.js';
import { assertIds, assertOffline, elementsOf } from './svg.js';

const points = tablePoints();

describe('tablePoints', () => {
  it('has each binary row of Table 1, with what its graph counts', () => {
    const rows = countTable1().filter(({ sizeClass }) => sizeClass !== 'float');
    assert.deepEqual(
      points.map(({ row }) => row),
      rows.map(({ row }) => row),
    );
    points.forEach((point, i) => {
      const row = rows[i]!;
      assert.equal(point.error, row.top1Error);
      assert.equal(point.isCounted, row.counted !== null);
      assert.equal(point.storageMbit, row.counted?.storage.counted ?? row.storageMbit);
      assert.equal(point.secondCost === null, row.counted === null);
    });
    const bireal = points.find(({ label }) => label === 'Bi-Real ResNet18(64)')!;
    assert.equal(bireal.secondCost, 9 * 64 * 128 * 28 * 28);
    assert.equal(FAMILIES[bireal.family], 'Bi-Real ResNet');
  });
});

describe('the plots', async () => {
  const charts = await loadCharts();
  for (const plot of PLOTS) {
    for (const width of [PLOT_WIDE, PLOT_NARROW]) {
      it(`of ${plot}, ${width} pixels wide: a name for each point, inside`, () => {
        const svg = plotSvg(charts, plot, points, 'igp-resnet37-41', width);
        assertOffline(svg);
        const texts = elementsOf(svg)
          .filter(({ name }) => name === 'text')
          .map(({ text }) => text);
        for (const point of points) {
          if (PLOT_OPTIONS[plot].x(point) === null) continue;
          const name = width === PLOT_WIDE ? point.label : String(point.row);
          assert.ok(texts.includes(name), `${name} of ${texts.join(', ')}`);
        }
        assert.ok(texts.includes(PLOT_OPTIONS[plot].axis));
        assert.equal(svg, plotSvg(charts, plot, points, 'igp-resnet37-41', width));
      });
    }

    it(`of ${plot}, as a file, brings its colours`, () => {
      const svg = plotFile(charts, plot, points, null);
      elementsOf(svg);
      assertOffline(svg);
      assertIds(svg);
      assert.doesNotMatch(svg, /var\(/);
      for (const [, colour] of svg.matchAll(/(?:fill|stroke)="(#\w+)"/g)) {
        assert.ok(svg.includes(`[fill="${colour}"]`), `${colour} has no counterpart in the dark`);
      }
    });
  }
});

describe('placeLabels', () => {
  it('lays none on another one or on a point while there is room', () => {
    const point = fc.record({ x: fc.integer({ min: 150, max: 650 }), y: fc.integer({ min: 50, max: 550 }) });
    const area = { x: 0, y: 0, width: 800, height: 600 };
    fc.assert(
      fc.property(fc.array(point, { minLength: 1, maxLength: 24 }), (cloud) => {
        const places = placeLabels(
          cloud,
          cloud.map((_, i) => 40 + 3 * i),
          area,
          5,
        );
        assert.equal(places.length, cloud.length);
        places.forEach((place, i) => {
          for (const other of places.slice(0, i)) assert.ok(!overlap(place, other));
          for (const { x, y } of cloud)
            assert.ok(x <= place.x || x >= place.x + place.width || y <= place.y || y >= place.y + place.height);
          assert.ok(place.x >= 0 && place.x + place.width <= 800 && place.y >= 0 && place.y + place.height <= 600);
        });
      }),
    );
  });

  it('of Table 1 finds room for all names', () => {
    const cloud = points.map(({ error }) => ({ x: 300, y: 100 + (58 - error) * 26 }));
    const places = placeLabels(
      cloud,
      cloud.map(() => 130),
      { x: 54, y: 12, width: 800, height: 720 },
      5,
    );
    places.forEach((place, i) => {
      for (const other of places.slice(0, i)) assert.ok(!overlap(place, other));
    });
  });

  it('puts those first that are to be first', () => {
    const cloud = [
      { x: 100, y: 100 },
      { x: 100, y: 103 },
    ];
    const [, second] = placeLabels(cloud, [50, 50], { x: 0, y: 0, width: 300, height: 300 }, 5, (i) => i === 1);
    assert.equal(second!.isFar, false);
  });
});

describe('ticks', () => {
  it('are round numbers', () => {
    assert.deepEqual(ticks({ min: 2e6, max: 9e7 }, true), [2e6, 5e6, 1e7, 2e7, 5e7]);
    assert.deepEqual(ticks({ min: 20, max: 65 }, true), [20, 30, 40, 50]);
    assert.deepEqual(ticks({ min: 0.09, max: 0.36 }, false), [0.1, 0.15, 0.2, 0.25, 0.3, 0.35]);
    assert.deepEqual(ticks({ min: 23, max: 47 }, false), [25, 30, 35, 40, 45]);
  });
});
