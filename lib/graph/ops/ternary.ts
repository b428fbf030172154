import { first, noAttrs, type OpDefinition, sameShape } from './op.js';
import { perChannel } from './window.js';

/**
 * Ternary activations of TBN: [x ≥ t] − [x ≤ −t] with t = `threshold`[c] ≥ 0; NaN gives −1. On two planes of signs, a = sign(x − t)
 * and b = [x > −t] as ±1, it is (a + b) / 2, and that is how it is computed: as twice as many 1-bit products.
 */
export const ternary: OpDefinition<'ternary'> = {
  op: 'ternary',
  arity: [1, 1],
  inputType: 'float32',
  outputType: 'ternary',
  options: [],
  attrs: noAttrs,
  shape: sameShape,
  params: (_attrs, inputs) => ({ threshold: perChannel(first(inputs).channels) }),
};
