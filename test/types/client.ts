/** Types of `bitpath/client` and `bitpath/client/grpc`: compiled, never run. */
import type { BitpathError as SameError } from 'bitpath';
import {
  type BitpathError,
  type Classification,
  createClient,
  type Datatype,
  type InferenceClient,
  type InferResult,
  type InputTensor,
  type ModelStatistics,
  type OutputTensor,
} from 'bitpath/client';
import { createGrpcClient, type InferenceClient as SameClient } from 'bitpath/client/grpc';
import { expectTypeOf } from 'expect-type';

export async function client(asked: InferenceClient, result: InferResult): Promise<void> {
  expectTypeOf(createClient('http://localhost:8000', { timeoutMs: 10 })).toEqualTypeOf<InferenceClient>();
  expectTypeOf(await createGrpcClient('localhost:8001', { tls: true })).toEqualTypeOf<InferenceClient>();
  expectTypeOf<SameClient>().toEqualTypeOf<InferenceClient>();
  expectTypeOf<SameError>().toEqualTypeOf<BitpathError>();
  expectTypeOf(
    await asked.infer('m', [{ name: 'input', shape: [1], data: new Float32Array(1) }]),
  ).toEqualTypeOf<InferResult>();
  expectTypeOf(await asked.statistics()).toEqualTypeOf<readonly ModelStatistics[]>();
  expectTypeOf(result.output('logits')).toEqualTypeOf<OutputTensor>();
  expectTypeOf(result.output('logits', 'FP32').data).toEqualTypeOf<Float32Array>();
  expectTypeOf(result.output('labels', 'BYTES').data).toEqualTypeOf<readonly Uint8Array[]>();
  expectTypeOf(result.classes('logits')).toEqualTypeOf<Classification[][]>();
  expectTypeOf<(Uint8Array | string)[]>().toExtend<InputTensor['data']>();
  expectTypeOf<'FP16'>().toExtend<Datatype>();
  // @ts-expect-error: numbers come in typed arrays
  await asked.infer('m', [{ name: 'input', shape: [1], data: [1] }]);
  // @ts-expect-error: no such datatype
  result.output('logits', 'FP8');
  // @ts-expect-error: REST's option
  await createGrpcClient('localhost:8001', { gzip: true });
}
