import { BitpathError } from '../errors.js';

/** `ERR_BITPATH_ONNX`: what is wrong with the ONNX model that messages call `file`. `details` go with the error. */
export function onnxError(file: string, reason: string, details: object = {}, cause?: unknown): BitpathError {
  return new BitpathError(
    'ERR_BITPATH_ONNX',
    { ...details, file, reason },
    cause === undefined ? undefined : { cause },
  );
}
