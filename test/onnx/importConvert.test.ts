/** `bitpath convert`, as a child process. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { loadModel } from 'bitpath';
import { bitpath, root, temporaryFolder } from '../cli/run.js';
import { floats, makeOnnx, node } from './make.js';

describe('bitpath convert', () => {
  const folder = temporaryFolder();
  const fixture = (name: string) => join(root, 'test/onnx/fixtures', name);

  it('writes a model and says what became of each layer', async () => {
    const out = join(folder, 'reactnet.safetensors');
    const { code, stdout, stderr } = await bitpath(['convert', fixture('reactnet.ts.onnx'), out]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /1-bit +3 of 5 layers/);
    assert.match(
      stdout,
      /\/body\/body\.1\/binary_conv\/Conv +1 +16×8×3×3 .*its input is a sign and its weights are ±1/,
    );
    assert.match(stdout, /\/conv1\/Conv +32 +8×3×7×7 .*its input is no sign/);
    assert.match(stdout, /Note: these signs are 0 at their threshold/);
    const model = await loadModel(out);
    assert.equal(model.name, 'reactnet.ts');
    assert.equal(model.preprocessing, null);
  });

  it('takes labels and preprocessing, and prints JSON', async () => {
    const out = join(folder, 'bireal.safetensors');
    const labels = join(folder, 'labels.txt');
    writeFileSync(labels, 'n1\tgoldfish\nschool bus\nn3\tcat\nn4\tdog\nn5\tfrog\n');
    const args = ['--labels', labels, '--preprocessing', 'imagenet', '--name', 'mine', '--json'];
    const { code, stdout, stderr } = await bitpath(['convert', fixture('bireal.ts.onnx'), out, ...args]);
    assert.equal(code, 0, stderr);
    const report = JSON.parse(stdout);
    assert.equal(report.schema, 'bitpath.convert/1');
    assert.equal(report.bytes, readFileSync(out).length);
    assert.equal(report.labels, 5);
    assert.equal(report.convolutions.filter(({ binary }: { binary: boolean }) => binary).length, 3);
    const { name, labels: found, preprocessing } = await loadModel(out);
    assert.equal(name, 'mine');
    assert.deepEqual(found?.slice(0, 2), [
      { id: 'n1', name: 'goldfish' },
      { id: '1', name: 'school bus' },
    ]);
    assert.deepEqual(preprocessing?.crop, { height: 32, width: 32 });
    assert.equal(preprocessing?.resize.shorterSide, 37);
  });

  it('fails with a code, and writes nothing', async () => {
    const path = join(folder, 'selu.onnx');
    const out = join(folder, 'selu.safetensors');
    writeFileSync(path, makeOnnx({ nodes: [node('Selu', 'x', 'y')], constants: { w: floats([1], [1]) } }));
    const { code, stdout, stderr } = await bitpath(['convert', path, out]);
    assert.equal(code, 1);
    assert.equal(stdout, '');
    assert.match(stderr, /node "y" \(Selu\) is of an op that bitpath does not have.*\(ERR_BITPATH_ONNX\)/);
    await assert.rejects(loadModel(out), { code: 'ERR_BITPATH_MODEL_FILE' });
    const missing = await bitpath(['convert', fixture('bireal.ts.onnx'), out, '--labels', join(folder, 'none.txt')]);
    assert.match(missing.stderr, /none\.txt cannot be read.*\(ERR_BITPATH_USAGE\)/);
  });
});
