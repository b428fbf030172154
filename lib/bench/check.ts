/** What an answer is held to before it is timed. A wrong one ends the run: a time beside it would be a lie. */
import { BitpathError } from '../errors.js';

/** Throws `ERR_BITPATH_BENCH`. */
export function fail(what: string, reason: string, cause?: unknown): never {
  throw new BitpathError('ERR_BITPATH_BENCH', { case: what, reason }, { cause });
}

/** Bit for bit; 0 and −0 differ, and so do all things from NaN. */
export function checkEqual(what: string, actual: Float32Array, expected: Float32Array, than: string): void {
  if (actual.length !== expected.length)
    fail(what, `it has ${actual.length} values where ${than} has ${expected.length}`);
  for (const [i, value] of actual.entries()) {
    if (!Object.is(value, expected[i]) || Number.isNaN(value))
      fail(what, `value ${i} is ${value} where ${than} has ${expected[i]}`);
  }
}

export interface Likeness {
  /** Largest difference over the largest expected value. */
  readonly relative: number;
  readonly cosine: number;
  /** Whether the largest value is at the same place. */
  readonly sameTop1: boolean;
}

export function likeness(actual: Float32Array, expected: Float32Array): Likeness {
  let [dot, squareA, squareE, largest, difference] = [0, 0, 0, 0, 0];
  for (const [i, e] of expected.entries()) {
    const a = actual[i] ?? Number.NaN;
    dot += a * e;
    squareA += a * a;
    squareE += e * e;
    largest = Math.max(largest, Math.abs(e));
    difference = Math.max(difference, Math.abs(a - e)); // NaN stays NaN
  }
  const top = (values: Float32Array) => values.indexOf(values.reduce((max, value) => Math.max(max, value), -Infinity));
  return {
    relative: difference / largest,
    cosine: dot / Math.sqrt(squareA * squareE),
    sameTop1: actual.length === expected.length && top(actual) === top(expected),
  };
}

/** Float engines add in other orders; more than this is no rounding. */
export const FLOAT_TOLERANCE = 1e-4;
/** 8-bit weights and activations leave about 0.9995 of a float ResNet18's logits. */
export const INT8_COSINE = 0.995;

/** Two float engines, each image's answer by itself. Returns the worst relative difference. */
export function checkFloat(what: string, actual: Float32Array, expected: Float32Array, images: number): number {
  const worst = Math.max(...perImage(actual, expected, images).map(({ relative }) => relative));
  if (!(worst <= FLOAT_TOLERANCE)) fail(what, `it is off by ${worst.toExponential(1)} of the largest value`);
  return worst;
}

/** A quantised engine against a float one. Returns the worst cosine. */
export function checkQuantized(what: string, actual: Float32Array, expected: Float32Array, images: number): number {
  const worst = Math.min(...perImage(actual, expected, images).map(({ cosine }) => cosine));
  if (!(worst >= INT8_COSINE)) fail(what, `its logits have a cosine of ${worst.toFixed(4)} with the float ones`);
  return worst;
}

function perImage(actual: Float32Array, expected: Float32Array, images: number): Likeness[] {
  const size = expected.length / images;
  return Array.from({ length: images }, (_, i) => {
    return likeness(actual.subarray(i * size, (i + 1) * size), expected.subarray(i * size, (i + 1) * size));
  });
}
