/**
 * Noise bands that assume no distribution. The rounds of a task are its medians over a run; of n values, the j-th smallest and
 * the j-th largest enclose the true median with probability 1 − 2·P(Binomial(n, ½) < j), whatever the values' distribution
 * (the sign test turned round). Fewer than six values cannot reach 95 %: then it is their range, with the coverage it has.
 */

export interface Interval {
  readonly low: number;
  readonly high: number;
  /** The least probability that the true value lies inside; 0 for a single value. */
  readonly coverage: number;
}

/** The narrowest interval around the median of `values` that covers at least `wanted`, or their range; null for no values. */
export function medianInterval(values: readonly number[], wanted = 0.95): Interval | null {
  const sorted = [...values].sort((a, b) => a - b);
  const n = sorted.length;
  if (n === 0) return null;
  let outside = 2 ** -n; // P(Binomial(n, ½) < 1)
  let term = outside;
  let j = 1;
  while (j < Math.floor((n + 1) / 2)) {
    term *= (n - j + 1) / j;
    if (1 - 2 * (outside + term) < wanted) break;
    outside += term;
    j++;
  }
  return { low: sorted[j - 1] as number, high: sorted[n - j] as number, coverage: Math.max(0, 1 - 2 * outside) };
}

/**
 * Of the ratio of medians of two runs that knew nothing of each other: each median's interval at 97.5 %, and the quotient of
 * their far ends, which therefore covers 95 % (Bonferroni). It is wide on purpose: between two runs a machine drifts.
 */
export function unpairedRatio(numerator: readonly number[], denominator: readonly number[]): Interval | null {
  const above = medianInterval(numerator, 0.975);
  const below = medianInterval(denominator, 0.975);
  if (above === null || below === null) return null;
  return {
    low: above.low / below.high,
    high: above.high / below.low,
    coverage: Math.max(0, above.coverage + below.coverage - 1),
  };
}
