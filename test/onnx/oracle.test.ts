/**
 * bitpath against onnxruntime: every architecture, the trained networks, random graphs. `npm run verify` runs this file.
 *
 * One sign that flips within rounding changes all that follows in a binary network, so each layer is fed onnxruntime's own
 * tensors. Signs must be equal wherever a value is more than 1e-3 from the threshold; other values within 1e-4 of the layer's
 * largest. End to end is printed, and no gate.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  createModel,
  type Graph,
  graphFromJson,
  graphToJson,
  listArchitectures,
  listModels,
  loadModel,
  type Params,
  Tensor,
} from 'bitpath';
import fc from 'fast-check';
import { inputShape } from '#lib/model.js';
import { buildGraph, type Recipe, recipe, roughInput, roughParams } from '../properties/randomGraph.js';
import { networks } from './networks.js';
import { assertEqual, gate, type Network, onnxValues, Tally } from './oracle.js';

const SMALL = 64;
/** BITPATH_TEST_INPUT_SIZE=224: every graph at the paper's size, which takes minutes. */
const SIZE = Number(process.env['BITPATH_TEST_INPUT_SIZE'] ?? SMALL);
/** A network of each family at the size that it is meant for. */
const LARGE = ['binary-resnet18', 'igp-resnet21-53', 'binary-densenet51-32', 'resnet18'];
const CLASSES = 37;
/** Weights for each architecture. */
const SEEDS = process.env['BITPATH_VERIFY'] === undefined ? [1] : [1, 2, 3];

async function check(name: string, network: Network, count: number, seed: number, tally: Tally): Promise<void> {
  const { channels, height, width } = inputShape(network.graph);
  const input = roughInput(count * channels * height * width, seed, false);
  const result = await gate(network, await onnxValues(network, input, count), count);
  assertEqual(name, result, network.graph);
  tally.add(result);
}

describe('every layer equals onnxruntime', () => {
  /** Each graph once. */
  const architectures = listArchitectures().filter(({ sameGraphAs }) => sameGraphAs === null);

  for (const [i, { name }] of architectures.entries()) {
    it(`${name} at ${SIZE}×${SIZE}`, async (t) => {
      const tally = new Tally();
      for (const seed of SEEDS) {
        await check(
          name,
          createModel(name, { inputSize: SIZE, classes: CLASSES, seed }),
          SIZE === SMALL ? 2 : 1,
          seed + i,
          tally,
        );
      }
      t.diagnostic(String(tally));
      assert.equal(tally.networks, SEEDS.length);
      assert.ok(name.startsWith('resnet') ? tally.clear + tally.near === 0 : tally.clear > 20 * tally.near);
    });
  }

  it('covers the architectures', () => {
    assert.ok(architectures.length >= 20);
    for (const name of LARGE)
      assert.ok(
        architectures.some((architecture) => architecture.name === name),
        name,
      );
  });

  for (const name of LARGE) {
    it(`${name} at 224×224`, async (t) => {
      const tally = new Tally();
      await check(name, createModel(name, { inputSize: 224, seed: 3 }), 1, 7, tally);
      t.diagnostic(String(tally));
    });
  }

  it('the trained networks', async (t) => {
    const models = await listModels();
    const tally = new Tally();
    for (const { name } of models) await check(name, await loadModel(name), 2, 5, tally);
    t.diagnostic(String(tally));
    assert.ok(models.length >= 2 && tally.networks === models.length);
  });

  for (const [name, network] of Object.entries(networks())) {
    it(`later ops: ${name}`, async () => check(name, network, 3, 9, new Tally()));
  }

  it('random graphs', async (t) => {
    const tally = new Tally();
    const ops = new Set<string>();
    for (const [i, made] of fc.sample(recipe, { seed: 20, numRuns: 160 }).entries()) {
      const graph = buildGraph(made as Recipe);
      if (graph.outputs.every(({ value }) => value === graph.nodes[0]?.output)) continue; // no step fitted
      await check(
        `graph ${i} ${JSON.stringify(made)}`,
        { graph, params: roughParams(graph, made.seed) },
        1 + (i % 3),
        i,
        tally,
      );
      for (const { op } of graph.nodes) ops.add(op);
    }
    t.diagnostic(String(tally));
    assert.ok(tally.networks > 150);
    assert.equal(ops.size, 27, `only ${[...ops].join()}`);
    assert.ok(tally.clear > 10_000);
  });
});

