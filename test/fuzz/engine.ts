/**
 * The engine of the coverage-guided fuzzers. Inputs that reach a new branch, or one more often by a power of two, join the
 * corpus and are mutated further. What is fuzzed is a {@link Fuzzer}; `main` is its command line:
 *
 *     node out/test/fuzz/<name>.js --runs 1000000 [--seed 1] [--save]
 *
 * `--save` adds inputs that reached a new branch to test/fuzz/corpus/<name>/.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Random } from '#lib/graph/random.js';
import { InstrumentedLibrary, type Plant } from './instrument.js';

const repository = join(import.meta.dirname, '../../..');

export interface Fuzzer {
  /** Of its folder of seeds, test/fuzz/corpus/<name>/. */
  readonly name: string;
  /** Files of dist/ whose branches guide it. */
  readonly instrumented: readonly string[];
  /** Above this an input grows no further. */
  readonly maxBytes: number;
  /** Gives the function that throws what a caller of the library must never see, and returns whether an input was whole. */
  load(library: InstrumentedLibrary): Promise<(bytes: Uint8Array) => boolean>;
  mutate(random: Random, parent: Uint8Array, other: Uint8Array): Uint8Array;
}

export interface FuzzOptions {
  readonly runs: number;
  readonly seed?: number;
  readonly save?: boolean;
  readonly plant?: Plant;
}

export interface FuzzReport {
  readonly runs: number;
  readonly corpus: number;
  readonly branches: number;
  /** Inputs that were read as whole models. */
  readonly models: number;
  readonly failure: { readonly input: Uint8Array; readonly error: unknown } | null;
}

export async function fuzz(fuzzer: Fuzzer, options: FuzzOptions): Promise<FuzzReport> {
  const folder = join(repository, 'test/fuzz/corpus', fuzzer.name);
  const library = await InstrumentedLibrary.create(fuzzer.instrumented, options.plant);
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0; // a stack takes longer to note than most inputs to read
  try {
    const target = await fuzzer.load(library);
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
        if (target(bytes)) whole++;
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
      if (fresh && bytes.length <= fuzzer.maxBytes) corpus.push(bytes);
      if (branch && runs > seeds.length && options.save) save(folder, bytes);
      return failure;
    };

    const seeds = readdirSync(folder)
      .sort()
      .map((name) => new Uint8Array(readFileSync(join(folder, name))));
    if (seeds.length === 0) throw new Error(`no seeds in ${folder}`);
    let failure: FuzzReport['failure'] = null;
    for (const bytes of seeds) failure ??= execute(bytes);
    while (failure === null && runs < options.runs) {
      // Half of the time one of the newest: what was just reached leads further.
      const newest = random.integer(0, 1) === 0 ? Math.max(0, corpus.length - 32) : 0;
      const parent = corpus[random.integer(newest, corpus.length - 1)] as Uint8Array;
      const other = corpus[random.integer(0, corpus.length - 1)] as Uint8Array;
      failure = execute(fuzzer.mutate(random, parent, other));
    }
    Error.stackTraceLimit = stackTraceLimit;
    if (failure !== null) failure = execute(failure.input) ?? failure; // once more, for the stack
    return { runs, corpus: corpus.length, branches: seen.filter((bits) => bits > 0).length, models: whole, failure };
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    await library.remove();
  }
}

function save(folder: string, bytes: Uint8Array): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, createHash('sha256').update(bytes).digest('hex').slice(0, 16)), bytes);
}

export async function main(fuzzer: Fuzzer): Promise<void> {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string', default: '100000' },
      seed: { type: 'string', default: '1' },
      save: { type: 'boolean', default: false },
    },
  });
  const start = performance.now();
  const { failure, ...report } = await fuzz(fuzzer, {
    runs: Number(values.runs),
    seed: Number(values.seed),
    save: values.save,
  });
  console.log(JSON.stringify({ ...report, seconds: Math.round((performance.now() - start) / 1000) }));
  if (failure === null) return;
  const path = join(repository, `out/fuzz-${fuzzer.name}-failure`);
  writeFileSync(path, failure.input);
  console.error(`the input in ${path} made it throw`, failure.error);
  process.exitCode = 1;
}
