import assert from 'node:assert/strict';
import test from 'node:test';
import { GraphBuilder, randomParams, type Value } from 'bitpath';
import { placeParts, runsOf } from '#lib/compiler/bitPlaces.js';
import { distribute } from '#lib/compiler/distribute.js';
import { fold } from '#lib/compiler/fold.js';
import { fuse } from '#lib/compiler/fuse.js';
import type { FusedGraph, Instruction } from '#lib/compiler/ir.js';
import { joinConcats } from '#lib/compiler/join.js';
import { foldThresholds } from '#lib/compiler/thresholds.js';

const CONV = { kernel: 3, padding: 1 } as const;

/** BatchNorm → Sign → 1-bit conv, as a dense layer has it. */
function layer(b: GraphBuilder, x: Value, outChannels: number, padValue: 0 | 1 | -1 = 0): Value {
  return b.binaryConv(b.sign(b.batchNorm(x)), { ...CONV, outChannels, padValue });
}

function compiled(make: (b: GraphBuilder, x: Value) => Value, size = { height: 4, width: 5 }, width = 13): FusedGraph {
  const b = new GraphBuilder('distribute');
  const x = b.conv(b.input({ channels: 3, ...size }), { outChannels: width, kernel: 1 });
  b.output('out', make(b, x));
  const graph = b.build();
  const folded = foldThresholds(fold(graph, randomParams(graph, 3)));
  return fuse(joinConcats(distribute(folded)).graph);
}

const signsOf = ({ steps }: Instruction) => steps.flatMap((step) => (step.op === 'sign' ? [step] : []));

test('the signs of a dense stage are taken where its parts are made, each at its place', () => {
  const { instructions, bitMaps } = compiled(
    (b, x) => {
      const y = b.concat([x, layer(b, x, 37)]);
      const z = b.concat([y, layer(b, y, 7)]);
      return layer(b, z, 4);
    },
    { height: 4, width: 5 },
    45,
  );
  assert.deepEqual(
    instructions.map(({ make }) => make.op),
    ['input', 'conv', 'binaryConv', 'binaryConv', 'binaryConv'],
    'no MAP',
  );
  assert.deepEqual(
    bitMaps.map(({ shape }) => shape.channels),
    [45, 45 + 37, 45 + 37 + 7],
  );
  const [, stem, first, second] = instructions as [Instruction, Instruction, Instruction, Instruction, Instruction];
  const places = (instruction: Instruction) =>
    signsOf(instruction).map(({ bitMap, place, clears }) => [bitMap, place.first, place.tail, clears]);
  // 32 + 13 channels, 32 + 5, 7: what fills words, then what is left over.
  assert.deepEqual(places(stem).sort(), [
    [0, 0, 32, true],
    [1, 0, 64, true],
    [2, 0, 64, true],
  ]);
  assert.deepEqual(places(first), [
    [1, 32, 77, false],
    [2, 32, 77, false],
  ]);
  assert.deepEqual(places(second), [[2, 64, 82, false]]);
  for (const { rule } of signsOf(stem)) assert.equal(rule.threshold?.length, 45);
});

test('weights follow the bits: parts that fill words first, then runs of 16, then what is left over', () => {
  assert.deepEqual(placeParts([53]), [{ first: 0, tail: 48 }]);
  assert.deepEqual(placeParts([165, 64, 53, 7]), [
    { first: 0, tail: 272 },
    { first: 160, tail: 277 },
    { first: 224, tail: 284 },
    { first: 224, tail: 277 },
  ]);
  const widths = [53, 7, 64, 16];
  const filled = new Set<number>();
  for (const [part, place] of placeParts(widths).entries()) {
    for (const { to, count } of runsOf(place, 0, widths[part] ?? 0)) {
      for (let bit = to; bit < to + count; bit++) filled.add(bit);
    }
  }
  assert.deepEqual([filled.size, Math.max(...filled)], [140, 139], 'neither gaps nor overlaps');

  const weightsOf = (separate: boolean) => {
    const size = { height: 4, width: 5 };
    const { instructions } = compiled(
      (b, x) => {
        const y = b.concat([x, b.relu(b.scale(x, { factor: -1 }))]);
        // What is scaled is no concat: its bits stay in order.
        return layer(b, separate ? b.scale(y, { factor: 1 }) : y, 6);
      },
      size,
      21,
    );
    const conv = instructions.at(-1)?.make;
    assert.ok(conv?.op === 'binaryConv');
    return (o: number, tap: number, c: number) => {
      const at = o * Math.ceil((9 * 42) / 8) * 8 + tap * 42 + c;
      return ((conv.bits[at >> 3] ?? 0) >> (at & 7)) & 1;
    };
  };
  const placed = weightsOf(false);
  const plain = weightsOf(true);
  const to = (c: number) => (c < 16 ? c : c < 21 ? 32 + c - 16 : c < 37 ? 16 + c - 21 : c);
  let ones = 0;
  for (let o = 0; o < 6; o++) {
    for (let tap = 0; tap < 9; tap++) {
      for (let c = 0; c < 42; c++) {
        assert.equal(placed(o, tap, to(c)), plain(o, tap, c), `${o} ${tap} ${c}`);
        ones += plain(o, tap, c);
      }
    }
  }
  assert.ok(ones > 700 && ones < 1600, `${ones} ones among ${6 * 9 * 42} random bits`);
});

