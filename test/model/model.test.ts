import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import {
  createModel,
  DEFAULT_MODEL,
  GraphBuilder,
  listModels,
  loadModel,
  Model,
  modelFromBytes,
  randomParams,
  Tensor,
} from 'bitpath';
import { readSafetensors, writeSafetensors } from '#lib/formats/safetensors.js';
import { defaultPreprocessing } from '#lib/images/preprocessing.js';

/** 1-bit layer of 3·3·5 = 45 taps (3 spare bits), two classes. */
function sampleModel(): Model {
  const builder = new GraphBuilder('sample');
  const x = builder.input({ channels: 3, height: 6, width: 8 });
  const stem = builder.batchNorm(builder.conv(x, { name: 'stem', outChannels: 5, kernel: 1 }), { name: 'bn' });
  const bits = builder.binaryConv(builder.sign(stem), {
    name: 'unit.conv',
    outChannels: 7,
    kernel: 3,
    padding: 1,
    scale: true,
  });
  builder.output('logits', builder.linear(builder.globalAvgPool(bits), { name: 'fc', outFeatures: 2 }));
  const graph = builder.build();
  return new Model({
    name: 'Sample of mine',
    graph,
    params: randomParams(graph, 3),
    labels: [
      { id: 'n1', name: 'cat' },
      { id: 'n2', name: 'dog, hound' },
    ],
    preprocessing: defaultPreprocessing(6, 8),
    provenance: { title: 'A sample', top1: 50.5 },
  });
}

/** The sample's file with metadata changed (undefined removes) and tensors changed (undefined removes). */
function tampered(
  metadata: Record<string, string | undefined>,
  changes: Record<string, Tensor | undefined> = {},
): Uint8Array {
  const file = readSafetensors(sampleModel().toBytes());
  const tensors = new Map(file.tensors);
  for (const [name, tensor] of Object.entries(changes)) {
    if (tensor === undefined) tensors.delete(name);
    else tensors.set(name, tensor);
  }
  const merged = Object.entries({ ...file.metadata, ...metadata }).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return writeSafetensors(tensors, Object.fromEntries(merged));
}

function rejects(bytes: Uint8Array, reason: RegExp): void {
  assert.throws(
    () => modelFromBytes(bytes, 'some.file'),
    (error: Error & { code?: string }) => {
      assert.equal(error.code, 'ERR_BITPATH_MODEL_FILE', error.stack);
      assert.match(error.message, /^some\.file: /);
      assert.match(error.message, reason);
      return true;
    },
  );
}

