/**
 * A coverage-guided fuzzer of model files:
 *
 *     npm run fuzz:safetensors -- --runs 1000000 [--seed 1] [--save]
 *
 * Inputs that reach a new branch, or one more often by a power of two, join the corpus and are mutated further. Whatever the
 * bytes, reading them ends with a good model or with ERR_BITPATH_MODEL_FILE, soon; and what was read can be written and read
 * again. `--save` adds inputs that reached a new branch to test/fuzz/corpus/safetensors/.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { Random } from '#lib/graph/random.js';
import { InstrumentedLibrary, type Plant } from './instrument.js';
import { mutate } from './safetensors-mutate.js';

const repository = join(import.meta.dirname, '../../..');
const CORPUS = join(repository, 'test/fuzz/corpus/safetensors');
const INSTRUMENTED = [
  'formats/safetensors-header.js',
  'formats/safetensors.js',
  'formats/model-file.js',
  'model.js',
  'check.js',
  'tensor.js',
  'graph/json.js',
  'graph/params.js',
  'images/preprocessing.js',
];
/** Above this an input grows no further; a model of a few layers has 2 kB. */
const MAX_BYTES = 16384;
const MAX_MILLISECONDS = 2000;

export interface FuzzReport {
  readonly runs: number;
  readonly corpus: number;
  readonly branches: number;
  /** Inputs that were read as whole models. */
  readonly models: number;
  readonly failure: { readonly input: Uint8Array; readonly error: unknown } | null;
}

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

export async function fuzz(options: {
  runs: number;
  seed?: number;
  save?: boolean;
  plant?: Plant;
}): Promise<FuzzReport> {
  const library = await InstrumentedLibrary.create(INSTRUMENTED, options.plant);
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0; // a stack takes longer to note than most inputs to read
  try {
    const formats = await library.import<Formats>('formats/safetensors.js');
    const models = await library.import<Models>('model.js');
    const random = new Random(options.seed ?? 1);
    const corpus: Uint8Array[] = [];
    const { counters } = library;
    const seen = new Uint32Array(counters.length); // a bit for each power of two
    let runs = 0;
    let whole = 0;

    const execute = (bytes: Uint8Array): FuzzReport['failure'] => {
      runs++;
      counters.fill(0);
      let failure: FuzzReport['failure'] = null;
      try {
        if (target(formats, models, bytes)) whole++;
      } catch (error) {
        failure = { input: bytes, error };
      }
      let fresh = false;
      let branch = false;
      for (let i = 0; i < counters.length; i++) {
        const count = counters[i] as number;
        if (count === 0) continue;
        const bit = 1 << (31 - Math.clz32(count));
        const before = seen[i] as number;
        if ((before & bit) !== 0) continue;
        seen[i] = before | bit;
        fresh = true;
        branch ||= before === 0;
      }
      if (fresh && bytes.length <= MAX_BYTES) corpus.push(bytes);
      if (branch && runs > seeds.length && options.save) save(bytes);
      return failure;
    };

    const seeds = readdirSync(CORPUS)
      .sort()
      .map((name) => new Uint8Array(readFileSync(join(CORPUS, name))));
    if (seeds.length === 0) throw new Error(`no seeds in ${CORPUS}`);
    let failure: FuzzReport['failure'] = null;
    for (const bytes of seeds) failure ??= execute(bytes);
    while (failure === null && runs < options.runs) {
      // Half of the time one of the newest: what was just reached leads further.
      const newest = random.integer(0, 1) === 0 ? Math.max(0, corpus.length - 32) : 0;
      const parent = corpus[random.integer(newest, corpus.length - 1)] as Uint8Array;
      const other = corpus[random.integer(0, corpus.length - 1)] as Uint8Array;
      failure = execute(mutate(random, parent, other));
    }
    Error.stackTraceLimit = stackTraceLimit;
    if (failure !== null) failure = execute(failure.input) ?? failure; // once more, for the stack
    return { runs, corpus: corpus.length, branches: seen.filter((bits) => bits > 0).length, models: whole, failure };
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    await library.remove();
  }
}

function save(bytes: Uint8Array): void {
  mkdirSync(CORPUS, { recursive: true });
  writeFileSync(join(CORPUS, createHash('sha256').update(bytes).digest('hex').slice(0, 16)), bytes);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string', default: '100000' },
      seed: { type: 'string', default: '1' },
      save: { type: 'boolean', default: false },
    },
  });
  const start = performance.now();
  const { failure, ...report } = await fuzz({
    runs: Number(values.runs),
    seed: Number(values.seed),
    save: values.save,
  });
  console.log(JSON.stringify({ ...report, seconds: Math.round((performance.now() - start) / 1000) }));
  if (failure === null) return;
  const path = join(repository, 'out/fuzz-safetensors-failure');
  writeFileSync(path, failure.input);
  console.error(`the input in ${path} made it throw`, failure.error);
  process.exitCode = 1;
}

if (process.argv[1] !== undefined && pathToFileURL(process.argv[1]).href === import.meta.url) await main();
