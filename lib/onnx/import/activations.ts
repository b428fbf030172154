/** Functions of one map, element by element. */
import type { Emitter, Handler } from './emitter.js';
import { floatAttribute, type OnnxNode } from './load.js';
import { channelOf, type ImportValue, type MapValue, type PerChannel } from './values.js';

export function unary(emitter: Emitter, node: OnnxNode, op: 'abs' | 'sigmoid'): MapValue {
  const x = emitter.map(node, 0);
  return { ...x, value: emitter.add(op, [x.value], {}, node) };
}

export function relu(emitter: Emitter, node: OnnxNode, index = 0): MapValue {
  const x = emitter.map(node, index);
  return { ...x, value: emitter.add('relu', [x.value], {}, node) };
}

export function prelu(emitter: Emitter, node: OnnxNode, slope: PerChannel): MapValue {
  const x = emitter.map(node, 0);
  emitter.spend(node, x.value.shape.channels);
  const weight = Float32Array.from({ length: x.value.shape.channels }, (_, c) => channelOf(slope, c));
  return { ...x, value: emitter.add('prelu', [x.value], {}, node, { weight }) };
}

export function clip(emitter: Emitter, node: OnnxNode): ImportValue {
  const number = (index: number, name: string, fallback: number) =>
    (node.inputs[index] ?? '') === ''
      ? floatAttribute(node, name, fallback)
      : (emitter.needConstant(node, index, 'its bound').data[0] ?? fallback);
  const low = number(1, 'min', Number.NEGATIVE_INFINITY);
  const high = number(2, 'max', Number.POSITIVE_INFINITY);
  const isOpen = high >= 3.4e38;
  if (low === 0 && isOpen) return relu(emitter, node);
  if (low <= -3.4e38 && isOpen) return emitter.input(node, 0);
  if (low < high && [low, high].every((bound) => Number.isFinite(Math.fround(bound)))) {
    const x = emitter.map(node, 0);
    return { ...x, value: emitter.add('hardtanh', [x.value], { min: low, max: high }, node) };
  }
  return bounded(emitter, node, low, high);
}

function bounded(emitter: Emitter, node: OnnxNode, low: number, high: number): ImportValue {
  const input = emitter.input(node, 0);
  const base = input.kind === 'shifted' ? input : emitter.toMap(input);
  return { kind: 'bounded', base, low, high, axes: base.axes, node };
}

/** Monotone, and 0 at 0 only. */
export function tanh(emitter: Emitter, node: OnnxNode): ImportValue {
  return bounded(emitter, node, -Number.MIN_VALUE, Number.MIN_VALUE);
}

/** max(0, min(1, alpha · x + beta)); times x where the node is a `HardSwish`. */
const hardSigmoid: Handler = (emitter, node) => {
  const x = emitter.map(node, 0);
  const isSwish = node.op === 'HardSwish';
  const alpha = isSwish ? 1 / 6 : floatAttribute(node, 'alpha', 0.2);
  const line = emitter.affine(x, alpha, isSwish ? 0.5 : floatAttribute(node, 'beta', 0.5), node, '.line');
  const bounds = { min: 0, max: 1 };
  const gate = emitter.add('hardtanh', [line.value], bounds, node, {}, isSwish ? '.gate' : '');
  return { ...x, value: isSwish ? emitter.add('mul', [x.value, gate], {}, node) : gate };
};

export const ACTIVATIONS: Readonly<Record<string, Handler>> = { HardSigmoid: hardSigmoid, HardSwish: hardSigmoid };
