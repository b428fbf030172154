/** The pictures themselves: all is there, nothing lies on anything else, and each line goes where it says. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { buildArchitecture, listArchitectures } from 'bitpath';
import { lanesOf } from '#lib/pictures/analysisText.js';
import { drawing } from '#lib/pictures/index.js';
import { type LayOut, loadLayout } from '#lib/pictures/layout.js';
import { analyseNetwork } from '#lib/pictures/networkAnalysis.js';
import { networkPicture, stagesOf } from '#lib/pictures/networkPicture.js';
import { networkRows } from '#lib/pictures/networkRows.js';
import { MOST_LEVELS } from '#lib/pictures/style.js';
import { svgOf } from '#lib/pictures/svg.js';
import {
  assertIds,
  assertOffline,
  corners,
  type Element,
  elementsOf,
  overlaps,
  type Rectangle,
  textBox,
} from './svg.js';

const NAMES = [
  'ebireal-resnet18-64',
  'bireal-resnet18-64',
  'binary-resnet18-binary-downsample',
  'igp-resnet21-53',
  'igp-resnet37-41',
  'igp-resnet69-31',
  'binary-densenet51-32',
  'igp-densenet51-53',
  'resnet18',
];

const subject = (name: string, options = {}) => ({
  analysis: analyseNetwork(buildArchitecture(name), options),
  architecture: listArchitectures().find((known) => known.name === name)!,
  title: name,
});

/** The frames of boxes, in the order of the diagram, without the samples of the key. */
function frames(elements: readonly Element[], count: number): readonly Rectangle[] {
  const rects = elements.filter(
    ({ name, attributes }) => name === 'rect' && /(paper|panel) (thin )?border/.test(attributes['class'] ?? ''),
  );
  return rects.slice(-count).map(({ attributes, x, y }) => {
    const [left, top] = [x + Number(attributes['x']), y + Number(attributes['y'])];
    return { left, top, right: left + Number(attributes['width']), bottom: top + Number(attributes['height']) };
  });
}

function assertApart(rectangles: readonly Rectangle[], what: string): void {
  rectangles.forEach((a, i) => {
    for (const b of rectangles.slice(0, i)) assert.ok(!overlaps(a, b), `${what} ${JSON.stringify([a, b])}`);
  });
}

function assertInside(rectangles: readonly Rectangle[], elements: readonly Element[]): void {
  const { width, height } = elements[0]!.attributes;
  assert.equal(elements[0]!.attributes['viewBox'], `0 0 ${width} ${height}`);
  for (const { left, top, right, bottom } of rectangles) {
    assert.ok(
      left >= 0 && top >= 0 && right <= Number(width) && bottom <= Number(height),
      JSON.stringify({ left, top, right, bottom }),
    );
  }
}

/** True where a line of horizontal and vertical parts has a point in the rectangle. */
function meets(line: readonly (readonly [number, number])[], { left, top, right, bottom }: Rectangle): boolean {
  return line.slice(1).some(([x2, y2], i) => {
    const [x1, y1] = line[i]!;
    return Math.min(x1, x2) < right && Math.max(x1, x2) > left && Math.min(y1, y2) < bottom && Math.max(y1, y2) > top;
  });
}

