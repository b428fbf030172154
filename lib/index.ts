/**
 * `bitpath`: pictures to labels, models, executors, and the builder of networks with its blocks.
 * @module
 */
export {
  type Architecture,
  type ArchitectureOption,
  type ArchitectureOptions,
  type ArchitectureStatus,
  type BodyOptions,
  buildArchitecture,
  getArchitecture,
  listArchitectures,
  type Reported,
  type SizeClass,
  TABLE_1,
  type Table1Row,
} from './architectures/index.js';
export * from './blocks/index.js';
export { type Dataset, type DatasetOptions, openDataset, type Sample } from './datasets.js';
export { BitpathError, type ErrorCode, type ErrorDetails } from './errors.js';
export {
  type CompileOptions,
  compile,
  type DescribeOptions,
  Executor,
  type ExecutorDescription,
  type InstructionDescription,
  type InstructionProfile,
  type Isa,
  type Normalization,
  type Outputs,
  type Peaks,
  type PixelStem,
  type ProfileOptions,
  type RunInput,
  type RunOptions,
} from './executor.js';
export {
  type Cost,
  GraphBuilder,
  type GraphJson,
  graphCost,
  graphFromJson,
  graphParams,
  graphToJson,
  nodeCost,
  randomParams,
} from './graph/index.js';
export type * from './graph/ops/options.js';
export type * from './graph/types.js';
export {
  createModel,
  DEFAULT_MODEL,
  type Label,
  listModels,
  loadModel,
  Model,
  type ModelInfo,
  type ModelOptions,
  modelFromBytes,
  type Provenance,
} from './model.js';
export {
  type ImageClassificationOutput,
  type ImageClassificationPipeline,
  type ImageClassificationPipelineOptions,
  type ImageClassificationSingle,
  type PictureInput,
  type PipelineOptions,
  pipeline,
} from './pipeline.js';
export { type DType, type DTypeArrays, type Params, Tensor } from './tensor.js';
