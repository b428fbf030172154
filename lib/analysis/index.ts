/**
 * `bitpath/analysis`: what can be said of a network from its graph alone.
 * @module
 */
export { type Capability, type Power, representationalCapabilities, representationalCapability } from './capability.js';
export { ALMOST_THE_SAME, type Claim, LARGE_MARGIN, type Verdict } from './claim.js';
export { evaluateClaims } from './claims.js';
export {
  type CostOptions,
  type Counted,
  countCosts,
  type GraphCosts,
  type LayerCost,
  type StorageRule,
} from './costs.js';
export { type CostModel, DEFAULT_COST_MODEL, fitCostModel, predictMilliseconds, type Work } from './costModel.js';
export { type DesignedWidth, type DesignWidthOptions, designWidth, type WidthRule } from './designWidth.js';
export { type EnumeratePathOptions, enumeratePaths, type GradientPath } from './enumeratePaths.js';
export { figure2Networks, figure2Statements, figure2Table, type Statement } from './figure2.js';
export { type GradientPathOptions, type GradientPaths, gradientPaths, type PathLevel } from './gradientPaths.js';
export {
  buildFamilyMember,
  type FamilyFigures,
  type FamilyInput,
  familyFigures,
  familyName,
  type IgpFamilyMember,
} from './igpFamily.js';
export { binaryOperations, isBinaryConv, type PathCost } from './pathCosts.js';
export { paretoFront } from './pareto.js';
export { type PathSpectrum, type PathSpectrumOptions, pathSpectrum } from './pathSpectrum.js';
export { type Block, blockGraph, type Place, type RegionOptions } from './region.js';
export {
  DEFAULT_OBJECTIVES,
  type FoundArchitecture,
  type Objective,
  type Objectives,
  type SearchOptions,
  type SearchResult,
  searchArchitectures,
} from './searchArchitectures.js';
export { type Agreement, CLOSE, type Comparison, type CountedRow, countTable1 } from './table1.js';
