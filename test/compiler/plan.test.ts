import assert from 'node:assert/strict';
import test from 'node:test';
import { buildArchitecture, type Graph, GraphBuilder, listArchitectures, randomParams } from 'bitpath';
import fc from 'fast-check';
import { fold } from '#lib/compiler/fold.js';
import { fuse } from '#lib/compiler/fuse.js';
import { type FusedGraph, operandOf } from '#lib/compiler/ir.js';
import { joinConcats } from '#lib/compiler/join.js';
import { acceptPixels } from '#lib/compiler/pixels.js';
import { type Buffer, LINE_BYTES, pixelStride, planMemory, rowWords } from '#lib/compiler/plan.js';
import { prune } from '#lib/compiler/prune.js';
import { foldThresholds } from '#lib/compiler/thresholds.js';
import { buildGraph, recipe, roughParams } from '../properties/randomGraph.js';

const NORMALIZATION = { mean: [0.5, 0.4, 0.3], std: [0.2, 0.25, 0.3] };

function plan(graph: Graph, batch = 1, params = randomParams(graph, 0)) {
  const { graph: joined, homes } = joinConcats(foldThresholds(fold(prune(graph), params)));
  const floats = fuse(joined);
  const isPicture = joined.values[0]?.shape.channels === 3;
  const fused = isPicture ? acceptPixels(floats, joined, NORMALIZATION) : floats;
  return { fused, homes, joined, plan: planMemory(fused, joined.values, homes, joined.outputs, batch) };
}

/**
 * Pairs of buffers that share lines while both live. In place is allowed: the one is read last, by an ADD or MUL, where the other is
 * first written, by a later STORE of the same instruction, and by nothing else there.
 */
function checkNoOverlap({ plan: { buffers, arenaLines }, fused, homes, joined }: ReturnType<typeof plan>) {
  let inPlace = 0;
  for (const a of buffers) {
    assert.ok(a.line >= 0 && a.line + a.lines <= arenaLines);
    for (const b of buffers) {
      if (a === b || a.first > b.first || a.last < b.first) continue;
      if (a.line + a.lines <= b.line || b.line + b.lines <= a.line) continue;
      assert.ok(a.last === b.first && a.first < b.first, `${name(a)} and ${name(b)} overlap`);
      assert.ok(isInPlaceAdd(fused, a, b), `${name(a)} and ${name(b)} share lines at instruction ${b.first}`);
      inPlace++;
    }
  }
  return inPlace;

  function isInPlaceAdd({ instructions }: FusedGraph, a: Buffer, b: Buffer): boolean {
    const { make, steps } = instructions[b.first] as FusedGraph['instructions'][number];
    const base = (value: number) => homes[value]?.base;
    const shapeOf = (buffer: Buffer) => joined.values[buffer.id]?.shape;
    const shapeIs = (value: number, { id }: Buffer) => {
      assert.deepEqual(joined.values[value]?.shape, joined.values[id]?.shape);
      return true;
    };
    const adds = steps.flatMap((step, i) => {
      const operand = operandOf(step);
      return operand !== undefined && base(operand) === a.id && shapeIs(operand, a) ? [i] : [];
    });
    const stores = steps.flatMap((step, i) => (step.op === 'store' && base(step.value) === b.id ? [i] : []));
    const whole = steps.every(
      (step) => !('value' in step) || ![a.id, b.id].includes(base(step.value) ?? -1) || homes[step.value]?.offset === 0,
    );
    assert.deepEqual(shapeOf(a), shapeOf(b));
    const readsOtherwise = 'source' in make && base(make.source) === a.id;
    return (
      a.kind === 'value' &&
      b.kind === 'value' &&
      whole &&
      !readsOtherwise &&
      adds.length > 0 &&
      stores.length === 1 &&
      Math.max(...adds) < (stores[0] ?? -1)
    );
  }
}

const name = ({ kind, id, first, last }: Buffer) => `${kind} ${id} [${first}, ${last}]`;

test('no two live maps of any architecture overlap', (t) => {
  const names = listArchitectures();
  let checked = 0;
  for (const { name: architecture } of names) {
    const made = plan(buildArchitecture(architecture, { inputSize: 224, classes: 1000 }));
    const inPlace = checkNoOverlap(made);
    const { buffers, arenaLines } = made.plan;
    const sum = buffers.reduce((lines, buffer) => lines + buffer.lines, 0);
    const peak = peakLines(made.plan.buffers, made.fused.instructions.length);
    const mega = (lines: number) => ((lines * LINE_BYTES) / 1e6).toFixed(2);
    t.diagnostic(
      `${architecture}: arena ${mega(arenaLines)} MB, ${buffers.length} maps of ${mega(sum)} MB, at most ${mega(peak)} MB live, ${inPlace} in place`,
    );
    assert.ok(arenaLines <= peak * 1.1, `${architecture}: the arena is at most a tenth larger than what lives at once`);
    checked++;
  }
  assert.ok(checked >= 12);
});

