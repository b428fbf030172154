/** Files that are damaged, hostile or beyond what bitpath has: each ends in ERR_BITPATH_ONNX that says what is wrong. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { create } from '@bufbuild/protobuf';
import { BitpathError } from 'bitpath';
import { fromOnnx } from 'bitpath/onnx';
import { writeModelProto } from '#lib/onnx/proto/model.js';
import {
  AttributeProtoSchema,
  StringStringEntryProtoSchema,
  TensorProto_DataLocation,
} from '#lib/onnx/proto/onnx_pb.js';
import { floats, ints, type Made, makeOnnx, makeProto, node, scalar, signs } from './make.js';

const folder = mkdtempSync(join(tmpdir(), 'bitpath-onnx-'));
after(() => rmSync(folder, { recursive: true, force: true }));

async function failure(source: Uint8Array | string): Promise<BitpathError> {
  const start = performance.now();
  try {
    await fromOnnx(source);
  } catch (error) {
    assert.ok(error instanceof BitpathError, `${(error as Error).stack}`);
    assert.equal(error.code, 'ERR_BITPATH_ONNX');
    assert.ok(performance.now() - start < 20_000, 'it took too long');
    return error;
  }
  assert.fail('it was read');
}

const conv = node('Conv', 'x w', 'y');
const w = floats([2, 3, 1, 1], signs(6));
const good: Made = { nodes: [conv], constants: { w } };

const CASES: Record<string, [Made, RegExp]> = {
  'a cycle': [
    { nodes: [node('Add', 'x b', 'a'), node('Relu', 'a', 'b'), node('Relu', 'b', 'y')] },
    /cycle: "a", "b", "y"/,
  ],
  'an initialiser that is missing': [{ nodes: [conv] }, /node "y" \(Conv\) reads "w", which nothing makes/],
  'a value made twice': [{ nodes: [node('Relu', 'x', 'y'), node('Neg', 'x', 'y')] }, /two values called "y"/],
  'a value called like the input': [{ nodes: [node('Relu', 'x', 'x')], outputs: ['x'] }, /two values called "x"/],
  'an output that nothing makes': [{ nodes: [node('Relu', 'x', 'z')] }, /nothing makes its output "y"/],
  'an output that is constant': [{ nodes: [node('Neg', 'w', 'y')], constants: { w } }, /does not depend on its input/],
  'no outputs': [{ ...good, outputs: [] }, /no output/],
  'an attribute given twice': [{ ...good }, /twice/],
  'an opset of the past': [{ ...good, opset: 8 }, /opset 8; those from 9 to 28/],
  'an opset of the future': [{ ...good, opset: 99 }, /opset 99/],
  'an open height': [{ ...good, input: ['N', 3, 'h', 4] }, /open dimension "h" at axis 2/],
  'five dimensions': [{ ...good, input: [1, 3, 5, 4, 4] }, /5 dimensions/],
  'an absurd input': [{ ...good, input: [1, 3, 2 ** 40, 4] }, /1099511627776 elements along axis 2/],
  'a map beyond 2³¹': [
    { nodes: [conv], constants: { w: floats([2, 60000, 1, 1], signs(120000)) }, input: [1, 60000, 60000, 60000] },
    /2³¹/,
  ],
  'weights of another width': [
    { nodes: [conv], constants: { w: floats([2, 4, 1, 1], signs(8)) } },
    /weights of \[2,4,1,1\] in 1 groups for 3 channels/,
  ],
  'a window that does not fit': [
    { nodes: [{ ...conv, attributes: { dilations: [9, 9] } }], constants: { w: floats([2, 3, 2, 2], signs(24)) } },
    /window fits into/,
  ],
  'negative pads': [{ ...good, nodes: [{ ...conv, attributes: { pads: [-1, 0, 0, 0] } }] }, /pads \[-1,0,0,0\]/],
  'absurd pads': [{ ...good, nodes: [{ ...conv, attributes: { pads: [2 ** 40, 0, 0, 0] } }] }, /pads/],
  'a stride of 0': [{ ...good, nodes: [{ ...conv, attributes: { strides: [0, 1] } }] }, /strides/],
  'zero groups': [{ ...good, nodes: [{ ...conv, attributes: { group: 0 } }] }, /in 0 groups/],
  'a constant that would fill all memory': [
    {
      nodes: [
        node('ConstantOfShape', 's', 'c'),
        node('ReduceMean', 'c', 'm', { keepdims: 0 }),
        node('Add', 'x m', 'y'),
      ],
      constants: { s: ints(100000, 100000) },
    },
    /more work than a file of this size should/,
  ],
  'an expansion that would': [
    {
      nodes: [node('Expand', 'one s', 'c'), node('Mul', 'x c', 'y')],
      constants: { s: ints(2 ** 31, 2 ** 31, 7), one: scalar(1) },
    },
    /more work|shape/,
  ],
  'a range without end': [
    {
      nodes: [node('Range', 'zero inf one', 'r'), node('Add', 'x r', 'y')],
      constants: { zero: scalar(0), inf: scalar(Infinity), one: scalar(1) },
    },
    /no end/,
  ],
  'shapes that do not fit': [
    {
      nodes: [node('Add', 'w v', 'u'), node('Conv', 'x u', 'y')],
      constants: { w: floats([2, 3, 1, 1], signs(6)), v: floats([4, 1, 1, 1], signs(4)) },
    },
    /cannot join shapes \[2, 3, 1, 1\] and \[4, 1, 1, 1\]/,
  ],
  'data of another length': [
    { nodes: [conv], constants: { w: { ...w, rawData: new Uint8Array(20) } } },
    /20 bytes, expected 24/,
  ],
  'weights that are not finite': [
    { nodes: [conv], constants: { w: floats([1, 3, 1, 1], [1, Number.NaN, Infinity]) } },
    /not a finite number/,
  ],
  'a threshold that is not finite': [
    {
      nodes: [node('Less', 'x inf', 'b'), node('Where', 'b m p', 's'), node('Conv', 's w', 'y')],
      constants: { w, inf: scalar(Infinity), m: scalar(-1), p: scalar(1) },
    },
    /threshold that is not finite/,
  ],
  'a variance below 0': [
    {
      nodes: [node('BatchNormalization', 'x a a a v', 'y')],
      constants: { a: floats([3], [1, 1, 1]), v: floats([3], [1, -1, 1]) },
    },
    /variance -1 in channel 1/,
  ],
  'a perm of nonsense': [{ nodes: [node('Transpose', 'x', 'y', { perm: [0, 1, 1, 7] })] }, /perm|transposes by/],
  'a transpose of the batch': [{ nodes: [node('Transpose', 'x', 'y', { perm: [1, 0, 2, 3] })] }, /moves the batch/],
  'a reshape that mixes images': [
    { nodes: [node('Reshape', 'x s', 'y')], constants: { s: ints(-1, 5) } },
    /mixes images or channels/,
  ],
  'training mode': [
    {
      nodes: [node('BatchNormalization', 'x a a a a', 'y', { training_mode: 1 })],
      constants: { a: floats([3], [1, 1, 1]) },
    },
    /export with eval\(\)/,
  ],
  'a tanh whose result is added': [
    {
      nodes: [node('Tanh', 'x', 'c'), node('Add', 'c x', 'y'), node('Tanh', 'y', 'z')],
      outputs: ['y', 'z'],
    },
    /node "c" \(Tanh\) is a bounded function.*Others of its kind: "z"/,
  ],
  'pads of two kinds': [
    {
      nodes: [
        node('Sign', 'x', 's'),
        node('Pad', 's pads one', 'p'),
        { ...conv, inputs: ['p', 'w'], attributes: { pads: [1, 1, 1, 1] } },
      ],
      constants: { w, one: scalar(1), pads: ints(0, 0, 1, 1, 0, 0, 1, 1) },
    },
    /pads with 0 what has been padded with 1 before/,
  ],
};

describe('hostile ONNX files', () => {
  for (const [what, [made, pattern]] of Object.entries(CASES)) {
    it(what, async () => {
      const proto = makeProto(made);
      if (what === 'an attribute given twice') {
        const [first] = proto.graph?.node ?? [];
        const pads = create(AttributeProtoSchema, { name: 'pads', ints: [0n, 0n, 0n, 0n] });
        first?.attribute.push(pads, pads);
      }
      const error = await failure(writeModelProto(proto));
      assert.match(error.message, pattern);
    });
  }

  it('an unsupported op is told with all others of its kind', async () => {
    const nodes = [
      node('Selu', 'x', 'a'),
      node('Relu', 'a', 'b'),
      node('Selu', 'b', 'c'),
      node('Selu', 'x', 'unused'),
      node('Relu', 'c', 'y'),
    ];
    const error = await failure(makeOnnx({ nodes }));
    assert.match(
      error.message,
      /node "a" \(Selu\) is of an op that bitpath does not have\. Others of its kind: "c", "unused"/,
    );
    assert.deepEqual(
      { ...error.details, file: 0, reason: 0 },
      { node: 'a', op: 'Selu', nodes: ['a', 'c', 'unused'], file: 0, reason: 0 },
    );
  });

  it('ops with graphs in them', async () => {
    const proto = makeProto({ nodes: [node('If', 'x', 'y')] });
    const [first] = proto.graph?.node ?? [];
    const inner = makeProto({ nodes: [node('Relu', 'x', 'y')] }).graph;
    assert.ok(inner);
    first?.attribute.push(create(AttributeProtoSchema, { name: 'then_branch', g: inner }));
    assert.match((await failure(writeModelProto(proto))).message, /\(If\) has graphs within it/);
  });

  it('every truncation of a file, and every byte changed', async () => {
    const bytes = makeOnnx({
      nodes: [node('Sign', 'x', 's'), node('Conv', 's w', 'y', { pads: [1, 1, 1, 1] })],
      constants: { w: floats([2, 3, 3, 3], signs(54)) },
    });
    let refused = 0;
    let read = 0;
    const attempt = async (changed: Uint8Array) => {
      try {
        await fromOnnx(changed);
        read++;
      } catch (error) {
        assert.equal((error as BitpathError).code, 'ERR_BITPATH_ONNX', (error as Error).stack);
        refused++;
      }
    };
    for (let length = 0; length < bytes.length; length++) await attempt(bytes.slice(0, length));
    for (let at = 0; at < bytes.length; at++) {
      for (const change of [0xff, 1, 0x80]) {
        const copy = bytes.slice();
        copy[at] = (copy[at] as number) ^ change;
        await attempt(copy);
      }
    }
    assert.ok(refused > bytes.length && read > 100, `${refused} refused, ${read} read`);
  });

  it('a chain of a hundred thousand nodes, and constants as long', async () => {
    const count = 100_000;
    const chain = (op: string, from: string) =>
      Array.from({ length: count }, (_, i) =>
        node(op, i === 0 ? from : `${op}${i - 1}`, i === count - 1 ? 'y' : `${op}${i}`),
      );
    assert.match((await failure(makeOnnx({ nodes: chain('Relu', 'x') }))).message, /more than 65536 nodes/);
    const { nodes } = { nodes: chain('Neg', 'w') };
    const sum = [...nodes.slice(0, -1), node('Add', `x Neg${count - 2}`, 'y')];
    const { model } = await fromOnnx(makeOnnx({ nodes: sum, constants: { w: scalar(1) } }));
    assert.equal(model.graph.nodes.length, 2);
  });

  it('thousands of nodes of one name, and a node of thousands of inputs before they are made', async () => {
    const count = 20_000;
    const parts = Array.from({ length: count }, (_, i) => ({ ...node('Relu', 'x', `r${i}`), name: 'same' }));
    const sum = { op: 'Sum', inputs: parts.map(({ outputs }) => outputs[0] as string), outputs: ['y'] };
    const { model } = await fromOnnx(makeOnnx({ nodes: [sum, ...parts] }));
    assert.equal(model.graph.nodes.length, 1 + 2 * count - 1);
  });

  it('parameters that a few bytes ask for', async () => {
    const nodes = Array.from({ length: 2000 }, (_, i) => [
      node('Add', `${i === 0 ? 'x' : `r${i - 1}`} one`, `a${i}`),
      node('Relu', `a${i}`, i === 1999 ? 'y' : `r${i}`),
    ]);
    const error = await failure(
      makeOnnx({ nodes: nodes.flat(), constants: { one: scalar(1) }, input: [1, 60000, 1, 1] }),
    );
    assert.match(error.message, /more work/);
  });

  it('external data outside the model’s folder', async () => {
    const proto = makeProto(good);
    const tensor = proto.graph?.initializer[0];
    assert.ok(tensor);
    const { rawData: _, ...rest } = tensor;
    const entry = (key: string, value: string) => create(StringStringEntryProtoSchema, { key, value });
    for (const location of ['../secret', '/etc/hostname', 'missing.bin']) {
      const external = {
        ...rest,
        dataLocation: TensorProto_DataLocation.EXTERNAL,
        externalData: [entry('location', location)],
      };
      const graph = { ...proto.graph, initializer: [external] };
      const bytes = writeModelProto({ ...proto, graph } as unknown as typeof proto);
      const path = join(folder, 'model.onnx');
      writeFileSync(path, bytes);
      assert.match(
        (await failure(path)).message,
        location === 'missing.bin' ? /cannot be read/ : /outside the model’s folder/,
      );
      assert.match((await failure(bytes)).message, /lies in a file of its own/);
    }
  });

  it('what is no file at all', async () => {
    assert.match((await failure(join(folder, 'nothing.onnx'))).message, /cannot be read/);
    assert.match((await failure(folder)).message, /not a regular file/);
    await assert.rejects(fromOnnx(7 as never), { code: 'ERR_BITPATH_ARGUMENT' });
    await assert.rejects(fromOnnx(makeOnnx(good), { lables: null } as never), /did you mean "labels"/);
  });
});
