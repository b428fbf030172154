/** How boxes look. Binary: square corners and a hatched strip; full precision: round corners and a double border. */
import { html, type Markup } from '../bench/reportMarkup.js';
import type { Box } from './diagram.js';
import type { Point, Size } from './layout.js';
import { px } from './lines.js';
import { hatch } from './svg.js';
import { textWidth } from './words.js';

const TITLE = 13;
const LINE = 12;
const SMALL = 11;
const PAD = 10;

export interface BoxStyle {
  /** Distance from a box’s left side where all its edges meet it, and width of the strip for lines that run through it. */
  readonly port: number;
  readonly strip: number;
  /** Of the picture. */
  readonly id: string;
}

/** What a join does, by the first word of its title. */
const SYMBOLS: Readonly<Record<string, string>> = { add: '+', mean: '½', multiply: '×', concat: '∥' };

/** Room that a box needs beside a strip of `strip` pixels, where lines run through it. */
export function boxSize({ kind, title, lines, name }: Box, strip: number): Size {
  const first = textWidth(title, TITLE) * 1.06 + (name === '' ? 0 : 14 + textWidth(name, SMALL));
  const width = Math.ceil(strip + PAD * 1.6 + Math.max(first, ...lines.map((line) => textWidth(line, LINE))));
  const height = lines.length > 0 ? 32 + 16 * lines.length : kind === 'join' || kind === 'step' ? 28 : 30;
  return { width, height };
}

/** Everything of a box that lies below the lines that run through its strip. */
export function boxShape(
  { kind, title }: Box,
  { x, y, width, height }: Point & Size,
  { port, strip, id }: BoxStyle,
): Markup {
  const symbol = SYMBOLS[title.split(' ')[0] ?? ''] ?? '';
  const frame = (radius: number, inset = 0, extra = '') =>
    html`<rect class="${extra}border" x="${px(x + inset)}" y="${px(y + inset)}" width="${px(width - 2 * inset)}" height="${px(height - 2 * inset)}" rx="${radius - inset}"/>`;
  switch (kind) {
    case 'binary':
      return html`${frame(0, 0, 'paper ')}<rect x="${px(x)}" y="${px(y)}" width="${strip}" height="${px(height)}" fill="${hatch(id)}"/><path class="border thin" d="M${px(x + strip)} ${px(y)}v${px(height)}"/>`;
    case 'real':
      return html`${frame(11, 0, 'paper ')}${frame(11, 3.5, 'hollow thin ')}`;
    case 'end':
      return frame(height / 2, 0, 'panel ');
    case 'join':
      return html`${frame(height / 2, 0, 'paper thin ')}${symbol !== '' && html`<circle class="panel border thin" cx="${px(x + port)}" cy="${px(y + height / 2)}" r="8"/><text class="mark" x="${px(x + port)}" y="${px(y + height / 2 + 4)}" text-anchor="middle">${symbol}</text>`}`;
    case 'step':
      return frame(3, 0, 'paper thin ');
  }
}

export function boxText(
  { title, lines, name, kind }: Box,
  { x, y, width, height }: Point & Size,
  strip: number,
): Markup {
  const left = px(x + strip + PAD * 0.8);
  if (lines.length === 0) {
    const label = html`<text class="${kind === 'end' || kind === 'join' ? 'ink' : 'name'}" x="${left}" y="${px(y + height / 2 + 4.3)}">${title}</text>`;
    return name === '' ? label : html`${label}${corner(name, x + width, y + height / 2 + 4.3)}`;
  }
  return html`<text class="name" x="${left}" y="${px(y + 19)}">${title}</text>${name !== '' && corner(name, x + width, y + 19)}${lines.map(
    (line, i) => html`<text x="${left}" y="${px(y + 36 + 16 * i)}">${line}</text>`,
  )}`;
}

function corner(name: string, right: number, y: number): Markup {
  return html`<text class="muted small" x="${px(right - PAD * 0.8)}" y="${px(y)}" text-anchor="end">${name}</text>`;
}
