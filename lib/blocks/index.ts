/** Blocks: functions (graph, input, options) → output. */
export * from './dense.js';
export { type Downsampling, type DownsampleOptions, downsample } from './downsample.js';
export * from './floatResidual.js';
export * from './igpResNet.js';
export * from './residual.js';
export { type StemOptions, stem } from './stem.js';
export { type BlockOptions, binaryUnit, denseUnit, type Join, type Unit, type UnitOptions } from './unit.js';