describe('model files', () => {
  it('keep everything', () => {
    const model = sampleModel();
    const read = modelFromBytes(model.toBytes());
    assert.equal(read.name, 'Sample of mine');
    assert.deepEqual(read.graph, model.graph);
    assert.deepEqual(read.labels, model.labels);
    assert.deepEqual(read.preprocessing, model.preprocessing);
    assert.deepEqual({ ...read.provenance }, { ...model.provenance });
    assert.deepEqual([...read.params.keys()].sort(), [...model.params.keys()].sort());
    for (const [name, tensor] of model.params) assert.deepEqual(read.params.get(name), tensor, name);
    assert.deepEqual(read.toBytes(), model.toBytes());
  });

  it('may leave out all but format, graph and tensors, and hold what others wrote', () => {
    const read = modelFromBytes(
      tampered({
        'bitpath.name': undefined,
        'bitpath.labels': undefined,
        'bitpath.preprocessing': undefined,
        'bitpath.provenance': undefined,
        format: 'pt',
      }),
    );
    assert.equal(read.name, 'sample');
    assert.equal(read.labels, null);
    assert.equal(read.preprocessing, null);
  });

  it('of a later minor version are read, of another major version refused', () => {
    assert.equal(modelFromBytes(tampered({ 'bitpath.format': '1.7' })).name, 'Sample of mine');
    for (const version of ['2', '0', '11', '1x', '', '1.'])
      rejects(tampered({ 'bitpath.format': version }), /format version/);
    rejects(tampered({ 'bitpath.format': undefined }), /no bitpath\.format/);
  });

  it('must hold exactly the parameters of their graph', () => {
    const floats = (shape: number[], value = 0) =>
      new Tensor('float32', shape, new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(value));
    rejects(tampered({}, { 'fc.bias': undefined }), /fc\.bias: it is missing/);
    rejects(tampered({}, { 'fc.bais': floats([2]) }), /fc\.bais: .*did you mean fc\.bias/);
    rejects(tampered({}, { 'fc.bias': floats([3]) }), /fc\.bias: expected float32 \[2\] but received float32 \[3\]/);
    rejects(tampered({}, { 'fc.weight': floats([7, 2]) }), /fc\.weight: expected float32 \[2, 7\]/);
    rejects(tampered({}, { 'fc.bias': new Tensor('int32', [2], new Int32Array(2)) }), /fc\.bias: expected float32/);
    for (const value of [Number.NaN, Infinity, -Infinity]) {
      rejects(
        tampered({}, { 'bn.running_var': floats([5], value) }),
        /bn\.running_var: element 0 is .*, not a finite number/,
      );
    }
    const bits = readSafetensors(sampleModel().toBytes()).tensors.get('unit.conv.bits');
    const spare = Uint8Array.from(bits?.data ?? []);
    assert.equal(spare.length, 7 * 6);
    spare[2 * 6 + 5] = (spare[2 * 6 + 5] ?? 0) | 0x20; // bit 45 of row 2
    rejects(
      tampered({}, { 'unit.conv.bits': new Tensor('uint8', [7, 6], spare) }),
      /unit\.conv\.bits: row 2 has bits set after its 45 taps/,
    );
  });

  it('must hold a graph', () => {
    const graph = JSON.parse(readSafetensors(sampleModel().toBytes()).metadata['bitpath.graph'] ?? '');
    const withGraph = (change: object) => tampered({ 'bitpath.graph': JSON.stringify({ ...graph, ...change }) });
    rejects(tampered({ 'bitpath.graph': undefined }), /no bitpath\.graph/);
    rejects(tampered({ 'bitpath.graph': '{"version":' }), /bitpath\.graph is not valid JSON/);
    rejects(tampered({ 'bitpath.graph': `${'['.repeat(1e6)}${']'.repeat(1e6)}` }), /bitpath\.graph is nested deeper/);
    rejects(tampered({ 'bitpath.graph': 'null' }), /graph/);
    rejects(tampered({ 'bitpath.graph': '[]' }), /graph/);
    rejects(withGraph({ version: 2 }), /version/);
    rejects(withGraph({ extra: 1 }), /"extra"/);
    rejects(withGraph({ nodes: graph.nodes.slice(1) }), /input/);
    rejects(withGraph({ nodes: [...graph.nodes].reverse() }), /no earlier node/);
    rejects(withGraph({ nodes: [] }), /./);
    rejects(withGraph({ outputs: [] }), /./);
    rejects(withGraph({ name: '\u001b[2J' }), /./);
  });

  it('must hold labels, preprocessing and provenance that fit', () => {
    const json = (key: string, value: unknown) => tampered({ [`bitpath.${key}`]: JSON.stringify(value) });
    const [cat, dog] = sampleModel().labels ?? [];
    rejects(json('labels', [cat]), /labels/);
    rejects(json('labels', { 0: cat, 1: dog }), /labels/);
    rejects(json('labels', [cat, null]), /labels\[1\]/);
    rejects(json('labels', [cat, cat]), /labels\[1\]\.id/);
    rejects(json('labels', [cat, { ...dog, name: '\u001b]0;x\u0007' }]), /labels\[1\]\.name/);
    rejects(
      json('preprocessing', { ...sampleModel().preprocessing, crop: { height: 6, width: 7 } }),
      /preprocessing\.crop/,
    );
    rejects(json('preprocessing', []), /preprocessing/);
    rejects(json('provenance', { title: ['x'] }), /provenance\.title/);
    rejects(json('provenance', 'x'), /provenance/);
    rejects(tampered({ 'bitpath.name': '' }), /name/);
  });

  it('cut short anywhere are refused', () => {
    const bytes = sampleModel().toBytes();
    let cuts = 0;
    for (let length = 0; length < bytes.length; length++, cuts++) rejects(bytes.subarray(0, length), /./);
    assert.ok(cuts > 1000);
  });
});

