/**
 * `bitpath/onnx`: ONNX models in and out. Nothing of this is loaded by `import 'bitpath'`.
 * @module
 */
export {
  type CompareWithOnnxOptions,
  type CompareWithTensorsOptions,
  type Comparison,
  compareWithOnnx,
  compareWithTensors,
  type Difference,
  type EndToEnd,
  type LayerReport,
  type Signs,
  type Verdict,
} from './diff/index.js';
export { type ExportSource, MAX_OPSET, MIN_OPSET, type ToOnnxOptions, toOnnx } from './export.js';
export {
  type Convolution,
  type FromOnnx,
  type FromOnnxOptions,
  fromOnnx,
  type Note,
  type NoteKind,
  type OnnxReport,
} from './import/index.js';
