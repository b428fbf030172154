/** The protobuf layer: what is read, what is refused, what it costs. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { create, toBinary } from '@bufbuild/protobuf';
import { BitpathError } from 'bitpath';
import { loadExternalData } from '#lib/onnx/proto/external.js';
import { readModelProto, writeModelProto } from '#lib/onnx/proto/model.js';
import {
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  NodeProtoSchema,
  StringStringEntryProtoSchema,
  TensorProto_DataLocation,
  TensorProto_DataType,
  TensorProtoSchema,
} from '#lib/onnx/proto/onnx_pb.js';
import { MAX_MESSAGES } from '#lib/onnx/proto/scan.js';
import { makeTensor, readTensor } from '#lib/onnx/proto/tensor.js';
import { root } from '../build/root.js';

it('the schema is the file that its README names by hash', () => {
  const [readme, schema] = ['README.md', 'onnx.proto'].map((name) =>
    readFileSync(`${root}lib/onnx/proto/${name}`, 'utf8'),
  );
  const hash = createHash('sha256').update(schema!).digest('hex');
  assert.ok(readme!.includes(`\`${hash}\``), hash);
});

const failsWith = (pattern: RegExp) => (error: unknown) => {
  assert.ok(error instanceof BitpathError, String(error));
  assert.equal(error.code, 'ERR_BITPATH_ONNX');
  assert.match(error.message, pattern);
  return true;
};

const weights = Float32Array.of(1.5, -2, 0, 1e-40, Infinity, -0);
function model(): ModelProto {
  return create(ModelProtoSchema, {
    irVersion: 8n,
    producerName: 'test',
    opsetImport: [{ domain: '', version: 17n }],
    metadataProps: [{ key: 'k', value: 'ü' }],
    graph: {
      name: 'g',
      node: [
        {
          name: 'n',
          opType: 'Add',
          input: ['a', 'b'],
          output: ['c'],
          attribute: [{ name: 'x', ints: [1n, -2n], type: 7 }],
        },
      ],
      initializer: [makeTensor('a', [2, 3], weights), makeTensor('b', [2], BigInt64Array.of(-1n, 1n << 40n))],
      output: [{ name: 'c' }],
    },
  });
}

describe('ModelProto', () => {
  it('round trip, with the bytes that the library itself would read', () => {
    const bytes = writeModelProto(model());
    const read = readModelProto(bytes);
    assert.deepEqual(read, readModelProto(toBinary(ModelProtoSchema, model())));
    assert.equal(read.metadataProps[0]?.value, 'ü');
    assert.deepEqual(read.graph?.node[0]?.attribute[0]?.ints, [1n, -2n]);
    const [a, b] = read.graph?.initializer ?? [];
    assert.ok(a && b);
    assert.deepEqual(readTensor(a, 'f'), { name: 'a', type: 'float32', dims: [2, 3], data: weights });
    assert.deepEqual(readTensor(b, 'f').data, BigInt64Array.of(-1n, 1n << 40n));
  });

  it('raw data are views of the file', () => {
    const bytes = writeModelProto(model());
    const raw = readModelProto(bytes).graph?.initializer[0]?.rawData;
    assert.ok(raw && raw.buffer === bytes.buffer && raw.byteLength === 24);
  });

  it('every prefix and every changed byte is read or refused, and nothing else happens', () => {
    const bytes = writeModelProto(model());
    let refused = 0;
    for (let length = 0; length < bytes.length; length++) {
      try {
        readModelProto(bytes.subarray(0, length));
      } catch (error) {
        failsWith(/^ONNX model: it is no well-formed protobuf of an ONNX model: .*\(byte \d+\)$/)(error);
        refused++;
      }
    }
    // A prefix that ends between two fields of ModelProto is a message too.
    assert.ok(refused > bytes.length - 12, `${refused} of ${bytes.length}`);
    for (let i = 0; i < bytes.length; i++) {
      for (const flip of [1, 0x80, 0xff]) {
        const changed = bytes.slice();
        changed[i] = (changed[i] as number) ^ flip;
        try {
          for (const tensor of readModelProto(changed).graph?.initializer ?? []) readTensor(tensor, 'f');
        } catch (error) {
          failsWith(/./)(error);
        }
      }
    }
  });

  it('other files are refused', () => {
    for (const text of ['{"a": 1}', 'GGUF....', '\u0089PNG\r\n', '<html></html>']) {
      assert.throws(
        () => readModelProto(Buffer.from(text, 'latin1'), 'a.onnx'),
        failsWith(/^a\.onnx: it is no well-formed protobuf/),
      );
    }
    assert.throws(() => readModelProto('a.onnx' as unknown as Uint8Array), { code: 'ERR_BITPATH_ARGUMENT' });
  });

  it('a message that reaches over the end of the one around it is refused', () => {
    // ModelProto.graph (7) of 2 bytes, in it GraphProto.node (1) of 5 bytes.
    const bytes = Uint8Array.of(0x3a, 2, 0x0a, 5, 0x1a, 3, 0x41, 0x42, 0x43);
    assert.throws(
      () => readModelProto(bytes),
      failsWith(/GraphProto\.node should have 5 bytes, but only 0 are left \(byte 3\)/),
    );
    assert.equal(readModelProto(Uint8Array.of(0x3a, 7, ...bytes.subarray(2))).graph?.node[0]?.name, 'ABC');
  });

  it('a field encoded as another type is refused', () => {
    assert.throws(
      () => readModelProto(Uint8Array.of(0x38, 1)),
      failsWith(/ModelProto\.graph is encoded as another type/),
    );
  });

  it('a bomb of empty messages is refused before it is decoded', () => {
    const graph = new Uint8Array(2 * (MAX_MESSAGES + 1)).map((_, i) => (i % 2 === 0 ? 0x2a : 0));
    const bytes = Uint8Array.of(0x3a, 0, 0, 0);
    const length = graph.length;
    bytes.set([(length & 127) | 128, ((length >> 7) & 127) | 128, length >> 14], 1);
    assert.throws(() => readModelProto(Buffer.concat([bytes, graph])), failsWith(/more than 500000 parts/));
  });

  it('messages too deep in each other are refused', () => {
    let bytes: Uint8Array<ArrayBufferLike> = new Uint8Array();
    for (let depth = 0; depth < 40; depth++) {
      // GraphProto.node (1) { NodeProto.attribute (5) { AttributeProto.g (6) } }
      for (const tag of [0x32, 0x2a, 0x0a]) bytes = Buffer.concat([Uint8Array.of(tag, ...lengthOf(bytes)), bytes]);
    }
    const file = Buffer.concat([Uint8Array.of(0x3a, ...lengthOf(bytes)), bytes]);
    assert.throws(() => readModelProto(file), failsWith(/more than 60 deep/));
  });

  it('reads 50 MB and holds no copy', (t) => {
    const large = model();
    large.graph?.initializer.push(
      ...Array.from({ length: 13 }, (_, i) => makeTensor(`w${i}`, [1000, 1000], new Float32Array(1e6).fill(i))),
    );
    const bytes = writeModelProto(large);
    assert.ok(bytes.length > 50e6);
    const before = process.memoryUsage();
    const started = performance.now();
    const read = readModelProto(bytes);
    const elements = read.graph?.initializer.map((tensor) => readTensor(tensor, 'f')) ?? [];
    const elapsed = performance.now() - started;
    const after = process.memoryUsage();
    const grown = after.arrayBuffers - before.arrayBuffers;
    t.diagnostic(
      `${(bytes.length / 1e6).toFixed(0)} MB in ${elapsed.toFixed(1)} ms, ${(grown / 1e6).toFixed(0)} MB more in arrays`,
    );
    assert.equal(elements.length, 15);
    assert.equal(elements[14]?.data[999_999], 12);
    // Each tensor that is not aligned in the file is copied once, and no more.
    assert.ok(grown <= bytes.length + 1e6);
    assert.equal(
      read.graph?.initializer.every(({ rawData }) => rawData.buffer === bytes.buffer),
      true,
    );
  });
});

function lengthOf(bytes: Uint8Array): number[] {
  const { length } = bytes;
  return length < 128 ? [length] : [(length & 127) | 128, length >> 7];
}

describe('TensorProto', () => {
  const tensor = (init: object) => create(TensorProtoSchema, { name: 't', ...init });

  it('reads every type, raw or not', () => {
    const cases: [number, object, readonly number[]][] = [
      [TensorProto_DataType.FLOAT16, { int32Data: [0x3c00, 0xc000, 0x0001] }, [1, -2, 2 ** -24]],
      [
        TensorProto_DataType.FLOAT16,
        { rawData: Uint8Array.of(0, 0x7c, 0, 0xbc, 0xff, 3) },
        [Infinity, -1, 1023 * 2 ** -24],
      ],
      [TensorProto_DataType.BFLOAT16, { int32Data: [0x3f80, 0xc040, 0] }, [1, -3, 0]],
      [TensorProto_DataType.DOUBLE, { doubleData: [0.1, -2, 3] }, [0.1, -2, 3]],
      [TensorProto_DataType.INT8, { int32Data: [-1, 2, 3] }, [-1, 2, 3]],
      [TensorProto_DataType.BOOL, { rawData: Uint8Array.of(0, 1, 1) }, [0, 1, 1]],
      [TensorProto_DataType.UINT32, { uint64Data: [1n, 2n, 0xffffffffn] }, [1, 2, 0xffffffff]],
      [TensorProto_DataType.FLOAT, { floatData: [1, 2, 0.5] }, [1, 2, 0.5]],
    ];
    for (const [dataType, fields, expected] of cases) {
      const { data } = readTensor(tensor({ dataType, dims: [3n], ...fields }), 'f');
      assert.deepEqual(Array.from(data as Float32Array), expected);
    }
  });

  it('refuses what does not fit', () => {
    const dataType = TensorProto_DataType.FLOAT;
    const refused = (init: object, pattern: RegExp) =>
      assert.throws(() => readTensor(tensor(init), 'f'), failsWith(pattern));
    refused({ dataType, dims: [3n], rawData: new Uint8Array(8) }, /^f: tensor "t" of 3 has 8 bytes, expected 12$/);
    refused({ dataType, dims: [3n], floatData: [1] }, /has 1 elements, expected 3/);
    refused({ dataType, dims: [-1n] }, /has the shape -1, expected/);
    refused({ dataType, dims: [65536n, 65536n], rawData: new Uint8Array() }, /expected fewer than 2³¹/);
    refused({ dataType, dims: [0n, 1n << 62n] }, /expected fewer than 2³¹/);
    refused({ dataType: TensorProto_DataType.STRING, dims: [0n] }, /element type STRING/);
    refused({ dataType: 99, dims: [0n] }, /element type 99/);
    refused({ dataType, dataLocation: TensorProto_DataLocation.EXTERNAL, dims: [1n] }, /lies in a file of its own/);
  });
});

describe('external data', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bitpath-onnx-'));
    await mkdir(join(folder, 'inside/sub'), { recursive: true });
    await writeFile(join(folder, 'secret.bin'), new Uint8Array(64));
    await writeFile(join(folder, 'inside/sub/w.bin'), new Uint8Array(Float32Array.of(9, 1, 2, 3).buffer));
    await symlink(join(folder, 'secret.bin'), join(folder, 'inside/link.bin'));
    await symlink(folder, join(folder, 'inside/up'));
    await symlink('sub/w.bin', join(folder, 'inside/own.bin'));
  });
  after(() => rm(folder, { recursive: true }));

  const external = (entries: Record<string, string>, dims = [3n]) => {
    const externalData = Object.entries(entries).map(([key, value]) =>
      create(StringStringEntryProtoSchema, { key, value }),
    );
    const t = create(TensorProtoSchema, {
      name: 'w',
      dims,
      dataType: TensorProto_DataType.FLOAT,
      dataLocation: TensorProto_DataLocation.EXTERNAL,
      externalData,
    });
    const node = create(NodeProtoSchema, { opType: 'Constant', attribute: [{ name: 'value', t }] });
    return { t, model: create(ModelProtoSchema, { graph: create(GraphProtoSchema, { node: [node] }) }) };
  };
  const load = (entries: Record<string, string>, dims?: bigint[]) => {
    const { t, model } = external(entries, dims);
    return loadExternalData(model, join(folder, 'inside'), 'm.onnx').then(() => readTensor(t, 'm.onnx'));
  };

  it('is read at its offset, through links that stay inside', async () => {
    for (const location of ['sub/w.bin', './sub/w.bin', 'own.bin']) {
      assert.deepEqual((await load({ location, offset: '4', length: '12' })).data, Float32Array.of(1, 2, 3));
    }
    assert.deepEqual((await load({ location: 'sub/w.bin' }, [4n])).data, Float32Array.of(9, 1, 2, 3));
  });

  it('outside the folder is refused', async () => {
    const secret = join(folder, 'secret.bin');
    for (const location of [
      '../secret.bin',
      'sub/../../secret.bin',
      secret,
      'link.bin',
      'up/secret.bin',
      '',
      'C:\\x',
      '..\\secret.bin',
      'a\0',
    ]) {
      await assert.rejects(
        load({ location }),
        failsWith(/^m\.onnx: tensor "w": its data would lie at .*, outside the model’s folder$/),
        location,
      );
    }
  });

  it('that does not fit is refused', async () => {
    await assert.rejects(
      load({ location: 'sub/w.bin', offset: '8' }),
      failsWith(/end at byte 20 of "sub\/w\.bin", which has 16 bytes/),
    );
    await assert.rejects(load({ location: 'sub/w.bin', length: '4' }), failsWith(/have 4 bytes, expected 12/));
    await assert.rejects(load({ location: 'sub/w.bin', offset: '-4' }), failsWith(/no valid offset and length/));
    await assert.rejects(
      load({ location: 'sub/w.bin', offset: '99999999999999999' }),
      failsWith(/no valid offset and length/),
    );
    await assert.rejects(load({ location: 'none.bin' }), failsWith(/cannot be read \(ENOENT/));
    await assert.rejects(load({ location: 'sub' }), failsWith(/cannot be read \(.*not a regular file/));
    await assert.rejects(load({ location: 'sub/w.bin' }, [30000n, 30000n]), failsWith(/would take 3600000000 bytes/));
  });
});
