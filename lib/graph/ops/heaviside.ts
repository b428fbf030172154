import { booleanOption, first, type NameOption, type OpDefinition, sameShape } from './op.js';
import { perChannel } from './window.js';

/** Options of {@link GraphBuilder.heaviside}. */
export interface HeavisideOptions extends NameOption {
  /** True: compare with the param `threshold` [C] instead of with 0. Default false. */
  readonly threshold?: boolean;
}

/**
 * Binarisation to {0, 1}: 1 where x ≥ threshold, else 0; NaN gives 0. Activations of Si-BNN and BinaryDuo, where a tap that
 * is 0 adds nothing, padding included.
 */
export const heaviside: OpDefinition<'heaviside'> = {
  op: 'heaviside',
  arity: [1, 1],
  inputType: 'float32',
  outputType: 'bit01',
  options: ['threshold'],
  attrs: (options, node) => ({ threshold: booleanOption(node, 'threshold', options.threshold, false) }),
  shape: sameShape,
  params: ({ threshold }, inputs) => (threshold ? { threshold: perChannel(first(inputs).channels) } : {}),
};
