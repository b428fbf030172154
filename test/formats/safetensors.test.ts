import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MAX_HEADER_BYTES, readSafetensors, writeSafetensors } from '#lib/formats/safetensors.js';
import { Tensor } from '#lib/tensor.js';

/** A file of this header text (an object is stringified) and data; `headerBytes` lies about the header's length. */
function file(header: object | string, data: Uint8Array | number = 0, headerBytes?: bigint): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const tail = typeof data === 'number' ? new Uint8Array(data) : data;
  const bytes = new Uint8Array(8 + text.length + tail.length);
  new DataView(bytes.buffer).setBigUint64(0, headerBytes ?? BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(tail, 8 + text.length);
  return bytes;
}
const tensor = (shape: unknown, data_offsets: unknown, dtype: unknown = 'F32') => ({ dtype, shape, data_offsets });

function rejects(bytes: Uint8Array, reason: RegExp): void {
  assert.throws(
    () => readSafetensors(bytes, 'some.safetensors'),
    (error: Error & { code?: string }) => {
      assert.equal(error.code, 'ERR_BITPATH_MODEL_FILE');
      assert.match(error.message, /^some\.safetensors: /);
      assert.match(error.message, reason);
      return true;
    },
  );
}

const sample = () =>
  new Map<string, Tensor>([
    ['odd.bits', new Tensor('uint8', [3, 1], Uint8Array.of(1, 2, 255))],
    ['a.weight', new Tensor('float32', [2, 3], Float32Array.of(1, -0, 3.5, 1e-40, -2, 6))],
    ['empty', new Tensor('float32', [0, 7], new Float32Array(0))],
    ['scalar', new Tensor('int32', [], Int32Array.of(-5))],
  ]);

describe('writeSafetensors', () => {
  it('round-trips tensors of every dtype and metadata', () => {
    const metadata = { b: '2', a: 'ü \u{1f41f} "quoted"', __proto__x: '', 'bitpath.format': '1' };
    const read = readSafetensors(writeSafetensors(sample(), metadata));
    assert.deepEqual(read.tensors.size, 4);
    for (const [name, { dtype, shape, data }] of sample()) {
      assert.deepEqual({ ...read.tensors.get(name) }, { dtype, shape, data }, name);
    }
    assert.deepEqual({ ...read.metadata }, metadata);
  });

  it('gives the same bytes for the same content in another order', () => {
    const forward = writeSafetensors(sample(), { x: '1', y: '2' });
    const backward = writeSafetensors(new Map([...sample()].reverse()), { y: '2', x: '1' });
    assert.deepEqual(forward, backward);
  });

  it('aligns every tensor, so that reading copies none of them', () => {
    const bytes = writeSafetensors(sample());
    const { tensors } = readSafetensors(bytes);
    for (const [name, { data }] of tensors) assert.equal(data.buffer, bytes.buffer, name);
  });

  it('keeps a tensor called __proto__ and metadata called constructor apart from what objects inherit', () => {
    const tensors = new Map([['__proto__', new Tensor('uint8', [1], Uint8Array.of(7))]]);
    const metadata = JSON.parse('{"__proto__": "p", "constructor": "c"}');
    const read = readSafetensors(writeSafetensors(tensors, metadata));
    assert.equal(read.tensors.get('__proto__')?.data[0], 7);
    assert.deepEqual(Object.entries(read.metadata).sort(), [
      ['__proto__', 'p'],
      ['constructor', 'c'],
    ]);
    assert.equal(Object.getPrototypeOf(read.metadata), null);
  });

  it('refuses what the format cannot hold', () => {
    const one = new Tensor('uint8', [1], Uint8Array.of(0));
    const code = { code: 'ERR_BITPATH_ARGUMENT' };
    assert.throws(() => writeSafetensors(new Map([['__metadata__', one]])), code);
    assert.throws(() => writeSafetensors(new Map([['\ud800', one]])), code);
    assert.throws(() => writeSafetensors(new Map(), { a: 1 as unknown as string }), code);
  });
});

