import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { graphCost, listArchitectures, listModels, loadModel } from 'bitpath';
import { bitpath, root } from './run.js';

interface DescribeDocument {
  schema: string;
  name: string;
  randomParameters: boolean;
  input: { channels: number; height: number; width: number; dtypes: string[] };
  outputs: { name: string; channels: number }[];
  labels: number;
  parameters: { binary: number; real: number; storageBits: number };
  compiled: { isa: string; threads: number; batch: number; weightBytes: number; arenaBytes: number };
  instructions: { nodes: string[]; kernel: string; isa: string; input: string; weightBytes: number; macs: number }[];
  totals: Record<string, { instructions: number; binaryMacs: number; realMacs: number }>;
}
const document = ({ stdout }: { stdout: string }) => JSON.parse(stdout) as DescribeDocument;

describe('bitpath describe', () => {
  for (const name of ['igp-resnet21-53-tiny-imagenet', 'bireal-resnet18-64-tiny-imagenet']) {
    it(`${name} --json: its figures are the graph’s and the executor’s`, async () => {
      const run = await bitpath(['describe', name, '--json', '--threads', '3', '--batch', '2']);
      assert.equal(run.stderr, '');
      assert.equal(run.code, 0);
      const described = document(run);
      assert.deepEqual(Object.keys(described), [
        ...[
          'schema',
          'name',
          'randomParameters',
          'provenance',
          'input',
          'preprocessing',
          'outputs',
          'labels',
          'parameters',
        ],
        ...['compiled', 'instructions', 'totals'],
      ]);
      assert.equal(described.schema, 'bitpath.describe/1');
      assert.equal(described.randomParameters, false);
      assert.equal(described.labels, 200);

      const model = await loadModel(name);
      using executor = await model.compile({ threads: 3, batch: 2 });
      const { instructions, ...compiled } = executor.describe();
      assert.deepEqual(described.compiled, JSON.parse(JSON.stringify(compiled)));
      assert.deepEqual(described.instructions, JSON.parse(JSON.stringify(instructions)));

      let bits = 0;
      let floats = 0;
      for (const { dtype, data } of model.params.values()) {
        if (dtype === 'float32') floats += data.length;
        else bits += 8 * data.length;
      }
      const { parameters } = described;
      // Rows of `bits` end in up to seven spare ones.
      assert.ok(parameters.binary <= bits && parameters.binary > 0.99 * bits);
      assert.equal(parameters.real, floats);
      assert.equal(parameters.storageBits, parameters.binary + 32 * floats);
      const { binaryMacs, realMacs } = graphCost(model.graph);
      for (const kind of ['float32', 'uint8']) {
        assert.equal(described.totals[kind]!.binaryMacs, binaryMacs, kind);
        assert.equal(described.totals[kind]!.realMacs, realMacs, kind);
      }
      assert.ok(described.totals.uint8!.instructions < described.instructions.length);
    });
  }

  it('is a table for people: a line for each instruction', async () => {
    const name = 'igp-resnet21-53-tiny-imagenet';
    const [text, json] = await Promise.all([bitpath(['describe', name]), bitpath(['describe', name, '--json'])]);
    const { instructions } = document(json);
    const lines = text.stdout.split('\n');
    const titles = lines.findIndex((line) =>
      /^ +# {2}kernel +ISA +output +MACs +bytes {2}fused steps +nodes$/.test(line),
    );
    assert.ok(titles > 5, text.stdout);
    const nodesColumn = lines[titles]!.indexOf('nodes');
    for (const [i, { kernel, nodes }] of instructions.entries()) {
      const line = lines[titles + 1 + i]!;
      assert.match(line, new RegExp(`^ *${i}[fp ] +${kernel} `));
      assert.equal(line.slice(nodesColumn), nodes.join(' '));
    }
    assert.match(
      text.stdout,
      /^preprocessing {2}shorter side to 128 \(bilinear, antialiased\), centre crop 128×128,$/m,
    );
    assert.match(text.stdout, /^parameters {5}\S+ M of 1 bit, \S+ k of float32: \S+ MB \(\S+ Mbit\)$/m);
  });

  it('fits a terminal of 80 columns', async () => {
    for (const args of [['describe', 'igp-resnet21-53-tiny-imagenet'], ['models'], ['models', '--architectures']]) {
      const { stdout } = await bitpath(args, { terminal: { stdout: 80 } });
      for (const line of stdout.split('\n')) assert.ok([...line].length <= 80, line);
    }
  });

  it('--profile shows the time of what ran', async () => {
    const args = ['describe', 'igp-resnet21-53-tiny-imagenet', '--profile', '--threads', '1'];
    const [text, json] = await Promise.all([bitpath(args), bitpath([...args, '--json'])]);
    assert.match(text.stdout, /^time +\d+\.\d\d ms for a picture, \d+ % of it MACs, at \d\.\d\d GHz$/m);
    assert.match(text.stdout, / µs +MACs’ share/);
    const { compiled, instructions } = JSON.parse(json.stdout);
    assert.equal(compiled.profile.input, 'uint8');
    for (const { input, profile } of instructions) {
      assert.equal(profile !== undefined, input !== 'float32');
      if (profile !== undefined) assert.ok(profile.nanoseconds > 0);
    }
  });

  it('takes an architecture, and says that its weights are random', async () => {
    const [text, json] = await Promise.all([
      bitpath(['describe', 'binary-densenet51-32']),
      bitpath(['describe', 'binary-densenet51-32', '--json']),
    ]);
    assert.equal(text.code, 0, text.stderr);
    assert.match(text.stdout, /^weights +random: /m);
    const described = document(json);
    assert.equal(described.randomParameters, true);
    assert.deepEqual(described.input, { channels: 3, height: 224, width: 224, dtypes: ['float32', 'uint8'] });
    assert.equal(described.outputs[0]!.channels, 1000);
  });

  it('takes a file', async () => {
    const name = 'bireal-resnet18-64-tiny-imagenet';
    const path = join('models', `${name}.safetensors`);
    const [file, shipped] = await Promise.all([
      bitpath(['describe', path], { cwd: root }),
      bitpath(['describe', name]),
    ]);
    assert.equal(file.stdout, shipped.stdout);
  });
});

