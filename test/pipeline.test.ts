/** `pipeline()`: what it answers is what its parts answer, for whatever a picture comes as. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import {
  createModel,
  GraphBuilder,
  type ImageClassificationOutput,
  type ImageClassificationPipeline,
  loadModel,
  Model,
  type PictureInput,
  pipeline,
  randomParams,
} from 'bitpath';
import { decodeImage, preprocess, topK } from 'bitpath/images';
import { root } from './build/root.js';
import { picture, temporaryFolder, tinyModel } from './serve/servers.js';

const EXAMPLES = ['goldfish.svg', 'school-bus.svg'].map((name) => `${root}examples/${name}`);
const folder = temporaryFolder();
const png = join(folder, 'a b.png');
const [text, gone] = [join(folder, 'text.png'), join(folder, 'gone.png')];

/** What loadModel, executor and topK say of files. */
async function byParts(model: Model, files: readonly string[], k: number) {
  using executor = await model.compile({ threads: 1 });
  const answers = [];
  for (const file of files) {
    const { logits } = await executor.run(await preprocess(await decodeImage(file), model.preprocessing!));
    answers.push(
      topK(logits!.data, model.labels, k).map(({ name, probability }) => ({ label: name, score: probability })),
    );
  }
  return answers;
}

before(async () => {
  await writeFile(png, await picture(1, 'png', 40, 24));
  await writeFile(text, 'no picture');
});

describe('pipeline', () => {
  it('answers as loadModel, executor and topK do, bit for bit, with any threads, batch and instruction set', async () => {
    const model = await loadModel();
    const expected = await byParts(model, EXAMPLES, 5);
    assert.equal(expected[0]?.[0]?.label, 'goldfish, Carassius auratus');
    await using classify = await pipeline('image-classification');
    assert.equal(classify.task, 'image-classification');
    assert.equal(classify.model.name, model.name);
    assert.deepEqual(await classify(EXAMPLES), expected);
    assert.deepEqual(await classify(EXAMPLES[1]!), expected[1]);
    await using other = await pipeline('image-classification', model, { threads: 2, batch: 3, isa: 'scalar' });
    assert.deepEqual(await other([...EXAMPLES, ...EXAMPLES]), [...expected, ...expected]);
  });

  it('takes whatever loadModel takes, and a model', async () => {
    const model = tinyModel();
    const path = join(folder, 'tiny.safetensors');
    await model.save(path);
    const expected = await byParts(model, [png], 5);
    for (const source of [model, path, pathToFileURL(path), model.toBytes()]) {
      await using classify = await pipeline('image-classification', source);
      assert.deepEqual(await classify([png]), expected);
    }
    await using classify = await pipeline('image-classification', null);
    assert.equal(classify.model.name, (await loadModel()).name);
  });

  it('gives the network the options', async () => {
    const model = tinyModel();
    let given: unknown;
    const spied = {
      compile(options: object) {
        given = options;
        return model.compile(options);
      },
    };
    const spy = Object.setPrototypeOf(spied, model) as Model;
    const options = { threads: 1, batch: 2, isa: 'scalar', pixelStem: 'int8' } as const;
    await (await pipeline('image-classification', spy, options)).dispose();
    assert.deepEqual(given, options);
  });
});

