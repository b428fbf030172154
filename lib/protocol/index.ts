/** The Open Inference Protocol v2 over REST: tensors, bodies, documents. No server, no client, nothing that browsers lack. */
export { bytesToData, dataToBytes } from './binary.js';
export { type Classification, decodeClassification, encodeClassification, largest } from './classification.js';
export {
  checkDatatype,
  DATATYPES,
  type Datatype,
  type DatatypeArrays,
  elementBytes,
  type FixedDatatype,
  type TensorData,
} from './datatype.js';
export { type Body, HEADER_LENGTH, parseHeaderLength } from './framing.js';
export {
  decodeInferRequest,
  decodeInferResponse,
  decodeRawRequest,
  encodeInferRequest,
  encodeInferResponse,
} from './infer.js';
export { BASE64, dataToJson, jsonToData } from './jsonData.js';
export type {
  ErrorBody,
  InferBatchStatistics,
  ModelIndex,
  ModelMetadata,
  ModelState,
  ModelStatistics,
  ServerMetadata,
  StatisticDuration,
  TensorMetadata,
} from './metadata.js';
export { modelPath, PATHS, repositoryPath } from './paths.js';
export {
  checkShape,
  elementCount,
  type InferRequest,
  type InferResponse,
  type InferTensor,
  type Parameters,
  type ParameterValue,
  type RequestedOutput,
  wantsBinary,
} from './tensor.js';
