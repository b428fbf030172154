/**
 * A coverage-guided fuzzer of the ONNX import:
 *
 *     npm run fuzz:onnx -- --runs 1000000 [--seed 1] [--save]
 *
 * Whatever the bytes, reading them ends with a good model or with ERR_BITPATH_ONNX, soon; and what was read can be compiled,
 * and exported and read again as the same program.
 */
import { pathToFileURL } from 'node:url';
import { type Fuzzer, main } from './engine.js';
import { mutate } from './onnx-mutate.js';

const MAX_MILLISECONDS = 10_000;
/** What is compiled: larger networks take longer than they teach. */
const MAX_MACS = 1e6;
const MAX_MAP = 1e5;

type Import = typeof import('#lib/onnx/import/index.js');
type Export = typeof import('#lib/onnx/export.js');
type Proto = typeof import('#lib/onnx/proto/model.js');
type Compiler = typeof import('#lib/compiler/index.js');
interface Library extends Import, Export, Proto, Compiler {}

/** Throws what a caller of the library must never see. Returns whether `bytes` were a model. */
function target({ fromProto, toOnnx, readModelProto, compileProgram }: Library, bytes: Uint8Array): boolean {
  const start = performance.now();
  let found: ReturnType<Import['fromProto']> | undefined;
  try {
    found = fromProto(readModelProto(bytes, 'fuzz'), 'fuzz', {});
  } catch (error) {
    if ((error as { code?: string }).code !== 'ERR_BITPATH_ONNX') throw error;
  }
  if (performance.now() - start > MAX_MILLISECONDS) throw new Error(`took ${performance.now() - start} ms`);
  if (found === undefined) return false;
  const { model, report } = found;
  const { graph, params } = model;
  const largest = Math.max(...graph.values.map(({ shape }) => shape.channels * shape.height * shape.width));
  if (report.binaryMacs + report.realMacs > MAX_MACS || largest > MAX_MAP) return true;
  const compile = (network: Pick<typeof model, 'graph' | 'params'>) => {
    try {
      return compileProgram(network.graph, network.params, { batch: 1, normalization: null });
    } catch (error) {
      // What only the compiler can see: a BatchNorm whose numbers overflow once they are folded.
      if ((error as { code?: string }).code !== 'ERR_BITPATH_PARAM') throw error;
      return undefined;
    }
  };
  const program = compile({ graph, params });
  const again = fromProto(readModelProto(toOnnx({ graph, params }), 'again'), 'again', {});
  const second = compile(again.model);
  if (program === undefined || second === undefined) return true;
  const same = (a: ArrayBufferView, b: ArrayBufferView) => Buffer.compare(view(a), view(b)) === 0;
  if (same(program.code, second.code) && same(program.constants, second.constants)) return true;
  throw new Error('exported and read again, it is another program');
}

function view({ buffer, byteOffset, byteLength }: ArrayBufferView): Buffer {
  return Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);
}

export const onnx: Fuzzer = {
  name: 'onnx',
  instrumented: [
    'onnx/import/arithmetic.js',
    'onnx/import/constant.js',
    'onnx/import/constants.js',
    'onnx/import/convolution.js',
    'onnx/import/elementwise.js',
    'onnx/import/emitter.js',
    'onnx/import/evaluate.js',
    'onnx/import/evaluateLayout.js',
    'onnx/import/import.js',
    'onnx/import/index.js',
    'onnx/import/load.js',
    'onnx/import/shaping.js',
    'onnx/import/simplify.js',
    'onnx/import/steps.js',
    'onnx/import/values.js',
    'onnx/import/window.js',
    'onnx/proto/model.js',
    'onnx/proto/scan.js',
    'onnx/proto/tensor.js',
  ],
  maxBytes: 8192,
  async load(library) {
    const parts = await Promise.all([
      library.import<Import>('onnx/import/index.js'),
      library.import<Export>('onnx/export.js'),
      library.import<Proto>('onnx/proto/model.js'),
      library.import<Compiler>('compiler/index.js'),
    ]);
    const all = Object.assign({}, ...parts) as Library;
    return (bytes) => target(all, bytes);
  },
  mutate,
};

if (process.argv[1] !== undefined && pathToFileURL(process.argv[1]).href === import.meta.url) await main(onnx);
