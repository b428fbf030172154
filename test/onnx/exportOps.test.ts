/** The later ops in ONNX, opset by opset: onnxruntime computes what they mean (test/reference/interpreter.ts). */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type BitpathError, GraphBuilder, type Params, Tensor } from 'bitpath';
import { MAX_OPSET, toOnnx } from 'bitpath/onnx';
import { roughInput, roughParams } from '../properties/randomGraph.js';
import { interpret } from '../reference/interpreter.js';
import { networks } from './networks.js';
import { onnxValues } from './oracle.js';

/** Every opset that changes a spelling, and the newest of onnxruntime-node 1.30. */
const OPSETS = [9, 10, 11, 12, 13, 17, 18, 26];
const IMAGES = 2;
/** Sums of real numbers are taken in another order there, and sigmoid is right within 2⁻²². */
const SLACK = 2e-6;

/** Ops that round as ONNX's do, or not at all. */
const EXACT = new Set(
  'sign heaviside ternary binaryConv abs bias add mul rank1Scale slice padChannels channelInteraction'.split(' '),
);

describe('later ops in onnxruntime', () => {
  const ops = new Set<string>();
  for (const [name, { graph, params }] of Object.entries(networks())) {
    it(name, async () => {
      const [input] = graph.nodes;
      assert.ok(input?.op === 'input');
      const size = input.attrs.channels * input.attrs.height * input.attrs.width;
      const images = roughInput(IMAGES * size, 4, false);
      const isExact = graph.nodes.every(({ op }) => op === 'input' || EXACT.has(op));
      for (const opset of OPSETS) {
        const values = await onnxValues({ graph, params }, images, IMAGES, opset);
        for (let n = 0; n < IMAGES; n++) {
          const expected = interpret(graph, params, images.subarray(n * size, (n + 1) * size), { every: true });
          for (const node of graph.nodes) {
            const reference = expected.get(node.name);
            const all = values.get(node.output);
            assert.ok(reference && all, node.name);
            const found = all.subarray(n * reference.length, (n + 1) * reference.length);
            compare(`${node.name} (${node.op}), opset ${opset}`, found, reference, isExact ? 0 : SLACK);
            // What splits nothing shows nothing.
            if (size > 1) assert.ok(new Set(reference).size > 1 || reference.length === 1, `${node.name} is constant`);
            ops.add(node.op);
          }
        }
      }
    });
  }

  it('were all of them', () => {
    for (const op of [...EXACT, 'binaryWeightConv', 'sigmoid', 'channelMean']) assert.ok(ops.has(op), op);
  });

  it('activations at their thresholds, of infinities and of NaN', async () => {
    const tiny = 2 ** -149;
    const values = [0, -0, Number.NaN, tiny, -tiny, 0.5, -0.5, 1, -1, Infinity, -Infinity, 0.49999997, -0.49999997];
    const thresholds = [0, 0.5, 1, tiny, 3.4028234663852886e38];
    const channels = thresholds.length;
    const b = new GraphBuilder('activations');
    const x = b.input({ channels, height: 1, width: values.length });
    const outputs = { h: b.heaviside(x, { threshold: true, name: 'h' }), t: b.ternary(x, { name: 't' }) };
    for (const [name, y] of Object.entries(outputs)) b.output(name, b.binaryConv(y, { outChannels: 2, kernel: 1 }));
    const graph = b.build();
    const threshold = new Tensor('float32', [channels], Float32Array.from(thresholds));
    const params: Params = new Map([...roughParams(graph, 1), ['h.threshold', threshold], ['t.threshold', threshold]]);
    const input = Float32Array.from(thresholds.flatMap(() => values));
    const expected = interpret(graph, params, input, { every: true });
    for (const opset of OPSETS) {
      const found = await onnxValues({ graph, params }, input, 1, opset);
      for (const { name, output } of graph.nodes.slice(1)) {
        compare(`${name}, opset ${opset}`, found.get(output) as Float32Array, expected.get(name) as Float32Array, 0);
      }
    }
  });

  it('every opset can be written', () => {
    for (const network of Object.values(networks())) {
      for (let opset = 9; opset <= MAX_OPSET; opset++) assert.ok(toOnnx(network, { opset }).length > 0);
    }
  });

  describe('interactions', () => {
    const interaction = (pairs: readonly (readonly [number, number, number])[]) => {
      const b = new GraphBuilder('pairs');
      const x = b.input({ channels: 4, height: 1, width: 1 });
      b.output('y', b.channelInteraction(x, { name: 'i', pairs: pairs.length, threshold: 1, step: 1 }));
      const params: Params = new Map([
        ['i.pairs', new Tensor('int32', [pairs.length, 3], Int32Array.from(pairs.flat()))],
      ]);
      return { graph: b.build(), params };
    };

    it('that depend on each other too often are refused', () => {
      const chain = (count: number) => interaction(Array.from({ length: count }, (_, i) => [i % 4, (i + 1) % 4, 1]));
      assert.ok(toOnnx(chain(64)).length > 0);
      assert.throws(
        () => toOnnx(chain(65)),
        (error: BitpathError) => error.code === 'ERR_BITPATH_ONNX' && /"i".*65 rounds.*at most 64/.test(error.message),
      );
    });

    it('of channels that are not there are refused', () => {
      for (const pair of [
        [4, 0, 1],
        [0, -1, 1],
      ] as const) {
        assert.throws(() => toOnnx(interaction([pair])), {
          code: 'ERR_BITPATH_PARAM',
          message: /i\.pairs.*from 0 to 3/,
        });
      }
    });
  });
});

function compare(what: string, found: Float32Array, expected: Float32Array, slack: number): void {
  assert.equal(found.length, expected.length, what);
  const largest = expected.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  for (const [i, value] of expected.entries()) {
    const difference = Math.abs((found[i] as number) - value);
    assert.ok(difference <= slack * largest, `${what}: element ${i} is ${found[i]}, expected ${value}`);
  }
}
