/** How far two engines' results of one layer are from each other. */

import type { Shape } from '../../graph/types.js';

/** What is asked of two right engines: differences up to this share of the layer's largest value. */
export const TOLERANCE = 1e-4;
/** Values nearer than this to a sign's threshold may fall on either side. */
export const NEAR_THRESHOLD = 1e-3;

/** What a sign makes of a value: one threshold a channel, or one for all. */
export type Thresholds = Float32Array | 0;

/** What signs make of two maps. */
export interface Signs {
  /** Elements farther from the threshold than 10⁻³. */
  readonly clear: number;
  /** Those of them whose signs differ. */
  readonly flipped: number;
  /** The other elements, whose sign is rounding's to decide. */
  readonly near: number;
  /** Those of them whose signs differ. */
  readonly nearFlipped: number;
}
export const NO_SIGNS: Signs = { clear: 0, flipped: 0, near: 0, nearFlipped: 0 };

/** How far apart two maps are. */
export interface Difference {
  /** Elements compared. */
  readonly values: number;
  /** Largest absolute value of the other engine. */
  readonly largest: number;
  /** Largest difference; Infinity where one side is NaN or infinite and the other is not. */
  readonly worst: number;
  /** `worst` over `largest`. */
  readonly relative: number;
  /** Elements farther off than 10⁻⁴ of `largest`. */
  readonly off: number;
  /** Those of them at the outermost pixels of the map. */
  readonly offAtBorder: number;
}

/** Compares maps [N, C, H, W]. */
export function difference(actual: Float32Array, expected: Float32Array, height: number, width: number): Difference {
  let largest = 0;
  for (const value of expected)
    if (Math.abs(value) > largest && value !== Infinity && value !== -Infinity) largest = Math.abs(value);
  const bound = TOLERANCE * largest;
  let worst = 0;
  let off = 0;
  let offAtBorder = 0;
  for (let i = 0; i < expected.length; i++) {
    const [a, b] = [actual[i] as number, expected[i] as number];
    if (Object.is(a, b) || a === b) continue;
    const distance = Math.abs(a - b);
    if (!(distance <= worst)) worst = Number.isNaN(distance) ? Infinity : distance;
    if (distance <= bound) continue;
    off++;
    const x = i % width;
    const y = Math.floor(i / width) % height;
    if (x === 0 || y === 0 || x === width - 1 || y === height - 1) offAtBorder++;
  }
  const relative = worst === 0 ? 0 : worst / largest;
  return { values: expected.length, largest, worst, relative, off, offAtBorder };
}

/**
 * Compares two engines' signs of the same values.
 *
 * @param values [N, C, H, W], what the other engine's sign saw.
 */
export function signsOf(
  values: Float32Array,
  thresholds: Thresholds,
  { channels, height, width }: Shape,
  isPlus: (i: number, threshold: number) => boolean,
  isPlusThere: (i: number, threshold: number) => boolean,
): Signs {
  let [clear, flipped, near, nearFlipped] = [0, 0, 0, 0];
  const pixels = height * width;
  for (let i = 0; i < values.length; i++) {
    const threshold = thresholds === 0 ? 0 : (thresholds[Math.floor(i / pixels) % channels] as number);
    const flips = isPlus(i, threshold) !== isPlusThere(i, threshold);
    if (Math.abs((values[i] as number) - threshold) <= NEAR_THRESHOLD) {
      near++;
      if (flips) nearFlipped++;
    } else {
      clear++;
      if (flips) flipped++;
    }
  }
  return { clear, flipped, near, nearFlipped };
}
