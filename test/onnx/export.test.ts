/** `toOnnx`: what is in the file, and that onnxruntime and the ONNX checker take it. (oracle.test.ts compares what it computes.) */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import {
  type BitpathError,
  createModel,
  GraphBuilder,
  listArchitectures,
  listModels,
  loadModel,
  type Params,
  Tensor,
  type Value,
} from 'bitpath';
import { MAX_OPSET, MIN_OPSET, toOnnx } from 'bitpath/onnx';
import { unpackBits } from '#lib/onnx/bits.js';
import { nextDown, nextUp } from '#lib/onnx/float32.js';
import { shortestDecimal } from '#lib/onnx/export.js';
import { readModelProto } from '#lib/onnx/proto/model.js';
import type { GraphProto, NodeProto } from '#lib/onnx/proto/onnx_pb.js';
import { readTensor } from '#lib/onnx/proto/tensor.js';
import { OnnxSession } from '#lib/onnx/diff/onnxruntime.js';
import { roughInput, roughParams } from '../properties/randomGraph.js';
import { networks } from './networks.js';
import { assertEqual, gate, onnxValues } from './oracle.js';

/** The newest opset of onnxruntime-node 1.30. */
const ORT_OPSET = 26;

/** Everything that is written in a way of its own: two inputs' worth of shapes, asymmetric pads, rows read as maps. */
function variety() {
  const b = new GraphBuilder('variety');
  const x = b.input({ channels: 5, height: 9, width: 7 });
  const bits = b.sign(x, { name: 's0' });
  const scaled = b.binaryConv(bits, { name: 'c0', outChannels: 6, kernel: [3, 2], padding: [1, 0, 2, 1], scale: true });
  const plus = b.binaryConv(b.sign(x, { threshold: true, name: 's1' }), {
    name: 'c1',
    outChannels: 6,
    kernel: [3, 2],
    padding: [1, 0, 2, 1],
    padValue: 1,
  });
  const minus = b.binaryConv(bits, {
    outChannels: 4,
    kernel: 3,
    padding: 1,
    padValue: -1,
    stride: [2, 1],
    dilation: [1, 2],
  });
  const joined = b.concat([b.add(scaled, plus), b.scale(scaled, { factor: 1 / 3 })]);
  const pooled = b.avgPool(b.prelu(joined), { kernel: 2, padding: [0, 1, 1, 0], countIncludePad: false });
  const max = b.maxPool(pooled, { kernel: [2, 3], stride: 1, padding: [1, 0, 0, 2] });
  const row = b.linear(b.globalAvgPool(b.relu(b.batchNorm(max, { eps: 1e-3 }))), { outFeatures: 11 });
  // Rows that maps are made of again.
  const second = b.linear(b.add(b.batchNorm(row), row), { outFeatures: 3, bias: false });
  const outputs: [string, Value][] = [
    ['row', row],
    ['second', second],
    ['same', second],
    ['map', minus],
    ['pooled', b.globalAvgPool(minus)],
    ['whole', joined],
    ['input2', x],
  ];
  for (const [name, value] of outputs) b.output(name, value);
  const graph = b.build();
  return { graph, params: roughParams(graph, 3) };
}

const graphOf = (bytes: Uint8Array): GraphProto => {
  const { graph } = readModelProto(bytes);
  assert.ok(graph);
  return graph;
};
const dimsOf = (info: GraphProto['input'][number] | undefined) => {
  const type = info?.type?.value;
  assert.ok(type?.case === 'tensorType' && type.value.elemType === 1);
  return type.value.shape?.dim.map(({ value }) => (value.case === 'dimValue' ? Number(value.value) : value.value));
};

