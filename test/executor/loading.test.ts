/** The addon is context-aware: it may be loaded more than once in one process, and each load stands on its own. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import test from 'node:test';
import { buildArchitecture, randomParams } from 'bitpath';
import { compileProgram } from '#lib/compiler/index.js';
import { type Binding, native } from '#lib/native.js';
import { root } from '../build/root.js';

test('two loads of the addon run side by side', async () => {
  const require = createRequire(import.meta.url);
  const path = require('node-gyp-build').resolve(root) as string;
  const load = (): Binding => {
    delete require.cache[path];
    return require(path) as Binding;
  };
  const loads = [native(), load(), load()];
  assert.equal(new Set(loads).size, 3);

  const graph = buildArchitecture('igp-resnet21-53', { classes: 7, inputSize: 32 });
  const program = compileProgram(graph, randomParams(graph, 1), { batch: 1, normalization: null });
  const input = new Float32Array(3 * 32 * 32).map((_, i) => Math.sin(i));
  const answers = await Promise.all(
    loads.map((addon) => {
      const packed = new addon.Program(program.code, program.constants, addon.selectIsa(null));
      const executor = new addon.Executor(packed, 2);
      return new Promise<Float32Array | undefined>((resolve, reject) => {
        executor.run(input, 1, 2, (error, outputs) => (error ? reject(error) : resolve(outputs?.[0])));
      });
    }),
  );
  assert.equal(answers[0]?.length, 7);
  assert.deepEqual(answers[1], answers[0]);
  assert.deepEqual(answers[2], answers[0]);
});

test("a program of one load is no other's", () => {
  const graph = buildArchitecture('igp-resnet21-53', { classes: 7, inputSize: 32 });
  const program = compileProgram(graph, randomParams(graph, 1), { batch: 1, normalization: null });
  const addon = native();
  for (const fake of [{}, null, 3, Object.create(addon.Program.prototype)]) {
    assert.throws(() => new addon.Executor(fake, 1), { code: 'ERR_BITPATH_ARGUMENT' });
  }
  assert.throws(() => new addon.Program(program.code.subarray(1), program.constants, 'scalar'), {
    code: 'ERR_BITPATH_PROGRAM',
  });
});
