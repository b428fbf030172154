/**
 * Under random parameters no network is dead: in the last layers every kind of activation is frequent, and changes over a map.
 * Otherwise the comparisons with other engines would compare constants.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildArchitecture, listArchitectures, listUnits, randomParams } from 'bitpath';
import { interpret } from '../reference/interpreter.js';
import { Picker } from '../properties/randomGraph.js';

const INPUT_SIZE = 64;
/** Binarisations from the end of which we look at. */
const LAST = 16;
const LEAST_SHARE = 0.1;
const ALPHABETS = { sign: [-1, 1], heaviside: [0, 1], ternary: [-1, 0, 1] } as const;

const rows = listArchitectures().filter(({ sameGraphAs, options }) => sameGraphAs === null && options.length === 0);
const networks = rows.map(({ name }) => name).filter((name) => !['resnet18', 'resnet34'].includes(name));

for (const name of [...networks, ...listUnits().map((unit) => `igp-resnet21-53+${unit.name}`)]) {
  test(`${name}: activations are mixed to the end`, () => {
    const graph = buildArchitecture(name, { inputSize: INPUT_SIZE, classes: 10 });
    const random = new Picker(3);
    const input = Float32Array.from({ length: 3 * INPUT_SIZE ** 2 }, () => (random.pick(4001) - 2000) / 1000);
    const values = interpret(graph, randomParams(graph, 2), input, { every: true });
    const binarised = graph.nodes.filter(({ op }) => Object.hasOwn(ALPHABETS, op)).slice(-LAST);
    assert.equal(binarised.length, LAST);
    let [varying, channels] = [0, 0];
    const counts = new Map<number, number>();
    for (const node of binarised) {
      const map = values.get(node.name) as Float32Array;
      const pixels = map.length / (graph.values[node.output]?.shape.channels ?? NaN);
      for (let from = 0; from < map.length; from += pixels) {
        if (new Set(map.subarray(from, from + pixels)).size > 1) varying++;
        channels++;
      }
      for (const value of map) counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    const all = [...counts.values()].reduce((sum, count) => sum + count, 0);
    const alphabet: readonly number[] = ALPHABETS[binarised[0]?.op as keyof typeof ALPHABETS];
    assert.deepEqual(
      [...counts.keys()].sort((a, b) => a - b),
      alphabet,
    );
    for (const [value, count] of counts) assert.ok(count / all > LEAST_SHARE, `${value}: ${count} of ${all}`);
    assert.ok(varying / channels > LEAST_SHARE, `${varying} of ${channels} channels change over the map`);
    const logits = values.get('fc') as Float32Array;
    assert.ok(
      logits.every((value) => Number.isFinite(value) && Math.abs(value) < 1e4),
      `logits ${logits.join(' ')}`,
    );
  });
}
