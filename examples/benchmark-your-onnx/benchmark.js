// npm start <network.onnx> [threads]: bitpath and onnxruntime on the same network, compared first and then timed.
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { compareWithOnnx, fromOnnx } from 'bitpath/onnx';
import { InferenceSession, Tensor } from 'onnxruntime-node';

const ROUNDS = 50;
const WARM_UP = 5;
const [file, threadsText] = process.argv.slice(2);
const threads = Number(threadsText ?? availableParallelism());
if (file === undefined || !(threads >= 1)) {
  console.error('usage: npm start <network.onnx> [threads]');
  process.exit(2);
}

const { model, report } = await fromOnnx(file).catch(fail);
const binary = report.convolutions.filter((convolution) => convolution.binary);
console.log(`${file}: ${binary.length} of ${report.convolutions.length} convolutions and linear layers are 1-bit`);
for (const { node, reason } of report.convolutions.filter((convolution) => !convolution.binary))
  console.log(`  ${node} is not: ${reason}`);

// Layer by layer, each computed from onnxruntime's own tensors: end to end, one sign that rounding flips changes all after it.
const { layers } = await compareWithOnnx(model, await readFile(file), { threads, file }).catch(fail);
const count = (verdict) => layers.filter((layer) => layer.verdict === verdict).length;
// "Sensitive" ones have signs inside of values that both engines compute themselves, so that rounding may explain the difference.
console.log(`${count('equal')} of ${layers.length} layers are equal, ${count('sensitive')} too sensitive to tell`);
if (count('equal') === 0 || count('differs') > 0)
  fail(new Error('the answers differ, so nothing was timed; npx bitpath convert and diff show where'));

const session = await InferenceSession.create(file, { intraOpNumThreads: threads, interOpNumThreads: 1 });
const [{ name, shape }] = session.inputMetadata;
const [images, ...image] = shape.map((size) => (size > 0 ? size : 1)); // an open batch has a name, or none
const executor = await model.compile({ threads, batch: images });
const data = Float32Array.from({ length: images * image.reduce((a, b) => a * b) }, () => 2 * Math.random() - 1);
const feeds = { [name]: new Tensor('float32', data, [images, ...image]) };

// onnxruntime's run() gives a promise, but computes on the JavaScript thread, as runSync() does; bitpath's run() leaves it free.
const ways = {
  'bitpath runSync()': () => executor.runSync(data),
  'bitpath run()': () => executor.run(data),
  'onnxruntime run()': () => session.run(feeds),
};
const times = Object.fromEntries(Object.keys(ways).map((way) => [way, []]));
// In turns, so that what else the machine does meets both alike.
for (let round = 0; round < WARM_UP + ROUNDS; round++) {
  for (const [way, run] of Object.entries(ways)) {
    const started = performance.now();
    await run();
    if (round >= WARM_UP) times[way].push(performance.now() - started);
  }
}

console.log(`milliseconds for ${images} × ${image.join(' × ')}, threads: ${threads}, ${executor.isa}`);
for (const [way, values] of Object.entries(times)) {
  const [low, middle, high] = [0.25, 0.5, 0.75].map((share) => quantile(values, share).toFixed(2));
  console.log(`${way.padEnd(17)} ${middle.padStart(8)}  (half of them ${low} to ${high})`);
}
const ratio = quantile(times['onnxruntime run()'], 0.5) / quantile(times['bitpath runSync()'], 0.5);
console.log(`onnxruntime takes ${ratio.toFixed(2)} times as long as bitpath's runSync()`);

executor.dispose();
await session.release();

function fail(error) {
  console.error(`error: ${error.message}`);
  process.exit(1);
}

function quantile(values, share) {
  return values.toSorted((a, b) => a - b)[Math.floor(share * (values.length - 1))];
}
