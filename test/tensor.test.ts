import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BitpathError, Tensor } from 'bitpath';
import { checkArray } from '#lib/tensor.js';

const argumentError = (message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof BitpathError);
  assert.equal(error.code, 'ERR_BITPATH_ARGUMENT');
  assert.match(error.message, message);
  return true;
};
/** Node 20 knows resizable buffers; the library's types do not. */
function resizable(bytes: number, maxByteLength: number): ArrayBuffer & { resize(bytes: number): void } {
  return new (
    ArrayBuffer as unknown as new (
      bytes: number,
      options: object,
    ) => ArrayBuffer & { resize(bytes: number): void }
  )(bytes, { maxByteLength });
}

test('a tensor refers to its data and freezes its shape', () => {
  const data = Float32Array.of(1, 2, 3, 4, 5, 6);
  const shape = [2, 3];
  const tensor = new Tensor('float32', shape, data);
  shape[0] = 9;
  assert.equal(tensor.data, data);
  assert.deepEqual(tensor.shape, [2, 3]);
  assert.ok(Object.isFrozen(tensor) && Object.isFrozen(tensor.shape));
  assert.equal(new Tensor('int32', [], new Int32Array(1)).shape.length, 0);
  assert.equal(new Tensor('uint8', [0, 4], new Uint8Array(0)).data.length, 0);
  assert.equal(new Tensor('uint8', [2], Buffer.from([1, 2])).data[1], 2);
});

test('BAD CALL: wrong dtype, shape, array or length', () => {
  const make = (dtype: unknown, shape: unknown, data: unknown) => () =>
    new Tensor(dtype as 'float32', shape as number[], data as Float32Array);
  assert.throws(make('float64', [1], new Float64Array(1)), argumentError(/"float32" or "uint8" or "int32" for dtype/));
  assert.throws(
    make('float32', [1], new Float64Array(1)),
    argumentError(/a Float32Array for data but received Float64Array of length 1/),
  );
  assert.throws(make('float32', [1], [1]), argumentError(/a Float32Array for data but received \[1\]/));
  assert.throws(
    make('float32', [2, 2], new Float32Array(3)),
    argumentError(/Float32Array of length 4 for data but received Float32Array of length 3/),
  );
  assert.throws(make('float32', 4, new Float32Array(4)), argumentError(/array of at most 8 integers for shape/));
  assert.throws(make('float32', [2, -1], new Float32Array(1)), argumentError(/for shape\[1\] but received -1/));
  assert.throws(make('float32', [2 ** 16, 2 ** 16], new Float32Array(1)), argumentError(/at most 2147483647 elements/));
  assert.throws(make('float32', new Array(9).fill(1), new Float32Array(1)), argumentError(/shape/));
});

test('BAD CALL: detached and shrunk buffers are told apart from a wrong length', () => {
  for (const length of [2, 0]) {
    const data = new Float32Array(2);
    structuredClone(data, { transfer: [data.buffer] });
    assert.throws(() => new Tensor('float32', [length], data), argumentError(/detached or shrunk/));
  }
  const buffer = resizable(16, 16);
  const data = new Float32Array(buffer, 4, 3);
  buffer.resize(8);
  assert.throws(() => new Tensor('float32', [3], data), argumentError(/detached or shrunk/));
  assert.throws(() => checkArray('input', data, 'float32', 0), argumentError(/for input .*detached or shrunk/));
});

test('shared and resizable memory is copied', () => {
  const shared = new Float32Array(new SharedArrayBuffer(8));
  const buffer = resizable(8, 16);
  const tracking = new Float32Array(buffer);
  for (const data of [shared, tracking]) {
    data.set([1, 2]);
    const tensor = new Tensor('float32', [2], data);
    data[0] = 9;
    assert.deepEqual([...tensor.data], [1, 2]);
    assert.ok(tensor.data.buffer instanceof ArrayBuffer);
  }
  buffer.resize(0);
  const bytes = Buffer.from(new SharedArrayBuffer(3));
  const tensor = new Tensor('uint8', [3], bytes); // a Buffer's slice would be a view
  bytes[0] = 7;
  assert.equal(tensor.data[0], 0);
});
