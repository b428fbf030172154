/** Lines of horizontal and vertical segments: parallel ones beside them, rounded corners, places for a mark. */
import type { Point } from './layout.js';

/** Without points that change nothing. */
export function straightened(points: readonly Point[]): readonly Point[] {
  const kept: Point[] = [];
  for (const point of points) {
    const [before, last] = [kept.at(-2), kept.at(-1)];
    if (last !== undefined && near(last.x, point.x) && near(last.y, point.y)) continue;
    const isCollinear =
      before !== undefined &&
      last !== undefined &&
      ((near(before.x, last.x) && near(last.x, point.x)) || (near(before.y, last.y) && near(last.y, point.y)));
    if (isCollinear) kept.pop();
    kept.push(point);
  }
  return kept;
}

/**
 * The line `distance` beside `points`: to the right of its vertical parts, below its horizontal ones by at most `room`. Lines
 * with other distances bend beside it without crossing it. `points` run down the paper, left and right, never up.
 */
export function beside(points: readonly Point[], distance: number, room: number): readonly Point[] {
  const line = straightened(points);
  return line.map((point, i) => {
    const [before, after] = [line[i - 1], line[i + 1]];
    const dx = [before, after].map((other) => (other === undefined || near(other.x, point.x) ? 0 : other.x - point.x));
    const toLeft = (dx[0] as number) > 0 || (dx[1] as number) < 0;
    const isBend = (dx[0] as number) !== 0 || (dx[1] as number) !== 0;
    return { x: point.x + distance, y: point.y + (isBend ? (toLeft ? distance : room - distance) : 0) };
  });
}

/** SVG path data, corners rounded by at most `radius`. */
export function pathData(points: readonly Point[], radius: number): string {
  const line = straightened(points);
  const commands = line.map((point, i) => {
    const [before, after] = [line[i - 1], line[i + 1]];
    if (before === undefined) return `M${at(point)}`;
    if (after === undefined) return `L${at(point)}`;
    const r = Math.min(radius, distance(before, point) / 2, distance(point, after) / 2);
    return `L${at(towards(point, before, r))}Q${at(point)} ${at(towards(point, after, r))}`;
  });
  return commands.join('');
}

/** Points of a line, `step` apart. */
export function samples(points: readonly Point[], step: number): readonly Point[] {
  const found: Point[] = [];
  points.slice(1).forEach((end, i) => {
    const start = points[i] as Point;
    const length = distance(start, end);
    for (let t = step / 2; t < length; t += step) found.push(towards(start, end, t));
  });
  return found;
}

/** From `point` to the nearest place on the line. */
export function distanceTo(line: readonly Point[], point: Point): number {
  const distances = line.slice(1).map((end, i) => {
    const start = line[i] as Point;
    const x = clamp(point.x, Math.min(start.x, end.x), Math.max(start.x, end.x));
    const y = clamp(point.y, Math.min(start.y, end.y), Math.max(start.y, end.y));
    return distance(point, { x, y });
  });
  return Math.min(...distances);
}

export function distance(a: Point, b: Point): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}

function towards(from: Point, to: Point, length: number): Point {
  const whole = distance(from, to) || 1;
  return { x: from.x + ((to.x - from.x) * length) / whole, y: from.y + ((to.y - from.y) * length) / whole };
}

/** A coordinate in at most one decimal. */
export function px(value: number): string {
  return String(Math.round(value * 10) / 10 + 0);
}

function at({ x, y }: Point): string {
  return `${px(x)} ${px(y)}`;
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}

function near(a: number, b: number): boolean {
  return Math.abs(a - b) < 0.05;
}
