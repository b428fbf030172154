/** Files that misuse the later ops: each ends in ERR_BITPATH_ONNX that says what is wrong, or is read as what its nodes say. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { create } from '@bufbuild/protobuf';
import type { BitpathError } from 'bitpath';
import { fromOnnx } from 'bitpath/onnx';
import { exportModel } from '#lib/onnx/export.js';
import { writeModelProto } from '#lib/onnx/proto/model.js';
import { type ModelProto, StringStringEntryProtoSchema } from '#lib/onnx/proto/onnx_pb.js';
import { makeTensor, readTensor } from '#lib/onnx/proto/tensor.js';
import { roughInput } from '../properties/randomGraph.js';
import { floats, ints, type Made, makeOnnx, node, scalar, signs } from './make.js';
import { networks } from './networks.js';
import { runBoth } from './runBoth.js';

const w = floats([2, 3, 1, 1], signs(6));
const heaviside = [node('GreaterOrEqual', 'x half', 'b'), node('Cast', 'b', 's', { to: 1 })];
const half = scalar(0.5);

const CASES: Record<string, [Made, RegExp]> = {
  'a pad of 1 around {0, 1}': [
    {
      nodes: [...heaviside, node('Pad', 's pads one', 'p'), node('Conv', 'p w', 'y')],
      constants: { w, half, one: scalar(1), pads: ints(0, 0, 1, 1, 0, 0, 1, 1) },
    },
    /node "y" \(Conv\) follows a pad of 0 and 1 values with something other than 0/,
  ],
  'maps that do not broadcast to each other': [
    {
      nodes: [
        node('GlobalAveragePool', 'x', 'g'),
        node('ReduceMean', 'x', 'm', { axes: [1] }),
        node('Mul', 'g m', 'y'),
      ],
    },
    /node "y" \(Mul\) joins maps of different shapes, \[N, 3, 1, 1\] and \[N, 1, 5, 4\]/,
  ],
  'a map of one row': [
    { nodes: [node('MaxPool', 'x', 'm', { kernel_shape: [5, 1] }), node('Mul', 'x m', 'y')] },
    /a second one of C×1×1, 1×H×W or 1×1×1/,
  ],
  'a row as if it were a column': [
    { nodes: [node('ReduceMean', 'x', 'g', { axes: [2, 3], keepdims: 0 }), node('Mul', 'x g', 'y')] },
    /joins maps of different shapes/,
  ],
  'a division by a map': [{ nodes: [node('Sigmoid', 'x', 's'), node('Div', 'x s', 'y')] }, /divides by a map/],
  'a constant of rank 2': [
    { nodes: [node('Mul', 'x k', 'y')], constants: { k: floats([5, 4], signs(20)) } },
    /node "y" \(Mul\) multiplies by a constant of \[5,4\] that is no product/,
  ],
  'a constant of NaN': [
    {
      nodes: [node('Mul', 'x k', 'y')],
      constants: { k: floats([4], [1, Number.NaN, 2, 3]) },
    },
    /no product|not a finite number/,
  ],
  'a constant of another shape': [
    { nodes: [node('Mul', 'x k', 'y')], constants: { k: floats([7, 4], signs(28)) } },
    /constant of \[7,4\]/,
  ],
  'a bias for each pixel': [
    { nodes: [node('Add', 'x k', 'y')], constants: { k: floats([5, 4], signs(20)) } },
    /no number for each channel \(shapes \[5, 4\] and \[N, 3, 5, 4\]\)/,
  ],
  'a mean of rows': [
    { nodes: [node('ReduceMean', 'x', 'y', { axes: [2] })] },
    /the mean of something other than all pixels, all channels or both/,
  ],
  'a mean of images': [{ nodes: [node('ReduceMean', 'x', 'y', { axes: [0, 1] })] }, /the mean of something other than/],
  'channels that are not there': [
    {
      nodes: [node('Slice', 'x starts ends axes', 'y')],
      constants: { starts: ints(7), ends: ints(9), axes: ints(1) },
    },
    /takes 0 of 3 along axis 1/,
  ],
  'channels padded with 1': [
    {
      nodes: [node('Pad', 'x pads one', 'y')],
      constants: { pads: ints(0, 1, 0, 0, 0, 0, 0, 0), one: scalar(1) },
    },
    /pads channels with 1/,
  ],
  'channels without number': [
    {
      nodes: [node('Pad', 'x pads', 'a'), node('Pad', 'a pads', 'y')],
      constants: { pads: ints(0, 65536, 0, 0, 0, 65536, 0, 0) },
      input: [1, 3, 4000, 4000],
    },
    /2³¹/,
  ],
  'thresholds that are not finite': [
    {
      nodes: [
        node('GreaterOrEqual', 'x t', 'a'),
        node('Cast', 'a', 'p', { to: 1 }),
        node('LessOrEqual', 'x u', 'b'),
        node('Cast', 'b', 'n', { to: 1 }),
        node('Sub', 'p n', 's'),
        node('Conv', 's w', 'y'),
      ],
      constants: { w, t: scalar(Infinity), u: scalar(-Infinity) },
    },
    /threshold that is not finite/,
  ],
};

describe('later ops misused', () => {
  for (const [what, [made, pattern]] of Object.entries(CASES)) {
    it(what, async () => {
      await assert.rejects(fromOnnx(makeOnnx(made)), (error: BitpathError) => {
        assert.equal(error.code, 'ERR_BITPATH_ONNX', error.stack);
        assert.match(error.message, pattern);
        return true;
      });
    });
  }
});

/** What the metadata say of interactions is believed only where the nodes say the same. */
describe('interactions that were changed', () => {
  const NAME = 'interactions of real numbers';
  const exported = () => exportModel(networks()[NAME] as ReturnType<typeof networks>[string]).model;
  const setMetadata = (model: ModelProto, change: (text: string) => string) => {
    const entry = model.metadataProps.find(({ key }) => key === 'bitpath.interactions');
    assert.ok(entry);
    entry.value = change(entry.value);
  };
  const changes: Record<string, (model: ModelProto) => void> = {
    'another pair': (model) => setMetadata(model, (text) => text.replace('[0,1,1', '[0,2,1')),
    'another order': (model) => setMetadata(model, (text) => text.replace('0,1,1,1,2,-1', '1,2,-1,0,1,1')),
    'another step': (model) => setMetadata(model, (text) => text.replace(/"step":[^,]*/, '"step":0.5')),
    'another threshold': (model) => setMetadata(model, (text) => text.replace('"threshold":0.5', '"threshold":0.75')),
    'pairs of channels that are not there': (model) => setMetadata(model, (text) => text.replace('[0,1,1', '[0,99,1')),
    'half a pair': (model) => setMetadata(model, (text) => text.replace('[0,', '[')),
    'no object': (model) => setMetadata(model, () => '7'),
    'no JSON': (model) => setMetadata(model, () => '{'),
    'nothing for the node': (model) => setMetadata(model, () => '{"other":{"pairs":[0,0,1],"threshold":1,"step":1}}'),
    'one weight of a round': (model) => {
      const weight = model.graph?.initializer.find(({ name }) => name === 'i.weight');
      assert.ok(weight);
      const { dims, data } = readTensor(weight, 'f');
      const changed = Float32Array.from(data as Float32Array);
      changed[3] = 2;
      Object.assign(weight, makeTensor(weight.name, dims, changed));
    },
    'a limit': (model) => {
      const limit = model.graph?.initializer.find(({ name }) => name === 'i/high');
      assert.ok(limit);
      Object.assign(limit, makeTensor(limit.name, [], Float32Array.of(0.75)));
    },
    'a round that is an output too': (model) => {
      const inner = model.graph?.node.find(({ name }) => name === 'i/Add');
      model.graph?.output.push({ ...model.graph.output[0], name: inner?.output[0] ?? '' } as never);
    },
    'metadata twice': (model) =>
      model.metadataProps.push(create(StringStringEntryProtoSchema, { key: 'bitpath.interactions', value: '[]' })),
  };

  it('unchanged, they are one node', async () => {
    const { model } = await fromOnnx(writeModelProto(exported()));
    assert.deepEqual(
      model.graph.nodes.map(({ op }) => op),
      ['input', 'channelInteraction'],
    );
  });

  for (const [what, change] of Object.entries(changes)) {
    it(`${what}: what counts is what the nodes compute`, async () => {
      const proto = exported();
      change(proto);
      const bytes = writeModelProto(proto);
      const { model } = await fromOnnx(bytes);
      assert.ok(model.graph.nodes.every(({ op }) => op !== 'channelInteraction'));
      const { worst } = await runBoth(bytes, model, roughInput(2 * 72, 5, false), [6, 4, 3]);
      assert.ok(worst < 1e-5, `differs by ${worst}`);
    });
  }
});
