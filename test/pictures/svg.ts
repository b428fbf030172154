/** Reads the SVG that we write: fails where it is not well-formed XML. */
import assert from 'node:assert/strict';

export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** Sum of the translations around it. */
  readonly x: number;
  readonly y: number;
  /** Text directly in it and in what it holds. */
  text: string;
}

const ENTITY = /&(?:amp|lt|gt|quot|#39);/g;

/** Every element, in order. */
export function elementsOf(svg: string): readonly Element[] {
  const found: Element[] = [];
  const open: Element[] = [];
  const pattern = /<(\/?)([a-zA-Z][a-zA-Z0-9]*)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>|([^<]+)/gy;
  let end = 0;
  for (const [whole, close, name = '', attributes = '', self, text] of svg.trim().matchAll(pattern)) {
    end += whole.length;
    if (text !== undefined) {
      if (open.at(-1)?.name !== 'style') assert.doesNotMatch(text.replace(ENTITY, ''), /[&>]/, 'escaped text');
      for (const element of open) element.text += text;
      continue;
    }
    if (close === '/') {
      assert.equal(open.pop()?.name, name, 'tags that nest');
      continue;
    }
    const pairs = [...attributes.matchAll(/([\w:-]+)="([^"]*)"/g)].map(([, key, value]) => [key, value] as const);
    assert.equal(new Set(pairs.map(([key]) => key)).size, pairs.length, `attributes of ${whole}`);
    const own = Object.fromEntries(pairs) as Record<string, string>;
    const [, dx = 0, dy = 0] = /^translate\(([-\d.]+) ([-\d.]+)\)$/.exec(own['transform'] ?? '') ?? [];
    const parent = open.at(-1);
    const element = {
      name,
      attributes: own,
      x: (parent?.x ?? 0) + Number(dx),
      y: (parent?.y ?? 0) + Number(dy),
      text: '',
    };
    found.push(element);
    if (self !== '/') open.push(element);
  }
  assert.equal(end, svg.trim().length, `not XML: ${svg.trim().slice(end, end + 80)}`);
  assert.deepEqual(open, []);
  return found;
}

export interface Rectangle {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

export function overlaps(a: Rectangle, b: Rectangle): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

const SIZES: Readonly<Record<string, number>> = { title: 15, name: 13, small: 11, mark: 11 };

/** Where a text lies, by the widths of Arial, which are those of the fonts that stand in for it. */
export function textBox({ attributes, text, x, y }: Element): Rectangle {
  const size =
    (attributes['class'] ?? '')
      .split(' ')
      .map((name) => SIZES[name])
      .find(Boolean) ?? 12;
  const width =
    [...text].reduce(
      (sum, char) => sum + (/[ijl.,:;'|·() \u00a0]/.test(char) ? 0.28 : /[A-Zmw→]/.test(char) ? 0.72 : 0.556),
      0,
    ) * size;
  const at = x + Number(attributes['x']);
  const left =
    attributes['text-anchor'] === 'end' ? at - width : attributes['text-anchor'] === 'middle' ? at - width / 2 : at;
  const base = y + Number(attributes['y']);
  return { left, right: left + width, top: base - size * 0.75, bottom: base + size * 0.2 };
}

/** Corners of a path of lines and rounded corners, moved to where it is drawn. */
export function corners({ attributes, x, y }: Element): readonly (readonly [number, number])[] {
  const data = attributes['d'] ?? '';
  // The control point of a rounded corner is the corner.
  return [...data.matchAll(/([MLQ])([-\d.]+) ([-\d.]+)/g)].map(
    ([, , px, py]) => [Number(px) + x, Number(py) + y] as const,
  );
}

/** Nothing that an offline reader would have to fetch, and nothing that runs. */
export function assertOffline(text: string): void {
  const rest = text.replaceAll('xmlns="http://www.w3.org/2000/svg"', '');
  assert.doesNotMatch(rest, /https?:|\/\/\w|<script|\bon\w+=|@import|javascript:/i);
  assert.doesNotMatch(rest, /url\((?!#)/);
}

/** Ids are unique, and what refers to one finds it. */
export function assertIds(text: string): void {
  const ids = [...text.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id as string);
  assert.equal(new Set(ids).size, ids.length, 'unique ids');
  for (const [, refers] of text.matchAll(/(?:aria-labelledby="|url\(#|href="#)([^")]*)/g)) {
    for (const id of (refers as string).split(' ')) assert.ok(ids.includes(id), `nothing is called ${id}`);
  }
}
