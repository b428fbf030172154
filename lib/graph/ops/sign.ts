import { booleanOption, first, type NameOption, type OpDefinition, sameShape } from './op.js';
import { perChannel } from './window.js';

/** Options of {@link GraphBuilder.sign}. */
export interface SignOptions extends NameOption {
  /** True: compare with the param `threshold` [C] instead of with 0. Default false. */
  readonly threshold?: boolean;
}

/** Binarisation: bit 1 (+1) where x ≥ threshold, else bit 0 (−1). NaN gives −1, −0.0 gives +1 at threshold 0. */
export const sign: OpDefinition<'sign'> = {
  op: 'sign',
  arity: [1, 1],
  inputType: 'float32',
  outputType: 'bit',
  options: ['threshold'],
  attrs: (options, node) => ({ threshold: booleanOption(node, 'threshold', options.threshold, false) }),
  shape: sameShape,
  params: ({ threshold }, inputs) => (threshold ? { threshold: perChannel(first(inputs).channels) } : {}),
};
