/** `bitpath export`, `bitpath diff` and what is under them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { createModel, type Graph, GraphBuilder, Model, Tensor } from 'bitpath';
import { compareWithOnnx, compareWithTensors, fromOnnx, toOnnx } from 'bitpath/onnx';
import { writeSafetensors } from '#lib/formats/safetensors.js';
import { layersOf, valuesBetween } from '#lib/onnx/diff/layers.js';
import { difference } from '#lib/onnx/diff/measure.js';
import { readModelProto, writeModelProto } from '#lib/onnx/proto/model.js';
import { bitpath } from '../cli/run.js';
import { roughInput, roughParams } from '../properties/randomGraph.js';
import { onnxValues } from './oracle.js';

const folder = mkdtempSync(join(tmpdir(), 'bitpath-diff-'));
after(() => rmSync(folder, { recursive: true }));
const inFolder = (name: string) => join(folder, name);

/** Two units, the second of stride 2 with a shortcut: maps of two sizes meet in one layer. */
function small(padValue: 0 | -1 = 0, eps = 1e-5): Graph {
  const b = new GraphBuilder('small');
  const x = b.input({ channels: 6, height: 9, width: 7 });
  const first = b.batchNorm(
    b.binaryConv(b.sign(x, { name: 's0' }), { name: 'c0', outChannels: 6, kernel: 3, padding: 1, padValue }),
    { name: 'n0', eps },
  );
  const sum = b.add(first, x, { name: 'a0' });
  const conv = { name: 'c1', outChannels: 12, kernel: 3, stride: 2, padding: 1, padValue, scale: true };
  const second = b.batchNorm(b.binaryConv(b.sign(sum, { name: 's1' }), conv), { name: 'n1', eps });
  const short = b.conv(b.avgPool(sum, { kernel: 2, padding: [0, 0, 1, 1], name: 'p1' }), {
    name: 'd1',
    outChannels: 12,
    kernel: 1,
  });
  b.output('map', b.add(second, short, { name: 'a1' }));
  b.output('logits', b.linear(b.globalAvgPool(sum, { name: 'pool' }), { name: 'fc', outFeatures: 5 }));
  return b.build();
}
const graph = small();
const params = roughParams(graph, 4);
const model = new Model({ graph, params });
const wrong = (padValue: 0 | -1, eps?: number) => new Model({ graph: small(padValue, eps), params });

const id = (name: string) => graph.nodes.find((node) => node.name === name)?.output ?? -1;

describe('layers', () => {
  const layers = (names: string[]) =>
    layersOf(graph, new Set(names.map(id))).map(({ nodes, inputs, innerSigns }) => [
      nodes.map(({ name }) => name).join(' '),
      inputs.map((input) => graph.nodes.find(({ output }) => output === input)?.name).join(' '),
      innerSigns.join(' '),
    ]);

  it('lie between known values', () => {
    assert.deepEqual(layers(['n0', 's1', 'a1']), [
      ['s0 c0 n0', 'input', ''],
      ['a0 s1', 'input n0', ''],
      ['a0 c1 n1 p1 d1 a1', 'input n0 s1', ''],
    ]);
  });

  it('count the signs that see values of their own', () => {
    assert.deepEqual(layers(['a1']), [['s0 c0 n0 a0 s1 c1 n1 p1 d1 a1', 'input', 's1']]);
  });

  it('of groups', () => {
    const between = valuesBetween(graph, [
      ['s0'],
      ['c0', 'n0', 'a0', 's1'],
      ['c1', 'n1', 'a1'],
      ['p1', 'd1'],
      ['pool', 'fc'],
    ]);
    const names = graph.nodes.filter(({ output }) => between.has(output)).map(({ name }) => name);
    assert.deepEqual(names, ['input', 's0', 'a0', 's1', 'd1', 'a1', 'fc']);
  });

  it('difference', () => {
    const expected = Float32Array.of(1, 2, 3, 4, Infinity, Number.NaN, 0, -0, 10);
    assert.equal(difference(expected, expected, 3, 3).relative, 0);
    const actual = expected.slice();
    actual[4] = 5;
    const { worst, off, offAtBorder } = difference(actual, expected, 3, 3);
    assert.deepEqual([worst, off, offAtBorder], [Infinity, 1, 0]);
    assert.equal(difference(Float32Array.of(Number.NaN), Float32Array.of(1), 1, 1).worst, Infinity);
  });
});

