/** Messages of the gRPC service. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { BitpathError } from '#lib/errors.js';
import {
  checkMessageSize,
  fromRequestMessage,
  fromResponseMessage,
  type ModelInferRequest,
  ModelInferRequestSchema,
  ModelInferResponseSchema,
  toRequestMessage,
  toResponseMessage,
} from '#lib/protocol/grpc/index.js';
import { comparable, names, parameters, tensors } from './arbitraries.js';

fc.configureGlobal({ seed: 7 });

const request = (fields: object): ModelInferRequest => create(ModelInferRequestSchema, fields as never);
const input = (fields: object) => request({ inputs: [{ name: 'x', datatype: 'FP32', shape: [2n], ...fields }] });
const fails = (message: ModelInferRequest, text: RegExp, code = 'ERR_BITPATH_ARGUMENT') =>
  assert.throws(
    () => fromRequestMessage(message),
    (error) => {
      assert.ok(error instanceof BitpathError, String(error));
      assert.equal(error.code, code);
      assert.match(error.message, text);
      return true;
    },
  );

describe('gRPC messages', () => {
  it('bring requests and responses back as they went, over the wire', () => {
    const list = fc.array(tensors(), { maxLength: 3 });
    const outputs = fc.array(fc.record({ name: names, parameters }), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(fc.string(), parameters, list, outputs, (id, parameters, inputs, outputs) => {
        const bytes = toBinary(
          ModelInferRequestSchema,
          toRequestMessage('m', '1', { id, parameters, inputs, outputs }),
        );
        const read = fromRequestMessage(fromBinary(ModelInferRequestSchema, bytes));
        assert.equal(read.id, id);
        assert.deepEqual({ ...read.parameters }, { ...parameters });
        assert.deepEqual(read.inputs.map(comparable), inputs.map(comparable));
        assert.deepEqual(
          read.outputs?.map(({ name }) => name),
          outputs.map(({ name }) => name),
        );

        const response = { model_name: 'm', model_version: '1', id, parameters, outputs: inputs };
        const answered = toBinary(ModelInferResponseSchema, toResponseMessage(response));
        const received = fromResponseMessage(fromBinary(ModelInferResponseSchema, answered));
        assert.deepEqual(received.outputs.map(comparable), inputs.map(comparable));
      }),
    );
  });

  it('may hold typed contents instead of raw ones', () => {
    const read = (datatype: string, contents: object) =>
      fromRequestMessage(input({ datatype, contents })).inputs[0]!.data;
    assert.deepEqual(read('FP32', { fp32Contents: [1, 2] }), new Float32Array([1, 2]));
    assert.deepEqual(read('FP64', { fp64Contents: [1, 2] }), new Float64Array([1, 2]));
    assert.deepEqual(read('UINT8', { uintContents: [1, 255] }), new Uint8Array([1, 255]));
    assert.deepEqual(read('INT8', { intContents: [-128, 1] }), new Int8Array([-128, 1]));
    assert.deepEqual(read('INT64', { int64Contents: [-5n, 1n] }), new BigInt64Array([-5n, 1n]));
    assert.deepEqual(read('UINT64', { uint64Contents: [2n ** 63n, 1n] }), new BigUint64Array([2n ** 63n, 1n]));
    assert.deepEqual(read('BOOL', { boolContents: [true, false] }), new Uint8Array([1, 0]));
    assert.deepEqual(read('BYTES', { bytesContents: [new Uint8Array(3), new Uint8Array(0)] }), [
      new Uint8Array(3),
      new Uint8Array(0),
    ]);
  });

  it('with contents that do not fit are refused by name', () => {
    fails(input({}), /2 elements of FP32 for inputs\[0\]\.contents but received 0/);
    fails(input({ contents: { fp32Contents: [1] } }), /received 1/);
    fails(input({ contents: { fp32Contents: [1, 2], intContents: [3] } }), /and 1 of other datatypes/);
    fails(
      input({ datatype: 'UINT8', contents: { uintContents: [1, 256] } }),
      /a value of UINT8 for inputs\[0\]\.contents\[1\] but received 256/,
    );
    fails(input({ datatype: 'INT8', contents: { intContents: [1, -129] } }), /received -129/);
    fails(input({ datatype: 'FP16', contents: {} }), /raw contents/);
    fails(input({ datatype: 'FP8' }), /inputs\[0\]\.datatype/);
    fails(input({ shape: [-1n] }), /inputs\[0\]\.shape\[0\]/);
    fails(input({ shape: [2n ** 62n] }), /inputs\[0\]\.shape\[0\]/);
    fails(input({ parameters: { a: {} } }), /parameters/);
    fails(
      input({ parameters: { shared_memory_region: { parameterChoice: { case: 'stringParam', value: 'r' } } } }),
      /shared memory/,
      'ERR_BITPATH_UNSUPPORTED',
    );
    const raw = { inputs: [{ name: 'x', datatype: 'FP32', shape: [2n] }], rawInputContents: [new Uint8Array(7)] };
    fails(request(raw), /raw_input_contents\[0\]/);
    fails(request({ ...raw, rawInputContents: [new Uint8Array(8), new Uint8Array(8)] }), /raw_input_contents/);
    fails(
      request({
        inputs: [{ ...raw.inputs[0], contents: { fp32Contents: [1, 2] } }],
        rawInputContents: [new Uint8Array(8)],
      }),
      /nothing beside/,
    );
  });

  it('are counted before they are read', () => {
    const repeated = (...bytes: number[]) => Buffer.alloc(2 ** 20, Uint8Array.from(bytes));
    const field = (tag: number, bytes: Uint8Array) => {
      const length = [0, 7, 14, 21].map((shift) => ((bytes.length >> shift) & 127) | (shift < 21 ? 128 : 0));
      return Buffer.concat([Uint8Array.of(tag, ...length), bytes]);
    };
    const inside = (tag: number, bytes: Uint8Array) => field(0x2a, field(tag, bytes)); // of an input
    const isTooLarge = (bytes: Uint8Array, what: RegExp) =>
      assert.throws(
        () => checkMessageSize(ModelInferRequestSchema, bytes),
        (error) => {
          assert.ok(error instanceof BitpathError, String(error));
          assert.equal(error.code, 'ERR_BITPATH_TOO_LARGE');
          assert.match(error.message, what);
          return true;
        },
      );
    for (const tag of [0x0a, 0x22, 0x2a, 0x32, 0x3a, 0x7a]) isTooLarge(repeated(tag, 0), /4096 fields/);
    isTooLarge(inside(0x1a, repeated(1)), /65536 64-bit integers/); // a shape
    isTooLarge(inside(0x2a, repeated(0x42, 0)), /4096 fields/); // bytes in typed contents
    isTooLarge(repeated(0x78, 0), /4096 fields/); // no field of ours
    isTooLarge(inside(0x2a, field(0x0a, new Uint8Array(2 ** 22 + 1))), /4194304 numbers/); // booleans
    // Whatever is no message is left to the one who reads it.
    for (const bytes of [[0xff, 0xff], [0x2a, 5], [0x0b, 0x0b], [0]])
      checkMessageSize(ModelInferRequestSchema, Uint8Array.from(bytes));
    const floats = { fp32Contents: Array(2 ** 16).fill(0.5) };
    const most = input({ shape: [2n ** 16n], contents: floats });
    checkMessageSize(ModelInferRequestSchema, toBinary(ModelInferRequestSchema, most));
  });
});
