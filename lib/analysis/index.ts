/** `bitpath/analysis`: what can be said of a network from its graph alone. */
export { ALMOST_THE_SAME, type Claim, evaluateClaims, LARGE_MARGIN, type Verdict } from './claims.js';
export {
  type CostOptions,
  type Counted,
  countCosts,
  type GraphCosts,
  type LayerCost,
  type StorageRule,
} from './costs.js';
export { type EnumeratePathOptions, enumeratePaths, type GradientPath } from './enumeratePaths.js';
export { type GradientPathOptions, type GradientPaths, gradientPaths, type PathLevel } from './gradientPaths.js';
export { binaryOperations, isBinaryConv, type PathCost } from './pathCosts.js';
export { type Block, blockGraph, type Place, type RegionOptions } from './region.js';
export { type Agreement, CLOSE, type Comparison, type CountedRow, countTable1 } from './table1.js';
