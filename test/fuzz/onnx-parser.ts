/**
 * A coverage-guided fuzzer of the ONNX parser alone, which is quick enough for millions of inputs: the scan before decoding,
 * the protobuf, the graph's structure and each initialiser's data. The whole import is fuzzed by onnx.ts, on the same seeds.
 *
 *     npm run fuzz:onnx-parser -- --runs 1000000 [--seed 1]
 */
import { pathToFileURL } from 'node:url';
import { type Fuzzer, main } from './engine.js';
import { onnx } from './onnx.js';

type Load = typeof import('#lib/onnx/import/load.js');
type Proto = typeof import('#lib/onnx/proto/model.js');
type Tensors = typeof import('#lib/onnx/proto/tensor.js');

/** Throws what a caller of the library must never see. Returns whether `bytes` were a graph with all its data. */
function target({ loadGraph, readModelProto, readTensor }: Load & Proto & Tensors, bytes: Uint8Array): boolean {
  try {
    const model = readModelProto(bytes, 'fuzz');
    loadGraph(model, 'fuzz');
    for (const tensor of model.graph?.initializer ?? []) readTensor(tensor, 'fuzz');
    return true;
  } catch (error) {
    if ((error as { code?: string }).code !== 'ERR_BITPATH_ONNX') throw error;
    return false;
  }
}

export const onnxParser: Fuzzer = {
  ...onnx,
  instrumented: ['onnx/import/load.js', 'onnx/proto/model.js', 'onnx/proto/scan.js', 'onnx/proto/tensor.js'],
  async load(library) {
    const parts = await Promise.all([
      library.import<Load>('onnx/import/load.js'),
      library.import<Proto>('onnx/proto/model.js'),
      library.import<Tensors>('onnx/proto/tensor.js'),
    ]);
    const all = Object.assign({}, ...parts) as Load & Proto & Tensors;
    return (bytes) => target(all, bytes);
  },
};

if (process.argv[1] !== undefined && pathToFileURL(process.argv[1]).href === import.meta.url) await main(onnxParser);