describe('toOnnx', () => {
  const { graph, params } = variety();

  for (const opset of [9, 10, 11, 12, 13, 17, 22, ORT_OPSET]) {
    it(`opset ${opset}: onnxruntime computes what bitpath computes`, async () => {
      const values = await onnxValues({ graph, params }, roughInput(3 * 5 * 9 * 7, 2, false), 3, opset);
      assertEqual(`opset ${opset}`, await gate({ graph, params }, values, 3), graph);
    });
  }

  it('names inputs, outputs and nodes; the batch is a symbol, a 1×1 output a row', () => {
    const onnx = graphOf(toOnnx({ graph, params }));
    assert.deepEqual(
      onnx.input.map((info) => [info.name, dimsOf(info)]),
      [['input', ['N', 5, 9, 7]]],
    );
    assert.deepEqual(
      onnx.output.map((info) => [info.name, dimsOf(info)]),
      [
        ['row', ['N', 11]],
        ['second', ['N', 3]],
        ['same', ['N', 3]],
        ['map', ['N', 4, 5, 5]],
        ['pooled', ['N', 4]],
        ['whole', ['N', 12, 10, 7]],
        ['input2', ['N', 5, 9, 7]],
      ],
    );
    const names = onnx.node.map(({ name }) => name);
    assert.equal(new Set(names).size, names.length);
    for (const node of graph.nodes) assert.ok(node.op === 'input' || names.includes(node.name), node.name);
    const tensors = onnx.node.flatMap(({ output }) => output);
    assert.equal(new Set(tensors).size, tensors.length);
  });

  it('uses standard ops, and each opset’s own', () => {
    const ops = (opset: number) =>
      new Set(graphOf(toOnnx({ graph, params }, { opset })).node.map(({ opType }) => opType));
    const common = [
      'Add',
      'AveragePool',
      'BatchNormalization',
      'Concat',
      'Conv',
      'Flatten',
      'Gemm',
      'GlobalAveragePool',
    ];
    common.push('Identity', 'MaxPool', 'Mul', 'PRelu', 'Pad', 'Relu', 'Reshape', 'Where');
    assert.deepEqual([...ops(17)].sort(), [...common, 'GreaterOrEqual'].sort());
    assert.deepEqual([...ops(9)].sort(), [...common, 'Greater', 'MatMul'].sort());
    const pad = (opset: number) =>
      graphOf(toOnnx({ graph, params }, { opset })).node.find(({ opType }) => opType === 'Pad') as NodeProto;
    assert.equal(pad(10).attribute.length, 2);
    assert.equal(pad(11).input.length, 3);
  });

  it('keeps ±1 weights and scales apart', () => {
    const { initializer } = graphOf(toOnnx({ graph, params }));
    const find = (name: string) => {
      const tensor = initializer.find((item) => item.name === name);
      assert.ok(tensor, name);
      return readTensor(tensor, 'f');
    };
    const { dims, data } = find('c0.weight');
    assert.deepEqual(dims, [6, 5, 3, 2]);
    assert.ok((data as Float32Array).every((weight) => Math.abs(weight) === 1));
    assert.deepEqual(find('c0.scale').dims, [6, 1, 1]);
    assert.deepEqual(find('c0.scale').data, params.get('c0.scale')?.data);
    assert.deepEqual(find('s1.threshold').dims, [5, 1, 1]);
  });

  it('names that look like helpers’ stay what they are', () => {
    const b = new GraphBuilder('names');
    const x = b.input({ channels: 2, height: 3, width: 3, name: 'out' });
    const conv = b.binaryConv(b.sign(x, { name: 'one' }), { name: 'c', outChannels: 2, kernel: 1, scale: true });
    const y = b.relu(b.relu(conv, { name: 'c/Conv' }), { name: 'c.weight' });
    b.output('out', y);
    const named = b.build();
    const onnx = graphOf(toOnnx({ graph: named, params: roughParams(named, 1) }));
    for (const name of ['one', 'c', 'c/Conv', 'c.weight'])
      assert.ok(
        onnx.node.some((node) => node.name === name),
        name,
      );
    const made = [
      ...onnx.node.flatMap(({ output }) => output),
      ...onnx.initializer.map(({ name }) => name),
      onnx.input[0]?.name,
    ];
    assert.equal(new Set(made).size, made.length);
    assert.equal(onnx.output[0]?.name, 'out');
  });

  it('carries what a model file carries', async () => {
    const model = await loadModel();
    const proto = readModelProto(toOnnx(model));
    const metadata = new Map(proto.metadataProps.map(({ key, value }) => [key, value]));
    assert.equal(proto.producerName, 'bitpath');
    assert.equal(proto.graph?.name, model.graph.name);
    assert.equal(metadata.get('bitpath.format'), '1');
    assert.equal(metadata.get('bitpath.name'), model.name);
    assert.deepEqual(JSON.parse(metadata.get('bitpath.labels') ?? ''), model.labels);
    assert.deepEqual(JSON.parse(metadata.get('bitpath.preprocessing') ?? ''), model.preprocessing);
    assert.deepEqual(JSON.parse(metadata.get('bitpath.provenance') ?? ''), { ...model.provenance });
    assert.equal(metadata.has('bitpath.eps'), false);
  });

  it('keeps an eps that float32 has not', () => {
    const b = new GraphBuilder('eps');
    b.output(
      'y',
      b.batchNorm(b.batchNorm(b.input({ channels: 2, height: 1, width: 2 }), { eps: 1.23456789012e-5, name: 'odd' })),
    );
    const odd = b.build();
    const { metadataProps } = readModelProto(toOnnx({ graph: odd, params: roughParams(odd, 1) }));
    assert.equal(metadataProps.find(({ key }) => key === 'bitpath.eps')?.value, '{"odd":0.0000123456789012}');
    for (const eps of [1e-5, 1e-3, 0.1, 2e-5, 0, 1]) assert.equal(shortestDecimal(Math.fround(eps)), eps);
  });

  it('BAD CALL', () => {
    const code = (expected: string) => (error: BitpathError) => error.code === expected;
    assert.throws(() => toOnnx({ graph, params }, { opset: 8 }), /from 9 to 28/);
    assert.throws(() => toOnnx({ graph, params }, { opst: 9 } as object), code('ERR_BITPATH_UNKNOWN_OPTION'));
    assert.throws(() => toOnnx({ graph, params: new Map() }), code('ERR_BITPATH_PARAM'));
    assert.throws(() => toOnnx(null as never), code('ERR_BITPATH_ARGUMENT'));
    assert.throws(() => toOnnx({ graph: {}, params } as never), code('ERR_BITPATH_ARGUMENT'));
  });
});