describe('compareWithOnnx', () => {
  const onnx = toOnnx(model);

  it('its own export agrees, node by node', async () => {
    const heard: string[] = [];
    const comparison = await compareWithOnnx(model, onnx, { images: 3, onLayer: ({ name }) => heard.push(name) });
    assert.equal(comparison.agree, true);
    assert.equal(comparison.known, comparison.values);
    assert.equal(comparison.layers.length, graph.nodes.length - 1);
    assert.deepEqual(
      heard,
      comparison.layers.map(({ name }) => name),
    );
    assert.equal(comparison.endToEnd?.images, 3);
    assert.ok((comparison.endToEnd?.relative ?? 1) < 1e-5);
  });

  it('a model with a fixed batch is run so many images at a time', async () => {
    const proto = readModelProto(onnx);
    const type = proto.graph?.input[0]?.type?.value;
    assert.ok(type?.case === 'tensorType' && type.value.shape?.dim[0]);
    type.value.shape.dim[0].value = { case: 'dimValue', value: 2n };
    assert.ok(proto.graph);
    // What is inside follows from the input.
    proto.graph.valueInfo = [];
    for (const output of proto.graph.output) delete (output as { type?: unknown }).type;
    const comparison = await compareWithOnnx(model, writeModelProto(proto), { images: 3 });
    assert.deepEqual([comparison.agree, comparison.endToEnd?.images], [true, 4]);
  });

  it('says where a wrong network parts, and what it looks like', async () => {
    const differing = async (other: Model) => {
      const { layers, agree } = await compareWithOnnx(other, onnx);
      assert.equal(agree, false);
      return layers.filter(({ verdict }) => verdict === 'differs').map(({ name, hint }) => [name, hint]);
    };
    const border = 'only at the border: look at padding and its value';
    assert.deepEqual(await differing(wrong(-1)), [
      ['c0', border],
      ['c1', border],
    ]);
    const names = (await differing(wrong(0, 0.1))).map(([name]) => name);
    assert.deepEqual(names, ['n0', 'n1']);
    const scaled = new Map(params);
    const { shape, data } = params.get('c1.scale') as Tensor<'float32'>;
    scaled.set(
      'c1.scale',
      new Tensor(
        'float32',
        shape,
        data.map((value) => value * 1.01),
      ),
    );
    assert.deepEqual(await differing(new Model({ graph, params: scaled })), [
      ['c1', 'by a constant factor in each channel: look at scales and batchNorm eps'],
    ]);
  });

  it('agrees with networks that PyTorch exported, as they are imported', async (t) => {
    const fixtures = new URL('../../../test/onnx/fixtures/', import.meta.url);
    const files = readdirSync(fixtures).filter((name) => name.endsWith('.onnx'));
    let compared = 0;
    for (const file of files) {
      const bytes = readFileSync(new URL(file, fixtures));
      const { layers, agree, known, values } = await compareWithOnnx((await fromOnnx(bytes)).model, bytes, { file });
      assert.ok(agree, `${file}: ${JSON.stringify(layers.filter(({ verdict }) => verdict !== 'equal'))}`);
      // One node of theirs may be several of ours, and those between have no name there.
      assert.ok(known > values / 2, `${file}: ${known} of ${values}`);
      compared += layers.length;
    }
    t.diagnostic(`${files.length} files, ${compared} layers`);
    assert.ok(files.length >= 16 && compared >= 200);
  });

  it('refuses models that it has nothing to say about', async () => {
    const fails = (bytes: Uint8Array, pattern: RegExp) =>
      assert.rejects(compareWithOnnx(model, bytes), (error: Error & { code?: string }) => {
        assert.equal(error.code, 'ERR_BITPATH_ONNX');
        assert.match(error.message, pattern);
        return true;
      });
    const proto = () => readModelProto(onnx);
    const changed = proto();
    for (const node of changed.graph?.node ?? []) node.opType = node.opType === 'Add' ? 'Adder' : node.opType;
    await fails(writeModelProto(changed), /onnxruntime does not load it: .*Adder/);
    const inputs = proto();
    inputs.graph?.input.push(...inputs.graph.input);
    await fails(writeModelProto(inputs), /it has 2 inputs, expected one/);
    await fails(
      toOnnx(createModel('bireal-resnet18-64', { inputSize: 64 })),
      /does not run it: .*Got invalid dimensions/s,
    );
    await assert.rejects(compareWithOnnx(model, onnx, { images: 0 }), { code: 'ERR_BITPATH_ARGUMENT' });
    await assert.rejects(compareWithOnnx({} as Model, onnx), { code: 'ERR_BITPATH_ARGUMENT' });
  });
});

