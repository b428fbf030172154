/** What reading a large file takes. Time is printed and not asserted: machines under load are slow. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createModel } from 'bitpath';
import { fromOnnx, toOnnx } from 'bitpath/onnx';

it('50 MB are read with far less than a second copy of them', async (t) => {
  const bytes = toOnnx(createModel('igp-resnet21-53', { classes: 200, inputSize: 64 }));
  assert.ok(bytes.length > 50e6);
  await fromOnnx(bytes); // the first pays for compiling the code
  const before = process.memoryUsage().arrayBuffers;
  const start = performance.now();
  const { model } = await fromOnnx(bytes);
  const milliseconds = performance.now() - start;
  const grown = process.memoryUsage().arrayBuffers - before;
  t.diagnostic(`${Math.round(milliseconds)} ms, ${(grown / 1e6).toFixed(1)} MB of arrays`);
  assert.ok(model.params.size > 50);
  assert.ok(grown < 25e6, `${grown} bytes`);
});
