/** `.npz` files of recorded tensors. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { crc32, deflateRawSync } from 'node:zlib';
import { BitpathError } from 'bitpath';
import { readNpz } from '#lib/formats/npz.js';

function npy(descr: string, shape: string, data: Uint8Array, order = 'False', version = 1): Buffer {
  const header = Buffer.from(`{'descr': '${descr}', 'fortran_order': ${order}, 'shape': (${shape}), }\n`, 'latin1');
  const length = Buffer.alloc(version === 1 ? 2 : 4);
  if (version === 1) length.writeUInt16LE(header.length);
  else length.writeUInt32LE(header.length);
  return Buffer.concat([Buffer.from('\x93NUMPY', 'latin1'), Buffer.of(version, 0), length, header, data]);
}

function zip(files: Record<string, Buffer>, deflate: boolean): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const [name, content] of Object.entries(files)) {
    const packed = deflate ? deflateRawSync(content) : content;
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(deflate ? 8 : 0, 4);
    fields.writeUInt32LE(crc32(content), 10);
    fields.writeUInt32LE(packed.length, 14);
    fields.writeUInt32LE(content.length, 18);
    fields.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), fields, Buffer.from(name), packed]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(at, 10);
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00', 'latin1'), fields, tail, Buffer.from(name)]));
    parts.push(local);
    at += local.length;
  }
  const size = directory.reduce((sum, entry) => sum + entry.length, 0);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(directory.length, 8);
  end.writeUInt16LE(directory.length, 10);
  end.writeUInt32LE(size, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, ...directory, end]);
}

const floats = new Uint8Array(Float32Array.of(1.5, -2, 3, 4, 5, 6).buffer);
const files = {
  'a.b.npy': npy('<f4', '2, 3', floats),
  'vector.npy': npy('<f4', '6,', floats, 'False', 2),
  'pixels.npy': npy('|u1', '2, 2', Uint8Array.of(1, 2, 3, 255)),
  'double.npy': npy('<f8', '3,', floats),
  'columns.npy': npy('<f4', '2, 3', floats, 'True'),
  'readme.txt': Buffer.from('no array'),
};

describe('npz', () => {
  for (const deflate of [false, true]) {
    it(`${deflate ? 'deflated' : 'stored'}: arrays of float32, int32 and uint8 in C order`, () => {
      const tensors = readNpz(zip(files, deflate));
      assert.deepEqual([...tensors.keys()], ['a.b', 'vector', 'pixels']);
      assert.deepEqual(tensors.get('a.b')?.shape, [2, 3]);
      assert.deepEqual(tensors.get('vector')?.data, Float32Array.of(1.5, -2, 3, 4, 5, 6));
      assert.deepEqual(tensors.get('pixels')?.data, Uint8Array.of(1, 2, 3, 255));
    });

    it(`${deflate ? 'deflated' : 'stored'}: every prefix is refused, every changed byte is read or refused`, () => {
      const bytes = zip(files, deflate);
      const refused = (error: unknown) => {
        assert.ok(error instanceof BitpathError && error.code === 'ERR_BITPATH_MODEL_FILE', String(error));
        return true;
      };
      for (let length = 0; length < bytes.length; length++) {
        assert.throws(() => readNpz(bytes.subarray(0, length), 'x.npz'), refused);
      }
      let changed = 0;
      for (let i = 0; i < bytes.length; i++) {
        const other = Buffer.from(bytes);
        other[i] = (other[i] as number) ^ 0xff;
        try {
          readNpz(other);
        } catch (error) {
          refused(error);
          changed++;
        }
      }
      assert.ok(changed > 50, String(changed));
    });
  }
});
