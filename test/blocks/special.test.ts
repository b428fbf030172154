/** Blocks with a topology of their own against their formulas, and the step after the add in every topology. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type AfterAdd,
  BitpathError,
  type Branch,
  biReal,
  binaryDense,
  binaryDuo,
  binaryResidual,
  bnasCell,
  bnFree,
  eBiReal,
  type Graph,
  GraphBuilder,
  igpDense,
  igpResNet,
  type Unit,
  type Value,
} from 'bitpath';
import {
  assertClose,
  Case,
  cat,
  channels,
  each,
  make,
  maxPool3,
  type Plain,
  plus,
  pool2,
  relu,
  sign,
} from './plain.js';

const over = (t: Case, x: Plain, name: string) => {
  const threshold = t.p(`${name}.threshold`);
  return each(x, (value, c) => (value >= (threshold[c] ?? NaN) ? 1 : 0));
};
const half = (m: Plain) => each(plus(channels(m, 0, m.c / 2), channels(m, m.c / 2, m.c / 2)), (value) => value / 2);

test('binaryDuo: two copies with thresholds of their own', () => {
  const branch = (t: Case, stride: number) => {
    const sum = t.bconv(over(t, t.input, 'B.u.heaviside'), 'B.u.conv', { k: 3, stride, padding: 1 });
    return (copies: number) => t.bn(copies === 2 ? cat(sum, sum) : sum, 'B.u.bn');
  };
  const same = new Case([10, 5, 6], (g, x) => binaryDuo(g, x, { name: 'B' }));
  assertClose(same.output(), plus(branch(same, 1)(2), same.input).v, 'y');

  const down = new Case([10, 6, 4], (g, x) => binaryDuo(g, x, { name: 'B', outChannels: 7, stride: 2 }));
  const narrow = down.bn(down.conv(pool2(half(down.input)), 'B.down.1', { k: 1 }), 'B.down.2');
  assertClose(down.output(), plus(branch(down, 2)(2), cat(narrow, narrow)).v, 'y');

  const last = new Case([10, 5, 6], (g, x) => binaryDuo(g, x, { name: 'B', outChannels: 8, last: true }));
  const zeros = make(3, 5, 6, () => 0);
  assertClose(last.output(), plus(branch(last, 1)(1), cat(half(last.input), zeros)).v, 'y');
});

test('bnFree: scales instead of BatchNorm, downsampling by signs', () => {
  const branch = (t: Case, x: Plain, stride: number) => {
    const bits = each(over(t, x, 'B.u.sign'), (value) => 2 * value - 1);
    return each(t.bconv(bits, 'B.u.conv', { k: 3, stride, padding: 1 }), (value) => 0.2 * value);
  };
  const beta = Math.fround(1 / Math.sqrt(1.08));
  const same = new Case([6, 5, 4], (g, x) => bnFree(g, x, { name: 'B', beta }));
  const scaled = each(same.input, (value) => Math.fround(value * beta));
  assertClose(same.output(), same.rPRelu(plus(branch(same, scaled, 1), same.input), 'B.u.rprelu').v, 'y');

  const down = new Case([6, 4, 8], (g, x) => bnFree(g, x, { name: 'B', outChannels: 9, stride: 2, beta }));
  const input = each(down.input, (value) => Math.fround(value * beta));
  const identity = down.bconv(pool2(input), 'B.down.1', { k: 1 });
  assertClose(down.output(), down.rPRelu(plus(branch(down, input, 2), identity), 'B.u.rprelu').v, 'y');
});

test('bnasCell: the genotype, op by op', () => {
  const binary = (t: Case, x: Plain, name: string, k: number, stride: number, dilation = 1) =>
    relu(
      t.bconv(sign(t.bn(x, `B.${name}.bn`)), `B.${name}.conv`, {
        k,
        stride,
        dilation,
        padding: (dilation * (k - 1)) / 2,
      }),
    );
  const cell = (reduction: boolean) => (g: GraphBuilder, x: Value) =>
    bnasCell(g, g.slice(x, { channels: 5 }), g.slice(x, { from: 5, channels: 8 }), {
      name: 'B',
      channels: reduction ? 3 : 2,
      reduction,
      olderIsLarger: false,
    });
  const inputs = (t: Case) => [channels(t.input, 0, 5), channels(t.input, 5, 8)] as const;

  const normal = new Case([13, 6, 4], cell(false));
  const [older, previous] = inputs(normal);
  const s0 = binary(normal, older, 'preprocess0', 1, 1);
  const s1 = binary(normal, previous, 'preprocess1', 1, 1);
  const bin = (x: Plain, op: number) => binary(normal, x, `ops.${op}`, 3, 1);
  const dil = (x: Plain, op: number) => binary(normal, x, `ops.${op}`, 3, 1, 2);
  const n2 = plus(bin(s1, 0), dil(s0, 1));
  const n3 = plus(bin(s1, 2), bin(n2, 3));
  const n4 = plus(bin(n2, 4), dil(s1, 5));
  const n5 = plus(dil(s1, 6), bin(s0, 7));
  assertClose(normal.output(), plus(cat(n2, n3, n4, n5), previous).v, 'normal');

  const reduction = new Case([13, 6, 4], cell(true));
  const [olderR, previousR] = inputs(reduction);
  const r0 = binary(reduction, olderR, 'preprocess0', 1, 1);
  const r1 = binary(reduction, previousR, 'preprocess1', 1, 1);
  const m2 = plus(maxPool3(r0, 2), maxPool3(r1, 2));
  const m3 = plus(maxPool3(r0, 2), binary(reduction, m2, 'ops.3', 3, 1));
  const m4 = plus(maxPool3(r0, 2), binary(reduction, m3, 'ops.5', 3, 1, 2));
  const m5 = plus(maxPool3(r0, 2), binary(reduction, m4, 'ops.7', 3, 1, 2));
  const bias = reduction.p('B.down.1.bias');
  const down = each(
    reduction.conv(reduction.bn(previousR, 'B.down.0'), 'B.down.1', { k: 2, stride: 2 }),
    (value, c) => value + (bias[c] ?? NaN),
  );
  assertClose(reduction.output(), plus(cat(m2, m3, m4, m5), down).v, 'reduction');
});

/** u(x) prints as `u(x)`, what follows the add as `[…]`. */
const branch: Branch = (graph, x, { name, outChannels, stride }) =>
  graph.conv(x, { name, outChannels, kernel: 1, stride, bias: false });
