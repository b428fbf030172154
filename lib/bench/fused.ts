/** Whether onnxruntime runs a quantised model in 8 bits from end to end: a rival that was made slow is a lie. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OnnxSession } from '../onnx/diff/onnxruntime.js';
import { readModelProto } from '../onnx/proto/model.js';
import type { ModelProto } from '../onnx/proto/onnx_pb.js';
import { fail } from './check.js';

export type OpCounts = ReadonlyMap<string, number>;

/** How often each op occurs in `model`. */
export function opCounts({ graph }: ModelProto): OpCounts {
  const counts = new Map<string, number>();
  for (const { opType } of graph?.node ?? []) counts.set(opType, (counts.get(opType) ?? 0) + 1);
  return counts;
}

/** The ops of `model` once onnxruntime has optimised it for this machine. */
export async function optimizedOps(model: ModelProto): Promise<OpCounts> {
  const folder = await mkdtemp(join(tmpdir(), 'bitpath-bench-'));
  try {
    const optimizedFile = join(folder, 'optimized.onnx');
    const file = 'model to optimise';
    const session = await OnnxSession.create(model, [], { file, threads: 1, optimize: true, batch: 1, optimizedFile });
    await session.release();
    return opCounts(readModelProto(await readFile(optimizedFile), optimizedFile));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Throws `ERR_BITPATH_BENCH` unless onnxruntime makes every Conv of `float` a QLinearConv of `quantized`, and quantises nothing
 * but the input on the way: what it could not fuse would be a pair of conversions around a float op.
 */
export async function checkFused(float: ModelProto, quantized: ModelProto): Promise<void> {
  const ops = await optimizedOps(quantized);
  const count = (op: string) => ops.get(op) ?? 0;
  const isFused =
    count('QLinearConv') === opCounts(float).get('Conv') &&
    count('QuantizeLinear') === 1 &&
    ['Conv', 'FusedConv', 'Gemm', 'Add', 'Relu', 'DequantizeLinear'].every((op) => count(op) === 0);
  if (!isFused) fail('int8 peer', `onnxruntime runs it as ${[...ops].map(([op, n]) => `${n} ${op}`).join(', ')}`);
}
