import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BitpathError, buildArchitecture, graphFromJson, graphToJson } from 'bitpath';
import fc from 'fast-check';
import { everyOp } from './fixtures.js';

const throughText = (json: unknown): unknown => JSON.parse(JSON.stringify(json));

test('a graph survives JSON: every op, and a whole network', () => {
  for (const graph of [everyOp(), buildArchitecture('igp-resnet37-41', { inputSize: [64, 96], classes: 7 })]) {
    const json = throughText(graphToJson(graph));
    assert.deepEqual(graphFromJson(json), graph);
    assert.deepEqual(throughText(graphToJson(graphFromJson(json))), json);
  }
});

test('the JSON says each fact once', () => {
  const json = graphToJson(everyOp());
  assert.deepEqual(Object.keys(json), ['version', 'name', 'nodes', 'outputs']);
  assert.deepEqual(json.nodes[1], { op: 'sign', name: 'sign', inputs: ['input'], attrs: { threshold: true } });
  assert.deepEqual(
    json.nodes.find(({ op }) => op === 'relu'),
    { op: 'relu', name: 'relu', inputs: ['scale'] },
  );
  assert.deepEqual(json.outputs, [
    { name: 'levels', value: 'padChannels' },
    { name: 'logits', value: 'linear_2' },
    { name: 'means', value: 'avgPool' },
  ]);
});

test('defaults may be left out, as a person would write it', () => {
  const graph = graphFromJson({
    version: 1,
    name: 'small',
    nodes: [
      { op: 'input', name: 'x', inputs: [], attrs: { channels: 2, height: 4, width: 6 } },
      { op: 'maxPool', name: 'p', inputs: ['x'], attrs: { kernel: 2 } },
    ],
    outputs: [{ name: 'y', value: 'p' }],
  });
  assert.deepEqual(graph.values[1]?.shape, { channels: 2, height: 2, width: 3 });
});

type Json = { version: unknown; name: unknown; nodes: Record<string, unknown>[]; outputs: Record<string, unknown>[] };
/** Changes a part of the document in place. */
const set = (part: unknown, values: object): void => void Object.assign(part as object, values);
const damaged = (damage: (json: Json) => unknown): unknown => {
  const json = throughText(graphToJson(everyOp())) as Json;
  return damage(json) ?? json;
};

test('BAD CALL: hostile JSON is a typed error that says where', () => {
  const cases: [string, (json: Json) => unknown, RegExp][] = [
    ['version', (json) => set(json, { version: 2 }), /expected version 1 but received 2/],
    ['no version', (json) => void delete json.version, /received undefined/],
    ['extra key', (json) => ({ ...json, extra: 1 }), /"extra" for the graph/],
    ['name', (json) => set(json, { name: 5 }), /name of the graph/],
    ['nodes', (json) => ({ ...json, nodes: {} }), /an array .* for nodes/],
    ['too many nodes', (json) => ({ ...json, nodes: new Array(70000) }), /at most 65536/],
    ['null node', (json) => ({ ...json, nodes: [null] }), /an object for node 0 but received null/],
    [
      'unknown op',
      (json) => set(json.nodes[1], { op: 'signs' }),
      /node 1 has the unknown op "signs" \(did you mean sign\?\)/,
    ],
    ['inherited op', (json) => set(json.nodes[1], { op: 'constructor' }), /unknown op "constructor"/],
    ['node name', (json) => set(json.nodes[1], { name: 7 }), /node 1 has the name 7/],
    ['name twice', (json) => set(json.nodes[2], { name: 'sign' }), /two nodes are called "sign"/],
    [
      'forward reference',
      (json) => set(json.nodes[1], { inputs: ['linear'] }),
      /reads "linear", which no earlier node/,
    ],
    ['no inputs', (json) => void delete json.nodes[1]?.inputs, /inputs of node 1/],
    ['two inputs for one', (json) => set(json.nodes[1], { inputs: ['input', 'input'] }), /1 value for inputs of sign/],
    ['two network inputs', (json) => void json.nodes.push({ ...json.nodes[0], name: 'again' }), /second one/],
    ['unknown attribute', (json) => set(json.nodes[1]?.attrs, { treshold: 1 }), /"treshold".*did you mean "threshold"/],
    ['name among attributes', (json) => set(json.nodes[1]?.attrs, { name: 'x' }), /"name"/],
    [
      '__proto__ attribute',
      (json) =>
        set(json.nodes, { 1: JSON.parse('{"op":"sign","name":"sign","inputs":["input"],"attrs":{"__proto__":{}}}') }),
      /__proto__/,
    ],
    ['attrs an array', (json) => set(json.nodes[1], { attrs: [] }), /an object of options/],
    ['attrs null', (json) => set(json.nodes[1], { attrs: null }), /an object of options/],
    ['output value', (json) => set(json.outputs[0], { value: 'nowhere' }), /output 0 reads "nowhere"/],
    ['output of bits', (json) => set(json.outputs[0], { value: 'sign' }), /expected a float32 map/],
    ['no outputs', (json) => ({ ...json, outputs: [] }), /no output/],
    [
      'too many outputs',
      (json) => ({ ...json, outputs: Array.from({ length: 1025 }, (_, i) => ({ name: `y${i}`, value: 'input' })) }),
      /more than 1024 outputs/,
    ],
    ['nothing', () => 3, /an object for the graph but received 3/],
  ];
  for (const [title, damage, message] of cases) {
    assert.throws(
      () => graphFromJson(damaged(damage)),
      (error) => {
        assert.ok(error instanceof BitpathError, `${title}: ${error}`);
        assert.match(error.message, message, title);
        return true;
      },
    );
  }
  assert.throws(() => graphFromJson(null), BitpathError);
});

test('random damage gives a typed error or a consistent graph', () => {
  const text = JSON.stringify(graphToJson(everyOp()));
  const values = [null, -1, 0, 1.5, 2 ** 31, 1e308, '', 'sign', [], [1], {}, true, ['input', 'input']];
  let refused = 0;
  let accepted = 0;
  fc.assert(
    fc.property(fc.nat(1e6), fc.constantFrom(...values), fc.boolean(), (target, value, remove) => {
      // Replaces or removes the target-th place in the document.
      const holders: [Record<string, unknown>, string][] = [];
      const visit = (part: unknown): void => {
        if (typeof part !== 'object' || part === null) return;
        for (const key of Object.keys(part)) {
          holders.push([part as Record<string, unknown>, key]);
          visit((part as Record<string, unknown>)[key]);
        }
      };
      const json: unknown = JSON.parse(text);
      visit(json);
      const [holder, key] = holders[target % holders.length] as [Record<string, unknown>, string];
      if (remove) delete holder[key];
      else holder[key] = value;
      try {
        const graph = graphFromJson(json);
        accepted += 1;
        assert.deepEqual(graphFromJson(throughText(graphToJson(graph))), graph);
      } catch (error) {
        if (!(error instanceof BitpathError)) throw error;
        refused += 1;
      }
    }),
    { numRuns: 3000, seed: 3 },
  );
  assert.ok(refused > 1000 && accepted > 100, `${refused} refused, ${accepted} accepted`);
});
