/**
 * A coverage-guided fuzzer of model files:
 *
 *     npm run fuzz:safetensors -- --runs 1000000 [--seed 1] [--save]
 *
 * Whatever the bytes, reading them ends with a good model or with ERR_BITPATH_MODEL_FILE, soon; and what was read can be
 * written and read again.
 */
import { pathToFileURL } from 'node:url';
import { type Fuzzer, main } from './engine.js';
import { mutate } from './safetensors-mutate.js';

const MAX_MILLISECONDS = 10_000;

type Formats = typeof import('#lib/formats/safetensors.js');
type Models = typeof import('#lib/model.js');

/** Throws what a caller of the library must never see. Returns whether `bytes` were a model. */
function target(
  { readSafetensors, writeSafetensors }: Formats,
  { modelFromBytes }: Models,
  bytes: Uint8Array,
): boolean {
  const attempt = <T>(action: () => T): T | undefined => {
    try {
      return action();
    } catch (error) {
      if ((error as { code?: string }).code !== 'ERR_BITPATH_MODEL_FILE') throw error;
      return undefined;
    }
  };
  const start = performance.now();
  const file = attempt(() => readSafetensors(bytes, 'fuzz'));
  // What is no file is no model either: the same reader says so.
  const model = file === undefined ? undefined : attempt(() => modelFromBytes(bytes, 'fuzz'));
  if (performance.now() - start > MAX_MILLISECONDS) throw new Error(`took ${performance.now() - start} ms`);
  if (file !== undefined) {
    const written = writeSafetensors(file.tensors, file.metadata);
    const again = readSafetensors(written);
    if (!Buffer.from(writeSafetensors(again.tensors, again.metadata)).equals(written))
      throw new Error('written twice, it differs');
    const dataBytes = [...file.tensors.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
    const headerBytes = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
    if (8 + headerBytes + dataBytes !== bytes.length) throw new Error('header and tensors are not the whole file');
  }
  if (model === undefined) return false;
  const saved = model.toBytes();
  if (!Buffer.from(modelFromBytes(saved).toBytes()).equals(saved)) throw new Error('saved twice, it differs');
  return true;
}

export const safetensors: Fuzzer = {
  name: 'safetensors',
  instrumented: [
    'formats/safetensors-header.js',
    'formats/safetensors.js',
    'formats/model-file.js',
    'model.js',
    'check.js',
    'tensor.js',
    'graph/json.js',
    'graph/params.js',
    'images/preprocessing.js',
  ],
  maxBytes: 16384, // a model of a few layers has 2 kB
  async load(library) {
    const formats = await library.import<Formats>('formats/safetensors.js');
    const models = await library.import<Models>('model.js');
    return (bytes) => target(formats, models, bytes);
  },
  mutate,
};

if (process.argv[1] !== undefined && pathToFileURL(process.argv[1]).href === import.meta.url) await main(safetensors);
