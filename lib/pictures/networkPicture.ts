/**
 * A whole network: its parts from input to output, one box each, a column for each size of the feature maps. What a part costs
 * stands in it, and as a bar.
 */
import { html, type Markup } from '../bench/reportMarkup.js';
import { boxShape } from './boxes.js';
import type { Box, Diagram } from './diagram.js';
import type { Layout, LayOut, Point, Size } from './layout.js';
import { pathData, px } from './lines.js';
import type { Picture } from './svg.js';
import { fitting, textWidth } from './words.js';

/** A part of a network, in words. */
export interface NetworkRow {
  readonly name: string;
  /** stem, block, transition, classifier. */
  readonly role: string;
  readonly kind: 'binary' | 'real';
  /** 1-bit convolutions, M. */
  readonly convs: number;
  /** Of its output: "41 × 56 × 56", and the part of it that a stage shares: "56 × 56". */
  readonly shape: string;
  readonly mapSize: string;
  /** What it is made of. */
  readonly ops: string;
  /** "332.1 M 1-bit + 6.4 M real MACs". */
  readonly cost: string;
  /** Of the network's computation as the paper counts it, 0 … 1. */
  readonly share: number;
}

const PORT = 22;
const STRIP = 10;
const WIDTH = 232;
const HEIGHT = 58;
const END = 28;
const MARGIN = 16;
const HEADING = 26;

export interface NetworkPictureOptions {
  readonly id: string;
  readonly title: string;
  /** What comes in and what leaves: "3 × 224 × 224", "1000". */
  readonly input: string;
  readonly output: string;
  /** One column, for narrow pages. */
  readonly isNarrow?: boolean;
  /** Above the picture; a page has headings of its own. */
  readonly withTitle: boolean;
}

export async function networkPicture(
  rows: readonly NetworkRow[],
  layOut: LayOut,
  { id, title, input, output, isNarrow = false, withTitle }: NetworkPictureOptions,
): Promise<Picture> {
  const diagram = chain(rows, input, output);
  const sizes = diagram.boxes.map(({ kind }) => ({ width: WIDTH, height: kind === 'end' ? END : HEIGHT }));
  const stages = stagesOf(rows);
  // The input stands before the first row, the output behind the last one.
  const ends = [...stages.slice(1).map((first) => first + 1), diagram.boxes.length];
  const columns = isNarrow ? [diagram.boxes.length] : ends.map((end, i) => end - (ends[i - 1] ?? 0));
  const layout = await layOut.columns(columns, sizes, { port: PORT, gap: 16, clearance: 12 });
  const top = MARGIN + (withTitle ? 44 : 0) + (isNarrow ? 0 : HEADING);
  const width = Math.max(layout.width, withTitle ? 640 : 0) + 2 * MARGIN;
  const content = html`${withTitle && heading(title)}<g transform="translate(${MARGIN} ${top})">
${layout.edges.map(edge)}${isNarrow ? '' : titles(rows, stages, layout)}
${diagram.boxes.map((box, i) => {
  const place = layout.boxes[i] as Point & Size;
  const row = rows[i - 1];
  return row === undefined ? endBox(box, place, id) : rowBox(row, box, place, id);
})}</g>
`;
  const description = `${rows.length} parts from input to output: ${rows.map(({ name, shape }) => `${name} (${shape})`).join(', ')}.`;
  return { width: Math.ceil(width), height: Math.ceil(top + layout.height + MARGIN), title, description, content };
}

function chain(rows: readonly NetworkRow[], input: string, output: string): Diagram {
  const end = (id: string, title: string): Box => ({ id, kind: 'end', title, lines: [], name: '', cost: 0, length: 0 });
  const boxes: Box[] = [
    end('in', `input ${input}`),
    ...rows.map(
      ({ name, kind }, i): Box => ({ id: `p${i}`, kind, title: name, lines: [], name: '', cost: 0, length: 0 }),
    ),
    end('out', `output ${output}`),
  ];
  return { boxes, edges: boxes.slice(1).map((_, i) => ({ from: i, to: i + 1 })) };
}