describe('a picture', () => {
  let classify: ImageClassificationPipeline;
  let expected: ImageClassificationOutput;
  before(async () => {
    classify = await pipeline('image-classification', tinyModel(), { batch: 2 });
    [expected] = (await byParts(tinyModel(), [png], 5)) as [ImageClassificationOutput];
  });

  it('comes as path, file: URL, bytes, Blob or pixels', async () => {
    const bytes = await readFile(png);
    const inside = Buffer.concat([Buffer.alloc(7), bytes, Buffer.alloc(9)]).subarray(7, 7 + bytes.length);
    const kinds: PictureInput[] = [
      png,
      pathToFileURL(png),
      pathToFileURL(png).href,
      bytes,
      inside,
      Uint8Array.from(bytes),
      Uint8Array.from(bytes).buffer,
      new Blob([bytes]),
      new File([bytes], 'x.png'),
      await decodeImage(png),
    ];
    for (const kind of kinds) assert.deepEqual(await classify(kind), expected, kind.constructor.name);
    assert.deepEqual(
      await classify(kinds),
      kinds.map(() => expected),
    );
    assert.deepEqual(await classify([]), []);
    const list = [png];
    const answer = classify(list);
    list.push('added.png');
    assert.deepEqual(await answer, [expected]);
  });

  it('has as many classes as top_k says, all for 0, else 5', async () => {
    assert.equal(expected.length, 5);
    assert.deepEqual(await classify(png, { top_k: 2 }), expected.slice(0, 2));
    for (const top_k of [0, 5, 6]) assert.deepEqual(await classify(png, { top_k }), expected);
    const scores = expected.map(({ score }) => score);
    assert.deepEqual(
      scores,
      scores.toSorted((a, b) => b - a),
    );
    assert.ok(Math.abs(scores.reduce((a, b) => a + b) - 1) < 1e-12);
    assert.deepEqual(Object.keys(expected[0]!), ['label', 'score']);
  });

  it('is named by index where the model has no labels', async () => {
    const { graph, params, preprocessing } = tinyModel();
    await using plain = await pipeline('image-classification', new Model({ graph, params, preprocessing }));
    assert.deepEqual(
      (await plain(png)).map(({ label }) => label.replace('class ', 'class: ')),
      expected.map(({ label }) => label),
    );
  });

  it('may be one of many calls at the same time', async () => {
    const other = join(folder, 'other.png');
    await writeFile(other, await picture(9, 'png', 30, 30));
    const [first, second] = (await classify([png, other])) as [ImageClassificationOutput, ImageClassificationOutput];
    assert.notDeepEqual(first, second);
    const calls = Array.from({ length: 24 }, (_, i) =>
      i % 3 === 0 ? classify([other, png, other]) : classify(i % 2 ? png : other),
    );
    for (const [i, answer] of (await Promise.all(calls)).entries()) {
      assert.deepEqual(answer, i % 3 === 0 ? [second, first, second] : i % 2 ? first : second);
    }
  });

  it('has its code loaded when a pipeline is made, not with the package', () => {
    const coverage = join(folder, 'coverage');
    const env = { ...process.env, NODE_V8_COVERAGE: coverage };
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', "import 'bitpath'"], { cwd: root, env });
    assert.equal(child.status, 0, String(child.stderr));
    const loaded = readdirSync(coverage).flatMap((file) =>
      (JSON.parse(readFileSync(join(coverage, file), 'utf8')) as { result: { url: string }[] }).result.map(
        ({ url }) => url,
      ),
    );
    assert.ok(loaded.some((url) => url.endsWith('/dist/pipeline.js')));
    const pictures = /\/dist\/(predict|images\/(?!preprocessing\.js)\w+)\.js$|\/node_modules\//;
    assert.deepEqual(
      loaded.filter((url) => pictures.test(url)),
      [],
    );
  });

  it('needs no sharp where it is decoded already', () => {
    const code = `
      const { pipeline } = await import('bitpath');
      const classify = await pipeline('image-classification');
      await classify({ pixels: new Uint8Array(48), height: 4, width: 4 });
      const shared = process.report.getReport().sharedObjects.filter((path) => /sharp|vips/.test(path));
      if (shared.length > 0) throw new Error(shared.join());`;
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', code], { cwd: root, encoding: 'utf8' });
    assert.equal(child.status, 0, child.stderr);
  });
});

