/** Types of `bitpath/onnx`: compiled, never run. */
import type { Model, Tensor } from 'bitpath';
import { type Comparison, compareWithOnnx, compareWithTensors, type FromOnnx, fromOnnx, toOnnx } from 'bitpath/onnx';
import { expectTypeOf } from 'expect-type';

export async function onnx(model: Model, tensors: Map<string, Tensor>): Promise<void> {
  expectTypeOf(toOnnx(model, { opset: 17 })).toEqualTypeOf<Uint8Array<ArrayBuffer>>();
  expectTypeOf(toOnnx({ graph: model.graph, params: model.params })).toEqualTypeOf<Uint8Array<ArrayBuffer>>();
  expectTypeOf(await fromOnnx('a.onnx', { labels: null })).toEqualTypeOf<FromOnnx>();
  expectTypeOf(await compareWithOnnx(model, new Uint8Array(8))).toEqualTypeOf<Comparison>();
  expectTypeOf(
    await compareWithTensors(model, tensors, { onLayer: ({ verdict }) => verdict }),
  ).toEqualTypeOf<Comparison>();
  // @ts-expect-error: parameters are missing
  toOnnx({ graph: model.graph });
  // @ts-expect-error: bytes, not a path
  await compareWithOnnx(model, 'a.onnx');
  // @ts-expect-error: no such verdict
  await compareWithOnnx(model, new Uint8Array(8), { onLayer: ({ verdict }) => verdict === 'same' });
}