/** Lines that live at one instruction, at most. */
function peakLines(buffers: readonly Buffer[], instructions: number): number {
  const live = Array.from({ length: instructions + 1 }, (_, i) =>
    buffers.filter(({ first, last }) => first <= i && i <= last).reduce((sum, { lines }) => sum + lines, 0),
  );
  return Math.max(...live);
}

test('no two live maps of random graphs overlap', (t) => {
  const seen = { graphs: 0, inPlace: 0 };
  fc.assert(
    fc.property(recipe, fc.constantFrom(1, 3), (made, batch) => {
      const graph = buildGraph(made);
      seen.inPlace += checkNoOverlap(plan(graph, batch, roughParams(graph, made.seed)));
      seen.graphs++;
    }),
    { numRuns: 500, seed: 3 },
  );
  t.diagnostic(JSON.stringify(seen));
  assert.ok(seen.graphs === 500 && seen.inPlace > 20);
});

test('a residual stream is updated in place, unless somebody still needs the old one', () => {
  const residual = (keep: boolean) => {
    const b = new GraphBuilder('residual');
    const x = b.maxPool(b.input({ channels: 16, height: 8, width: 8 }), { kernel: 2 });
    const y = b.add(b.binaryConv(b.sign(x), { outChannels: 16, kernel: 1 }), x);
    b.output('y', b.globalAvgPool(y));
    if (keep) b.output('x', x);
    return plan(b.build());
  };
  assert.equal(checkNoOverlap(residual(false)), 1);
  assert.equal(checkNoOverlap(residual(true)), 0);
});

test('what is read as a part or is broadcast is not overwritten where it lies', () => {
  const b = new GraphBuilder('parts');
  const x = b.maxPool(b.input({ channels: 8, height: 4, width: 4 }), { kernel: 2 });
  const part = b.slice(x, { from: 3, channels: 1 });
  b.output('conv', b.globalAvgPool(b.add(b.conv(part, { outChannels: 8, kernel: 1, bias: false }), x)));
  assert.equal(checkNoOverlap(plan(b.build())), 0);

  const c = new GraphBuilder('broadcast');
  const y = c.maxPool(c.input({ channels: 8, height: 4, width: 4 }), { kernel: 2 });
  const z = c.maxPool(y, { kernel: 1 });
  c.output('y', c.globalAvgPool(c.mul(c.add(z, y), c.slice(y, { channels: 1 }))));
  assert.equal(checkNoOverlap(plan(c.build())), 0);
  const gate = new GraphBuilder('gate');
  const map = gate.maxPool(gate.input({ channels: 3, height: 4, width: 4 }), { kernel: 2 });
  const pooled = gate.globalAvgPool(map);
  gate.output('y', gate.globalAvgPool(gate.mul(gate.maxPool(map, { kernel: 1 }), pooled)));
  assert.equal(checkNoOverlap(plan(gate.build())), 0, 'both are one line long');
});

test('a sum that two ways in may write keeps its lines apart from its operand', () => {
  const b = new GraphBuilder('twins');
  const x = b.input({ channels: 3, height: 8, width: 8 });
  const conv = () => b.conv(x, { outChannels: 16, kernel: 1, bias: false });
  b.output('y', b.globalAvgPool(b.add(conv(), conv())));
  const made = plan(b.build());
  assert.deepEqual(
    made.fused.instructions.map(({ make, when }) => `${make.op} ${when}`),
    ['input 1', 'conv 1', 'pixelConv 2', 'conv 1', 'pixelConv 2', 'avgPool 0'],
  );
  assert.equal(checkNoOverlap(made), 0);
});

test('rows of bits fill cache lines, and sizes grow with the batch', () => {
  const map = { shape: { channels: 41, height: 2, width: 3 }, padding: [1, 1, 1, 1], padBit: 0 } as const;
  assert.equal(rowWords(map), 16);
  assert.equal(rowWords({ ...map, shape: { ...map.shape, channels: 97 } }), 32);
  assert.deepEqual([1, 3, 15, 16, 17, 41, 64].map(pixelStride), [1, 3, 15, 16, 32, 48, 64]);
  const b = new GraphBuilder('sizes');
  const x = b.input({ channels: 41, height: 2, width: 3 });
  b.output('y', b.binaryConv(b.sign(x), { outChannels: 7, kernel: 3, padding: 1 }));
  const graph = b.build();
  for (const batch of [1, 5]) {
    const { buffers } = plan(graph, batch).plan;
    const lines = (bytes: number) => Math.ceil((bytes * batch) / LINE_BYTES);
    assert.deepEqual(
      buffers.map((buffer) => [buffer.kind, buffer.lines]),
      [
        ['value', lines(7 * 6 * 4)],
        ['bitMap', lines(4 * 16 * 4)],
      ],
    );
  }
});
