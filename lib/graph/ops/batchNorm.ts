import { argumentError } from '../../check.js';
import { first, floats, type NameOption, type OpDefinition, sameShape } from './op.js';

/** Options of {@link GraphBuilder.batchNorm}. */
export interface BatchNormOptions extends NameOption {
  /** Added to the variance, ≥ 0. Default 1e-5, as in PyTorch. */
  readonly eps?: number;
}

/** Batch normalisation with its running statistics: y = (x − mean) / √(var + eps) · weight + bias. */
export const batchNorm: OpDefinition<'batchNorm'> = {
  op: 'batchNorm',
  arity: [1, 1],
  inputType: 'float32',
  options: ['eps'],
  attrs({ eps = 1e-5 }, node) {
    if (typeof eps !== 'number' || !Number.isFinite(eps) || eps < 0) {
      throw argumentError(`eps of ${node}`, 'a finite number that is not negative', eps);
    }
    return { eps: eps + 0 }; // −0 becomes 0, as JSON has no −0
  },
  shape: sameShape,
  params(_attrs, inputs) {
    const vector = floats(first(inputs).channels);
    return { weight: vector, bias: vector, running_mean: vector, running_var: vector };
  },
};
