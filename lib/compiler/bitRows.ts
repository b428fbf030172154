/** Rows of weight bits, rearranged: a row is `taps` runs of bits, least significant bit first, zeros after the last. */
export interface BitRun {
  /** First bit in a tap of the source, and in a tap of the result. */
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

/** Copies `runs` of each tap of each row. Taps have `fromBits` bits before and `toBits` after; bits that no run writes are 0. */
export function rearrangeBits(
  bits: Uint8Array,
  { rows, taps, fromBits, toBits }: Record<'rows' | 'taps' | 'fromBits' | 'toBits', number>,
  runs: readonly BitRun[],
): Uint8Array {
  const fromBytes = Math.ceil((taps * fromBits) / 8);
  const toBytes = Math.ceil((taps * toBits) / 8);
  const result = new Uint8Array(rows * toBytes);
  for (let row = 0; row < rows; row++) {
    for (let tap = 0; tap < taps; tap++) {
      for (const { from, to, count } of runs) {
        let source = row * fromBytes * 8 + tap * fromBits + from;
        let target = row * toBytes * 8 + tap * toBits + to;
        for (const end = source + count; source < end; source++, target++) {
          if (((bits[source >> 3] ?? 0) >> (source & 7)) & 1) {
            result[target >> 3] = (result[target >> 3] ?? 0) | (1 << (target & 7));
          }
        }
      }
    }
  }
  return result;
}
