/** Figure 1's exponents, and the bounds against all values that tiny convolutions really take. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { buildArchitecture, type Graph, GraphBuilder, type Padding, type Value } from 'bitpath';
import { representationalCapabilities, representationalCapability } from 'bitpath/analysis';

describe('representational capability', () => {
  const bireal = buildArchitecture('bireal-resnet18-64');
  const inner = representationalCapability(bireal, 'body.1.u.conv');

  it('is Figure 1’s: 2^(HWC), (hwC + 1)^(HWC), and Bi-Real’s claim with twice the exponent', () => {
    const HWC = 56n * 56n * 64n;
    assert.deepEqual([inner.input.base, inner.input.exponent, inner.input.bits], [2, HWC, Number(HWC)]);
    assert.deepEqual([inner.output.base, inner.output.exponent], [9 * 64 + 1, HWC]);
    assert.deepEqual([inner.biRealClaim.base, inner.biRealClaim.exponent], [9 * 64 + 1, 2n * HWC]);
    assert.equal(inner.biRealClaim.bits, 2 * inner.output.bits);
    assert.equal(inner.output.bits, Number(HWC) * Math.log2(577));
    assert.ok(inner.hasShortcut);
  });

  it('is bounded by what the input map holds, and borders have fewer taps', () => {
    assert.equal(inner.boundBits, inner.input.bits);
    const corner = Math.log2(4 * 64 + 1);
    const edge = Math.log2(6 * 64 + 1);
    const expected = 64 * (4 * corner + 4 * 54 * edge + 54 * 54 * Math.log2(577));
    assert.ok(Math.abs(inner.bitsWithinBorders - expected) < 1e-6 * expected);
    assert.ok(inner.bitsWithinBorders < inner.output.bits);
  });

  it('is there for every 1-bit layer: shortcuts over one conv in Bi-Real, none in a dense network', () => {
    const all = representationalCapabilities(bireal);
    assert.equal(all.length, 16);
    assert.ok(all.every(({ hasShortcut }) => hasShortcut));
    const dense = representationalCapabilities(buildArchitecture('binary-densenet51-32', { inputSize: 64 }));
    assert.ok(dense.length === 46 && dense.every(({ hasShortcut }) => !hasShortcut));
    const plain = representationalCapabilities(buildArchitecture('binary-resnet18', { inputSize: 64 }));
    assert.equal(plain.filter(({ hasShortcut }) => hasShortcut).length, 8);
    assert.deepEqual(representationalCapabilities(buildArchitecture('resnet18', { inputSize: 32 })), []);
  });

  it('a shortcut changes nothing but Bi-Real’s claim', () => {
    const withShortcut = (on: boolean) => {
      const graph = new GraphBuilder('g');
      const x = graph.input({ channels: 8, height: 5, width: 5 });
      const y = graph.binaryConv(graph.sign(x), { name: 'c', outChannels: 8, kernel: 3, padding: 1 });
      graph.output('y', on ? graph.add(y, x) : y);
      return representationalCapability(graph.build(), 'c');
    };
    const { hasShortcut, ...shortcut } = withShortcut(true);
    const { hasShortcut: none, ...without } = withShortcut(false);
    assert.deepEqual(shortcut, without);
    assert.deepEqual([hasShortcut, none], [true, false]);
  });

  /** Distinct values at each output of a 1×size row, over all inputs and weights: their logarithms add up to the bits. */
  function valuesTaken(channels: number, size: number, padding: number): number {
    const taps = 3 * channels;
    let bits = 0;
    for (let at = 0; at < size + 2 * padding - 2; at++) {
      const values = new Set<number>();
      for (let products = 0; products < 2 ** taps; products++) {
        let sum = 0;
        for (let tap = 0; tap < taps; tap++) {
          const column = at + Math.floor(tap / channels) - padding;
          if (column >= 0 && column < size) sum += (products >> tap) & 1 ? 1 : -1;
        }
        values.add(sum);
      }
      bits += Math.log2(values.size);
    }
    return bits;
  }
  for (const [channels, size, padding] of [
    [1, 4, 0],
    [2, 4, 1],
    [3, 5, 1],
    [2, 3, 2],
  ] as const) {
    it(`counts the values of ${channels} channels, ${size} pixels, padding ${padding}`, () => {
      const graph = new GraphBuilder('g');
      const x = graph.input({ channels, height: 1, width: size });
      const pads: Padding = [0, padding, 0, padding];
      graph.output('y', graph.binaryConv(graph.sign(x), { name: 'c', outChannels: 1, kernel: [1, 3], padding: pads }));
      const found = representationalCapability(graph.build(), 'c').bitsWithinBorders;
      const expected = valuesTaken(channels, size, padding);
      assert.ok(Math.abs(found - expected) < 1e-9, `${found} ${expected}`);
    });
  }

  it('counts groups by their own taps', () => {
    const graph = new GraphBuilder('g');
    const x = graph.input({ channels: 8, height: 4, width: 4 });
    graph.output('y', graph.binaryConv(graph.sign(x), { name: 'c', outChannels: 4, kernel: 3, groups: 4 }));
    const { output, bitsWithinBorders } = representationalCapability(graph.build(), 'c');
    assert.deepEqual([output.base, output.exponent], [19, 16n]);
    assert.equal(bitsWithinBorders, output.bits);
  });

  it('counts {0, 1} and ternary activations by their own values', () => {
    const graph = new GraphBuilder('g');
    const x = graph.input({ channels: 8, height: 4, width: 4 });
    graph.output('two', graph.binaryConv(graph.heaviside(x), { name: 'two', outChannels: 4, kernel: 3 }));
    graph.output('three', graph.binaryConv(graph.ternary(x), { name: 'three', outChannels: 4, kernel: 3 }));
    const [two, three] = representationalCapabilities(graph.build());
    assert.deepEqual([two?.input.base, two?.output.base], [2, 73]);
    assert.deepEqual([three?.input.base, three?.output.base], [3, 145]);
    assert.equal(three?.input.exponent, 128n);
  });

  it('finds shortcuts behind gates and copies, and no others', () => {
    const count = (name: string) => {
      const all = representationalCapabilities(buildArchitecture(name));
      return [all.filter(({ hasShortcut }) => hasShortcut).length, all.length];
    };
    assert.deepEqual(count('bireal-resnet18-64+real-to-binary'), [16, 16]);
    assert.deepEqual(count('bireal-resnet18-64+xnor'), [16, 16]);
    assert.deepEqual(count('binary-resnet18+xnor'), [8, 16]);
    const shortcut = (build: (graph: GraphBuilder, x: Value, conv: Value) => Value) => {
      const graph = new GraphBuilder('g');
      const x = graph.input({ channels: 8, height: 4, width: 4 });
      const conv = graph.binaryConv(graph.sign(x), { name: 'c', outChannels: 8, kernel: 3, padding: 1 });
      graph.output('y', build(graph, x, conv));
      return representationalCapability(graph.build(), 'c').hasShortcut;
    };
    const copies = (g: GraphBuilder, x: Value) => g.concat([x, x]);
    assert.ok(shortcut((g, x, conv) => g.add(copies(g, conv), copies(g, x))));
    assert.ok(shortcut((g, x, conv) => g.add(g.mul(conv, g.sigmoid(g.globalAvgPool(x))), x)));
    const other = (g: GraphBuilder, x: Value) =>
      g.binaryConv(g.sign(x), { name: 'd', outChannels: 8, kernel: 3, padding: 1 });
    assert.ok(!shortcut((g, x, conv) => g.add(conv, other(g, x))), 'two convolutions side by side');
    assert.ok(!shortcut((g, _, conv) => g.add(conv, conv)), 'a map and itself');
  });

  it('BAD CALLS', () => {
    for (const node of ['stem.0', 'fc', 'body.1', 'nothing']) {
      assert.throws(() => representationalCapability(bireal, node), {
        code: 'ERR_BITPATH_ARGUMENT',
        message: new RegExp(`a 1-bit convolution of bireal-resnet18-64 for node but received "${node}"`),
      });
    }
    assert.throws(() => representationalCapability(bireal, 3 as unknown as string), { message: /for node/ });
    assert.throws(() => representationalCapabilities({} as Graph), { message: /for graph/ });
  });
});
