/** Which tensors of a float network become 8-bit: the placement that lets onnxruntime fuse every op of the body. */
import { onnxError } from '../error.js';
import type { ModelProto, NodeProto } from '../proto/onnx_pb.js';
import { attributeOf, GraphView, graphOf } from './graph.js';

/** Their inputs and outputs are 8-bit. */
const WEIGHTED = new Set(['Conv', 'Gemm']);
/** They only move or choose values, so their output has the numbers of their input, and onnxruntime runs them on bytes. */
const MOVING = new Set(['MaxPool', 'Flatten', 'Reshape', 'Identity']);
const QUANTIZED = new Set([...WEIGHTED, ...MOVING, 'Add', 'Relu', 'GlobalAveragePool', 'AveragePool', 'Concat']);

export interface WeightUse {
  readonly node: NodeProto;
  /** Output channels are the rows of the weights' axis 0. */
  readonly outputs: number;
}

export interface QuantizationPlan {
  /** Activations to quantise, with the tensor whose range gives each its scale and zero point: itself, or what it is moved from. */
  readonly activations: ReadonlyMap<string, string>;
  readonly weights: readonly WeightUse[];
}

/**
 * The plan for `model`, whose BatchNorms are folded. An op that is not known here stays float between a dequantised input and
 * a quantised output. Graph outputs stay float: onnxruntime's last matrix product writes them so by itself.
 *
 * @throws `ERR_BITPATH_ONNX` where weights do not have their output channels on axis 0.
 */
export function planQuantization(model: ModelProto, file = 'ONNX model'): QuantizationPlan {
  const graph = graphOf(model, file);
  const view = new GraphView(graph, file);
  const constants = new Set(graph.initializer.map(({ name }) => name));
  const activations = new Map<string, string>();
  const weights: WeightUse[] = [];
  const want = (tensor: string, source: string) => {
    if (!activations.has(tensor)) activations.set(tensor, activations.get(source) ?? source);
  };

  for (const node of graph.node) {
    if (!QUANTIZED.has(node.opType)) continue;
    const [x = '', ...others] = node.input;
    const inputs = WEIGHTED.has(node.opType) || MOVING.has(node.opType) ? [x] : [x, ...others];
    if (inputs.some((name) => constants.has(name))) continue;
    if (WEIGHTED.has(node.opType)) {
      const outputs = weightRows(view, node);
      if (outputs === undefined) continue;
      weights.push({ node, outputs });
    }
    // A ReLU is fused with what stands before it, so nothing is rounded between the two.
    for (const input of inputs) if (!feedsRelu(view, input)) want(input, input);
    const [output = ''] = node.output;
    if (view.isOutput(output) || feedsRelu(view, output)) continue;
    want(output, MOVING.has(node.opType) ? x : output);
  }
  return { activations, weights };
}

/** Whether `tensor` lies between an op that takes a ReLU with it, and that ReLU. */
function feedsRelu(view: GraphView, tensor: string): boolean {
  const maker = view.maker(tensor)?.opType ?? '';
  return (WEIGHTED.has(maker) || maker === 'Add') && view.onlyReader(tensor)?.opType === 'Relu';
}

/** Output channels of a Conv or Gemm; undefined where its weights are no initialiser, so that it stays float. */
function weightRows(view: GraphView, node: NodeProto): number | undefined {
  const weight = view.floats(node.input[1] ?? '');
  if (weight === undefined) return undefined;
  if (node.opType === 'Gemm') {
    const isPlain = (name: string) => (attributeOf(node, name)?.f ?? 1) === 1;
    if (attributeOf(node, 'transB')?.i !== 1n || !isPlain('alpha') || !isPlain('beta')) {
      throw onnxError(view.file, `${node.name} is a Gemm of another form than x·Wᵀ + b`, { node: node.name });
    }
  }
  return weight.dims[0];
}