describe('errors', () => {
  let classify: ImageClassificationPipeline;
  before(async () => {
    classify = await pipeline('image-classification', tinyModel());
  });

  it('BAD CALL another task, and the one that there is', async () => {
    await assert.rejects(pipeline('object-detection' as 'image-classification'), {
      code: 'ERR_BITPATH_UNKNOWN_NAME',
      message: 'No task is called "object-detection"; known are image-classification',
    });
    await assert.rejects(pipeline(undefined as never), { code: 'ERR_BITPATH_ARGUMENT' });
  });

  it('BAD CALL a model that does not classify pictures, or is none', async () => {
    const builder = new GraphBuilder('map');
    builder.output('y', builder.input({ channels: 3, height: 8, width: 8 }));
    const graph = builder.build();
    for (const model of [
      new Model({ graph, params: new Map(), preprocessing: tinyModel().preprocessing }),
      new Model({ graph: tinyModel().graph, params: randomParams(tinyModel().graph) }),
      7 as never,
    ])
      await assert.rejects(pipeline('image-classification', model), { code: 'ERR_BITPATH_ARGUMENT' });
    await assert.rejects(pipeline('image-classification', 'resnet'), { code: 'ERR_BITPATH_UNKNOWN_NAME' });
  });

  it('BAD CALL options', async () => {
    const model = createModel('bireal-resnet18-64', { classes: 3, inputSize: 32 });
    await assert.rejects(pipeline('image-classification', model, { isa: 'mmx' as 'avx2' }), {
      code: 'ERR_BITPATH_ISA',
    });
    await assert.rejects(pipeline('image-classification', model, { batch: 0 }), { code: 'ERR_BITPATH_ARGUMENT' });
    for (const options of [{ dtype: 'q4' }, { normalization: undefined }])
      await assert.rejects(pipeline('image-classification', model, options as object), {
        code: 'ERR_BITPATH_UNKNOWN_OPTION',
      });
    await assert.rejects(classify(png, { topk: 3 } as object), /did you mean "top_k"\?/);
    for (const top_k of [-1, 1.5, '3', null])
      await assert.rejects(classify(png, { top_k } as object), { code: 'ERR_BITPATH_ARGUMENT' });
  });

  it('BAD CALL what is no picture, before any is read, with its index in an array', async () => {
    const moved = new ArrayBuffer(8);
    structuredClone(moved, { transfer: [moved] });
    const wrong: unknown[] = [
      moved,
      undefined,
      null,
      3,
      '',
      {},
      [png],
      new Uint16Array(8),
      { pixels: new Uint8Array(5), height: 1, width: 1 },
    ];
    for (const input of wrong) {
      if (!Array.isArray(input)) {
        await assert.rejects(classify(input as string), ({ code, details }) => {
          assert.equal(code, 'ERR_BITPATH_ARGUMENT');
          assert.match(details.argument, /^picture(\.pixels)?$/);
          return !('index' in details);
        });
      }
      await assert.rejects(classify([gone, input as string]), ({ code, details }) => {
        assert.equal(code, 'ERR_BITPATH_ARGUMENT');
        assert.match(details.argument, /^pictures\[1\](\.pixels)?$/);
        return details.index === 1;
      });
    }
  });

  it('never fetches: other URLs than file: are refused', async () => {
    let requests = 0;
    const server = createServer((_, response) => response.end(String(++requests)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/a.png`;
    const refused = { code: 'ERR_BITPATH_ARGUMENT', message: /a URL of another kind is not fetched/ };
    const data = `data:image/png;base64,${(await readFile(png)).toString('base64')}`;
    for (const source of [
      url,
      new URL(url),
      data,
      new URL(data),
      'blob:nodedata:1',
      'FTP://a/b.png',
      'file://host/a.png',
    ])
      await assert.rejects(classify(source), refused);
    server.close();
    assert.equal(requests, 0);
  });

  it('EXPECTED FAILURE pictures that cannot be decoded: the first of them, with its index', async () => {
    const good = join(folder, 'good.png');
    await copyFile(png, good);
    await assert.rejects(classify(gone), { code: 'ERR_BITPATH_IMAGE', message: /gone\.png: no such file/ });
    await assert.rejects(classify([good, text, gone]), ({ code, details, message, cause }) => {
      assert.equal(code, 'ERR_BITPATH_IMAGE');
      assert.match(message, /text\.png: /);
      assert.ok(cause instanceof Error);
      return details.index === 1;
    });
    await assert.rejects(classify([good, new Blob(['x'])]), ({ details, message }) => {
      assert.match(message, /^pictures\[1\]: /);
      return details.index === 1;
    });
    const sliver = { pixels: new Uint8Array(3 * 400_000), height: 1, width: 400_000 };
    await assert.rejects(classify(sliver), { code: 'ERR_BITPATH_IMAGE', message: /^picture: it is too drawn out/ });
    assert.equal((await classify(good)).length, 5);
  });

  it('EXPECTED FAILURE a disposed pipeline, and calls that were under way', async () => {
    const other = await pipeline(
      'image-classification',
      createModel('bireal-resnet18-64', { classes: 3, inputSize: 64 }),
      {
        threads: 1,
      },
    );
    const calls = Array.from({ length: 6 }, () => other(Array(20).fill(png)));
    const settled = Promise.allSettled(calls);
    await other.dispose();
    await other.dispose();
    for (const result of await settled) {
      assert.equal(result.status, 'rejected');
      assert.equal(result.reason.code, 'ERR_BITPATH_DISPOSED');
    }
    await assert.rejects(other(png), { code: 'ERR_BITPATH_DISPOSED', message: 'The pipeline has been disposed' });
  });
});