describe('Model', () => {
  it('compiles, and a saved copy gives the same answer', async () => {
    const model = sampleModel();
    const pixels = Uint8Array.from({ length: 6 * 8 * 3 }, (_, i) => (i * 11) % 256);
    const [first, second] = await Promise.all([
      model.compile({ threads: 1 }),
      modelFromBytes(model.toBytes()).compile({ threads: 1 }),
    ]);
    const a = await first.run(pixels);
    const b = await second.run(pixels);
    assert.deepEqual(a.logits?.shape, [1, 2]);
    assert.deepEqual(a.logits, b.logits);
    assert.ok(a.logits?.data.every(Number.isFinite));
  });

  it('without preprocessing takes no pictures', async () => {
    const { graph, params } = sampleModel();
    const executor = await new Model({ graph, params }).compile({ threads: 1 });
    assert.equal(executor.acceptsUint8, false);
  });

  it('is frozen and keeps its own map of parameters', () => {
    const { graph, params } = sampleModel();
    const own = new Map(params);
    const model = new Model({ graph, params: own });
    own.clear();
    assert.equal(model.params.size, params.size);
    assert.throws(() => Object.assign(model, { name: 'other' }), TypeError);
  });

  it('refuses what does not fit together', () => {
    const { graph, params } = sampleModel();
    assert.throws(() => new Model({ graph, params: {} as never }), { code: 'ERR_BITPATH_ARGUMENT' });
    assert.throws(() => new Model({ graph: { ...graph }, params }), { code: 'ERR_BITPATH_ARGUMENT' });
    assert.throws(() => new Model({ graph, params, labels: [] }), { code: 'ERR_BITPATH_ARGUMENT' });
    assert.throws(() => new Model({ graph, params, lables: null } as never), {
      code: 'ERR_BITPATH_UNKNOWN_OPTION',
      message: /labels/,
    });
    assert.throws(() => new Model({ graph, params, preprocessing: defaultPreprocessing(8, 6) }), {
      code: 'ERR_BITPATH_ARGUMENT',
    });
  });

  it('is made at random by the name of an architecture', () => {
    const model = createModel('igp-resnet21-53', { classes: 5, inputSize: 64, seed: 4 });
    assert.deepEqual(model.toBytes(), createModel('igp-resnet21-53', { classes: 5, inputSize: 64, seed: 4 }).toBytes());
    assert.notDeepEqual(
      model.params.get('fc.weight'),
      createModel('igp-resnet21-53', { classes: 5, inputSize: 64 }).params.get('fc.weight'),
    );
    assert.deepEqual(model.preprocessing?.crop, { height: 64, width: 64 });
    assert.throws(() => createModel('igp-resnet21'), { code: 'ERR_BITPATH_UNKNOWN_NAME', message: /igp-resnet21-53/ });
  });
});

describe('loadModel', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bitpath-'));
  });
  after(() => rm(folder, { recursive: true }));

  it('reads paths, URLs and bytes', async () => {
    const path = join(folder, 'a.safetensors');
    await sampleModel().save(path);
    assert.deepEqual(await readdir(folder), ['a.safetensors'], 'nothing is left beside it');
    for (const source of [path, pathToFileURL(path), pathToFileURL(path).href, await readFile(path)]) {
      assert.equal((await loadModel(source)).name, 'Sample of mine');
    }
  });

  it('names the file that it cannot read', async () => {
    const broken = join(folder, 'broken.safetensors');
    await writeFile(broken, 'not a model, whatever it is called');
    for (const path of [broken, join(folder, 'absent.safetensors'), folder, '/dev/zero']) {
      await assert.rejects(loadModel(path), (error: Error & { code?: string }) => {
        assert.equal(error.code, 'ERR_BITPATH_MODEL_FILE');
        assert.ok(error.message.startsWith(`${path}: `), error.message);
        return true;
      });
    }
    await assert.rejects(sampleModel().save(join(folder, 'no', 'such', 'folder')), { code: 'ERR_BITPATH_MODEL_FILE' });
    await assert.rejects(loadModel('https://example.org/m.safetensors'), { code: 'ERR_BITPATH_ARGUMENT' });
    await assert.rejects(loadModel(7 as never), { code: 'ERR_BITPATH_ARGUMENT' });
    await assert.rejects(loadModel(''), { code: 'ERR_BITPATH_ARGUMENT' });
  });

  it('offers the shipped model that a misspelt name meant', async () => {
    await assert.rejects(loadModel('igp-resnet21-53-tiny-imagnet'), {
      code: 'ERR_BITPATH_UNKNOWN_NAME',
      message: /did you mean "igp-resnet21-53-tiny-imagenet"/,
    });
  });

  it('reads every shipped model, and writing it again gives its bytes', async () => {
    const models = await listModels();
    assert.ok(models.length >= 2);
    assert.equal(models[0]?.name, DEFAULT_MODEL);
    assert.equal((await loadModel()).name, DEFAULT_MODEL);
    for (const { name, bytes, classes, top1, top5 } of models) {
      const file = await readFile(new URL(`../../../models/${name}.safetensors`, import.meta.url));
      const model = await loadModel(name);
      assert.equal(model.name, name);
      assert.equal(file.length, bytes);
      assert.deepEqual(new Uint8Array(file), new Uint8Array(model.toBytes()), name);
      assert.deepEqual([model.labels?.length, classes], [200, 200]);
      assert.ok((top1 ?? 0) > 35 && (top5 ?? 0) > 60);
      assert.deepEqual(model.labels?.[0], { id: 'n01443537', name: 'goldfish, Carassius auratus' });
    }
  });
});
