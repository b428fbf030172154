/** Binarised activations as comparisons, which are exact: NaN compares false, −0 ≥ 0. */
import type { Node } from '../graph/types.js';
import { type ExportContext, paramName } from './exportContext.js';
import { nextDown } from './float32.js';
import { TensorProto_DataType as DataType } from './proto/onnx_pb.js';

const GREATER_OR_EQUAL = 12;

/** Where(x ≥ threshold, 1, −1). ONNX's own Sign has 0 ↦ 0. */
export function exportSign(context: ExportContext, node: Node<'sign'>): void {
  const isPlus = atLeast(context, node);
  context.emit(node, 'Where', [isPlus, context.onnx.scalar('one', 1), context.onnx.scalar('minus_one', -1)]);
}

/** Cast(x ≥ threshold). */
export function exportHeaviside(context: ExportContext, node: Node<'heaviside'>): void {
  context.emit(node, 'Cast', [atLeast(context, node)], { to: BigInt(DataType.FLOAT) });
}

/** Cast(x ≥ t) + Where(x > −t, 0, −1), which for a NaN is 0 − 1. */
export function exportTernary(context: ExportContext, node: Node<'ternary'>): void {
  const { onnx, params } = context;
  const upper = onnx.helper('Cast', node.name, [atLeast(context, node)], { to: BigInt(DataType.FLOAT) });
  const bounds = params.floats(node, 'threshold').map((threshold) => -threshold);
  const bound = onnx.initializer(`${paramName(node, 'threshold')}.negative`, [bounds.length, 1, 1], bounds);
  const isAbove = onnx.helper('Greater', node.name, [context.map(node.inputs[0] ?? -1), bound]);
  const lower = onnx.helper('Where', node.name, [isAbove, onnx.scalar('zero', 0), onnx.scalar('minus_one', -1)]);
  context.emit(node, 'Add', [upper, lower]);
}

/**
 * x ≥ threshold. Below opset 12 there is no GreaterOrEqual, and Not(Less) would be true of a NaN: there it is x > the float
 * below the threshold, which is the same.
 */
function atLeast(context: ExportContext, node: Node<'sign'> | Node<'heaviside'> | Node<'ternary'>): string {
  const { onnx, opset } = context;
  const exact = opset >= GREATER_OR_EQUAL;
  let threshold: string;
  if ('threshold' in node.params) {
    const values = context.params.floats(node, 'threshold');
    const bounds = exact ? values : values.map(nextDown);
    threshold = onnx.initializer(paramName(node, 'threshold'), [values.length, 1, 1], bounds);
  } else threshold = exact ? onnx.scalar('zero', 0) : onnx.scalar('below_zero', nextDown(0));
  return onnx.helper(exact ? 'GreaterOrEqual' : 'Greater', node.name, [context.map(node.inputs[0] ?? -1), threshold]);
}
