/** What a network takes in milliseconds, by a model that is linear in its work. */
import { argumentError, checkFinite, checkOptions } from '../check.js';

/** Rates of the two kinds of multiply-accumulates, and what a 1-bit convolution costs by being one. None is negative. */
export interface CostModel {
  /** Milliseconds for 10⁹ 1-bit multiply-accumulates. */
  readonly msPerBinaryGmac: number;
  /** Milliseconds for 10⁹ full-precision ones. */
  readonly msPerRealGmac: number;
  /** Milliseconds that each 1-bit convolution takes besides. */
  readonly msPerConv: number;
}
const RATES = ['msPerBinaryGmac', 'msPerRealGmac', 'msPerConv'] as const;

/** The work that a {@link CostModel} knows of. */
export interface Work {
  /** 1-bit multiply-accumulates. */
  readonly binaryMacs: number;
  /** Full-precision multiply-accumulates. */
  readonly realMacs: number;
  /** 1-bit convolutions. */
  readonly convs: number;
}

/**
 * What `bitpath search --calibrate --threads 1` fitted on an AMD EPYC (family 26 model 2), AVX-512, at commit f6cc94f, within 12 % of
 * each network that it ran (float32 input). Your machine is another.
 */
export const DEFAULT_COST_MODEL: CostModel = Object.freeze({
  msPerBinaryGmac: 0.75,
  msPerRealGmac: 12.5,
  msPerConv: 0.014,
});

/** What `work` takes by `model`, in milliseconds: the sum of each rate times its work. */
export function predictMilliseconds(model: CostModel, work: Work): number {
  return unitsOf(work).reduce((sum, units, i) => sum + units * model[RATES[i] as (typeof RATES)[number]], 0);
}

/** The work in the units of {@link RATES}. */
function unitsOf({ binaryMacs, realMacs, convs }: Work): readonly number[] {
  return [binaryMacs / 1e9, realMacs / 1e9, convs];
}

/**
 * The model whose predictions are nearest to `samples`, by the squares of the relative errors. A rate that would be negative
 * is 0 and the others are fitted again. Throws `ERR_BITPATH_ARGUMENT` for fewer than three samples or a time that is not > 0.
 */
export function fitCostModel(
  samples: readonly (Work & {
    /** What it took, > 0. */
    readonly milliseconds: number;
  })[],
): CostModel {
  if (!Array.isArray(samples) || samples.length < RATES.length) {
    throw argumentError('samples', `an array of at least ${RATES.length} networks with their times`, samples);
  }
  const rows = samples.map((sample, i) => {
    const ms = checkFinite(`samples[${i}].milliseconds`, sample.milliseconds);
    if (ms <= 0) throw argumentError(`samples[${i}].milliseconds`, 'a number > 0', ms);
    return unitsOf(sample).map((units) => units / ms);
  });
  let kept = RATES.map((_, i) => i);
  for (;;) {
    const rates = leastSquares(rows.map((row) => kept.map((i) => row[i] as number)));
    const fitted = kept.filter((_, i) => (rates[i] as number) >= 0);
    if (fitted.length === kept.length) {
      const model = { msPerBinaryGmac: 0, msPerRealGmac: 0, msPerConv: 0 };
      kept.forEach((rate, i) => {
        model[RATES[rate] as (typeof RATES)[number]] = rates[i] as number;
      });
      return model;
    }
    kept = fitted;
  }
}

/** x with the least |A·x − 1|, by the normal equations and Gauss–Jordan elimination; a column without weight of its own gives 0. */
function leastSquares(rows: readonly (readonly number[])[]): readonly number[] {
  const size = rows[0]?.length ?? 0;
  const at = (matrix: readonly number[][], i: number, j: number) => matrix[i]?.[j] as number;
  const matrix = Array.from({ length: size }, (_, i) => [
    ...Array.from({ length: size }, (_, j) =>
      rows.reduce((sum, row) => sum + (row[i] as number) * (row[j] as number), 0),
    ),
    rows.reduce((sum, row) => sum + (row[i] as number), 0),
  ]);
  for (let i = 0; i < size; i++) {
    const pivot = at(matrix, i, i);
    const scale = Math.abs(pivot) < 1e-12 ? 0 : 1 / pivot;
    matrix[i] = (matrix[i] as number[]).map((value) => value * scale);
    for (let k = 0; k < size; k++) {
      if (k === i) continue;
      const factor = at(matrix, k, i);
      matrix[k] = (matrix[k] as number[]).map((value, j) => value - factor * at(matrix, i, j));
    }
  }
  return matrix.map((row) => row[size] as number);
}

/** Throws `ERR_BITPATH_ARGUMENT`, `ERR_BITPATH_UNKNOWN_OPTION`. */
export function checkCostModel(model: CostModel): CostModel {
  checkOptions('costModel', model, RATES);
  for (const name of RATES) {
    if (checkFinite(`costModel.${name}`, model[name]) < 0) {
      throw argumentError(`costModel.${name}`, 'a number ≥ 0', model[name]);
    }
  }
  return model;
}
