/** Blocks: functions (graph, input, options) → output. */
export * from './binaryDuo.js';
export * from './bnasCell.js';
export * from './bnFree.js';
export * from './dense.js';
export { type Downsampling, type DownsampleOptions, downsample } from './downsample.js';
export * from './floatResidual.js';
export * from './igpResNet.js';
export * from './residual.js';
export { type StemActivation, type StemOptions, stem } from './stem.js';
export {
  type AfterAdd,
  type BlockOptions,
  type Branch,
  binaryUnit,
  denseUnit,
  type Join,
  type Unit,
  type UnitOptions,
} from './unit.js';
export { getUnit, listUnits, type UnitEntry, type UnitName } from './units/index.js';
