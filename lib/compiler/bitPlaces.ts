import type { BitRun } from './bitRows.js';
import { at } from './ir.js';

/**
 * Where the channels of a part lie among the bits of a pixel: whole runs of 16 channels from `first` on, those left over from `tail`
 * on. A run of 16 is half a word of a bit map, which kernels write without reading it.
 */
export interface BitPlace {
  readonly first: number;
  readonly tail: number;
}

const WHOLE = 16;
const wholeOf = (width: number) => width - (width % WHOLE);

/** Places for parts of `widths` channels side by side without gaps: whole runs first, of them those that fill words. */
export function placeParts(widths: readonly number[]): readonly BitPlace[] {
  const fillsWords = (part: number) => Number(wholeOf(at(widths, part)) % 32 === 0);
  const order = [...widths.keys()].sort((a, b) => fillsWords(b) - fillsWords(a));
  const first: number[] = [];
  const tail: number[] = [];
  let bit = 0;
  for (const part of order) {
    first[part] = bit;
    bit += wholeOf(at(widths, part));
  }
  for (const part of order) {
    tail[part] = bit;
    bit += at(widths, part) % WHOLE;
  }
  return widths.map((_, part) => ({ first: at(first, part), tail: at(tail, part) }));
}

/** The runs of bits of a part of `width` channels from channel `from` on. */
export function runsOf({ first, tail }: BitPlace, from: number, width: number): readonly BitRun[] {
  const whole = wholeOf(width);
  return [
    { from, to: first, count: whole },
    { from: from + whole, to: tail, count: width - whole },
  ];
}
