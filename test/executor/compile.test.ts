import assert from 'node:assert/strict';
import test from 'node:test';
import { type CompileOptions, compile, GraphBuilder, graphToJson, type Isa } from 'bitpath';
import { native } from '#lib/native.js';
import { failsWith, IMAGE, NORMALIZATION, paramsOf, ramp, small, smallGraph } from './helpers.js';

const graph = smallGraph();
const params = paramsOf(graph);
const compileWith = (options: object) => compile(graph, params, options as CompileOptions);

/** Runs `body` with an environment variable set. */
async function withEnvironment(name: string, value: string, body: () => Promise<void>): Promise<void> {
  const before = process.env[name];
  process.env[name] = value;
  try {
    await body();
  } finally {
    if (before === undefined) delete process.env[name];
    else process.env[name] = before;
  }
}

test('options are checked', async () => {
  const cases: [object, Parameters<typeof failsWith>][] = [
    [{ thread: 1 }, ['ERR_BITPATH_UNKNOWN_OPTION', /threads/]],
    [{ threads: 0 }, ['ERR_BITPATH_ARGUMENT', /options\.threads.*0/]],
    [{ threads: 1025 }, ['ERR_BITPATH_ARGUMENT', /options\.threads/]],
    [{ threads: 1.5 }, ['ERR_BITPATH_ARGUMENT', /options\.threads/]],
    [{ batch: 0 }, ['ERR_BITPATH_ARGUMENT', /options\.batch/]],
    [{ batch: '2' }, ['ERR_BITPATH_ARGUMENT', /options\.batch.*"2"/]],
    [{ isa: '' }, ['ERR_BITPATH_ARGUMENT', /options\.isa/]],
    [{ isa: 'sse9' }, ['ERR_BITPATH_ISA', /sse9/]],
    [{ isa: process.arch === 'x64' ? 'neon' : 'avx2' }, ['ERR_BITPATH_ISA', /neon|avx2/]],
    [{ normalization: { mean: [0.5], std: [0.5] } }, ['ERR_BITPATH_ARGUMENT', /3 finite numbers.*normalization\.mean/]],
    [{ normalization: { mean: [0, 0, 0], std: [1, 0, 1] } }, ['ERR_BITPATH_ARGUMENT', /> 0.*normalization\.std/]],
    [{ normalization: { ...NORMALIZATION, scale: 1 } }, ['ERR_BITPATH_UNKNOWN_OPTION', /scale/]],
    [{ pixelStem: 'int4' }, ['ERR_BITPATH_ARGUMENT', /options\.pixelStem.*"int4"/]],
    [{ normalization: null }, ['ERR_BITPATH_ARGUMENT', /normalization/]],
  ];
  for (const [options, expected] of cases) {
    await assert.rejects(compileWith(options), failsWith(...expected), JSON.stringify(options));
  }
});

test('only a graph from a builder and a Map of its parameters are taken', async () => {
  await assert.rejects(compile(graphToJson(graph) as never, params), failsWith('ERR_BITPATH_ARGUMENT', /graph/));
  await assert.rejects(
    compile(graph, Object.fromEntries(params) as never),
    failsWith('ERR_BITPATH_ARGUMENT', /params/),
  );
  await assert.rejects(compile(graph, new Map()), failsWith('ERR_BITPATH_PARAM', /missing/));
});

test('BITPATH_THREADS and BITPATH_ISA are defaults, and a bad value is an error', async () => {
  await withEnvironment('BITPATH_THREADS', '3', async () => {
    using executor = await compileWith({});
    assert.equal(executor.threads, 3);
    using explicit = await compileWith({ threads: 1 });
    assert.equal(explicit.threads, 1);
  });
  for (const value of ['', '0', 'two', '1e1', '-1', '99999']) {
    await withEnvironment('BITPATH_THREADS', value, () =>
      assert.rejects(compileWith({}), failsWith('ERR_BITPATH_ARGUMENT', /BITPATH_THREADS/)),
    );
  }
  await withEnvironment('BITPATH_ISA', 'scalar', async () => {
    using executor = await compileWith({});
    assert.equal(executor.isa, 'scalar');
  });
  for (const value of ['', 'AVX2', 'best']) {
    await withEnvironment('BITPATH_ISA', value, () => assert.rejects(compileWith({}), failsWith('ERR_BITPATH_ISA')));
  }
});

test('the default is every CPU that this process may use, and the best ISA', async () => {
  using executor = await compileWith({});
  if (process.env.BITPATH_THREADS === undefined) assert.equal(executor.threads, native().availableThreads());
  if (process.env.BITPATH_ISA === undefined)
    assert.equal(executor.isa, native().isas.find(({ supported }) => supported)?.name);
});

test('describe() lists each instruction and the totals', async () => {
  using executor = await small({ threads: 2, batch: 4, normalization: NORMALIZATION });
  const { instructions, ...totals } = executor.describe();
  assert.deepEqual(
    instructions.map(({ op, input, steps }) => [op, input, steps.join(' ')]),
    [
      ['input', 'float32', 'store'],
      ['conv', 'float32', 'affine sign store'],
      ['pixelConv', 'uint8', 'affine sign store'],
      ['binaryConv', 'any', 'affine add store'],
      ['avgPool', 'any', 'store'],
      ['conv', 'any', 'affine store'],
    ],
  );
  assert.deepEqual(instructions[3]?.nodes, ['binaryConv', 'batchNorm', 'add']);
  assert.deepEqual(instructions[3]?.output, { channels: 10, height: 8, width: 6 });
  assert.equal(instructions[3]?.macs, 10 * 8 * 6 * 9 * 10);
  for (const { isa, kernel, weightBytes } of instructions) {
    assert.equal(isa, executor.isa);
    assert.ok(kernel.length > 0 && weightBytes >= 0);
  }
  assert.deepEqual([totals.isa, totals.threads, totals.batch], [executor.isa, 2, 4]);
  assert.ok(totals.weightBytes > 0 && totals.arenaBytes > 4 * IMAGE * 4);
});

test('every ISA of this machine gives the same bits, and says that it ran', async (t) => {
  const names = native()
    .isas.filter(({ supported }) => supported)
    .map(({ name }) => name);
  const input = ramp(2 * IMAGE);
  using reference = await small({ isa: 'scalar' });
  const expected = await reference.run(input);
  for (const isa of names satisfies Isa[]) {
    using executor = await small({ isa });
    assert.equal(executor.isa, isa);
    assert.deepEqual(await executor.run(input), expected, isa);
  }
  t.diagnostic(names.join(', '));
  assert.ok(names.includes('scalar'));
});

test('feature maps that no memory holds are refused before they are asked for', async () => {
  const graph = new GraphBuilder('vast');
  const x = graph.input({ channels: 3, height: 8192, width: 8192 });
  graph.output('y', graph.globalAvgPool(graph.relu(x)));
  await assert.rejects(compile(graph.build(), new Map(), { batch: 4096 }), { code: 'ERR_BITPATH_MEMORY' });
});