describe('bitpath models', () => {
  it('lists the shipped ones, the default first', async () => {
    const [text, json] = await Promise.all([bitpath(['models']), bitpath(['models', '--json'])]);
    assert.equal(json.code, 0, json.stderr);
    const { schema, models, ...rest } = JSON.parse(json.stdout);
    assert.equal(schema, 'bitpath.models/1');
    assert.deepEqual(rest, {});
    assert.deepEqual(models, JSON.parse(JSON.stringify(await listModels())));
    assert.ok(models.length >= 2);
    assert.deepEqual(
      models.map((model: { default: boolean }) => model.default),
      models.map((_: unknown, i: number) => i === 0),
    );
    for (const { name, top1, top5, architecture } of models) {
      const marked = name === models[0].name ? `${name} \\*` : name;
      assert.match(
        text.stdout,
        new RegExp(`^${marked} +${architecture.replace('+', '\\+')} .* ${top1.toFixed(2)} +${top5.toFixed(2)}$`, 'm'),
      );
    }
  });

  it('--architectures lists what can be built', async () => {
    const [text, json] = await Promise.all([
      bitpath(['models', '--architectures']),
      bitpath(['models', '--architectures', '--json']),
    ]);
    const { schema, architectures, units } = JSON.parse(json.stdout);
    assert.equal(schema, 'bitpath.architectures/1');
    assert.deepEqual(Object.keys(architectures[0]), [
      ...['name', 'title', 'source', 'status', 'beyond', 'sameGraphAs', 'rows', 'options'],
    ]);
    assert.deepEqual(units[0], { name: 'bireal', title: 'Bi-Real', formula: 'BN(s(x) ⊛ W) + s' });
    const names = listArchitectures().map(({ name }) => name);
    assert.ok(names.length >= 15);
    assert.deepEqual(
      architectures.map(({ name }: { name: string }) => name),
      names,
    );
    assert.deepEqual(
      text.stdout
        .trimEnd()
        .split('\n')
        .slice(1, names.length + 1)
        .map((line) => line.split(' ')[0]),
      names,
    );
    assert.match(text.stdout, /^uabnn-resnet18 +UaBNN-ResNet18 +17 +reconstructed +the graph of bireal-resnet18-64$/m);
    assert.match(text.stdout, /^units +bireal, dense, .*real-to-binary/m);
  });

  it('describes an architecture with another unit', async () => {
    const run = await bitpath(['describe', 'igp-resnet21-53+reactnet', '--json']);
    assert.equal(run.stderr, '');
    const { name, randomParameters } = document(run);
    assert.deepEqual([name, randomParameters], ['igp-resnet21-53+reactnet', true]);
    const wrong = await bitpath(['describe', 'igp-resnet21-53+reactnett']);
    assert.match(wrong.stderr, /No unit is called "reactnett" \(did you mean "reactnet"\?\); known are bireal/);
    const topology = await bitpath(['describe', 'igp-resnet2153+reactnet']);
    assert.match(topology.stderr, /No model or architecture is called "igp-resnet2153\+reactnet"/);
  });
});