describe('the picture of a block', () => {
  for (const name of NAMES) {
    for (const levels of [3, MOST_LEVELS]) {
      it(`${name}, ${levels} levels: each path is drawn through the boxes that it pays for`, async () => {
        const drawn = subject(name, { levels });
        const svg = await drawing(drawn, 'block');
        assertOffline(svg);
        assertIds(svg);
        const elements = elementsOf(svg);
        const { diagram, drawn: paths, paths: counted } = drawn.analysis.block;

        const boxes = elements.flatMap(({ attributes }) => attributes['data-box'] ?? []);
        assert.deepEqual(
          boxes,
          diagram.boxes.map(({ id }) => id),
        );
        const edges = elements.flatMap(({ attributes }) => attributes['data-edge'] ?? []);
        assert.deepEqual(
          edges,
          diagram.edges.map(({ from, to }) => `${from}-${to}`),
        );
        const places = frames(elements, diagram.boxes.length);
        assertApart(places, 'boxes');

        const lanes = elements.filter(({ attributes }) => attributes['data-level'] !== undefined);
        assert.equal(lanes.length, counted.levels.length);
        lanes.forEach((lane, level) => {
          const line = corners(lane);
          for (const [i, [x, y]] of line.slice(1).entries()) {
            assert.ok(Math.abs(x - line[i]![0]) < 0.2 || Math.abs(y - line[i]![1]) < 0.2, 'right angles');
            assert.ok(y >= line[i]![1] - 0.2, 'data never flows up');
          }
          const on = new Set([0, ...paths[level]!.example.map((edge) => diagram.edges[edge]!.to)]);
          const met = places.flatMap((place, i) => (meets(line, place) ? [i] : []));
          assert.deepEqual(
            met.filter((i) => i > 0),
            [...on].filter((i) => i > 0).sort((a, b) => a - b),
          );
          const cost = met.reduce((sum, i) => sum + diagram.boxes[i]!.cost, 0);
          assert.equal(cost, counted.levels[level]!.cost);
        });

        const texts = elements.filter((element) => element.name === 'text');
        const labels = texts.map(textBox);
        assertInside([...places, ...labels], elements);
        assertApart(labels, 'texts');
        const all = texts.map(({ text }) => text).join('\n');
        for (const { rank, cost, length, paths: count } of lanesOf(drawn.analysis.block)) {
          assert.ok(all.includes(`N${rank} = ${cost}, L${rank} = ${length}, ${count}`), all);
        }
        // Told apart without colour: by dash, number and shape.
        const dashes = lanes.map(({ attributes }) => attributes['stroke-dasharray']);
        assert.equal(new Set(dashes).size, lanes.length);
        for (const i of lanes.keys())
          assert.ok(texts.some(({ text, attributes }) => text === String(i + 1) && /mark/.test(attributes['class']!)));
        assert.equal((svg.match(/fill="url\(#block-hatch\)"/g) ?? []).length, hatched(diagram.boxes));
      });
    }
  }

  /** Binary boxes, and the sample of the key. */
  function hatched(boxes: readonly { kind: string }[]): number {
    const count = boxes.filter(({ kind }) => kind === 'binary').length;
    return count === 0 ? 0 : count + 1;
  }

  it('is the same each time, and says what it shows', async () => {
    const [first, second] = await Promise.all([
      drawing(subject('igp-resnet37-41'), 'block'),
      drawing(subject('igp-resnet37-41'), 'block'),
    ]);
    assert.equal(first, second);
    const [svg, title, desc] = elementsOf(first);
    assert.equal(svg!.attributes['role'], 'img');
    assert.equal(title!.text, 'igp-resnet37-41: gradient paths of body.0');
    assert.match(desc!.text, /GP2, 2nd: 47\.44\u00a0M operations, length 1, 13 paths/);
  });

  it('escapes what a model file may call itself', async () => {
    const svg = await drawing({ ...subject('resnet18'), title: '<b onload="x">&' }, 'block');
    assert.ok(elementsOf(svg).some(({ text }) => text.includes('&lt;b onload=&quot;x&quot;&gt;&amp;')));
  });
});

describe('the picture of a network', () => {
  let layOut: LayOut;
  before(async () => {
    layOut = await loadLayout();
  });

  for (const name of [...NAMES, 'binary-densenet69-32', 'bireal-chain-31']) {
    it(`${name}: a box for each part, one below or beside the other`, async () => {
      const { graph, parts } = analyseNetwork(buildArchitecture(name));
      const rows = networkRows(graph, parts);
      const share = rows.reduce((sum, row) => sum + row.share, 0);
      assert.ok(Math.abs(share - 1) < 1e-9);
      for (const isNarrow of [false, true]) {
        const picture = await networkPicture(rows, layOut, {
          id: 'n',
          title: name,
          input: 'x',
          output: 'y',
          withTitle: !isNarrow,
          isNarrow,
        });
        const svg = svgOf(picture, 'n', false).text;
        assertOffline(svg);
        assertIds(svg);
        const elements = elementsOf(svg);
        const groups = elements.filter(({ attributes }) => attributes['data-box'] !== undefined);
        assert.deepEqual(
          groups.map(({ attributes }) => attributes['data-box']),
          ['in', ...rows.map((_, i) => `p${i}`), 'out'],
        );
        rows.forEach(({ shape, role, name: part }, i) => {
          const { text } = groups[i + 1]!;
          assert.ok(text.includes(shape) && text.includes(role === 'block' ? part : role), text);
        });
        const places = frames(elements, groups.length + rows.filter(({ kind }) => kind === 'real').length);
        const labels = elements.filter((element) => element.name === 'text').map(textBox);
        assertInside([...places, ...labels], elements);
        assertApart(labels, 'texts');
        const lines = elements
          .filter((element) => element.name === 'path' && element.attributes['class'] === 'edge')
          .slice(1);
        assert.equal(lines.length, rows.length + 1);
        const columns = new Set(places.map(({ left }) => Math.round(left / 50)));
        assert.equal(columns.size, isNarrow ? 1 : stagesOf(rows).length);
      }
    });
  }
});
