/** QuantizeLinear and DequantizeLinear put into a float network by a plan. */
import { onnxError } from '../error.js';
import { OnnxGraphBuilder } from '../exportBuilder.js';
import type { ModelProto } from '../proto/onnx_pb.js';
import { GraphView, graphOf } from './graph.js';
import { activationNumbers, quantizeWeights, type Range } from './numbers.js';
import type { QuantizationPlan, WeightUse } from './plan.js';

interface QuantizedActivation {
  /** Initialisers. */
  readonly scale: string;
  readonly zeroPoint: string;
  readonly scaleValue: number;
}

/**
 * The QDQ form: whoever read a planned activation x reads DequantizeLinear(QuantizeLinear(x)); weights are int8 initialisers and
 * biases int32 ones, each behind a DequantizeLinear with a scale for every channel of axis 0.
 */
export function insertQdq(
  model: ModelProto,
  plan: QuantizationPlan,
  ranges: ReadonlyMap<string, Range>,
  file = 'ONNX model',
): ModelProto {
  const graph = graphOf(model, file);
  return { ...model, graph: new Inserter(new GraphView(graph, file), plan, ranges).graph() };
}

class Inserter {
  readonly #view: GraphView;
  readonly #plan: QuantizationPlan;
  readonly #ranges: ReadonlyMap<string, Range>;
  readonly #onnx: OnnxGraphBuilder;
  /** By the tensor whose range it is; tensors of one source share scale and zero point, which onnxruntime asks of a MaxPool. */
  readonly #numbers = new Map<string, QuantizedActivation>();
  /** Dequantised tensors by the float one that they replace. */
  readonly #replaced = new Map<string, string>();

  constructor(view: GraphView, plan: QuantizationPlan, ranges: ReadonlyMap<string, Range>) {
    this.#view = view;
    this.#plan = plan;
    this.#ranges = ranges;
    const { node, initializer, input } = view.graph;
    const tensors = [...node.flatMap(({ output }) => output), ...initializer.map(({ name }) => name)];
    const inputs = input.map(({ name }) => name);
    this.#onnx = new OnnxGraphBuilder(
      node.map(({ name }) => name),
      [...tensors, ...inputs],
    );
  }

  graph() {
    const { graph } = this.#view;
    const weighted = new Map(this.#plan.weights.map((use) => [use.node, use]));
    for (const { name } of graph.input) this.#quantize(name);
    for (const old of graph.node) {
      const use = weighted.get(old);
      const input = use === undefined ? old.input : [old.input[0] ?? '', ...this.#weights(use)];
      this.#onnx.nodes.push({ ...old, input: input.map((name) => this.#replaced.get(name) ?? name) });
      for (const name of old.output) this.#quantize(name);
    }
    const read = new Set(this.#onnx.nodes.flatMap(({ input }) => input));
    const initializer = [...graph.initializer, ...this.#onnx.initializers].filter(({ name }) => read.has(name));
    return { ...graph, node: this.#onnx.nodes, initializer };
  }

  #quantize(tensor: string): void {
    const source = this.#plan.activations.get(tensor);
    if (source === undefined) return;
    const { scale, zeroPoint } = this.#activation(source);
    const quantized = this.#onnx.helper('QuantizeLinear', tensor, [tensor, scale, zeroPoint]);
    this.#replaced.set(tensor, this.#onnx.helper('DequantizeLinear', tensor, [quantized, scale, zeroPoint]));
  }

  #activation(source: string): QuantizedActivation {
    const found = this.#numbers.get(source);
    if (found !== undefined) return found;
    const range = this.#ranges.get(source);
    if (range === undefined) throw onnxError(this.#view.file, `${source} was not calibrated`, { tensor: source });
    const { scale, zeroPoint } = activationNumbers(range);
    const made = {
      scale: this.#onnx.initializer(`${source}/scale`, [], Float32Array.of(scale)),
      zeroPoint: this.#onnx.initializer(`${source}/zero_point`, [], Uint8Array.of(zeroPoint)),
      scaleValue: scale,
    };
    this.#numbers.set(source, made);
    return made;
  }

  /** The dequantised weights and, where there is one, bias of a Conv or Gemm. */
  #weights({ node, outputs }: WeightUse): string[] {
    const [x = '', w = '', b] = node.input;
    const weight = this.#view.floats(w);
    const bias = b === undefined ? undefined : this.#view.floats(b)?.data;
    const source = this.#plan.activations.get(x);
    if (weight === undefined || source === undefined || (b !== undefined && bias === undefined)) {
      throw onnxError(this.#view.file, `${node.name} cannot be quantised`, { node: node.name });
    }
    const { scaleValue } = this.#activation(source);
    const numbers = quantizeWeights(weight.data, outputs, scaleValue, bias);
    const scales = this.#onnx.initializer(`${node.name}/weight.scale`, [outputs], numbers.scales);
    const zeros = this.#onnx.initializer(`${node.name}/weight.zero_point`, [outputs], new Int8Array(outputs));
    const data = this.#onnx.initializer(`${node.name}/weight.int8`, weight.dims, numbers.data);
    const result = [this.#onnx.helper('DequantizeLinear', node.name, [data, scales, zeros], { axis: 0n })];
    if (numbers.bias !== undefined) {
      const biasScales = this.#onnx.initializer(`${node.name}/bias.scale`, [outputs], numbers.biasScales);
      const biasZeros = this.#onnx.initializer(`${node.name}/bias.zero_point`, [outputs], new Int32Array(outputs));
      const biases = this.#onnx.initializer(`${node.name}/bias.int32`, [outputs], numbers.bias);
      result.push(this.#onnx.helper('DequantizeLinear', node.name, [biases, biasScales, biasZeros], { axis: 0n }));
    }
    return result;
  }
}