const after: AfterAdd = (graph, y, { name }) => graph.relu(y, { name: `${name}.after` });

function equation(block: (graph: GraphBuilder, x: Value) => Value): string {
  const graph = new GraphBuilder('block');
  graph.output('y', block(graph, graph.input({ channels: 4, height: 8, width: 8 })));
  const built = graph.build();
  const text = (id: number): string => {
    const node = built.nodes[id] as Graph['nodes'][number];
    const args = node.inputs.map(text);
    if (node.op === 'input') return 'x';
    if (node.op === 'add') return `${args.join(' + ')}`;
    if (node.op === 'scale') return `½(${args[0]})`;
    if (node.op === 'concat') return `cat(${args.join(', ')})`;
    return node.op === 'relu' ? `[${args[0]}]` : `${node.name.replace('B.', '')}(${args[0]})`;
  };
  return text(built.outputs[0]?.value ?? -1);
}

test('what follows the add stands once for each unit, after its own shortcut', () => {
  const options = { name: 'B', unit: { branch, after } };
  assert.equal(
    equation((g, x) => biReal(g, x, options)),
    '[u(x) + x]',
  );
  assert.equal(
    equation((g, x) => binaryResidual(g, x, options)),
    '[b.u([a.u(x)]) + x]',
  );
  const y = '[a.u(x) + x]';
  assert.equal(
    equation((g, x) => eBiReal(g, x, options)),
    `½([b.u(${y}) + ${y}] + x)`,
  );
  assert.equal(
    equation((g, x) => igpResNet(g, x, { ...options, convs: 3 })),
    `½([b.u(${y}) + ${y}] + [x + u(x)])`,
  );
  assert.equal(
    equation((g, x) => igpResNet(g, x, { ...options, convs: 3, join: 'sum' })),
    `[b.u(${y}) + ${y}] + [u(x)]`,
  );
  assert.equal(
    equation((g, x) => binaryDense(g, x, { ...options, growth: 3 })),
    'cat(x, [u(x)])',
  );
  const b = '[b.u(x)]';
  assert.equal(
    equation((g, x) => igpDense(g, x, { ...options, growth: 3 })),
    `cat(x, ½([d.u(${b}) + ${b}] + [a.u(x)]))`,
  );
});

test('BAD CALL', () => {
  const fails = (block: (graph: GraphBuilder, x: Value) => Value, message: RegExp) =>
    assert.throws(
      () => new Case([5, 8, 8], block),
      (error) => error instanceof BitpathError && message.test(error.message),
    );
  fails((g, x) => binaryDuo(g, x, { name: 'B' }), /a map of each channel twice for input of binaryDuo but received 5/);
  fails(
    (g, x) => binaryDuo(g, g.concat([x, x]), { name: 'B', last: true, stride: 2 }),
    /false for a block with stride or with fewer channels than before it for last/,
  );
  fails((g, x) => bnFree(g, x, { name: 'B', beta: Number.NaN }), /a finite number for beta of bnFree/);
  fails(
    (g, x) => bnasCell(g, x, x, { name: 'B', channels: 2, olderIsLarger: false } as never),
    /true or false for reduction of bnasCell but received undefined/,
  );
  fails(
    (g, x) => biReal(g, x, { name: 'B', unit: { branch } as unknown as Unit }),
    /\{ branch, after \} of such functions/,
  );
  fails(
    (g, x) => biReal(g, x, { name: 'B', stride: 2, downsample: { type: 'real', scale: false } }),
    /"binary", which has the option scale, for type of downsample but received "real"/,
  );
});
