/** Numbers with their units, as people read them. What is no number is "–": a report never shows NaN. */
import type { Interval } from './compareIntervals.js';
import type { NetworkCase } from './result.js';

export const NONE = '–';

/** Three significant digits, at most three decimals: 0.123, 1.23, 12.3, 123, 1 234. */
export function figure(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return NONE;
  const size = Math.abs(value);
  const digits = size >= 99.95 ? 0 : size >= 9.995 ? 1 : size >= 0.9995 || size === 0 ? 2 : 3;
  return grouped(size === 0 ? '0' : value.toFixed(digits));
}

/** Thousands apart, by a space that does not break. */
function grouped(number: string): string {
  const [whole = '', fraction] = number.split('.');
  const spaced = whole.length > 4 ? whole.replace(/\B(?=(\d{3})+$)/g, '\u202f') : whole;
  return fraction === undefined ? spaced : `${spaced}.${fraction}`;
}

/** On an axis: as short as it goes. */
export function tick(value: number): string {
  for (const [prefix, size] of PREFIXES) {
    if (value >= 10 * size) return `${Number((value / size).toPrecision(3))}\u00a0${prefix}`;
  }
  return String(Number(value.toPrecision(4)));
}

const PREFIXES = [
  ['G', 1e9],
  ['M', 1e6],
  ['k', 1e3],
] as const;

function withUnit(value: number | null, unit: string): string {
  const text = figure(value);
  return text === NONE ? NONE : `${text}\u00a0${unit}`;
}

export function milliseconds(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return NONE;
  return value < 1000 ? withUnit(value, 'ms') : withUnit(value / 1000, 's');
}

export function microseconds(value: number | null): string {
  return withUnit(value, 'µs');
}

export function percent(fraction: number): string {
  return Number.isFinite(fraction) ? `${(fraction * 100).toFixed(fraction < 0.0995 ? 1 : 0)}\u00a0%` : NONE;
}

export function times(ratio: number | null): string {
  const text =
    ratio === null || !Number.isFinite(ratio) ? NONE : ratio.toFixed(ratio >= 99.95 ? 0 : ratio >= 9.995 ? 1 : 2);
  return text === NONE ? NONE : `${text}×`;
}

/** "9.61–10.1". */
export function band(interval: Interval | null): string {
  if (interval === null || interval.coverage === 0) return NONE;
  return `${times(interval.low).slice(0, -1)}–${times(interval.high).slice(0, -1)}`;
}

export function quantity(value: number | null, unit: string): string {
  if (value === null || !Number.isFinite(value)) return NONE;
  for (const [prefix, size] of PREFIXES) {
    if (Math.abs(value) >= size) return withUnit(value / size, `${prefix}${unit}`);
  }
  return unit === '' ? figure(value) : `${grouped(String(Math.round(value)))}\u00a0${unit}`;
}

export function bytes(value: number | null): string {
  return quantity(value, 'B');
}

/** A whole number. */
export function count(value: number): string {
  return Number.isFinite(value) ? grouped(String(value)) : NONE;
}

/** "1 picture", "2 pictures". */
export function plural(number: number, noun: string): string {
  return `${count(number)} ${noun}${number === 1 ? '' : 's'}`;
}

/** "1 thread, batch 8". */
export function setting({ threads, batch }: Pick<NetworkCase, 'threads' | 'batch'>): string {
  return `${plural(threads, 'thread')}, batch ${batch}`;
}

/** What the network was given: "picture" for bytes, "tensor" for floats, and the kind of its first convolution. */
export function fed({ input, stem }: Pick<NetworkCase, 'input' | 'stem'>): string {
  return `${input === 'uint8' ? 'picture' : 'tensor'}, ${stem} stem`;
}
