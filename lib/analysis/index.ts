/** `bitpath/analysis`: what can be said of a network from its graph alone. */
export { type EnumeratePathOptions, enumeratePaths, type GradientPath } from './enumeratePaths.js';
export { type GradientPathOptions, type GradientPaths, gradientPaths, type PathLevel } from './gradientPaths.js';
export { binaryOperations, isBinaryConv, type PathCost } from './pathCosts.js';
export { type Block, blockGraph, type Place, type RegionOptions } from './region.js';
