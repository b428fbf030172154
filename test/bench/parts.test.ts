/** Parts of a run: what they check, what they leave behind. Times are not looked at. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createModel, type Model } from 'bitpath';
import { type BenchContext, type Draft, omit } from '#lib/bench/context.js';
import { type Contender, Workshop } from '#lib/bench/contenders.js';
import { runBench } from '#lib/bench/index.js';
import { pictures } from '#lib/bench/inputs.js';
import { layerSteps } from '#lib/bench/layers.js';
import { parseResult } from '#lib/bench/parseResult.js';
import { normalizationOf, Peers } from '#lib/bench/peers.js';

const SIZE = 64;
const ENTRY = { network: 'bireal-resnet18-64', input: 'uint8', stem: 'int16', isa: null } as const;

describe('Workshop', () => {
  it('prepares what gives the answers of the scalar kernels, whatever the batch', async () => {
    const workshop = new Workshop(SIZE, 2);
    const one = await workshop.prepare(ENTRY, { threads: 1, batch: 1 });
    const five = await workshop.prepare(ENTRY, { threads: 2, batch: 5 });
    assert.deepEqual(five.logits.subarray(0, 1000), one.logits);
    assert.deepEqual(five.run(), five.logits);
    assert.equal(five.logits.length, 5000);
    for (const { executor } of [one, five]) executor.dispose();
  });

  it('EXPECTED FAILURE a wrong answer is never timed', async () => {
    let seed = 0;
    /** Other weights at each look: the kernels and their reference then disagree. */
    class Fickle extends Workshop {
      override model(network: string): Model {
        return createModel(network, { inputSize: SIZE, seed: seed++ });
      }
    }
    await assert.rejects(new Fickle(SIZE, 1).prepare(ENTRY, { threads: 1, batch: 1 }), {
      code: 'ERR_BITPATH_BENCH',
      message: /^bireal-resnet18-64 \(uint8, \w+, threads 1, batch 1\): value 0 is .* where the scalar kernel has /,
    });
  });
});

describe('Peers', () => {
  it('answer as our float network does, and are refused where they do not', async () => {
    const model = createModel('resnet18', { inputSize: SIZE });
    const peers = await Peers.create(model, SIZE, 1);
    const { tensor } = pictures(0, 2, SIZE, normalizationOf(model));
    using executor = await model.compile({ threads: 1 });
    const own = executor.runSync(tensor)['logits']?.data as Float32Array;
    const open = await peers.open(tensor, own, { threads: 1, batch: 2 });
    assert.deepEqual(
      open.map(({ engine }) => engine),
      ['onnxruntime float32', 'onnxruntime int8'],
    );
    assert.match(open[0]?.checked ?? '', /^within \de-\d /);
    assert.match(open[1]?.checked ?? '', /^cosine of logits with float32 0\.99\d\d$/);
    for (const peer of open) await peer.release();

    const wrong = own.map((value, i) => (i === 1500 ? value + 1 : value));
    await assert.rejects(peers.open(tensor, wrong, { threads: 1, batch: 2 }), {
      code: 'ERR_BITPATH_BENCH',
      message: /^onnxruntime float32 against bitpath: it is off by /,
    });
  });
});

function emptyDraft(): Draft {
  return { kernels: [], networks: [], layers: [], scaling: [], memory: [], startup: [], omitted: [] };
}

describe('layers', () => {
  const instruction = {
    nodes: ['a'],
    op: 'conv',
    kernel: 'conv_7x4',
    macs: 1000,
    weightBytes: 64,
    mapBytes: 36,
    input: 'any',
  };
  const profile = { nanoseconds: 1500, cycles: 6000, floorCycles: 3000 };

  /** Runs the first step with an executor that describes itself with these instructions. */
  async function table(instructions: readonly object[]): Promise<Draft> {
    const draft = emptyDraft();
    const executor = { isa: 'avx2', describe: () => ({ instructions }), dispose() {} };
    const workshop = { prepare: async () => ({ executor }) as unknown as Contender };
    const context = { workshop, quick: true, draft } as unknown as BenchContext;
    await layerSteps(context)[0]?.run();
    return draft;
  }

  it('are the instructions that run for the input, with time and floor', async () => {
    const { layers, omitted } = await table([
      { ...instruction, profile },
      { ...instruction, input: 'float32', profile },
      { ...instruction, input: 'uint8', profile: { nanoseconds: 500, cycles: 2000, floorCycles: 0 } },
    ]);
    assert.deepEqual(omitted, []);
    assert.equal(layers[0]?.totalMs, 0.002);
    assert.deepEqual(
      layers[0]?.rows.map(({ microseconds, cycles, floorCycles, bytes }) => [microseconds, cycles, floorCycles, bytes]),
      [
        [1.5, 6000, 3000, 100],
        [0.5, 2000, 0, 100],
      ],
    );
  });
});

describe('omit', () => {
  it('says a thing once', () => {
    const draft = emptyDraft();
    for (const why of ['gone', 'gone', 'late']) omit(draft, 'peer', why);
    assert.deepEqual(draft.omitted, [
      { what: 'peer', why: 'gone' },
      { what: 'peer', why: 'late' },
    ]);
  });
});

describe('runBench', () => {
  it('runs the kernels of every instruction set but scalar, and tells each step', async () => {
    const steps: [number, number, string][] = [];
    const result = await runBench({ quick: true, only: ['kernels'], onStep: (...step) => steps.push(step) });
    parseResult(JSON.stringify(result), 'result');
    const isas = new Set(result.kernels.map(({ isa }) => isa));
    assert.ok(!isas.has('scalar'));
    for (const { kernel, gmacs, limitGmacs } of result.kernels) {
      assert.match(kernel, /^bconv_/);
      assert.ok(gmacs > 0 && limitGmacs > 0);
    }
    const [done, total] = steps.at(-1) ?? [];
    assert.equal(done, total);
    assert.deepEqual(
      steps.slice(1).map(([index]) => index),
      [0, 1, 2, 3, 4, 5],
    );
  });

  it('BAD CALL options', async () => {
    const bad: [options: object, code: string][] = [
      [{ fast: true }, 'ERR_BITPATH_UNKNOWN_OPTION'],
      [{ quick: 1 }, 'ERR_BITPATH_ARGUMENT'],
      [{ only: [] }, 'ERR_BITPATH_ARGUMENT'],
      [{ only: ['kernel'] }, 'ERR_BITPATH_ARGUMENT'],
      [{ threads: 0 }, 'ERR_BITPATH_ARGUMENT'],
      [{ size: 31 }, 'ERR_BITPATH_ARGUMENT'],
    ];
    for (const [options, code] of bad) await assert.rejects(runBench(options), { code }, JSON.stringify(options));
  });
});