describe('the sign is exact', () => {
  const tiny = 2 ** -149;
  const values = [
    0,
    -0,
    Number.NaN,
    tiny,
    -tiny,
    1,
    -1,
    Infinity,
    -Infinity,
    0.5,
    nextDown(0.5),
    nextUp(0.5),
    3.4e38,
    -3.4e38,
  ];
  const thresholds = [0, 0.5, -tiny, 3.4028234663852886e38, -3.4028234663852886e38, 1];

  for (const opset of [9, 11, 12, 17, ORT_OPSET]) {
    it(`opset ${opset}`, async () => {
      const b = new GraphBuilder('sign');
      const x = b.input({ channels: thresholds.length, height: 1, width: values.length });
      const options = { outChannels: thresholds.length, kernel: 1, groups: thresholds.length };
      b.output('zero', b.binaryConv(b.sign(x), { ...options, name: 'a' }));
      b.output('each', b.binaryConv(b.sign(x, { threshold: true, name: 't' }), { ...options, name: 'b' }));
      const graph = b.build();
      const ones = new Tensor('uint8', [thresholds.length, 1], new Uint8Array(thresholds.length).fill(1));
      const params: Params = new Map<string, Tensor>([
        ['a.bits', ones],
        ['b.bits', ones],
        ['t.threshold', new Tensor('float32', [thresholds.length], Float32Array.from(thresholds))],
      ]);
      const proto = readModelProto(toOnnx({ graph, params }, { opset }));
      const session = await OnnxSession.create(proto, [], { file: 'f', threads: 1, optimize: true });
      const input = Float32Array.from(thresholds.flatMap(() => values));
      const dims = [1, thresholds.length, 1, values.length];
      const outputs = await session.run('input', input, dims, ['zero', 'each'], 'f');
      await session.release();
      const expected = (threshold: (c: number) => number) =>
        Float32Array.from(input, (value, i) => (value >= threshold(Math.floor(i / values.length)) ? 1 : -1));
      assert.deepEqual(
        outputs.get('zero')?.data,
        expected(() => 0),
      );
      assert.deepEqual(
        outputs.get('each')?.data,
        expected((c) => Math.fround(thresholds[c] as number)),
      );
    });
  }

  it('neighbours of a float32', () => {
    assert.equal(nextUp(0), tiny);
    assert.equal(nextUp(-0), tiny);
    assert.equal(nextDown(0), -tiny);
    assert.equal(nextUp(-tiny), -0);
    assert.equal(nextUp(1), 1 + 2 ** -23);
    assert.equal(nextDown(1), 1 - 2 ** -24);
    assert.equal(nextDown(-3.4028234663852886e38), -Infinity);
  });

  it('bits', () => {
    // O = 2, I = 3, 1×2: K = 6 in (kw, I) order.
    const bits = Uint8Array.of(0b000011, 0b101000);
    const weights = unpackBits(bits, { outputs: 2, inputs: 3, height: 1, width: 2 });
    assert.deepEqual(weights, Float32Array.of(1, -1, 1, -1, -1, -1, -1, 1, -1, -1, -1, 1));
  });
});

