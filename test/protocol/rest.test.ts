/** Bodies of the REST protocol: what is written is read again, and what is wrong is refused by name. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  type Body,
  dataToBytes,
  decodeInferRequest,
  decodeInferResponse,
  decodeRawRequest,
  elementCount,
  encodeInferRequest,
  encodeInferResponse,
  type InferRequest,
  type InferTensor,
  jsonToData,
  parseHeaderLength,
} from '#lib/protocol/index.js';
import { BitpathError } from '#lib/errors.js';
import { comparable, names, parameters, tensors } from './arbitraries.js';

fc.configureGlobal({ seed: 7 });

const encoder = new TextEncoder();
const json = (value: unknown): Body => ({ headerLength: undefined, bytes: encoder.encode(JSON.stringify(value)) });
/** A body with `rest` behind its JSON. */
const binary = (value: unknown, rest: Uint8Array): Body => {
  const header = encoder.encode(JSON.stringify(value));
  return { headerLength: header.length, bytes: Buffer.concat([header, rest]) };
};
const fails = (call: () => unknown, message: RegExp, code = 'ERR_BITPATH_ARGUMENT') =>
  assert.throws(call, (error) => {
    assert.ok(error instanceof BitpathError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  });

const outputs = fc.option(fc.array(fc.record({ name: names, parameters }), { maxLength: 3 }));
const input = (fields: object) => ({ inputs: [{ name: 'x', datatype: 'FP32', shape: [2], data: [1, 2], ...fields }] });

describe('binary tensors', () => {
  it('of requests come back as they went, of every datatype', () => {
    fc.assert(
      fc.property(
        fc.string(),
        parameters,
        fc.array(tensors(), { maxLength: 3 }),
        outputs,
        (id, parameters, inputs, outputs) => {
          const request: InferRequest = { id, parameters, inputs, outputs };
          const read = decodeInferRequest(encodeInferRequest(request));
          assert.deepEqual({ ...read.parameters }, { ...parameters });
          assert.equal(read.id, id);
          assert.deepEqual(read.inputs.map(comparable), inputs.map(comparable));
          assert.deepEqual(read.outputs?.map(({ name }) => name) ?? null, outputs?.map(({ name }) => name) ?? null);
        },
      ),
    );
  });

  it('of responses come back as they went, beside others in JSON', () => {
    const expressible = tensors(['BOOL', 'UINT8', 'UINT16', 'UINT32', 'INT8', 'INT16', 'INT32']);
    fc.assert(
      fc.property(fc.array(expressible, { maxLength: 4 }), fc.func(fc.boolean()), (outputs, choose) => {
        const response = { model_name: 'm', model_version: '2', id: 'a', parameters: {}, outputs };
        const read = decodeInferResponse(encodeInferResponse(response, ({ name }) => choose(name)));
        assert.deepEqual(read.outputs.map(comparable), outputs.map(comparable));
      }),
    );
  });

  it('are views of the body where they lie aligned, and copies elsewhere', () => {
    for (const pad of ['', ' ', '  ', '   ']) {
      const tensor = new Uint8Array(new Float32Array([1, -2]).buffer);
      const header = encoder.encode(
        `${pad}${JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [2], parameters: { binary_data_size: 8 } }] })}`,
      );
      const bytes = new Uint8Array(header.length + 8);
      bytes.set(header);
      bytes.set(tensor, header.length);
      const { data } = decodeInferRequest({ headerLength: header.length, bytes }).inputs[0]!;
      assert.deepEqual(data, new Float32Array([1, -2]));
      assert.equal((data as Float32Array).buffer === bytes.buffer, header.length % 4 === 0);
    }
  });

  it('must be as long as they say, and leave nothing over', () => {
    const tensor = (size: unknown) => ({
      inputs: [{ name: 'x', datatype: 'FP32', shape: [2], parameters: { binary_data_size: size } }],
    });
    fails(
      () => decodeInferRequest(binary(tensor(4), new Uint8Array(4))),
      /8 bytes of FP32 \[2\] for inputs\[0\]\.data but received 4 bytes/,
    );
    fails(
      () => decodeInferRequest(binary(tensor(8), new Uint8Array(7))),
      /inputs\[0\]\.parameters\.binary_data_size.*received 8/,
    );
    fails(() => decodeInferRequest(binary(tensor(8), new Uint8Array(9))), /the binary data.*1 bytes more/);
    for (const size of [-1, 1.5, '8', true])
      fails(() => decodeInferRequest(binary(tensor(size), new Uint8Array(8))), /binary_data_size/);
    fails(
      () => decodeInferRequest(binary(input({ parameters: { binary_data_size: 8 } }), new Uint8Array(8))),
      /nothing beside binary_data_size/,
    );
  });

  it('of BYTES must hold the elements that the shape promises', () => {
    const tensor = (shape: number[], rest: Uint8Array) =>
      decodeInferRequest(
        binary(
          { inputs: [{ name: 'x', datatype: 'BYTES', shape, parameters: { binary_data_size: rest.length } }] },
          rest,
        ),
      );
    const two = dataToBytes({
      datatype: 'BYTES',
      data: [encoder.encode('ab'), new Uint8Array(0)],
    } as unknown as InferTensor);
    assert.equal(two.length, 10);
    assert.equal((tensor([2], two).inputs[0]!.data as Uint8Array[]).length, 2);
    fails(() => tensor([1], two), /4 bytes more/);
    fails(() => tensor([3], two), /3 elements/);
    fails(() => tensor([2_000_000_000], two), /2000000000 elements/);
    fails(() => tensor([1], new Uint8Array([255, 255, 255, 255])), /4294967295 bytes of element 0/);
  });

  it('of BOOL are 0 or 1', () => {
    const tensor = { inputs: [{ name: 'x', datatype: 'BOOL', shape: [2], parameters: { binary_data_size: 2 } }] };
    fails(
      () => decodeInferRequest(binary(tensor, new Uint8Array([1, 2]))),
      /a byte of 0 or 1 for inputs\[0\]\.data\[1\] but received 2/,
    );
  });
});

describe('JSON tensors', () => {
  it('are read nested or flat', () => {
    const nest = (data: readonly unknown[], shape: readonly number[]): unknown => {
      if (shape.length <= 1) return data;
      const size = data.length / (shape[0] as number);
      return Array.from({ length: shape[0] as number }, (_, i) =>
        nest(data.slice(i * size, (i + 1) * size), shape.slice(1)),
      );
    };
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }),
        fc.infiniteStream(fc.float({ noNaN: true, noDefaultInfinity: true })),
        (shape, stream) => {
          const flat = [...stream.take(elementCount(shape))];
          const expected = new Float32Array(flat);
          assert.deepEqual(jsonToData('data', 'FP32', shape, flat), expected);
          assert.deepEqual(jsonToData('data', 'FP32', shape, nest(flat, shape)), expected);
        },
      ),
    );
  });

  it('that nest otherwise, or hold too few or many elements, are refused', () => {
    for (const data of [[1], [1, 2, 3], [[1, 2]], [[1], [2]], [1, [2]], [[1], 2], { 0: 1 }, 'ab', 1, null, undefined]) {
      fails(() => decodeInferRequest(json(input({ data }))), /inputs\[0\]\.data/);
    }
    fails(() => jsonToData('data', 'FP32', [2, 2], [[1, 2], [3]]), /arrays of 2 elements at depth 1/);
    fails(() => jsonToData('data', 'FP32', [50000, 40000], [1]), /an array of 2000000000 elements/);
  });

  it('nested deeper than their shape cost nothing', () => {
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
    const body = encoder.encode(`{"inputs":[{"name":"x","datatype":"FP32","shape":[1,1],"data":${deep}}]}`);
    fails(() => decodeInferRequest({ headerLength: undefined, bytes: body }), /at most 16 levels/);
    const text = encoder.encode(`{"id":"${'['.repeat(40)}\\"${'['.repeat(40)}","inputs":[]}`);
    assert.equal(decodeInferRequest({ headerLength: undefined, bytes: text }).id.length, 81);
  });

  it('hold only values that the datatype has', () => {
    const cases: [string, unknown, unknown][] = [
      ['UINT8', 255, 256],
      ['UINT8', 0, -1],
      ['INT8', -128, 128],
      ['UINT16', 65535, 65536],
      ['INT16', -32768, 1.5],
      ['UINT32', 4294967295, 4294967296],
      ['INT32', -2147483648, '1'],
      ['INT64', -9007199254740991, 9007199254740992],
      ['UINT64', 9007199254740991, -1],
      ['BOOL', true, 1],
      ['FP32', 3.4e38, 3.5e38],
      ['FP64', 1e308, null],
      ['BYTES', 'ä', 1],
    ];
    for (const [datatype, good, bad] of cases) {
      const read = (value: unknown) =>
        decodeInferRequest(json({ inputs: [{ name: 'x', datatype, shape: [2], data: [good, value] }] }));
      assert.equal(read(good).inputs[0]!.datatype, datatype);
      fails(() => read(bad), /inputs\[0\]\.data\[1\]/);
    }
    for (const datatype of ['FP16', 'BF16'])
      fails(() => decodeInferRequest(json(input({ datatype }))), /binary data for inputs\[0\]\.data/);
  });

  it('of BYTES are text, or base64 where content_type says so', () => {
    const read = (data: string[], content_type?: string) =>
      decodeInferRequest(
        json({
          inputs: [
            { name: 'x', datatype: 'BYTES', shape: [1], data, parameters: { ...(content_type && { content_type }) } },
          ],
        }),
      ).inputs[0]!.data;
    assert.deepEqual(read(['ä']), [encoder.encode('ä')]);
    assert.deepEqual(read(['AAH/'], 'base64'), [new Uint8Array([0, 1, 255])]);
    for (const text of ['A', 'AA', 'A===', 'AA=A', 'AA H', 'AAH_'])
      fails(() => read([text], 'base64'), /base64 for inputs\[0\]\.data\[0\]/);
  });

  it('that JSON cannot express are not written', () => {
    const write = (tensor: object) =>
      encodeInferResponse(
        {
          model_name: 'm',
          model_version: '1',
          id: '',
          parameters: {},
          outputs: [{ name: 'y', shape: [1], parameters: {}, ...tensor } as unknown as InferTensor],
        },
        () => false,
      );
    fails(() => write({ datatype: 'FP32', data: new Float32Array([Number.NaN]) }), /binary data for y/);
    fails(() => write({ datatype: 'INT64', data: new BigInt64Array([2n ** 60n]) }), /binary data for y/);
    fails(() => write({ datatype: 'FP16', data: new Uint16Array([1]) }), /binary data for y/);
    fails(() => write({ datatype: 'BYTES', data: [new Uint8Array([255])] }), /binary data for y/);
  });
});

