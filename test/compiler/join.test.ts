import assert from 'node:assert/strict';
import test from 'node:test';
import { GraphBuilder, randomParams, type Value } from 'bitpath';
import { fold } from '#lib/compiler/fold.js';
import { joinConcats } from '#lib/compiler/join.js';

function join(make: (b: GraphBuilder, x: Value, y: Value) => Value) {
  const b = new GraphBuilder('join');
  const x = b.input({ channels: 3, height: 2, width: 4 });
  const y = b.scale(x, { factor: 2 });
  b.output('out', make(b, x, y));
  const graph = b.build();
  const { graph: joined, homes } = joinConcats(fold(graph, randomParams(graph, 0)));
  const copies = joined.nodes.filter(({ work }) => work.op === 'copy');
  return { homes, copies, nodes: joined.nodes, values: joined.values };
}

test('what goes into a concat is a slice of it', () => {
  const { homes, copies } = join((b, x, y) => b.concat([y, x]));
  assert.deepEqual(homes, [
    { base: 2, offset: 3 },
    { base: 2, offset: 0 },
    { base: 2, offset: 0 },
  ]);
  assert.equal(copies.length, 0);
});

test('nested concats are one map', () => {
  const { homes, copies } = join((b, x, y) => b.concat([b.relu(x), b.concat([y, b.concat([x, b.prelu(y)])])]));
  const outer = homes.length - 1;
  assert.ok(homes.every(({ base }) => base === outer));
  assert.deepEqual(
    homes.map(({ offset }) => offset),
    [6, 3, 0, 9, 6, 3, 0],
  );
  assert.equal(copies.length, 0);
});

test('a dense chain, cat(cat(x, a), b), and a flat one, cat(x, a) and cat(x, a, b), need no copies', () => {
  const flat = join((b, x, y) => {
    const first = b.concat([x, y]);
    return b.concat([x, y, b.add(y, b.scale(b.conv(first, { outChannels: 3, kernel: 1 }), { factor: 2 }))]);
  });
  assert.equal(flat.copies.length, 0);
  const longer = flat.values.find(({ shape }) => shape.channels === 9)?.id;
  assert.deepEqual(flat.homes[2], { base: longer, offset: 0 }, 'the shorter concat is a slice of the longer');
});

test('a value wanted in two places is copied to one of them', () => {
  const twice = join((b, x) => b.concat([x, x]));
  assert.equal(twice.copies.length, 1);
  assert.deepEqual(twice.homes[twice.copies[0]?.output ?? -1], { base: 2, offset: 3 });
  assert.deepEqual(twice.nodes.at(-1)?.inputs, [0, twice.copies[0]?.output]);

  const apart = join((b, x, y) => b.concat([b.relu(b.concat([x, y])), b.relu(b.concat([y, x]))]));
  assert.equal(apart.copies.length, 2);
});

test('no two values share channels unless one contains the other', () => {
  const { homes, values } = join((b, x, y) => {
    const inner = b.concat([x, y]);
    return b.concat([inner, b.relu(inner), x, inner]);
  });
  const out = values.find(({ shape }) => shape.channels === 6 + 6 + 3 + 6);
  const leaves = homes
    .map((home, id) => ({ ...home, channels: values[id]?.shape.channels ?? 0 }))
    .filter((_, id) => id !== out?.id);
  const covered = new Array(21).fill(0);
  for (const { base, offset, channels } of leaves) {
    if (base !== out?.id || channels === 6) continue;
    for (let c = offset; c < offset + channels; c++) covered[c]++;
  }
  assert.ok(covered.every((count) => count <= 1));
});
