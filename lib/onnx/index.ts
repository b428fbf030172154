/** `bitpath/onnx`: ONNX models in and out. Nothing of this is loaded by `import 'bitpath'`. */
export { readModelProto, writeModelProto } from './proto/model.js';