describe('requests', () => {
  it('have fields of the right kind, and errors name them', () => {
    const cases: [unknown, RegExp][] = [
      [[], /the request/],
      [null, /the request/],
      [{}, /inputs/],
      [{ inputs: {} }, /inputs/],
      [{ inputs: [1] }, /inputs\[0\]/],
      [input({ name: '' }), /inputs\[0\]\.name/],
      [input({ datatype: 'STRING' }), /inputs\[0\]\.datatype/],
      [input({ shape: [-1] }), /inputs\[0\]\.shape\[0\]/],
      [input({ shape: [2 ** 31] }), /inputs\[0\]\.shape\[0\]/],
      [input({ shape: [2 ** 20, 2 ** 20] }), /inputs\[0\]\.shape/],
      [input({ shape: [1, 1, 1, 1, 1, 1, 1, 1, 2] }), /inputs\[0\]\.shape/],
      [input({ shape: '2' }), /inputs\[0\]\.shape/],
      [input({ parameters: [] }), /inputs\[0\]\.parameters/],
      [input({ parameters: { a: {} } }), /inputs\[0\]\.parameters\.a/],
      [{ ...input({}), id: 7 }, /id/],
      [{ ...input({}), outputs: [{ name: 3 }] }, /outputs\[0\]\.name/],
      [{ inputs: Array(1025).fill({}) }, /at most 1024/],
    ];
    for (const [body, message] of cases) fails(() => decodeInferRequest(json(body)), message);
    fails(
      () => decodeInferRequest(json(input({ parameters: { shared_memory_region: 'r' } }))),
      /shared memory/,
      'ERR_BITPATH_UNSUPPORTED',
    );
  });

  it('of more objects or fields than any has are refused before they are parsed', () => {
    const inputs = (text: string) => ({ headerLength: undefined, bytes: encoder.encode(`{"inputs":[${text}]}`) });
    fails(() => decodeInferRequest(inputs(Array(8192).fill('{}').join())), /JSON of at most 8192 objects/);
    const fields = Array.from({ length: 65_536 }, (_, i) => `"${i}":0`).join();
    fails(() => decodeInferRequest(inputs(`{${fields}}`)), /JSON of at most 65536 fields/);
    // Text may hold as many of both as it likes.
    const text = JSON.stringify('{:"'.repeat(70_000));
    const one = `{"name":"x","datatype":"BYTES","shape":[1],"data":[${text}]}`;
    assert.equal(decodeInferRequest(inputs(one)).inputs[0]!.data.length, 1);
  });

  it('that are no JSON, or no UTF-8, are refused without quoting them', () => {
    for (const text of ['', '{', '{"inputs":[', 'secret', '\ud800']) {
      fails(() => decodeInferRequest({ headerLength: undefined, bytes: encoder.encode(text) }), /JSON for the body/);
    }
    fails(
      () => decodeInferRequest({ headerLength: undefined, bytes: new Uint8Array([0x7b, 0xff]) }),
      /JSON for the body/,
    );
    fails(() => decodeInferRequest({ headerLength: 9, bytes: new Uint8Array(3) }), /Inference-Header-Content-Length/);
    for (const text of ['-1', '1e3', 'x', '', '99999999999', '1, 2'])
      fails(() => parseHeaderLength(text), /Inference-Header-Content-Length/);
  });

  it('of raw bytes are the one input', () => {
    const bytes = new Uint8Array(new Float32Array([1, 2, 3, 4, 5, 6]).buffer);
    const read = (shape: number[]) => decodeRawRequest(bytes, { name: 'x', datatype: 'FP32', shape }).inputs[0]!;
    assert.deepEqual(read([-1, 2, 3]).shape, [1, 2, 3]);
    assert.deepEqual(read([-1, 2, -1]).shape, [1, 2, 3]);
    fails(() => read([-1, 2, 2]), /the body/);
    fails(() => read([-1, -1, -1]), /the body/);
    fails(() => read([-1, 4, -1]), /the body/);
    const picture = decodeRawRequest(bytes, { name: 'x', datatype: 'BYTES', shape: [-1] }).inputs[0]!;
    assert.deepEqual(picture.shape, [1]);
    assert.equal((picture.data as Uint8Array[])[0], bytes);
  });

  it('of random bytes are refused, never misread', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.option(fc.nat(250), { nil: undefined }),
        (bytes, headerLength) => {
          assert.throws(() => decodeInferRequest({ headerLength, bytes }), BitpathError);
        },
      ),
    );
  });
});
