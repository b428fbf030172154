import assert from 'node:assert/strict';
import test from 'node:test';
import { runInNewContext } from 'node:vm';
import { type RunInput, Tensor } from 'bitpath';
import { compileProgram } from '#lib/compiler/index.js';
import { native } from '#lib/native.js';
import { failsWith, IMAGE, NORMALIZATION, paramsOf, pixels, ramp, small, smallGraph } from './helpers.js';

const SHAPE = [3, 8, 6];
const HWC = [8, 6, 3];

test('outputs are named, shaped and the same for every way to hand over the same numbers', async () => {
  using executor = await small({ normalization: NORMALIZATION });
  const floats = ramp(2 * IMAGE);
  const expected = await executor.run(floats);
  assert.deepEqual(Object.keys(expected), ['map', 'logits']);
  assert.deepEqual(
    [expected['map']?.dtype, expected['map']?.shape, expected['logits']?.shape],
    ['float32', [2, 10, 8, 6], [2, 4]],
  );

  const shared = new Float32Array(new SharedArrayBuffer(floats.byteLength));
  shared.set(floats);
  const offset = new Float32Array(2 * IMAGE + 5);
  offset.set(floats, 3);
  const ways: Record<string, RunInput> = {
    tensor: new Tensor('float32', [2, ...SHAPE], floats),
    shared,
    'length-tracking': lengthTracking(floats),
    'part of a larger array': offset.subarray(3, 3 + 2 * IMAGE),
    'another realm': runInNewContext('new Float32Array(list)', { list: [...floats] }) as Float32Array,
  };
  for (const [name, input] of Object.entries(ways)) {
    assert.deepEqual(await executor.run(input), expected, name);
    assert.deepEqual(executor.runSync(input), expected, `${name}, synchronous`);
  }
});

test('pictures as Uint8Array, Uint8ClampedArray, Buffer, shared memory and tensor are the same', async () => {
  using executor = await small({ normalization: NORMALIZATION });
  const bytes = pixels(2 * IMAGE);
  const expected = await executor.run(bytes);
  assert.notDeepEqual(
    expected['logits']?.data.slice(0, 4),
    expected['logits']?.data.slice(4),
    'two pictures, two answers',
  );
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
  shared.set(bytes);
  const ways: Record<string, RunInput> = {
    tensor: new Tensor('uint8', [2, ...HWC], bytes),
    clamped: new Uint8ClampedArray(bytes.buffer),
    buffer: Buffer.from(bytes), // in Node's pool: not at the start of its memory
    shared,
  };
  for (const [name, input] of Object.entries(ways)) {
    assert.deepEqual(await executor.run(input), expected, name);
    assert.deepEqual(executor.runSync(input), expected, `${name}, synchronous`);
  }
});

test('a tensor of one image may leave out N, and any number of images is any number of single ones', async () => {
  using executor = await small({ batch: 3, normalization: NORMALIZATION });
  const floats = ramp(7 * IMAGE);
  const { logits } = await executor.run(floats);
  assert.deepEqual(logits?.shape, [7, 4]);
  for (let n = 0; n < 7; n++) {
    const one = await executor.run(new Tensor('float32', SHAPE, floats.slice(n * IMAGE, (n + 1) * IMAGE)));
    assert.deepEqual(one['logits']?.shape, [1, 4]);
    assert.deepEqual(one['logits']?.data, logits?.data.slice(4 * n, 4 * n + 4));
  }
  const picture = pixels(IMAGE);
  assert.deepEqual(executor.runSync(new Tensor('uint8', HWC, picture)), executor.runSync(picture));
});

test('an input that does not fit is ERR_BITPATH_ARGUMENT, from run() as a rejection and from runSync() as a throw', async () => {
  using executor = await small({ normalization: NORMALIZATION });
  const zeros = new Float32Array(IMAGE);
  const cases: [string, unknown, RegExp][] = [
    ['nothing', undefined, /Tensor, Float32Array.*undefined/],
    ['a plain array', [1, 2, 3], /\[1, 2, 3\]/],
    ['another typed array', new Float64Array(IMAGE), /Float64Array/],
    ['signed bytes', new Int8Array(IMAGE), /Int8Array/],
    ['an ArrayBuffer', zeros.buffer, /ArrayBuffer/],
    ['a DataView', new DataView(zeros.buffer), /DataView/],
    ['int32', new Tensor('int32', [1], Int32Array.of(1)), /int32/],
    ['part of an image', new Float32Array(IMAGE + 1), /multiple of 144.*145/],
    ['no image', new Float32Array(0), /144.*length 0/],
    ['no picture', new Uint8Array(0), /144.*length 0/],
    ['no clamped picture', new Uint8ClampedArray(0), /144/],
    ['a tensor of no image', new Tensor('float32', [0, ...SHAPE], new Float32Array(0)), /N ≥ 1.*\[0, 3, 8, 6\]/],
    ['channels last', new Tensor('float32', HWC, zeros), /\[N, 3, 8, 6\].*\[8, 6, 3\]/],
    ['channels first bytes', new Tensor('uint8', SHAPE, new Uint8Array(IMAGE)), /\[N, 8, 6, 3\].*\[3, 8, 6\]/],
    ['a flat tensor', new Tensor('float32', [IMAGE], zeros), /\[144\]/],
    ['five axes', new Tensor('float32', [1, 1, ...SHAPE], zeros), /\[1, 1, 3, 8, 6\]/],
  ];
  for (const [name, input, message] of cases) {
    const expected = failsWith('ERR_BITPATH_ARGUMENT', message);
    await assert.rejects(executor.run(input as RunInput), expected, name);
    assert.throws(() => executor.runSync(input as RunInput), expected, name);
  }
  assert.equal((await executor.run(zeros))['logits']?.shape[0], 1, 'and it still works');
});