/** Wrong networks, each of which one layer at least must tell from the right one. */
describe('the gate can fail', () => {
  type Attrs = Record<string, unknown>;
  const withAttrs = ({ graph, params }: Network, op: string, change: (attrs: Attrs) => Attrs): Network => {
    const json = graphToJson(graph);
    const nodes = json.nodes.map((node) => (node.op === op ? { ...node, attrs: change({ ...node.attrs }) } : node));
    return { graph: graphFromJson({ ...json, nodes }), params };
  };
  const withParam = (
    { graph, params }: Network,
    role: string,
    change: (data: Float32Array | Uint8Array | Int32Array) => void,
  ): Network => {
    const name = graph.nodes.find((node) => role in node.params)?.params[role]?.name as string;
    const { dtype, shape, data } = params.get(name) as Tensor;
    const copy = data.slice() as Float32Array;
    change(copy);
    const changed: Params = new Map([...params, [name, new Tensor(dtype, shape, copy)]]);
    return { graph, params: changed };
  };
  const wrong: Record<string, (network: Network) => Network> = {
    'eps of 1e-3': (network) => withAttrs(network, 'batchNorm', (attrs) => ({ ...attrs, eps: 1e-3 })),
    'borders of −1': (network) => withAttrs(network, 'binaryConv', (attrs) => ({ ...attrs, padValue: -1 })),
    'borders of +1': (network) => withAttrs(network, 'binaryConv', (attrs) => ({ ...attrs, padValue: 1 })),
    'one wrong weight bit': (network) => withParam(network, 'bits', (bits) => (bits[7] = (bits[7] as number) ^ 1)),
    'one scale 0.1 % off': (network) =>
      withParam(network, 'scale', (scale) => (scale[0] = (scale[0] as number) * 1.001)),
    'one running mean off': (network) =>
      withParam(network, 'running_mean', (mean) => (mean[1] = (mean[1] as number) + 0.02)),
    'a classifier without one weight': (network) => {
      const name = network.graph.nodes.find(({ op }) => op === 'linear')?.params['weight']?.name as string;
      const { shape, data } = network.params.get(name) as Tensor<'float32'>;
      const copy = data.slice();
      copy[0] = 0;
      return { graph: network.graph, params: new Map([...network.params, [name, new Tensor('float32', shape, copy)]]) };
    },
  };
  const right = createModel('bireal-resnet18-64', { inputSize: SMALL, classes: CLASSES, seed: 1 });
  const { channels, height, width } = inputShape(right.graph);
  const input = roughInput(channels * height * width, 1, false);

  for (const [what, change] of Object.entries(wrong)) {
    it(what, async () => {
      const values = await onnxValues(right, input, 1);
      const { nodes, instructions } = await gate(change(right), values, 1);
      for (const layers of [nodes, instructions]) {
        const told = layers.filter(({ verdict }) => verdict === 'differs');
        assert.ok(told.length > 0, 'passed');
        assert.ok(told.every(({ hint, off, signs }) => typeof hint === 'string' && off + signs.flipped > 0));
      }
    });
  }

  /** The later ops, each wrong in one number. */
  const later: Record<string, [network: string, change: (network: Network) => Network]> = {
    'a ternary threshold': ['ternary', (network) => withParam(network, 'threshold', (data) => (data[1] = 0.6))],
    'a threshold of {0, 1}': ['heaviside', (network) => withParam(network, 'threshold', (data) => (data[0] = 1.9))],
    'a bit of weights of real numbers': [
      'binaryWeightConv',
      (network) => withParam(network, 'bits', (bits) => (bits[0] = (bits[0] as number) ^ 1)),
    ],
    'a bias': ['elements and channels', (network) => withParam(network, 'bias', (data) => (data[2] = 9))],
    'a row’s factor': ['elements and channels', (network) => withParam(network, 'beta', (data) => (data[3] = 9))],
    'another slice': [
      'elements and channels',
      (network) => withAttrs(network, 'slice', (attrs) => ({ ...attrs, from: 1 })),
    ],
    'zeros on the other side': [
      'elements and channels',
      (network) => withAttrs(network, 'padChannels', ({ before, after }) => ({ before: after, after: before })),
    ],
    'a pair’s sign': [
      'interactions of integers',
      (network) => withParam(network, 'pairs', (data) => (data[2] = -(data[2] as number))),
    ],
    'a pair’s source': [
      'interactions of real numbers',
      (network) => withParam(network, 'pairs', (data) => (data[0] = 5)),
    ],
    'a step': [
      'interactions of integers',
      (network) => withAttrs(network, 'channelInteraction', (attrs) => ({ ...attrs, step: 4 })),
    ],
  };
  for (const [what, [name, change]] of Object.entries(later)) {
    it(what, async () => {
      const network = networks()[name] as Network;
      const { channels: c, height: h, width: w } = inputShape(network.graph);
      const values = await onnxValues(network, roughInput(2 * c * h * w, 1, false), 2);
      assert.ok((await gate(network, values, 2)).nodes.every(({ verdict }) => verdict === 'equal'));
      const { nodes } = await gate(change(network), values, 2);
      assert.ok(
        nodes.some(({ verdict }) => verdict === 'differs'),
        'passed',
      );
    });
  }

  it('a sign with another threshold', async () => {
    const build = (threshold: number): Network => {
      const json = {
        version: 1,
        name: 'threshold',
        nodes: [
          { op: 'input', name: 'in', inputs: [], attrs: { channels: 3, height: 8, width: 5 } },
          { op: 'sign', name: 'sign', inputs: ['in'], attrs: { threshold: true } },
          { op: 'binaryConv', name: 'conv', inputs: ['sign'], attrs: { outChannels: 4, kernel: 3, padding: 1 } },
        ],
        outputs: [{ name: 'out', value: 'conv' }],
      };
      const graph: Graph = graphFromJson(json);
      const params = roughParams(graph, 1) as Map<string, Tensor>;
      params.set('sign.threshold', new Tensor('float32', [3], new Float32Array(3).fill(threshold)));
      return { graph, params };
    };
    const values = await onnxValues(build(0.5), roughInput(120, 3, false), 1);
    const verdicts = async (network: Network) => (await gate(network, values, 1)).nodes.map(({ verdict }) => verdict);
    assert.deepEqual(await verdicts(build(0.5)), ['equal', 'equal']);
    assert.deepEqual(await verdicts(build(0.6)), ['differs', 'equal']);
    // Values lie 0.002 apart: so much nearer, only near ones flip.
    assert.deepEqual(await verdicts(build(0.5005)), ['equal', 'equal']);
  });
});