/** Rows at which a column begins: where maps become smaller, but not within the stem and not for the classifier. */
export function stagesOf(rows: readonly NetworkRow[]): readonly number[] {
  const isInner = ({ role }: NetworkRow) => role === 'block' || role === 'transition';
  const first = rows.findIndex(isInner);
  const starts = rows.flatMap((row, i) =>
    i > first && isInner(row) && row.mapSize !== rows[i - 1]?.mapSize ? [i] : [],
  );
  return [0, ...starts];
}

function heading(title: string): Markup {
  const note =
    'hatched: M 1-bit convolutions; double border: full precision; bars: share of the computation, 1-bit MACs ÷ 64 + real MACs';
  return html`<text class="title" x="${MARGIN}" y="${MARGIN + 13}">${title}</text>
<text class="muted small" x="${MARGIN}" y="${MARGIN + 32}">${note}</text>
`;
}

/** What the maps of each column are. The classifier's are no maps. */
function titles(rows: readonly NetworkRow[], stages: readonly number[], { boxes }: Layout): Markup {
  const inner = rows.findLastIndex(({ role }) => role !== 'classifier');
  const texts = stages.map((first, stage) => {
    const { x } = boxes[stage === 0 ? 0 : first + 1] as Point & Size;
    const size = rows[Math.min((stages[stage + 1] ?? rows.length) - 1, inner)]?.mapSize;
    return size !== undefined && html`<text class="name" x="${px(x)}" y="-10">maps of ${size}</text>`;
  });
  return html`${texts}`;
}

function edge(points: readonly Point[]): Markup {
  const { x, y } = points.at(-1) as Point;
  return html`<path class="edge" d="${pathData(points, 7)}"/><path class="tip" d="M${px(x - 4)} ${px(y - 7)}h8l-4 7z"/>`;
}

function endBox(box: Box, place: Point & Size, id: string): Markup {
  return html`<g data-box="${box.id}">${boxShape(box, place, { port: PORT, strip: STRIP, id })}<text x="${px(place.x + place.width / 2)}" y="${px(place.y + place.height / 2 + 4)}" text-anchor="middle">${box.title}</text></g>\n`;
}

function rowBox(row: NetworkRow, box: Box, place: Point & Size, id: string): Markup {
  const { x, y, width } = place;
  const left = x + STRIP + 9;
  const right = x + width - 9;
  const room = right - left;
  const isBlock = row.role === 'block';
  const name = isBlock ? row.name : row.role;
  const note = isBlock ? (row.convs > 0 ? `M = ${row.convs}` : '') : row.name === row.role ? '' : row.name;
  const share = `${(row.share * 100).toPrecision(2)}\u00a0%`;
  const barRoom = room - textWidth('0.012 %', 11) - 6;
  return html`<g data-box="${box.id}">${boxShape(box, place, { port: PORT, strip: STRIP, id })}
<text class="name" x="${px(left)}" y="${px(y + 18)}">${fitting(name, 13, room - Math.min(textWidth(note, 12), room / 2) - 8)}</text><text x="${px(right)}" y="${px(y + 18)}" text-anchor="end">${fitting(note, 12, room / 2)}</text>
<text x="${px(left)}" y="${px(y + 33)}">${row.shape}</text><text x="${px(right)}" y="${px(y + 33)}" text-anchor="end">${fitting(row.cost, 12, room - textWidth(row.shape, 12) - 8)}</text>
<rect class="hollow border thin" x="${px(left)}" y="${px(y + 41)}" width="${px(barRoom)}" height="7"/><rect class="bar" x="${px(left)}" y="${px(y + 41)}" width="${px(barRoom * row.share)}" height="7"/><text class="small" x="${px(right)}" y="${px(y + 48.5)}" text-anchor="end">${share}</text></g>
`;
}
