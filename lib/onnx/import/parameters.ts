/** Parameters of nodes, in the shapes that model files have. */
import type { OpName, Value } from '../../graph/types.js';
import { Tensor } from '../../tensor.js';

/** The tensor of a parameter: a vector, but for bits, pairs, and weights of convolutions and linear layers. */
export function tensorOf(
  op: OpName,
  role: string,
  data: Float32Array | Uint8Array | Int32Array,
  { shape: { channels } }: Value,
  options: object,
): Tensor {
  if (data instanceof Uint8Array) return new Tensor('uint8', [channels, data.length / channels], data);
  if (data instanceof Int32Array) return new Tensor('int32', [data.length / 3, 3], data);
  if (role !== 'weight' || (op !== 'conv' && op !== 'linear')) return new Tensor('float32', [data.length], data);
  if (op === 'linear') return new Tensor('float32', [channels, data.length / channels], data);
  const { kernel } = options as { kernel: readonly [number, number] };
  const inputs = data.length / channels / (kernel[0] * kernel[1]);
  return new Tensor('float32', [channels, inputs, ...kernel], data);
}
