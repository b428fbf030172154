/**
 * Static 8-bit quantisation of float networks, in the form and with the rules of onnxruntime's own tool (quantize_static, QDQ):
 * uint8 activations calibrated by min and max, int8 weights with a scale for each output channel, int32 biases. bitpath itself
 * runs none of this: it makes the rival that the benchmarks run.
 */
import { onnxError } from '../error.js';
import type { ModelProto } from '../proto/onnx_pb.js';
import { type Calibration, calibrate } from './calibrate.js';
import { foldBatchNorms } from './fold.js';
import { insertQdq } from './insert.js';
import { planQuantization } from './plan.js';

export type { Calibration } from './calibrate.js';

export interface QuantizeOptions {
  /** Inputs like those that the network will see. */
  readonly calibration: Calibration;
  /** For the calibration. */
  readonly threads: number;
  /** What error messages call the model. */
  readonly file?: string;
}

/** DequantizeLinear has had an axis since. */
const MIN_OPSET = 13n;

/**
 * `model` quantised; it is left as it is. One float input, named weights, opset ≥ 13.
 *
 * @throws `ERR_BITPATH_ONNX` for a model that this cannot quantise, `ERR_BITPATH_MISSING_PACKAGE` without onnxruntime-node.
 */
export async function quantizeModel(
  model: ModelProto,
  { calibration, threads, file = 'ONNX model' }: QuantizeOptions,
): Promise<ModelProto> {
  const opset = model.opsetImport.find(({ domain }) => domain === '' || domain === 'ai.onnx')?.version ?? 0n;
  if (opset < MIN_OPSET) throw onnxError(file, `opset ${opset} has no quantisation by channel; ${MIN_OPSET} has`);
  const folded = foldBatchNorms(model, file);
  const plan = planQuantization(folded, file);
  const sources = [...new Set(plan.activations.values())];
  const ranges = await calibrate(folded, sources, calibration, { file, threads });
  return insertQdq(folded, plan, ranges, file);
}
