import assert from 'node:assert/strict';
import test from 'node:test';
import { BitpathError, GraphBuilder, randomParams, type Value } from 'bitpath';
import { fold } from '#lib/compiler/fold.js';
import { fuse } from '#lib/compiler/fuse.js';
import { joinConcats } from '#lib/compiler/join.js';
import { prune } from '#lib/compiler/prune.js';
import { foldThresholds } from '#lib/compiler/thresholds.js';

function fused(make: (b: GraphBuilder, x: Value) => void) {
  const b = new GraphBuilder('fuse');
  make(b, b.input({ channels: 4, height: 6, width: 5, name: 'x' }));
  const graph = b.build();
  const { graph: joined } = joinConcats(foldThresholds(fold(prune(graph), randomParams(graph, 0))));
  return fuse(joined);
}

/** `op: step step …` of each instruction. */
function lines(make: (b: GraphBuilder, x: Value) => void): string[] {
  return fused(make).instructions.map(({ make: maker, steps }) =>
    `${maker.op}: ${steps.map(({ op }) => op).join(' ')}`.trim(),
  );
}

const unit = (b: GraphBuilder, x: Value, name: string) =>
  b.scope(name, () => b.batchNorm(b.binaryConv(b.sign(x), { outChannels: 4, kernel: 3, padding: 1 })));

test('a Bi-Real unit is one instruction: affine, add, sign, store', () => {
  const made = lines((b, x) => {
    const y = b.add(unit(b, x, 'a'), x);
    b.output('y', b.globalAvgPool(b.add(unit(b, y, 'b'), y)));
  });
  assert.deepEqual(made, [
    'input: sign store',
    'binaryConv: affine add sign store',
    'binaryConv: affine add store',
    'avgPool: store',
  ]);
});

test('a join of several units is fused into the one computed last, and its nodes are listed there', () => {
  const { instructions } = fused((b, x) => {
    const parallel = unit(b, x, 'u');
    const y = b.add(x, unit(b, x, 'a'));
    const series = b.add(y, unit(b, y, 'b'));
    const joined = b.scale(b.add(b.add(series, x), parallel), { factor: 0.5, name: 'half' });
    b.output('y', unit(b, joined, 'next'));
  });
  const steps = instructions.map((instruction) => instruction.steps.map(({ op }) => op).join(' '));
  assert.deepEqual(steps, [
    'sign store',
    'affine store',
    'affine add sign store',
    'affine add add add scale sign',
    'affine store',
  ]);
  const last = instructions[3]?.names ?? [];
  assert.ok(
    ['b.binaryConv', 'b.batchNorm', 'half', 'next.sign'].every((name) => last.includes(name)),
    last.join(),
  );
  assert.equal(instructions[0]?.names.includes('u.sign') && instructions[0].names.includes('a.sign'), true);
});

test('nothing reads a map that an earlier instruction has not stored', () => {
  const cases: ((b: GraphBuilder, x: Value) => void)[] = [
    (b, x) => b.output('y', b.add(x, x)),
    (b, x) => b.output('y', b.add(b.relu(x), x)),
    (b, x) => b.output('y', b.add(b.relu(x), b.scale(x, { factor: 3 }))),
    (b, x) => b.output('y', b.concat([b.relu(x), x, x])),
  ];
  for (const make of cases) {
    const stored = new Set<number>();
    const { instructions } = fused((b, x) => {
      make(b, x);
      b.output('x', x);
    });
    for (const { make: maker, steps } of instructions) {
      if ('source' in maker) assert.ok(stored.has(maker.source));
      for (const step of steps) if (step.op === 'add') assert.ok(stored.has(step.value));
      for (const step of steps) if (step.op === 'store') stored.add(step.value);
    }
  }
});

test('a value added to itself, or to what was made of it, is a MAP', () => {
  assert.deepEqual(
    lines((b, x) => b.output('y', b.add(x, x))),
    ['input: store', 'map: add store'],
  );
  assert.deepEqual(
    lines((b, x) => b.output('y', b.add(b.relu(x), x))),
    ['input: store relu store', 'map: add store'],
  );
});

