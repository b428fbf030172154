/** Places for the names of points, so that none lies on another one or on a point. */
import type { Point, Size } from './layout.js';

export interface LabelPlace extends Point, Size {
  /** True where a line is needed to show which point it belongs to. */
  readonly isFar: boolean;
}

const HEIGHT = 14;
const GAP = 9;

/**
 * The upper left corner of a label for each point: beside it where there is room, otherwise up or down, nearest first. `area` is
 * what labels may cover; `radius` is that of the points; those that `isFirst` choose before
 * the others.
 */
export function placeLabels(
  points: readonly Point[],
  widths: readonly number[],
  area: Point & Size,
  radius: number,
  isFirst: (index: number) => boolean = () => false,
): readonly LabelPlace[] {
  const placed: LabelPlace[] = [];
  const order = points
    .map((_, i) => i)
    .sort((a, b) => Number(isFirst(b)) - Number(isFirst(a)) || (points[a] as Point).y - (points[b] as Point).y);
  const result: LabelPlace[] = [];
  for (const i of order) {
    const [{ x, y }, width] = [points[i] as Point, widths[i] as number];
    const found = candidates(x, y, width).find(
      (place) =>
        isInside(place, area) &&
        !placed.some((other) => overlap(place, other)) &&
        !points.some((p) => covers(place, p, radius)),
    );
    const place = found ?? { x: x + GAP, y: y - HEIGHT / 2, width, height: HEIGHT, isFar: false };
    placed.push(place);
    result[i] = place;
  }
  return result;
}

function candidates(x: number, y: number, width: number): readonly LabelPlace[] {
  const found: LabelPlace[] = [];
  for (let column = 0; column < 10; column++) {
    for (let step = 0; step < 40; step++) {
      const dy = (step % 2 === 0 ? 1 : -1) * Math.ceil(step / 2) * 5;
      const dx = GAP + column * 40 + (step > 3 ? 18 : 0);
      const isFar = column > 0 || Math.abs(dy) > 6;
      found.push({ x: x + dx, y: y - HEIGHT / 2 + dy, width, height: HEIGHT, isFar });
      found.push({ x: x - dx - width, y: y - HEIGHT / 2 + dy, width, height: HEIGHT, isFar });
    }
  }
  const cost = (place: LabelPlace) => {
    const side = place.x > x ? 0 : 6;
    return Math.abs(place.y + HEIGHT / 2 - y) + Math.abs(place.x > x ? place.x - x : x - place.x - width) + side;
  };
  return found.sort((a, b) => cost(a) - cost(b));
}

function isInside(place: Point & Size, area: Point & Size): boolean {
  return (
    place.x >= area.x &&
    place.y >= area.y &&
    place.x + place.width <= area.x + area.width &&
    place.y + place.height <= area.y + area.height
  );
}

export function overlap(a: Point & Size, b: Point & Size): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

function covers({ x, y, width, height }: Point & Size, point: Point, radius: number): boolean {
  return (
    point.x > x - radius &&
    point.x < x + width + radius &&
    point.y > y - radius + 2 &&
    point.y < y + height + radius - 2
  );
}
