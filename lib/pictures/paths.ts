/** Which boxes and edges of a diagram lie on gradient paths of one level, and one path of it to draw as a line. */
import type { Box, Diagram, Edge } from './diagram.js';

/** What makes a level of paths: their cost, or their length. */
export type LevelKey = 'cost' | 'length';

export interface PathLevelEdges {
  /** The level's cost, or length. */
  readonly key: number;
  /** Edges of one path with the fewest boxes, in the direction of the data: indices into the diagram's edges. */
  readonly example: readonly number[];
  /** Edges that lie on any path of the level. */
  readonly edges: ReadonlySet<number>;
}

/** Path costs, or lengths, from one side to each box: key → fewest edges. */
type Reach = ReadonlyMap<number, number>;

/**
 * The paths of `diagram` from its first box to its last one, a level for each of the `count` smallest costs (or lengths),
 * rising. Only as many keys as levels are kept at a box: a path's beginning that `count` cheaper ones precede cannot be part
 * of a path of these levels.
 */
export function pathLevels(diagram: Diagram, by: LevelKey, count: number): readonly PathLevelEdges[] {
  const { boxes, edges } = diagram;
  const last = boxes.length - 1;
  const into = boxes.map((_, i) => indices(edges, ({ to, isSide }) => to === i && !isSide));
  const out = boxes.map((_, i) => indices(edges, ({ from, isSide }) => from === i && !isSide));

  /** Up to a box, its own cost included. */
  const before: Reach[] = [];
  boxes.forEach((box, i) => {
    const sources = (into[i] ?? []).map((edge) => before[edges[edge]?.from ?? -1] as Reach);
    before.push(i === 0 ? new Map([[0, 0]]) : reach(sources, box[by], count));
  });
  /** Behind a box, its own cost excluded. */
  const behind: Reach[] = [];
  for (let i = last; i >= 0; i--) {
    const targets = (out[i] ?? []).map((edge) => {
      const { to } = edges[edge] as Edge;
      const own = (boxes[to] as Box)[by];
      return new Map([...(behind[to] as Reach)].map(([key, hops]) => [key + own, hops] as const));
    });
    behind[i] = i === last ? new Map([[0, 0]]) : reach(targets, 0, count);
  }

  return [...(before[last] as Reach).keys()].map((key) => {
    const on = edges.flatMap(({ from, to, isSide }, edge) => {
      if (isSide) return [];
      const own = (boxes[to] as Box)[by];
      const fits = [...(before[from] as Reach).keys()].some((k) => (behind[to] as Reach).has(key - k - own));
      return fits ? [edge] : [];
    });
    return { key, edges: new Set(on), example: trace(key, diagram, by, before, into) };
  });
}

function reach(sources: readonly Reach[], own: number, count: number): Reach {
  const merged = new Map<number, number>();
  for (const source of sources) {
    for (const [key, hops] of source) {
      merged.set(key + own, Math.min(hops + 1, merged.get(key + own) ?? Number.POSITIVE_INFINITY));
    }
  }
  return new Map([...merged].sort(([a], [b]) => a - b).slice(0, count));
}

/** The path of `key` with the fewest edges; of equal ones the first by the order of edges. */
function trace(
  key: number,
  { boxes, edges }: Diagram,
  by: LevelKey,
  before: readonly Reach[],
  into: readonly (readonly number[])[],
): readonly number[] {
  const path: number[] = [];
  for (let at = boxes.length - 1; at > 0; ) {
    const own = (boxes[at] as Box)[by];
    const hops = before[at]?.get(key) as number;
    const edge = (into[at] ?? []).find((e) => before[edges[e]?.from ?? -1]?.get(key - own) === hops - 1) as number;
    path.unshift(edge);
    key -= own;
    at = (edges[edge] as Edge).from;
  }
  return path;
}

function indices<T>(items: readonly T[], matches: (item: T) => boolean): readonly number[] {
  return items.flatMap((item, i) => (matches(item) ? [i] : []));
}
