/** Each comparative sentence of the paper, put to the paper's own numbers: Table 1, and the widths in its names. */
import type { Claim } from './claim.js';
import { comparisonClaims } from './claimsComparison.js';
import { designClaims } from './claimsDesign.js';

/** Every comparative sentence of the paper with its verdict, in the paper's order. Throws nothing. */
export function evaluateClaims(): readonly Claim[] {
  return [...comparisonClaims(), ...designClaims()];
}