test('binary convs with equal padding share a bit map; others have their own', () => {
  const { bitMaps, instructions } = fused((b, x) => {
    const [bits, again] = [b.sign(x), b.sign(x)];
    const conv = (v: Value, options: object) => b.binaryConv(v, { outChannels: 2, kernel: 3, ...options });
    b.output('a', conv(bits, { padding: 1 }));
    b.output('b', conv(again, { padding: 1, padValue: -1 })); // −1 is bit 0, as zero padding is
    b.output('c', conv(bits, { padding: 1, padValue: 1 }));
    b.output('d', conv(bits, { padValue: 1 })); // no padding: its value is of no account
    b.output('e', conv(again, { padding: 0 }));
    b.output('f', conv(b.sign(x, { threshold: true }), { padding: 1 }));
  });
  assert.deepEqual(
    bitMaps.map(({ padding, padBit }) => [padding[0], padBit]),
    [
      [1, 0],
      [1, 1],
      [0, 0],
      [1, 0],
    ],
  );
  assert.deepEqual(
    instructions.map(({ make }) => ('bitMap' in make ? make.bitMap : null)),
    [null, 0, 0, 1, 2, 2, 3],
  );
});

test('signs of a concat are one MAP over it, with a threshold for each BatchNorm', () => {
  const made = lines((b, x) => {
    const dense = b.concat([x, b.binaryConv(b.sign(b.batchNorm(x)), { outChannels: 3, kernel: 1 })]);
    const left = b.binaryConv(b.sign(b.batchNorm(dense)), { outChannels: 3, kernel: 1 });
    const right = b.binaryConv(b.sign(b.batchNorm(dense)), { outChannels: 5, kernel: 1 });
    b.output('y', b.concat([left, right]));
  });
  assert.deepEqual(made, [
    'input: sign store',
    'binaryConv: store',
    'map: sign sign',
    'binaryConv: store',
    'binaryConv: store',
  ]);
});

test('an output that is also consumed is stored, and an output twice is stored once', () => {
  const made = lines((b, x) => {
    const y = b.relu(b.maxPool(x, { kernel: 2 }));
    b.output('y', y);
    b.output('z', b.prelu(y));
    b.output('again', y);
  });
  assert.deepEqual(made, ['input: store', 'maxPool: relu store prelu store']);
});

test('a copy into a second concat is one more store', () => {
  const made = lines((b, x) => b.output('y', b.concat([x, x, b.scale(x, { factor: 2 })])));
  assert.deepEqual(made, ['input: store store scale store']);
});

test('a chain that is longer than an instruction may be goes on in a MAP', () => {
  const { instructions } = fused((b, x) => {
    let y = x;
    for (let i = 0; i < 300; i++) y = b.scale(b.relu(y), { factor: 0.5 });
    b.output('y', y);
  });
  assert.deepEqual(
    instructions.map(({ make }) => make.op),
    ['input', 'map', 'map', 'map', 'map'],
  );
  assert.ok(instructions.every(({ steps }) => steps.length <= 130));
});

test('more signs of one value than an instruction has steps for are refused by name', () => {
  const b = new GraphBuilder('many');
  const x = b.input({ channels: 2, height: 2, width: 2 });
  for (let i = 0; i < 260; i++) {
    b.output(`y${i}`, b.binaryConv(b.sign(x, { threshold: true }), { outChannels: 1, kernel: 1 }));
  }
  const graph = b.build();
  assert.throws(
    () => fuse(fold(graph, randomParams(graph))),
    (error) => {
      assert.ok(error instanceof BitpathError);
      assert.equal(error.code, 'ERR_BITPATH_GRAPH');
      assert.match(error.message, /made of input at once takes 260 steps, more than 256/);
      return true;
    },
  );
});
