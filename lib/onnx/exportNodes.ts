/**
 * Our ops in ONNX's. A node of ours becomes one ONNX node of the same name, whose output is called the same, and where it must
 * helpers before it, called `name/…`.
 */
import type { AnyNode, Node } from '../graph/types.js';
import { exportHeaviside, exportSign, exportTernary } from './exportActivations.js';
import type { Attribute } from './exportBuilder.js';
import { type ExportContext, paramName } from './exportContext.js';
import { exportInteraction } from './exportInteraction.js';
import { unpackBits } from './bits.js';

/** First opsets of what older ones lack. */
const SLICE_BY_INPUT = 10;
const PAD_BY_INPUT = 11;
const CLIP_BY_INPUT = 11;
const GEMM_WITHOUT_BIAS = 11;
const MEAN_AXES_BY_INPUT = 18;

/** Adds `node`; those whose values it reads have been added. */
export function exportNode(context: ExportContext, node: AnyNode): void {
  const emit = (op: string, inputs: readonly string[], attributes?: Readonly<Record<string, Attribute>>) =>
    context.emit(node, op, inputs, attributes);
  const x = () => context.map(node.inputs[0] ?? -1);
  switch (node.op) {
    case 'input':
      return;
    case 'sign':
      return exportSign(context, node);
    case 'heaviside':
      return exportHeaviside(context, node);
    case 'ternary':
      return exportTernary(context, node);
    case 'binaryConv':
    case 'binaryWeightConv':
      return exportBitsConv(context, node);
    case 'conv': {
      const inputs = [x(), context.floats(node, 'weight')];
      if (node.attrs.bias) inputs.push(context.floats(node, 'bias'));
      return emit('Conv', inputs, convAttributes(node.attrs));
    }
    case 'linear':
      return exportLinear(context, node);
    case 'batchNorm': {
      const roles = ['weight', 'bias', 'running_mean', 'running_var'];
      const inputs = [x(), ...roles.map((role) => context.floats(node, role))];
      return emit('BatchNormalization', inputs, { epsilon: node.attrs.eps });
    }
    case 'add':
      return emit('Add', context.inputs(node));
    case 'mul':
      return emit('Mul', context.inputs(node));
    case 'bias':
      return emit('Add', [x(), context.channels(node, 'bias')]);
    case 'concat':
      return emit('Concat', context.inputs(node), { axis: 1n });
    case 'scale': {
      const factor = context.onnx.initializer(`${node.name}.factor`, [], Float32Array.of(node.attrs.factor));
      return emit('Mul', [x(), factor]);
    }
    case 'rank1Scale': {
      const { height, width } = context.shape(node.output);
      const scaled = context.onnx.helper('Mul', node.name, [x(), context.channels(node, 'alpha')]);
      const factors = [context.floats(node, 'beta', [height, 1]), context.floats(node, 'gamma', [width])];
      return emit('Mul', [scaled, context.onnx.helper('Mul', node.name, factors)]);
    }
    case 'relu':
      return emit('Relu', [x()]);
    case 'abs':
      return emit('Abs', [x()]);
    case 'sigmoid':
      return emit('Sigmoid', [x()]);
    case 'hardtanh': {
      const { min, max } = node.attrs;
      if (context.opset < CLIP_BY_INPUT) return emit('Clip', [x()], { min, max });
      const bound = (name: string, value: number) =>
        context.onnx.initializer(`${node.name}.${name}`, [], Float32Array.of(value));
      return emit('Clip', [x(), bound('min', min), bound('max', max)]);
    }
    case 'prelu':
      return emit('PRelu', [x(), context.channels(node, 'weight')]);
    case 'maxPool':
      return emit('MaxPool', [x()], windowAttributes(node.attrs));
    case 'avgPool': {
      const countsPad = node.attrs.countIncludePad ? 1n : 0n;
      return emit('AveragePool', [x()], { ...windowAttributes(node.attrs), count_include_pad: countsPad });
    }
    case 'globalAvgPool':
      return emit('GlobalAveragePool', [x()]);
    case 'channelMean': {
      if (context.opset < MEAN_AXES_BY_INPUT) return emit('ReduceMean', [x()], { axes: [1], keepdims: 1n });
      return emit('ReduceMean', [x(), integers(context, node, 'axes', [1])], { keepdims: 1n });
    }
    case 'slice': {
      const bounds = { starts: [node.attrs.from], ends: [node.attrs.from + node.attrs.channels], axes: [1] };
      if (context.opset < SLICE_BY_INPUT) return emit('Slice', [x()], bounds);
      return emit('Slice', [x(), ...Object.entries(bounds).map(([key, at]) => integers(context, node, key, at))]);
    }
    case 'padChannels': {
      const pads = [0, node.attrs.before, 0, 0, 0, node.attrs.after, 0, 0];
      return emit('Pad', ...padding(context, node, x(), pads, 0));
    }
    case 'channelInteraction':
      return exportInteraction(context, node);
    default:
      node satisfies never;
  }
}

