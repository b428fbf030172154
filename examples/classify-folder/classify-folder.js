// npm start <folder> <file.csv>: classifies the pictures of a folder.
import { createWriteStream } from 'node:fs';
import { opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { loadModel } from 'bitpath';
import { decodeImage, preprocess, topK } from 'bitpath/images';

/** Pictures in memory at a time. */
const BATCH = 8;
const IMAGE_FILE = /\.(jpe?g|png|webp|avif|gif|tiff?|svg)$/i;
/** Of one picture: it cannot be decoded, or is too drawn out to be resized. Any other error would meet the next one as well. */
const FAULTS_OF_A_PICTURE = ['ERR_BITPATH_IMAGE', 'ERR_BITPATH_ARGUMENT'];

const [folder, file] = process.argv.slice(2);
if (file === undefined) {
  console.error('usage: npm start <folder> <file.csv>');
  process.exit(2);
}

const model = await loadModel();
const executor = await model.compile({ batch: BATCH });

try {
  // The file pulls: no batch is read before the lines of the one before it are on their way.
  await pipeline(picturesOf(folder), inBatches, classified, asCsv, createWriteStream(file));
} catch (error) {
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
} finally {
  executor.dispose();
}

async function* picturesOf(folder) {
  for await (const entry of await opendir(folder)) {
    if (entry.isFile() && IMAGE_FILE.test(entry.name)) yield entry.name;
  }
}

async function* inBatches(names) {
  let batch = [];
  for await (const name of names) {
    if (batch.push(name) < BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** { name, label, probability } or { name, error } for each picture. */
async function* classified(batches) {
  for await (const names of batches) {
    const pictures = await Promise.all(names.map(load));
    const good = pictures.filter(({ pixels }) => pixels);
    const rows = good.length === 0 ? [] : await logitsOf(good.map(({ pixels }) => pixels));
    for (const { name, error } of pictures) {
      if (error) {
        yield { name, error };
        continue;
      }
      const [best] = topK(rows.shift(), model.labels, 1);
      yield { name, label: best.name, probability: best.probability };
    }
  }
}

async function load(name) {
  try {
    const { data } = await preprocess(await decodeImage(join(folder, name), { name }), model.preprocessing);
    return { name, pixels: data };
  } catch (error) {
    if (!FAULTS_OF_A_PICTURE.includes(error.code)) throw error;
    return { name, error: error.message };
  }
}

/** The logits of each picture. */
async function logitsOf(pictures) {
  const { logits } = await executor.run(Buffer.concat(pictures));
  const [count, classes] = logits.shape;
  return Array.from({ length: count }, (_, i) => logits.data.subarray(i * classes, (i + 1) * classes));
}

async function* asCsv(results) {
  let done = 0;
  let failed = 0;
  const started = performance.now();
  const progress = (end) => {
    const perSecond = (1000 * done) / (performance.now() - started);
    process.stderr.write(`${done} pictures, ${failed} of them unreadable, ${perSecond.toFixed(0)} a second${end}`);
  };
  yield 'picture,label,probability,error\n';
  for await (const { name, label = '', probability, error = '' } of results) {
    yield `${[name, label, probability?.toFixed(4) ?? '', error].map(csvField).join()}\n`;
    done++;
    if (error) failed++;
    if (process.stderr.isTTY) progress('\r');
  }
  progress('\n');
}

function csvField(text) {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
