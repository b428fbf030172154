// npm start <pictures>: pictures a second, of one thread with one executor or several, and of a pool of Workers.
import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { loadModel } from 'bitpath';
import { Piscina } from 'piscina';
import { classify } from './classify.js';

const ROUNDS = 3;
const PICTURES = 40;
const files = process.argv.slice(2);
if (files.length === 0) {
  console.error('usage: npm start <pictures>');
  process.exit(2);
}

const cpus = availableParallelism();
const model = await loadModel();
const wide = await model.compile({ threads: cpus });
const narrow = await model.compile({ threads: 1 });
const narrows = [narrow, ...Array.from({ length: cpus - 1 }, () => narrow.clone())];
const pool = new Piscina({
  filename: new URL('worker.js', import.meta.url).href,
  minThreads: cpus,
  maxThreads: cpus,
});

/** Each takes a task and the number of its lane. */
const ways = {
  [`one thread, one executor of ${cpus} threads`]: (task) => classify(task, model, wide),
  [`one thread, ${cpus} executors of one`]: (task, lane) => classify(task, model, narrows[lane % cpus]),
  [`${cpus} Workers with an executor of one`]: (task) => pool.run(task),
};

try {
  await measure('classified', false);
  await measure('classified, and colours counted in JavaScript', true);
} catch (error) {
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
} finally {
  for (const executor of [wide, ...narrows]) executor.dispose();
  await pool.close();
}

async function measure(title, withColour) {
  const tasks = Array.from({ length: PICTURES }, (_, i) => ({ file: files[i % files.length], withColour }));
  const rates = new Map(Object.keys(ways).map((name) => [name, []]));
  let expected;
  // The first round is for warming up; the others take turns, so that what else the machine does meets all alike.
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [name, way] of Object.entries(ways)) {
      const { answers, seconds } = await timed(tasks, way);
      expected ??= answers;
      assert.deepEqual(answers, expected, `${name} gives other answers`);
      if (round > 0) rates.get(name).push(tasks.length / seconds);
    }
  }
  console.log(title);
  for (const [name, values] of rates) {
    console.log(`  ${name.padEnd(40)} ${median(values).toFixed(0).padStart(6)} pictures/s`);
  }
}

/** Runs all tasks, two for each CPU under way at a time. */
async function timed(tasks, way) {
  const answers = [];
  const queue = tasks.entries();
  const started = performance.now();
  const lanes = Array.from({ length: 2 * cpus }, async (_, lane) => {
    for (const [i, task] of queue) answers[i] = await way(task, lane);
  });
  await Promise.all(lanes);
  return { answers, seconds: (performance.now() - started) / 1000 };
}

function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}
