/** BatchNorm folded into the convolution before it, which is what every engine does before it quantises. */
import { onnxError } from '../error.js';
import { unused } from '../exportBuilder.js';
import type { ModelProto, NodeProto, TensorProto } from '../proto/onnx_pb.js';
import { makeTensor } from '../proto/tensor.js';
import { attributeOf, type FloatTensor, GraphView, graphOf } from './graph.js';

/**
 * `model` with each BatchNormalization that alone reads a Conv folded into that Conv: weights times s, bias (b − mean)·s + beta,
 * with s = gamma / √(variance + ε), computed in double and rounded once. Others stay. `model` is left as it is.
 */
export function foldBatchNorms(model: ModelProto, file = 'ONNX model'): ModelProto {
  const graph = graphOf(model, file);
  const view = new GraphView(graph, file);
  const names = new Set(graph.initializer.map(({ name }) => name));
  const folded = new Map<NodeProto, NodeProto>();
  const gone = new Set<NodeProto>();
  const made: TensorProto[] = [];
  for (const norm of graph.node) {
    const conv = norm.opType === 'BatchNormalization' ? view.maker(norm.input[0] ?? '') : undefined;
    if (conv?.opType !== 'Conv' || view.onlyReader(conv.output[0] ?? '') !== norm) continue;
    const weight = view.floats(conv.input[1] ?? '');
    if (weight === undefined) continue;
    const { weights, biases } = fold(view, conv, norm, weight);
    const weightName = unused(names, `${conv.name}/folded.weight`);
    const biasName = unused(names, `${conv.name}/folded.bias`);
    made.push(makeTensor(weightName, weight.dims, weights), makeTensor(biasName, [biases.length], biases));
    const inputs = [conv.input[0] ?? '', weightName, biasName];
    folded.set(conv, { ...conv, input: inputs, output: norm.output.slice(0, 1) });
    gone.add(norm);
  }
  const node = graph.node.filter((old) => !gone.has(old)).map((old) => folded.get(old) ?? old);
  const read = new Set(node.flatMap(({ input }) => input));
  const initializer = [...graph.initializer, ...made].filter(({ name }) => read.has(name));
  return { ...model, graph: { ...graph, node, initializer } };
}

function fold(view: GraphView, conv: NodeProto, norm: NodeProto, weight: FloatTensor) {
  const [, gamma, beta, mean, variance] = norm.input.map((name, i) => (i === 0 ? undefined : view.floats(name)?.data));
  if (!gamma || !beta || !mean || !variance)
    throw onnxError(view.file, `${norm.name} has statistics that are no initialisers`);
  // The default that ONNX gives it.
  const epsilon = attributeOf(norm, 'epsilon')?.f ?? 1e-5;
  const bias = view.floats(conv.input[2] ?? '')?.data;
  const outputs = weight.dims[0] ?? 0;
  const taps = weight.data.length / outputs;
  const scale = Float64Array.from(gamma, (value, c) => value / Math.sqrt((variance[c] as number) + epsilon));
  return {
    weights: weight.data.map((value, i) => value * (scale[Math.floor(i / taps)] as number)),
    biases: Float32Array.from(scale, (s, c) => ((bias?.[c] ?? 0) - (mean[c] as number)) * s + (beta[c] as number)),
  };
}