describe('compareWithTensors', () => {
  const input = roughInput(2 * 6 * 9 * 7, 5, false);
  const tensors = async () => {
    const values = await onnxValues(model, input, 2);
    const tensor = (name: string, channels: number, ...rest: number[]) =>
      new Tensor('float32', [2, channels, ...rest], values.get(id(name)) as Float32Array);
    return new Map<string, Tensor>([
      ['input', tensor('input', 6, 9, 7)],
      ['n0', tensor('n0', 6, 9, 7)],
      ['a0', tensor('a0', 6, 9, 7)],
      ['logits', tensor('fc', 5)],
      ['something else', new Tensor('int32', [1], new Int32Array(1))],
    ]);
  };

  it('takes what has a name here', async () => {
    const { layers, known, agree } = await compareWithTensors(model, await tensors());
    assert.deepEqual(
      layers.map(({ name, nodes }) => [name, nodes.length]),
      [
        ['n0', 3],
        ['a0', 1],
        ['fc', 2],
      ],
    );
    assert.deepEqual([known, agree], [3, true]);
    const other = await compareWithTensors(wrong(-1), await tensors());
    assert.deepEqual(
      other.layers.map(({ verdict }) => verdict),
      ['differs', 'equal', 'equal'],
    );
  });

  it('BAD CALL', async () => {
    const all = await tensors();
    const without = new Map([...all].filter(([name]) => name !== 'input'));
    await assert.rejects(compareWithTensors(model, without), /Expected one called "input" for tensors/);
    all.set('n0', all.get('logits') as Tensor);
    await assert.rejects(compareWithTensors(model, all), /Expected float32 \[2, 6, 9, 7\] for tensor n0/);
  });

  it('bitpath diff reads .npz and .safetensors', async () => {
    await model.save(inFolder('small.safetensors'));
    writeFileSync(inFolder('golden.safetensors'), writeSafetensors(await tensors()));
    const run = await bitpath(['diff', 'small.safetensors', 'golden.safetensors', '--all'], { cwd: folder });
    assert.equal(run.stderr, '');
    assert.equal(run.code, 0);
    assert.match(run.stdout, /^n0 +sign binaryConv batchNorm +6×9×7 .* equal$/m);
    assert.match(
      run.stdout,
      /^3 layers compared \(3 of 12 values have a counterpart\): 3 equal, 0 differ, 0 too sensitive/m,
    );
  });
});

