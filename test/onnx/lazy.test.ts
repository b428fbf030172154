/** Whoever only runs models loads nothing of ONNX. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';

/** URLs of all modules that a fresh process loads for `code`. */
function modulesOf(code: string): string[] {
  const hook =
    'export async function load(url, context, next) { process._rawDebug("module " + url); return next(url, context); }';
  const child = spawnSync(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `import { register } from 'node:module'; register(${JSON.stringify(`data:text/javascript,${hook}`)}); ${code}`,
    ],
    { encoding: 'utf8' },
  );
  assert.equal(child.status, 0, child.stderr);
  return [...child.stderr.matchAll(/^module (.*)$/gm)].map(([, url]) => url as string);
}

const isOnnx = (url: string) => /\/onnx\/|@bufbuild|onnxruntime/.test(url);

describe('import', () => {
  it("of 'bitpath', a compiled network and a run load nothing of ONNX", () => {
    const modules = modulesOf(`
      const { createModel } = await import('bitpath');
      const executor = await createModel('bireal-resnet18-64', { inputSize: 64, classes: 3 }).compile({ threads: 1 });
      executor.runSync(new Float32Array(3 * 64 * 64));`);
    assert.ok(modules.length > 30, `only ${modules.length} modules seen`);
    assert.deepEqual(modules.filter(isOnnx), []);
  });

  it("of 'bitpath/onnx' loads protobuf, and no onnxruntime", () => {
    const modules = modulesOf(`await import('bitpath/onnx');`).filter(isOnnx);
    assert.ok(modules.some((url) => url.includes('@bufbuild/protobuf')));
    assert.deepEqual(
      modules.filter((url) => url.includes('node_modules/onnxruntime')),
      [],
    );
  });
});