/** Gemm, whose third input could not be left out below opset 11: there it is MatMul by the transposed weights. */
function exportLinear(context: ExportContext, node: Node<'linear'>): void {
  const row = context.row(node.inputs[0] ?? -1);
  if (node.attrs.bias || context.opset >= GEMM_WITHOUT_BIAS) {
    const inputs = [row, context.floats(node, 'weight')];
    if (node.attrs.bias) inputs.push(context.floats(node, 'bias'));
    return context.emit(node, 'Gemm', inputs, { transB: 1n });
  }
  const weight = context.params.floats(node, 'weight');
  const { outFeatures } = node.attrs;
  const inFeatures = weight.length / outFeatures;
  const transposed = Float32Array.from(weight, (_, i) => {
    return weight[(i % outFeatures) * inFeatures + Math.floor(i / outFeatures)] as number;
  });
  const name = context.onnx.initializer(paramName(node, 'weight'), [inFeatures, outFeatures], transposed);
  context.emit(node, 'MatMul', [row, name]);
}

/** Conv by weights of ±1; borders other than 0 by a Pad before it, the scale by a Mul after it. */
function exportBitsConv(context: ExportContext, node: Node<'binaryConv'> | Node<'binaryWeightConv'>): void {
  const { name, attrs } = node;
  const [outputs = 0, height = 0, width = 0, inputs = 0] = node.params['bits']?.shape ?? [];
  const weight = context.onnx.initializer(
    // The name tells the import that these are no real numbers that happen to be ±1.
    node.op === 'binaryWeightConv' ? paramName(node, 'bits') : `${name}.weight`,
    [outputs, inputs, height, width],
    unpackBits(context.params.bits(node), { outputs, inputs, height, width }),
  );
  const x = context.map(node.inputs[0] ?? -1);
  const padValue = 'padValue' in attrs ? attrs.padValue : 0;
  const isPadded = padValue !== 0 && attrs.padding.some((size) => size > 0);
  const [top, left, bottom, right] = attrs.padding;
  const pads = [0, 0, top, left, 0, 0, bottom, right];
  const input = isPadded ? context.onnx.helper('Pad', name, ...padding(context, node, x, pads, padValue)) : x;
  const attributes = convAttributes(isPadded ? { ...attrs, padding: [0, 0, 0, 0] } : attrs);
  if (!attrs.scale) return context.emit(node, 'Conv', [input, weight], attributes);
  const dot = context.onnx.helper('Conv', name, [input, weight], attributes);
  context.emit(node, 'Mul', [dot, context.channels(node, 'scale')]);
}

/** Inputs and attributes of a `Pad` of `x`. */
function padding(
  context: ExportContext,
  node: AnyNode,
  x: string,
  pads: readonly number[],
  value: 0 | 1 | -1,
): [string[], Record<string, Attribute>] {
  if (context.opset < PAD_BY_INPUT) return [[x], { pads, value }];
  const names = { 0: 'zero', 1: 'one', [-1]: 'minus_one' } as const;
  return [[x, integers(context, node, 'pads', pads), context.onnx.scalar(names[value], value)], {}];
}

/** A constant list that only `node` reads. */
function integers(context: ExportContext, node: AnyNode, role: string, values: readonly number[]): string {
  return context.onnx.initializer(`${node.name}/${role}`, [values.length], BigInt64Array.from(values, BigInt));
}

type WindowAttributes = Pick<Node<'maxPool'>['attrs'], 'kernel' | 'stride' | 'padding'>;
function windowAttributes({ kernel, stride, padding }: WindowAttributes): Record<string, Attribute> {
  return { kernel_shape: kernel, strides: stride, pads: padding };
}
function convAttributes(attrs: Omit<Node<'conv'>['attrs'], 'bias'>): Record<string, Attribute> {
  return { ...windowAttributes(attrs), dilations: attrs.dilation, group: BigInt(attrs.groups) };
}