describe('bitpath export and diff', () => {
  it('say where the file is and what is in it, and that both agree', async () => {
    await model.save(inFolder('small.safetensors'));
    const written = await bitpath(['export', 'small.safetensors', 'small.onnx', '--opset', '13'], { cwd: folder });
    assert.equal(written.stderr, '');
    assert.match(written.stdout, /^small\.onnx: [\d.]+ kB, opset 13, input N×6×9×7 → map N×12×5×4, logits N×5\n$/);
    assert.deepEqual(readFileSync(inFolder('small.onnx')), Buffer.from(toOnnx(await loaded(), { opset: 13 })));
    const same = await bitpath(['diff', 'small.safetensors', 'small.onnx', '--json'], { cwd: folder });
    assert.equal(same.stderr, '');
    assert.equal(same.code, 0);
    const document = JSON.parse(same.stdout);
    assert.equal(document.schema, 'bitpath.diff/1');
    assert.equal(document.agree, true);
    assert.equal(document.layers.length, 12);
    assert.equal(document.endToEnd.images, 2);
  });

  it('exit with 1 where the two part, and say where', async () => {
    await wrong(-1).save(inFolder('wrong.safetensors'));
    writeFileSync(inFolder('right.onnx'), toOnnx(model));
    const { code, stdout } = await bitpath(['diff', 'wrong.safetensors', 'right.onnx'], { cwd: folder });
    assert.equal(code, 1);
    assert.match(stdout, /^c0 +binaryConv .* differs: only at the border: look at padding and its value$/m);
    assert.match(stdout, /^They part first at c0\. /m);
    assert.doesNotMatch(stdout, / equal$/m);
  });

  it('report what cannot be read or written', async () => {
    const messages: [string[], RegExp][] = [
      [
        ['export', 'small.safetensors', 'none/out.onnx'],
        /^bitpath: none\/out\.onnx: it cannot be written \(ENOENT.*\(ERR_BITPATH_ONNX\)\n$/,
      ],
      [
        ['diff', 'small.safetensors', 'none.onnx'],
        /^bitpath: none\.onnx: it cannot be read \(ENOENT.*\(ERR_BITPATH_ONNX\)\n$/,
      ],
      [
        ['diff', 'small.safetensors', 'small.safetensors'],
        /^bitpath: Expected one called "input".*\(ERR_BITPATH_ARGUMENT\)\n$/,
      ],
      [['export', 'resnet19', 'out.onnx'], /^bitpath: No model or architecture is called "resnet19".*\n$/],
    ];
    for (const [args, pattern] of messages) {
      const { code, stdout, stderr } = await bitpath(args, { cwd: folder });
      assert.match(stderr, pattern);
      assert.deepEqual([code, stdout], [1, '']);
    }
    const usage = await bitpath(['export', 'resnet18', 'out.onnx', '--opset', '8'], { cwd: folder });
    assert.equal(usage.code, 2);
  });

  it('without onnxruntime-node, diff says what to install', () => {
    const root = inFolder('package');
    mkdirSync(join(root, 'node_modules/@bufbuild'), { recursive: true });
    const own = new URL('../../../', import.meta.url).pathname;
    cpSync(join(own, 'dist'), join(root, 'dist'), { recursive: true });
    cpSync(join(own, 'package.json'), join(root, 'package.json'));
    for (const name of ['commander', 'cli-progress', 'node-gyp-build', '@bufbuild/protobuf']) {
      symlinkSync(join(own, 'node_modules', name), join(root, 'node_modules', name));
    }
    const args = [join(root, 'dist/cli/main.js'), 'diff', inFolder('small.safetensors'), inFolder('right.onnx')];
    const { stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    assert.match(
      stderr,
      /^bitpath: Comparing with ONNX needs the package onnxruntime-node.*: npm install onnxruntime-node \(ERR_BITPATH_MISSING_PACKAGE\)\n$/,
    );
    assert.equal(status, 1);
  });
});

async function loaded(): Promise<Model> {
  const { loadModel } = await import('bitpath');
  return loadModel(inFolder('small.safetensors'));
}
