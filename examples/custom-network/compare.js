// Runs the trained network on the pictures that train.py recorded, and compares its logits with PyTorch's.
import { readFile } from 'node:fs/promises';
import { loadModel } from 'bitpath';
import { topK } from 'bitpath/images';

/** Of the largest logit. Both engines compute in float32 and add up in another order; 1-bit sums are exact. */
const TOLERANCE = 1e-5;

const model = await loadModel(new URL('shapes.safetensors', import.meta.url));
const { pictures, logits: recorded } = JSON.parse(await readFile(new URL('recorded.json', import.meta.url), 'utf8'));

const executor = await model.compile({ batch: 4 });
const { logits } = await executor.run(Float32Array.from(pictures.flat()));
executor.dispose();

const [count, classes] = logits.shape;
let largest = 0;
let difference = 0;
for (let i = 0; i < count; i++) {
  const ours = logits.data.subarray(i * classes, (i + 1) * classes);
  const [best] = topK(ours, model.labels, 1);
  console.log(`picture ${i}: ${best.name.padEnd(6)} ${(100 * best.probability).toFixed(1)} %`);
  for (const [c, logit] of ours.entries()) {
    largest = Math.max(largest, Math.abs(recorded[i][c]));
    difference = Math.max(difference, Math.abs(logit - recorded[i][c]));
  }
}

console.log(`logits differ from PyTorch's by at most ${(difference / largest).toExponential(1)} of the largest`);
if (!(difference <= TOLERANCE * largest)) {
  console.error(`error: that is more than ${TOLERANCE}`);
  process.exitCode = 1;
}
