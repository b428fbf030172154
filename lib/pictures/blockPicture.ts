/**
 * The gradient paths of a block, as Figure 2 draws them: data flows downward along thin lines; beside them, a path of each
 * level runs back from the output to the input, through the boxes whose operations it has to undo.
 */
import { html, type Markup } from '../bench/reportMarkup.js';
import { boxShape, boxSize, boxText } from './boxes.js';
import type { Diagram } from './diagram.js';
import { keyOf } from './key.js';
import type { Layout, LayOut, Point, Size } from './layout.js';
import { beside, distance, distanceTo, pathData, px, samples, straightened } from './lines.js';
import { LEVELS } from './style.js';
import type { Picture } from './svg.js';

/** A level of paths, ready to be drawn. */
export interface Lane {
  /** "GP2: N_2nd = 47.44 M, L = 1, 7 paths", as parts; the rank is written below the line. */
  readonly rank: string;
  readonly cost: string;
  readonly length: string;
  readonly paths: string;
  /** Edges of the path that is drawn, in the direction of the data. */
  readonly example: readonly number[];
}

/** All edges meet a box this far from its left side; lanes run beside them to the right. */
const PORT = 14;
const FIRST_LANE = 9;
const LANE = 8;
const RADIUS = 7;
const MARGIN = 16;

export interface BlockPictureOptions {
  /** Begins the ids in the picture. */
  readonly id: string;
  readonly title: string;
  /** The key of lines and shapes above the picture; a page writes it as a table instead. */
  readonly withKey: boolean;
}

export async function blockPicture(
  diagram: Diagram,
  lanes: readonly Lane[],
  layOut: LayOut,
  { id, title, withKey }: BlockPictureOptions,
): Promise<Picture> {
  const widest = FIRST_LANE + LANE * (lanes.length - 1);
  const strip = PORT + widest + FIRST_LANE;
  const sizes = diagram.boxes.map((box) => boxSize(box, strip));
  const layout = await layOut.diagram(diagram, sizes, { port: PORT, gap: widest + 9, clearance: widest + 7 });
  const key = keyOf(lanes, diagram, withKey);
  const width = Math.max(layout.width + widest, key.width) + 2 * MARGIN;
  const top = MARGIN + (withKey ? 22 + key.height : 0);
  const content = html`${withKey && html`<text class="title" x="${MARGIN}" y="${MARGIN + 13}">${title}</text>\n<g transform="translate(${MARGIN} ${MARGIN + 26})">${key.content(id)}</g>\n`}<g transform="translate(${px(Math.max(MARGIN, (width - layout.width - widest) / 2))} ${top})">
${drawing(diagram, layout, lanes, strip, id)}</g>
`;
  return {
    width: Math.ceil(width),
    height: Math.ceil(top + layout.height + MARGIN),
    title,
    description: describe(lanes),
    content,
  };
}

function describe(lanes: readonly Lane[]): string {
  const levels = lanes.map(
    ({ rank, cost, length, paths }, i) => `GP${i + 1}, ${rank}: ${cost} operations, length ${length}, ${paths}`,
  );
  return `Data flow of the block from its input to its output, and one gradient path of each level. ${levels.join('; ')}.`;
}

function drawing(diagram: Diagram, layout: Layout, lanes: readonly Lane[], strip: number, id: string): Markup {
  const widest = FIRST_LANE + LANE * (lanes.length - 1);
  const lines = lanes.map(({ example }, i) =>
    beside(route(diagram, layout, example), FIRST_LANE + LANE * i, widest + FIRST_LANE),
  );
  const marks = places(lines, layout.boxes);
  return html`${layout.edges.map((points, i) => edge(points, `${diagram.edges[i]?.from}-${diagram.edges[i]?.to}`))}${layout.junctions.map(
    ({ x, y }) => html`<circle class="tip" cx="${px(x)}" cy="${px(y)}" r="2.6"/>`,
  )}
${diagram.boxes.map((box, i) => boxShape(box, layout.boxes[i] as Point & Size, { port: PORT, strip, id }))}
${lines.map((line, i) => lane(line, i))}
${lines.map((line, i) => ends(line, i))}
${marks.map(({ x, y }, i) => html`<circle class="f${i + 1}" cx="${px(x)}" cy="${px(y)}" r="8.5"/><text class="mark on" x="${px(x)}" y="${px(y + 4)}" text-anchor="middle">${i + 1}</text>`)}
${diagram.boxes.map((box, i) => html`<g data-box="${box.id}">${boxText(box, layout.boxes[i] as Point & Size, strip)}</g>\n`)}`;
}

function edge(points: readonly Point[], name: string): Markup {
  const { x, y } = points.at(-1) as Point;
  return html`<path class="edge" data-edge="${name}" d="${pathData(points, RADIUS)}"/><path class="tip" d="M${px(x - 4)} ${px(y - 7)}h8l-4 7z"/>\n`;
}

/** The path's line from the input to the output, through the boxes on it. */
function route({ boxes }: Diagram, layout: Layout, example: readonly number[]): readonly Point[] {
  const line = straightened(example.flatMap((index) => layout.edges[index] ?? []));
  const [first, last] = [line[0], line.at(-1)] as [Point, Point];
  const end = layout.boxes[boxes.length - 1] as Point & Size;
  return [{ x: first.x, y: first.y + 2 }, ...line.slice(1, -1), { x: last.x, y: end.y + end.height / 2 }];
}

function lane(line: readonly Point[], index: number): Markup {
  const dash = LEVELS[index]?.dash ?? '';
  const data = pathData(line, RADIUS);
  return html`<path class="casing" d="${data}"/><path class="lane l${index + 1}${dash.startsWith('0') ? ' round' : ''}" data-level="${index + 1}"${dash !== '' && html` stroke-dasharray="${dash}"`} d="${data}"/>\n`;
}

/** A dot where the path leaves the output, an arrowhead where it reaches the input. */
function ends(line: readonly Point[], index: number): Markup {
  const [input, output] = [line[0], line.at(-1)] as [Point, Point];
  return html`<path class="f${index + 1}" d="M${px(input.x)} ${px(input.y - 1)}l4.6 9h-9.2z"/><circle class="f${index + 1}" cx="${px(output.x)}" cy="${px(output.y)}" r="3.4"/>`;
}

/** A place for the number of each line, where it is farthest from the others. */
function places(lines: readonly (readonly Point[])[], boxes: readonly (Point & Size)[]): readonly Point[] {
  const found: Point[] = [];
  lines.forEach((line, i) => {
    const candidates = samples(line, 4);
    const scored = candidates.map((point, at) => {
      const others = lines.flatMap((other, j) => (j === i ? [] : [distanceTo(other, point)]));
      const rest = found.map((other) => distance(other, point) - 10);
      const edges = boxes.map((box) => borderDistance(box, point) + 2);
      const room = Math.min(18, ...others, ...rest, ...edges);
      return { point, score: room - Math.abs(at / candidates.length - 0.5) };
    });
    const best = scored.reduce((a, b) => (b.score > a.score ? b : a));
    found.push(best.point);
  });
  return found;
}

function borderDistance({ x, y, width, height }: Point & Size, point: Point): number {
  const inX = point.x > x && point.x < x + width;
  if (!inX)
    return (
      Math.max(x - point.x, point.x - x - width, 0) + Math.min(Math.abs(point.y - y), Math.abs(point.y - y - height))
    );
  return Math.min(Math.abs(point.y - y), Math.abs(point.y - y - height));
}
