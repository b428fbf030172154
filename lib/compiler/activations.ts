/** Binarised activations other than ±1: what they are in terms of signs. */
import { BitpathError } from '../errors.js';
import type { Node } from '../graph/types.js';
import { type BitPlace, placeParts, runsOf } from './bitPlaces.js';
import { rearrangeBits } from './bitRows.js';
import { floatToOrder, orderToFloat } from './float32.js';
import type { SignRule } from './ir.js';

/** Where the two planes of `channels` ternary activations lie in a pixel. */
export function ternaryPlaces(channels: number): readonly BitPlace[] {
  return placeParts([channels, channels]);
}

/** The signs a and b with ternary(x) = (a + b) / 2: a = [x ≥ t], b = [x > −t], that is, from the next float32 above −t on. */
export function ternaryRules(node: Node<'ternary'>, threshold: Float32Array): readonly [SignRule, SignRule] {
  const negative = threshold.findIndex((t) => t < 0);
  if (negative !== -1) {
    const reason = `element ${negative} is ${threshold[negative]}, expected no negative numbers`;
    throw new BitpathError('ERR_BITPATH_PARAM', { param: node.params.threshold?.name, reason });
  }
  const above = threshold.map((t) => orderToFloat(floatToOrder(-t + 0) + 1));
  return [
    { threshold: threshold.map((t) => t + 0), flip: null },
    { threshold: above, flip: null },
  ];
}

/** The weights of both planes: each tap's, twice. */
export function ternaryBits(
  bits: Uint8Array,
  { rows, taps, channels }: Record<'rows' | 'taps' | 'channels', number>,
): Uint8Array {
  const runs = ternaryPlaces(channels).flatMap((place) => runsOf(place, 0, channels));
  return rearrangeBits(bits, { rows, taps, fromBits: channels, toBits: 2 * channels }, runs);
}
