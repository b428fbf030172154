/** Logits → what a person wants to read. */
import { argumentError, checkInteger } from '../check.js';
import type { Label } from '../formats/model-file.js';

/** A class of a picture. */
export interface Prediction {
  /** Index of the class. */
  readonly index: number;
  /** The label's, or the index as text where the model has no labels. */
  readonly id: string;
  /** The label's, or `class <index>` where the model has no labels. */
  readonly name: string;
  /** Softmax over all classes, 0 … 1. */
  readonly probability: number;
  /** As the network gave it. */
  readonly logit: number;
}

/**
 * The `k` likeliest classes of one picture (all, where there are fewer), best first; of equal logits the lower index comes
 * first.
 *
 * @throws `ERR_BITPATH_ARGUMENT` where labels and logits differ in number, or a logit is not finite.
 */
export function topK(logits: Float32Array, labels: readonly Label[] | null, k = 5): Prediction[] {
  if (!(logits instanceof Float32Array) || logits.length === 0) throw argumentError('logits', 'a Float32Array', logits);
  if (labels !== null && labels.length !== logits.length) {
    throw argumentError('labels', `${logits.length} labels, one for each logit`, labels);
  }
  checkInteger('k', k, 1, 2 ** 31 - 1);
  const values = Array.from(logits);
  const bad = values.findIndex((logit) => !Number.isFinite(logit));
  if (bad !== -1) throw argumentError(`logits[${bad}]`, 'a finite number', values[bad]);

  const max = values.reduce((a, b) => Math.max(a, b));
  const sum = values.reduce((total, logit) => total + Math.exp(logit - max), 0);
  const order = values.map((_, index) => index).sort((a, b) => (values[b] as number) - (values[a] as number) || a - b);
  return order.slice(0, k).map((index) => {
    const logit = values[index] as number;
    const { id, name } = labels?.[index] ?? { id: String(index), name: `class ${index}` };
    return { index, id, name, probability: Math.exp(logit - max) / sum, logit };
  });
}
