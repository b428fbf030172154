/** What lines and shapes mean, written above a picture that stands by itself. */
import { html, Markup } from '../bench/reportMarkup.js';
import type { Lane } from './blockPicture.js';
import { boxShape } from './boxes.js';
import type { Box, BoxKind, Diagram } from './diagram.js';
import type { Size } from './layout.js';
import { LEVELS } from './style.js';
import { textWidth } from './words.js';

const ROW = 20;
const SAMPLE = 62;

export interface Key extends Size {
  readonly content: (id: string) => Markup;
  /** Shapes of boxes with their meaning, for a page. */
  readonly kinds: (id: string) => readonly { readonly sample: Markup; readonly text: string }[];
}

const KINDS: readonly (readonly [BoxKind, string])[] = [
  ['binary', 'binary: 1-bit convolution'],
  ['real', 'full precision'],
  ['step', 'full precision, no products'],
  ['join', 'branches meet'],
];

export function keyOf(lanes: readonly Lane[], { boxes }: Diagram, isShown: boolean): Key {
  const kinds = KINDS.filter(([kind]) => boxes.some((box) => box.kind === kind));
  const forPage = (id: string) =>
    kinds.map(([kind, text]) => ({
      sample: html`<svg class="bp" width="50" height="18" viewBox="0 0 50 18" aria-hidden="true">${kindSample(kind, 9, id)}</svg>`,
      text,
    }));
  if (!isShown) return { width: 0, height: 0, content: () => new Markup(''), kinds: forPage };
  const hint = 'thin lines: data, downward; thick lines: gradient paths, one of each level, from output to input';
  const rows = lanes.length + kinds.length + 1;
  const widths = [...lanes.map((lane) => SAMPLE + textWidth(laneText(lane), 12)), textWidth(hint, 11), 250];
  return {
    width: Math.ceil(Math.max(...widths)),
    height: ROW * rows + 16,
    kinds: forPage,
    content: (id) =>
      html`${lanes.map((lane, i) => laneRow(lane, i))}${kinds.map(([kind, text], i) => {
        const y = ROW * (lanes.length + i) + 8;
        return html`${kindSample(kind, y, id)}<text x="${SAMPLE}" y="${y + 4}">${text}</text>\n`;
      })}<text class="muted small" x="0" y="${ROW * (rows - 1) + 12}">${hint}</text>\n`,
  };
}

function kindSample(kind: BoxKind, y: number, id: string): Markup {
  const title = kind === 'join' ? 'add' : '';
  const box: Box = { id: '', kind, title, lines: [], name: '', cost: 0, length: 0 };
  return boxShape(box, { x: 1, y: y - 7, width: 48, height: 14 }, { port: 24, strip: 18, id });
}

function laneText({ rank, cost, length, paths }: Lane): string {
  return `GP1: N${rank} = ${cost}, L${rank} = ${length}, ${paths}`;
}

function laneRow({ rank, cost, length, paths }: Lane, index: number): Markup {
  const y = ROW * index + 8;
  const indexed = (letter: string, rest: string) =>
    html`${letter}<tspan dy="3" font-size="9">${rank}</tspan><tspan dy="-3">${rest}</tspan>`;
  return html`${laneSample(index, y)}<text x="${SAMPLE}" y="${y + 4}"><tspan font-weight="600">GP${index + 1}</tspan>: ${indexed('N', ` = ${cost}, `)}${indexed('L', ` = ${length}, ${paths}`)}</text>\n`;
}

/** A piece of a level's line with its number. */
export function laneSample(index: number, y: number): Markup {
  const dash = LEVELS[index]?.dash ?? '';
  return html`<path class="lane l${index + 1}${dash.startsWith('0') ? ' round' : ''}"${dash !== '' && html` stroke-dasharray="${dash}"`} d="M0 ${y}H50"/><circle class="f${index + 1}" cx="25" cy="${y}" r="8.5"/><text class="mark on" x="25" y="${y + 4}" text-anchor="middle">${index + 1}</text>`;
}
