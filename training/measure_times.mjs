// node training/measure_times.mjs < request: median milliseconds of one picture (float32 in) of each network, by turns, so that
// a slow spell of the machine hits all of them. The request and the answer are JSON: bitpath_training/times.py.
import { readFileSync } from 'node:fs';
import { compile } from 'bitpath';
import { interleave } from '#lib/bench/harness.js';
import { describeMachine } from '#lib/bench/machine.js';
import { randomParams } from '#lib/graph/index.js';
import { buildGraph } from './build_graph.mjs';

const ROUNDS = 7;
const MS_A_TURN = 400;

const { networks, classes, inputSize, threads } = JSON.parse(readFileSync(0, 'utf8'));
const tasks = [];
for (const [name, network] of Object.entries(networks)) {
  const graph = buildGraph({ ...network, classes, inputSize });
  const executor = await compile(graph, randomParams(graph, 0), { threads });
  const input = Float32Array.from({ length: 3 * inputSize ** 2 }, (_, i) => ((i * 7919) % 512) / 128 - 2);
  tasks.push({ name, run: () => executor.runSync(input) });
}
const timings = await interleave(tasks, { rounds: ROUNDS, msPerTask: MS_A_TURN }, (done) =>
  process.stderr.write(`round ${done} of ${ROUNDS}\n`),
);
const { cpu, isa, node, os, bitpath, commit, date } = describeMachine();
const round = (value) => Number(value.toPrecision(4));
process.stdout.write(
  JSON.stringify({
    machine: { cpu, isa, threads, node, os, bitpath, commit, date },
    input_size: inputSize,
    networks: Object.fromEntries(
      timings.map(({ samples, p50, p95, rounds }, i) => [
        tasks[i].name,
        { p50: round(p50), p95: round(p95), samples, rounds: rounds.map(round) },
      ]),
    ),
  }),
);
