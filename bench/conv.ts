/**
 * The 1-bit convolution with its whole epilogue (affine, add, store, sign) at the stage shapes of the paper's networks, one
 * thread: GMAC/s, where a MAC is one ±1 product, and the share of the popcount port limit (1.5 cycles for 512 products).
 *
 *   npm run bench:conv
 *
 * A unit's time is a ten-unit chain's less a two-unit chain's, divided by eight: what stands before and after the units
 * cancels. Every chain's answer is compared with the scalar reference before it is timed.
 */
import assert from 'node:assert/strict';
import { binaryUnit, compile, type Executor, GraphBuilder, type Isa, randomParams } from 'bitpath';
import { native } from '#lib/native.js';
import { clockGHz, interleaved, machine } from './harness.js';

const SHAPES = [
  [64, 56],
  [128, 28],
  [256, 14],
  [512, 7],
  [41, 56],
  [82, 28],
  [164, 14],
  [328, 7],
  [53, 56],
  [31, 56],
] as const;

function chain(channels: number, size: number, units: number) {
  const graph = new GraphBuilder(`chain-${channels}x${size}-${units}`);
  let x = graph.input({ channels, height: size, width: size });
  for (let i = 0; i < units; ++i) {
    x = graph.add(x, binaryUnit(graph, x, { name: `u${i}`, outChannels: channels, stride: 1 }));
  }
  graph.output('y', graph.globalAvgPool(x));
  return graph.build();
}

async function executorFor(channels: number, size: number, units: number, isa: Isa): Promise<Executor> {
  const graph = chain(channels, size, units);
  return compile(graph, randomParams(graph, 1), { isa, threads: 1 });
}

const isas = native()
  .isas.filter((isa) => isa.supported && isa.name !== 'scalar')
  .map((isa) => isa.name);
const only = process.argv.slice(2);
console.log(machine());
console.log('| channels × size | ISA | GMAC/s | share of 512 products in 1.5 cycles |\n| --- | --- | --- | --- |');
for (const [channels, size] of SHAPES) {
  const input = Float32Array.from({ length: channels * size * size }, (_, i) => Math.sin(i * 12.9898) * 2);
  for (const isa of isas) {
    if (only.length > 0 && !only.includes(isa)) continue;
    using short = await executorFor(channels, size, 2, isa);
    using long = await executorFor(channels, size, 10, isa);
    for (const [executor, units] of [
      [short, 2],
      [long, 10],
    ] as const) {
      using scalar = await executorFor(channels, size, units, 'scalar');
      assert.deepEqual(executor.runSync(input).y?.data, scalar.runSync(input).y?.data, 'wrong answer: not timed');
    }
    const ms = await interleaved({ short: () => void short.runSync(input), long: () => void long.runSync(input) });
    const unitMs = ((ms.long ?? 0) - (ms.short ?? 0)) / 8;
    const gmacs = (9 * channels * channels * size * size) / unitMs / 1e6;
    const limit = (512 / 1.5) * clockGHz();
    console.log(`| ${channels} × ${size} | ${isa} | ${gmacs.toFixed(0)} | ${((100 * gmacs) / limit).toFixed(0)} % |`);
  }
}