test('padding of ones is no hindrance: parts leave no bits between them', () => {
  const { instructions, bitMaps } = compiled((b, x) => layer(b, b.concat([x, b.relu(x)]), 4, 1));
  assert.ok(!instructions.some(({ make }) => make.op === 'map'));
  assert.deepEqual(
    bitMaps.map(({ shape, padBit }) => [shape.channels, padBit]),
    [[26, 1]],
  );
});

test('what alone reads a concat, element by element, becomes steps of its parts', () => {
  const { instructions } = compiled((b, x) => {
    const y = b.concat([x, layer(b, x, 5)]);
    return b.conv(b.relu(b.batchNorm(y)), { outChannels: 4, kernel: 1 });
  });
  const [, stem, dense] = instructions;
  assert.deepEqual(
    [stem, dense].map((instruction) => instruction?.steps.map(({ op }) => op)),
    [
      ['affine', 'sign', 'affine', 'relu', 'store'],
      ['affine', 'relu', 'store'],
    ],
  );
  assert.ok(!instructions.some(({ make }) => make.op === 'map'));
});

test('the pooling at the end of a dense stage becomes a step of its parts, a ReLU after it too if convs alone read it', () => {
  const stage = (rest: (b: GraphBuilder, pooled: Value) => Value, kernel = 2) =>
    compiled(
      (b, x) => {
        const y = b.concat([x, layer(b, x, 5)]);
        return rest(b, b.maxPool(b.batchNorm(y), { kernel }));
      },
      { height: 4, width: 6 },
    ).instructions.map(({ make, steps }) => [make.op, ...steps.map(({ op }) => op)].join(' '));
  const conv = (b: GraphBuilder, x: Value) => b.conv(x, { outChannels: 4, kernel: 1, bias: false });

  assert.deepEqual(
    stage((b, x) => conv(b, b.relu(x))),
    [
      'input store',
      'conv affine sign affine relu storeMaxPooled',
      'binaryConv affine relu storeMaxPooled',
      'conv store',
    ],
  );
  assert.deepEqual(stage(conv).slice(1), [
    'conv affine sign affine storeMaxPooled',
    'binaryConv affine storeMaxPooled',
    'conv store',
  ]);
  const unchanged = ['conv affine sign affine store', 'binaryConv affine store'];
  const whole = (instructions: readonly string[]) => assert.deepEqual(instructions.slice(1, 3), unchanged);
  whole(stage((b, x) => b.relu(x))); // an output: the sign of a zero would show
  whole(stage((b, x) => b.add(x, b.relu(x)))); // two readers
  whole(stage(conv, 3));
});

test('a part that is wanted as it is keeps its own place', () => {
  const { instructions } = compiled((b, x) => b.add(b.concat([x, x]), b.relu(b.concat([x, x]))));
  assert.ok(
    instructions.some(({ make }) => make.op === 'map'),
    'the concat has two readers',
  );
});

test('past forty signs of one value the rest stay on the concat', () => {
  const { instructions } = compiled((b, x) => {
    const y = b.concat([x, layer(b, x, 3)]);
    let sum = layer(b, y, 2);
    for (let i = 1; i < 45; i++) sum = b.add(sum, layer(b, y, 2));
    return sum;
  });
  const most = Math.max(...instructions.filter(({ make }) => make.op === 'conv').map((made) => signsOf(made).length));
  assert.equal(most, 41, 'forty of the concat, one of its own');
  const onMaps = instructions.filter(({ make }) => make.op === 'map').flatMap((instruction) => signsOf(instruction));
  assert.equal(onMaps.length, 5);
});
