/** Pareto fronts. */
import { argumentError } from '../check.js';

/**
 * Those of `items` that no other one dominates: is nowhere worse and somewhere better. `scores` are compared place by place,
 * smaller is better. Of items with equal scores all stay. Keeps the order. Throws `ERR_BITPATH_ARGUMENT`, also for scores that are
 * no numbers.
 */
export function paretoFront<T>(items: readonly T[], scores: (item: T) => readonly number[]): readonly T[] {
  if (!Array.isArray(items)) throw argumentError('items', 'an array', items);
  if (typeof scores !== 'function') throw argumentError('scores', 'a function item → numbers', scores);
  const scored = items.map((item: T, index) => ({ item, index, of: checkScores(scores(item)) }));
  // What dominates an item comes before it in this order.
  scored.sort((a, b) => lexical(a.of, b.of) || a.index - b.index);
  const front: typeof scored = [];
  for (const candidate of scored) {
    if (!front.some((member) => dominates(member.of, candidate.of))) front.push(candidate);
  }
  return front.sort((a, b) => a.index - b.index).map(({ item }) => item);
}

function checkScores(values: readonly number[]): readonly number[] {
  const areNumbers =
    Array.isArray(values) && values.every((value) => typeof value === 'number' && !Number.isNaN(value));
  if (!areNumbers) throw argumentError('what scores returned', 'an array of numbers', values);
  return values;
}

/** True where `a` is nowhere worse than `b` and somewhere better. */
export function dominates(a: readonly number[], b: readonly number[]): boolean {
  let better = false;
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i] as number, b[i] as number];
    if (x > y) return false;
    if (x < y) better = true;
  }
  return better;
}

function lexical(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i] as number, b[i] as number];
    if (x !== y) return x < y ? -1 : 1; // no difference: two infinities have none
  }
  return 0;
}