describe('readSafetensors', () => {
  it('reads a file of the reference implementation', () => {
    // safetensors.numpy.save({'x': np.array([[1.5, 2.5]], np.float32), 'b': np.array([9, 8, 7], np.uint8)}, {'k': 'v'})
    const header =
      '{"__metadata__":{"k":"v"},"x":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[3],"data_offsets":[8,11]}}       ';
    const data = new Uint8Array([...new Uint8Array(Float32Array.of(1.5, 2.5).buffer), 9, 8, 7]);
    const { tensors, metadata } = readSafetensors(file(header, data));
    assert.deepEqual(tensors.get('x')?.data, Float32Array.of(1.5, 2.5));
    assert.deepEqual(tensors.get('x')?.shape, [1, 2]);
    assert.deepEqual([...(tensors.get('b')?.data ?? [])], [9, 8, 7]);
    assert.equal(metadata.k, 'v');
  });

  it('copies tensors that are not aligned, and reads within a larger buffer', () => {
    const bytes = writeSafetensors(sample());
    for (let shift = 0; shift < 9; shift++) {
      const larger = new Uint8Array(bytes.length + 16);
      larger.set(bytes, shift);
      const { tensors } = readSafetensors(larger.subarray(shift, shift + bytes.length));
      assert.deepEqual(tensors.get('a.weight')?.data, sample().get('a.weight')?.data);
      assert.equal(tensors.get('a.weight')?.data.buffer === larger.buffer, shift % 4 === 0);
    }
  });

  it('copies out of shared memory', () => {
    const bytes = writeSafetensors(sample());
    const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
    shared.set(bytes);
    const { tensors } = readSafetensors(shared);
    shared.fill(0xff);
    assert.deepEqual(tensors.get('odd.bits')?.data, Uint8Array.of(1, 2, 255));
  });

  it('refuses every truncation of a good file, and every file with bytes to spare', () => {
    const bytes = writeSafetensors(sample(), { k: 'v' });
    for (let length = 0; length < bytes.length; length++) rejects(bytes.subarray(0, length), /./);
    rejects(new Uint8Array([...bytes, 0]), /the tensors take/);
  });

  it('refuses lengths of a header that lie', () => {
    rejects(file({}, 0, 3n), /the header should take 3 bytes, but the file ends after 2/);
    rejects(file({}, 0, BigInt(MAX_HEADER_BYTES)), /the file ends after 2/);
    rejects(file({}, 0, BigInt(MAX_HEADER_BYTES) + 1n), /over the limit of 100000000/);
    rejects(file({}, 0, 2n ** 64n - 1n), /over the limit/);
    rejects(file({}, 0, 0n), /end of the header/);
  });

  const invalid: [string, string, RegExp][] = [
    ['no object', '[]', /expected "\{"/],
    ['space before', ' {}', /expected "\{"/],
    ['a byte order mark', '\ufeff{}', /expected "\{"/],
    ['text after', '{}{}', /the end of the header/],
    ['a comma too many', '{"__metadata__":{"a":"b",}}', /expected a metadata name/],
    ['an unclosed string', '{"a', /ends within/],
    ['a bad escape', '{"\\x":{}}', /not a JSON string/],
    ['a control character', '{"a\nb":{}}', /not a JSON string/],
    ['half a surrogate pair', '{"\\ud800":{}}', /not valid Unicode/],
    ['metadata twice', '{"__metadata__":{},"__metadata__":{}}', /__metadata__ appears twice/],
    ['a metadata name twice', '{"__metadata__":{"a":"1","\\u0061":"2"}}', /metadata "a" appears twice/],
    ['metadata that are no string', '{"__metadata__":{"a":1}}', /the value of metadata "a"/],
    ['metadata that are no object', '{"__metadata__":"a"}', /expected "\{"/],
    ['a depth bomb', `{"a":${'['.repeat(1e6)}`, /expected "\{"/],
    ['a depth bomb in a shape', `{"a":{"shape":${'['.repeat(1e6)}`, /whole number/],
    ['a tensor that is null', '{"a":null}', /expected "\{"/],
    ['a tensor without shape', '{"a":{"dtype":"F32","data_offsets":[0,0]}}', /missing/],
    ['one offset', '{"a":{"dtype":"F32","shape":[0],"data_offsets":[0]}}', /missing or incomplete/],
    ['three offsets', '{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0,0]}}', /more than 2 numbers/],
    ['an unknown key', '{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0],"x":1}}', /unknown or repeated key "x"/],
    ['a key twice', '{"a":{"dtype":"F32","dtype":"U8","shape":[0],"data_offsets":[0,0]}}', /repeated key "dtype"/],
    [
      '__proto__ as a key',
      '{"a":{"__proto__":{},"dtype":"F32","shape":[0],"data_offsets":[0,0]}}',
      /unknown .* "__proto__"/,
    ],
    ['a fraction', '{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}', /whole number/],
    ['an exponent', '{"a":{"dtype":"F32","shape":[1e0],"data_offsets":[0,4]}}', /whole number/],
    ['a leading zero', '{"a":{"dtype":"F32","shape":[01],"data_offsets":[0,4]}}', /whole number/],
    ['a negative size', '{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}', /whole number/],
    [
      'a number that is no safe integer',
      '{"a":{"dtype":"F32","shape":[9007199254740993],"data_offsets":[0,4]}}',
      /whole number/,
    ],
    [
      'nine dimensions',
      '{"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]}}',
      /more than 8 numbers/,
    ],
  ];
  for (const [what, header, reason] of invalid) {
    it(`refuses ${what}`, () => rejects(file(header, 4), reason));
  }

  it('refuses a header that is not UTF-8', () => {
    const bytes = file('{"?":{}}');
    bytes[10] = 0xff;
    rejects(bytes, /not valid UTF-8/);
  });

  it('refuses a tensor name that appears twice', () => {
    const entry = JSON.stringify(tensor([1], [0, 4]));
    rejects(file(`{"a":${entry},"a":${entry}}`, 4), /tensor "a" appears twice/);
  });

  it('refuses other dtypes by name', () => {
    for (const dtype of ['F16', 'I64', 'f32', 'toString', '']) {
      rejects(
        file({ w: tensor([1], [0, 4], dtype) }, 4),
        new RegExp(`tensor "w" has dtype "${dtype}"; known are F32, I32, U8`),
      );
    }
  });

  it('refuses shapes that do not fill their range exactly', () => {
    rejects(file({ a: tensor([2, 2], [0, 12]) }, 12), /takes 16 bytes, its range has 12/);
    rejects(file({ a: tensor([2, 2], [0, 20]) }, 20), /takes 16 bytes, its range has 20/);
    rejects(file({ a: tensor([0], [0, 4]) }, 4), /takes 0 bytes/);
    rejects(file({ a: tensor([2 ** 26, 2 ** 26, 2 ** 26], [0, 4]) }, 4), /too large/);
    rejects(file({ a: tensor([2 ** 52, 0], [0, 0]) }), /too large/);
    rejects(
      file({ a: tensor([1], [0, 4]), b: tensor([1], [4, 8]) }, 4),
      /lies at bytes 4 to 8 of the data, which have 4/,
    );
    rejects(file({ a: tensor([1], [8, 4]) }, 8), /lies at bytes 8 to 4/);
    rejects(file({ a: tensor([1], [2 ** 53 - 1, 2 ** 53 - 1]) }, 4), /lies at/);
  });

  it('refuses overlaps and holes', () => {
    rejects(file({ a: tensor([2], [0, 8]), b: tensor([2], [4, 12]) }, 12), /"b" begins at byte 4 .* 8 was due/);
    rejects(file({ a: tensor([1], [0, 4]), b: tensor([1], [0, 4]) }, 4), /overlap/);
    rejects(file({ a: tensor([1], [4, 8]) }, 8), /"a" begins at byte 4 .* 0 was due/);
    rejects(file({ a: tensor([1], [0, 4]), b: tensor([1], [8, 12]) }, 12), /hole/);
    rejects(file({ a: tensor([1], [0, 4]) }, 8), /the tensors take 4 bytes, the data have 8/);
  });

  it('cuts hostile names short in messages', () => {
    const name = 'x'.repeat(1e6);
    assert.throws(
      () => readSafetensors(file({ [name]: tensor([1], [0, 5]) }, 5)),
      (error: Error) => error.message.length < 300,
    );
  });

  it('wants bytes', () => {
    assert.throws(() => readSafetensors('{}' as unknown as Uint8Array), { code: 'ERR_BITPATH_ARGUMENT' });
  });
});
