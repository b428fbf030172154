/** CI-BCNN's pairs of channels, which interact one after another, in rounds in which all interact at once. */

/** Pairs as a parameter has them: source, target, sign, one after another. */
export type Pairs = Int32Array;

/** A `channelInteraction` as the metadata of an export has it. */
export interface Interaction {
  readonly threshold: number;
  readonly step: number;
  readonly pairs: readonly number[];
}

/** Rounds beyond this are no longer a spelling that anybody runs. */
export const MAX_ROUNDS = 64;

export interface Rounds {
  /** Of each pair, the round that it is in. */
  readonly of: Int32Array;
  readonly count: number;
}

/**
 * Each pair in the earliest round that gives what the order of the list gives: no source is changed before it is read in the
 * round, nor read after the list has changed it. Sums that round must be taken one by one, and no target changes twice in a
 * round; sums of integers (`exact`) come out the same in any order.
 */
export function roundsOf(pairs: Pairs, channels: number, exact: boolean): Rounds {
  /** Of each channel, the first round after the last one that changed it; and the last one that read it. */
  const changed = new Int32Array(channels);
  const read = new Int32Array(channels);
  const of = new Int32Array(pairs.length / 3);
  let count = 0;
  for (let i = 0; i < of.length; i++) {
    const source = pairs[3 * i] as number;
    const target = pairs[3 * i + 1] as number;
    const after = exact ? 0 : (changed[target] as number);
    const round = Math.max(changed[source] as number, read[target] as number, after);
    of[i] = round;
    read[source] = Math.max(read[source] as number, round);
    changed[target] = Math.max(changed[target] as number, round + 1);
    count = Math.max(count, round + 1);
  }
  return { of, count };
}

/**
 * What the pairs of one round add to each channel, as weights [C, 2·C] over the maps of [y ≥ threshold] and [y ≤ −threshold]:
 * a − b of a pair whose sign is positive, −a − b otherwise, times `step`.
 */
export function roundWeights(
  pairs: Pairs,
  rounds: Rounds,
  round: number,
  channels: number,
  step: number,
): Float32Array {
  const weights = new Float32Array(2 * channels * channels);
  for (const [i, own] of rounds.of.entries()) {
    if (own !== round) continue;
    const [source, target, sign] = [pairs[3 * i], pairs[3 * i + 1], pairs[3 * i + 2]] as [number, number, number];
    const above = target * 2 * channels + source;
    const below = above + channels;
    weights[above] = (weights[above] as number) + (sign > 0 ? step : -step);
    weights[below] = (weights[below] as number) - step;
  }
  return weights;
}
