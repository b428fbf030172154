/** The two sides of an element-wise operator. */
import type { Constant } from './constant.js';
import type { Emitter } from './emitter.js';
import type { OnnxNode } from './load.js';
import { dimsOf, extent, type ImportValue, type MapValue, type PerChannel, perChannel, shapeOf } from './values.js';

/** Maps of one shape, or a second one that is broadcast. `swapped`: the file has them the other way round. */
export interface TwoMaps {
  readonly a: MapValue;
  readonly b: MapValue;
  readonly swapped?: boolean;
}
/** A map and a constant; `numbers`, its value for all channels or for each, is null where it differs between pixels. */
export interface MapAndConstant {
  readonly x: ImportValue;
  readonly constant: Constant;
  readonly numbers: PerChannel | null;
  /** True where the constant comes first. */
  readonly swapped: boolean;
}

export function operands(emitter: Emitter, node: OnnxNode): TwoMaps | MapAndConstant {
  const swapped = emitter.find(node.inputs[0] ?? '') === undefined;
  const x = emitter.input(node, swapped ? 1 : 0);
  const other = swapped ? 0 : 1;
  if (emitter.find(node.inputs[other] ?? '') === undefined) {
    const constant = emitter.needConstant(node, other, 'its second operand');
    return { x, constant, numbers: perChannel(constant, x.axes, shapeOf(x)), swapped };
  }
  return broadcast(emitter, node, emitter.map(node, 0), emitter.map(node, 1));
}

/** The numbers of a constant; refuses one that differs between pixels. */
export function numbersOf(emitter: Emitter, node: OnnxNode, { x, constant, numbers }: MapAndConstant): PerChannel {
  if (numbers !== null) return numbers;
  const shapes = `[${constant.dims.join(', ')}] and [N, ${dimsOf(x).slice(1).join(', ')}]`;
  throw emitter.fail(node, `joins a map with a constant that is no number for each channel (shapes ${shapes})`);
}

/** Puts the map that the other one is broadcast to first. */
export function broadcast(emitter: Emitter, node: OnnxNode, a: MapValue, b: MapValue): TwoMaps {
  if (spreads(b, a)) return { a, b };
  if (spreads(a, b)) return { a: b, b: a, swapped: true };
  const [left, right] = [a, b].map((map) => dimsOf(map).slice(1).join(', '));
  throw emitter.fail(node, `joins maps of different shapes, [N, ${left}] and [N, ${right}]`);
}

/** True where each axis of `small` is that of `large`, or has length 1. */
function spreads(small: MapValue, large: MapValue): boolean {
  if (small.axes.length !== large.axes.length) return false;
  return small.axes.every((letters, i) => {
    const size = extent(letters, small.value.shape);
    const other = large.axes[i] as string;
    return size === 1 || (letters === other && size === extent(other, large.value.shape));
  });
}