describe('other people’s readers', () => {
  /** Each graph once. */
  const distinct = listArchitectures().filter(({ sameGraphAs }) => sameGraphAs === null);
  const folder = mkdtempSync(join(tmpdir(), 'bitpath-onnx-'));
  after(() => rmSync(folder, { recursive: true }));

  it('onnxruntime loads and runs every architecture and every shipped model, optimised', async () => {
    const models = await Promise.all((await listModels()).map(({ name }) => loadModel(name)));
    const made = distinct.map(({ name }) => createModel(name, { inputSize: 64, classes: 5 }));
    for (const model of [...models, ...made]) {
      const proto = readModelProto(toOnnx(model), model.name);
      const session = await OnnxSession.create(proto, [], { file: model.name, threads: 2, optimize: true });
      const { height = 0, width = 0 } = model.preprocessing?.crop ?? {};
      const outputs = await session.run(
        'input',
        roughInput(6 * height * width, 1, false),
        [2, 3, height, width],
        ['logits'],
        model.name,
      );
      await session.release();
      assert.deepEqual(outputs.get('logits')?.dims, [2, model.labels?.length ?? 5]);
    }
    assert.ok(models.length >= 2 && made.length >= 20);
  });

  const python = spawnSync('python3', ['-c', 'import onnx; print(onnx.__version__)'], { encoding: 'utf8' });
  const skip = python.status === 0 ? false : 'no python3 with the package onnx';
  it('the ONNX checker passes every opset, with full shape inference', { skip }, (t) => {
    const files: string[] = [];
    const { graph, params } = variety();
    for (let opset = MIN_OPSET; opset <= MAX_OPSET; opset++) {
      files.push(join(folder, `variety-${opset}.onnx`));
      writeFileSync(files.at(-1) as string, toOnnx({ graph, params }, { opset }));
    }
    for (const [i, network] of Object.values(networks()).entries()) {
      for (const opset of [9, 10, 11, 12, 13, 18, MAX_OPSET]) {
        files.push(join(folder, `later-${i}-${opset}.onnx`));
        writeFileSync(files.at(-1) as string, toOnnx(network, { opset }));
      }
    }
    for (const { name } of distinct) {
      files.push(join(folder, `${name}.onnx`));
      writeFileSync(files.at(-1) as string, toOnnx(createModel(name, { inputSize: 64, classes: 5 })));
    }
    const code =
      'import onnx, sys\nfor path in sys.argv[1:]: onnx.checker.check_model(path, full_check=True)\nprint(len(sys.argv) - 1)';
    const run = spawnSync('python3', ['-c', code, ...files], { encoding: 'utf8' });
    assert.equal(run.status, 0, run.stderr);
    assert.equal(Number(run.stdout), files.length);
    t.diagnostic(`${files.length} files, onnx ${python.stdout.trim()}`);
  });
});