test('without a normalization there are no pictures', async () => {
  using executor = await small();
  assert.equal(executor.acceptsUint8, false);
  await assert.rejects(executor.run(pixels(IMAGE)), failsWith('ERR_BITPATH_ARGUMENT', /normalization/));
});

test('a detached buffer is told apart from an empty one', async () => {
  using executor = await small({ normalization: NORMALIZATION });
  for (const input of [ramp(IMAGE), pixels(IMAGE), new Tensor('float32', SHAPE, ramp(IMAGE))]) {
    structuredClone(null, { transfer: [(input instanceof Tensor ? input.data : input).buffer as ArrayBuffer] });
    await assert.rejects(executor.run(input), failsWith('ERR_BITPATH_ARGUMENT', /detached/));
    assert.throws(() => executor.runSync(input), failsWith('ERR_BITPATH_ARGUMENT', /detached/));
  }
});

test('what happens to the buffer during a run does not matter', async () => {
  using executor = await small();
  const expected = await executor.run(ramp(50 * IMAGE));

  const transferred = ramp(50 * IMAGE);
  const first = executor.run(transferred);
  structuredClone(null, { transfer: [transferred.buffer as ArrayBuffer] });
  assert.equal(transferred.length, 0);

  const overwritten = ramp(50 * IMAGE);
  const second = executor.run(overwritten);
  overwritten.fill(NaN);

  const tracking = lengthTracking(ramp(50 * IMAGE));
  const third = executor.run(tracking);
  (tracking.buffer as ArrayBuffer & { resize(length: number): void }).resize(0);

  for (const result of await Promise.all([first, second, third])) assert.deepEqual(result, expected);
});

test('a resizable buffer counts as long as it is at the moment of the call', async () => {
  using executor = await small();
  const tracking = lengthTracking(ramp(3 * IMAGE));
  const buffer = tracking.buffer as ArrayBuffer & { resize(length: number): void };
  assert.deepEqual((await executor.run(tracking))['logits']?.shape, [3, 4]);
  buffer.resize(2 * IMAGE * 4);
  assert.deepEqual((await executor.run(tracking))['logits']?.shape, [2, 4]);
  const fixed = new Float32Array(buffer, 0, 2 * IMAGE);
  buffer.resize(IMAGE * 4);
  await assert.rejects(executor.run(fixed), failsWith('ERR_BITPATH_ARGUMENT', /detached or shrunk/));
});

function lengthTracking(values: Float32Array): Float32Array {
  const Resizable = ArrayBuffer as unknown as new (length: number, options: { maxByteLength: number }) => ArrayBuffer;
  const array = new Float32Array(new Resizable(values.byteLength, { maxByteLength: 2 * values.byteLength }));
  array.set(values);
  return array;
}

test('inputs in a list are the images that they are side by side', async () => {
  using executor = await small({ batch: 2, normalization: NORMALIZATION });
  const floats = ramp(6 * IMAGE);
  const tensor = new Tensor('float32', [2, ...SHAPE], floats.slice(IMAGE, 3 * IMAGE));
  const parts = [floats.subarray(0, IMAGE), tensor, floats.subarray(3 * IMAGE)];
  const running = executor.runAll(parts);
  parts[0] = new Float32Array(0); // what was handed over is copied
  assert.deepEqual(await running, executor.runSync(floats));
  const bytes = pixels(3 * IMAGE);
  const pictures = [new Uint8ClampedArray(bytes.slice(0, IMAGE)), Buffer.from(bytes.subarray(IMAGE))];
  assert.deepEqual(await executor.runAll(pictures), executor.runSync(bytes));

  const { threads } = executor;
  for (let few = 1; few <= threads; few++)
    assert.deepEqual(await executor.runAll([bytes], {}, few), executor.runSync(bytes));

  const argument = (message: RegExp) => failsWith('ERR_BITPATH_ARGUMENT', message);
  for (const none of [0, threads + 1]) await assert.rejects(executor.runAll([bytes], {}, none), argument(/threads/));
  await assert.rejects(executor.runAll([]), argument(/at least one input/));
  await assert.rejects(executor.runAll([floats, bytes]), argument(/one type/));
  await assert.rejects(executor.runAll([floats, floats.subarray(1)]), argument(/multiple/));
  await assert.rejects(executor.runAll([[floats]] as never), argument(/Tensor/));
  assert.throws(() => executor.runSync([floats] as never), argument(/Tensor/));
});

test('native code holds on to nothing that a list takes away while it is read', () => {
  const { code, constants } = compileProgram(smallGraph(), paramsOf(smallGraph()), { batch: 1, normalization: null });
  const addon = native();
  const executor = () => new addon.Executor(new addon.Program(code, constants, addon.selectIsa(null)), 1);
  const input = ramp(IMAGE);
  const detaching = (other: Float32Array) =>
    Object.defineProperty([other, other], 1, {
      get: () => {
        structuredClone(null, { transfer: [other.buffer as ArrayBuffer] });
        return input.slice();
      },
    });
  assert.throws(() => executor().run(detaching(input.slice()), 2, 1, () => {}), { code: 'ERR_BITPATH_ARGUMENT' });
  const disposed = executor();
  const disposing = Object.defineProperty([input], 0, {
    get: () => {
      disposed.dispose();
      return input;
    },
  });
  assert.throws(() => disposed.run(disposing, 1, 1, () => {}), { code: 'ERR_BITPATH_DISPOSED' });
  assert.throws(() => executor().runSync([input, input] as never, 2), { code: 'ERR_BITPATH_ARGUMENT' });
  assert.throws(() => executor().run([], 1, 1, () => {}), { code: 'ERR_BITPATH_ARGUMENT' });
});
