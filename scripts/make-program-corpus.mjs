// Makes seeds for the fuzzer of Programs: small random graphs as test/properties builds them, compiled for real.
//   npm run build:ts && node scripts/make-program-corpus.mjs <folder> [count]
// The corpus in the repository is what libFuzzer kept of these and of its own finds:
//   program_fuzzer -merge=1 -use_counters=0 test/native/fuzz/corpus <folders…>
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { compileProgram } from '../dist/compiler/index.js';
import { buildGraph, recipe, roughParams } from '../out/test/properties/randomGraph.js';

/** What a fuzzer still handles quickly. */
const MAX_BYTES = 8192;

const [folder, count = '400'] = process.argv.slice(2);
if (folder === undefined) throw new Error('usage: node scripts/make-program-corpus.mjs <folder> [count]');
mkdirSync(folder, { recursive: true });

let written = 0;
for (const [index, made] of fc.sample(recipe, { numRuns: Number(count), seed: 1 }).entries()) {
  const graph = buildGraph(made);
  const normalization =
    index % 2 === 0
      ? null
      : {
          mean: Array.from({ length: made.channels }, () => 0.5),
          std: Array.from({ length: made.channels }, () => 0.25),
        };
  const { code, constants } = compileProgram(graph, roughParams(graph, made.seed), {
    batch: 1 + (index % 3),
    normalization,
  });
  const bytes = Buffer.concat([
    Buffer.from(Uint32Array.of(code.length).buffer),
    Buffer.from(code.buffer, code.byteOffset, code.byteLength),
    constants,
  ]);
  if (bytes.length > MAX_BYTES) continue;
  writeFileSync(join(folder, `compiled-${String(index).padStart(4, '0')}`), bytes);
  written++;
}
console.log(`${written} Programs written to ${folder}`);
if (written === 0) process.exitCode = 1;
