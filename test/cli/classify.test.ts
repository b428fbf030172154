import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { loadModel } from 'bitpath';
import { decodeImage, preprocess, topK } from 'bitpath/images';
import { native } from '#lib/native.js';
import { bitpath, temporaryFolder, writePicture } from './run.js';

interface ClassifyDocument {
  schema: string;
  model: string;
  results: {
    image: string;
    predictions: { index: number; id: string; name: string; probability: number }[];
    logits?: number[];
    timings?: Record<string, number>;
  }[];
  errors: { image: string; code: string; message: string }[];
  timings?: Record<string, unknown>;
}

describe('bitpath classify', () => {
  const folder = temporaryFolder();
  const good = ['one.png', 'two.jpg', 'three.svg', 'four.webp'];
  before(async () => {
    for (const [seed, name] of good.entries()) await writePicture(join(folder, name), seed + 1);
    await writeFile(join(folder, 'bad.jpg'), 'no picture');
    await writeFile(join(folder, 'empty.png'), '');
  });

  it('prints the picture, then its classes with percentages and bars', async () => {
    const { code, stdout, stderr } = await bitpath(['classify', 'one.png', 'three.svg', '--top', '3'], { cwd: folder });
    assert.equal(stderr, '');
    assert.equal(code, 0);
    const blocks = stdout.trimEnd().split('\n\n');
    assert.equal(blocks.length, 2);
    for (const [i, block] of blocks.entries()) {
      const [name, ...lines] = block.split('\n');
      assert.equal(name, ['one.png', 'three.svg'][i]);
      assert.equal(lines.length, 3);
      const shares = lines.map((line) => {
        const match = /^ {1,4}(\d{1,3}\.\d) % {2}([█▌ ]{20}) {2}(\S.*)$/.exec(line);
        assert.ok(match, line);
        const halves = [...match[2]!].reduce((sum, char) => sum + (char === '█' ? 2 : char === '▌' ? 1 : 0), 0);
        assert.ok(Math.abs(halves / 40 - Number(match[1]) / 100) <= 0.0131, `the bar of ${line}`);
        return Number(match[1]);
      });
      assert.deepEqual(
        shares,
        shares.toSorted((a, b) => b - a),
      );
    }
  });

  it('answers what the API answers', async () => {
    const { stdout } = await bitpath(['classify', '--json', '--logits', '--top', '7', ...good], { cwd: folder });
    const { results } = JSON.parse(stdout) as ClassifyDocument;
    const model = await loadModel();
    using executor = await model.compile();
    for (const [i, name] of good.entries()) {
      const image = await decodeImage(join(folder, name));
      const { logits } = await executor.run(await preprocess(image, model.preprocessing!));
      assert.deepEqual(results[i]!.logits, Array.from(logits!.data), name);
      const expected = topK(logits!.data, model.labels, 7).map(({ logit: _, ...prediction }) => prediction);
      assert.deepEqual(results[i]!.predictions, expected, name);
    }
    assert.equal(new Set(results.map(({ logits }) => String(logits))).size, good.length, 'pictures of their own');
  });

  it('--json keeps its form', async () => {
    const plain = await bitpath(['classify', '--json', ...good, 'bad.jpg'], { cwd: folder });
    const document = JSON.parse(plain.stdout) as ClassifyDocument;
    assert.deepEqual(Object.keys(document), ['schema', 'model', 'results', 'errors']);
    assert.equal(document.schema, 'bitpath.classify/1');
    assert.equal(document.model, 'igp-resnet37-41-reactnet-tiny-imagenet');
    assert.deepEqual(
      document.results.map(({ image }) => image),
      good,
    );
    for (const result of document.results) {
      assert.deepEqual(Object.keys(result), ['image', 'predictions']);
      assert.equal(result.predictions.length, 5);
      for (const prediction of result.predictions) {
        assert.deepEqual(Object.keys(prediction), ['index', 'id', 'name', 'probability']);
      }
    }
    assert.deepEqual(Object.keys(document.errors[0]!), ['image', 'code', 'message']);

    const full = await bitpath(['classify', '--json', '--logits', '--timings', 'two.jpg'], { cwd: folder });
    const timed = JSON.parse(full.stdout) as ClassifyDocument;
    assert.deepEqual(Object.keys(timed), ['schema', 'model', 'results', 'errors', 'timings']);
    assert.deepEqual(Object.keys(timed.timings!), ['isa', 'threads', 'loadMs', 'compileMs']);
    assert.deepEqual(Object.keys(timed.results[0]!), ['image', 'predictions', 'logits', 'timings']);
    assert.deepEqual(Object.keys(timed.results[0]!.timings!), ['decodeMs', 'preprocessMs', 'runMs']);
    for (const time of Object.values(timed.results[0]!.timings!)) assert.ok(time > 0 && time < 60_000);
    assert.equal(timed.results[0]!.logits!.length, 200);
  });

  it('--json --logits is the same, byte for byte, for every ISA and number of threads', async (t) => {
    const { isas } = native();
    const args = ['classify', '--json', '--logits', ...good];
    const texts = new Map<string, string>();
    for (const { name, supported } of isas) {
      if (!supported) {
        t.diagnostic(`not supported on this machine: ${name}`);
        continue;
      }
      for (const threads of ['1', '3']) {
        const env = { BITPATH_ISA: name, BITPATH_THREADS: threads };
        const { code, stdout, stderr } = await bitpath(args, { cwd: folder, env });
        assert.equal(code, 0, stderr);
        assert.equal(stderr, '', 'a forced scalar needs no warning');
        texts.set(`${name}, ${threads} threads`, stdout);
      }
    }
    t.diagnostic(`compared: ${[...texts.keys()].join('; ')}`);
    assert.ok(texts.size >= 2);
    const [first] = texts.values();
    assert.ok((JSON.parse(first!) as ClassifyDocument).results.length === good.length);
    for (const [configuration, text] of texts) assert.equal(text, first, configuration);
  });

  it('reports bad pictures and answers the others', async () => {
    const images = ['one.png', 'bad.jpg', 'empty.png', 'no-such.png', '.', 'two.jpg'];
    const bad = images.slice(1, 5);
    const human = await bitpath(['classify', ...images], { cwd: folder });
    assert.equal(human.code, 1);
    assert.match(human.stdout, /^one\.png\n.*\ntwo\.jpg\n/s);
    const lines = human.stderr.trimEnd().split('\n');
    assert.equal(lines.length, bad.length);
    for (const [i, line] of lines.entries()) {
      assert.ok(line.startsWith(`bitpath: ${bad[i]}: `) && line.endsWith(' (ERR_BITPATH_IMAGE)'), line);
      assert.doesNotMatch(line, /ENOENT|stat '/);
    }

    const json = await bitpath(['classify', '--json', ...images], { cwd: folder });
    assert.equal(json.code, 1);
    assert.equal(json.stderr, human.stderr);
    const { results, errors } = JSON.parse(json.stdout) as ClassifyDocument;
    assert.deepEqual(
      results.map(({ image }) => image),
      ['one.png', 'two.jpg'],
    );
    assert.deepEqual(
      errors.map(({ code, message }) => `bitpath: ${message} (${code})`),
      lines,
    );
    assert.deepEqual(
      errors.map(({ image }) => image),
      bad,
    );
  });

  it('takes a model by name and by file', async () => {
    const name = 'bireal-resnet18-64-tiny-imagenet';
    const file = (await import('node:url')).fileURLToPath(
      new URL(`../../../models/${name}.safetensors`, import.meta.url),
    );
    const [byName, byFile, byDefault] = await Promise.all(
      [['-m', name], ['--model', file], []].map((args) =>
        bitpath(['classify', '--json', 'two.jpg', ...args], { cwd: folder }),
      ),
    );
    assert.equal(byName!.code, 0, byName!.stderr);
    assert.equal(byFile!.stdout, byName!.stdout);
    assert.notEqual(byDefault!.stdout, byName!.stdout);
  });

  it('gives every class where --top asks for more', async () => {
    const { stdout } = await bitpath(['classify', '--json', '--top', '1000', 'one.png'], { cwd: folder });
    const { predictions } = (JSON.parse(stdout) as ClassifyDocument).results[0]!;
    assert.equal(predictions.length, 200);
    assert.ok(Math.abs(predictions.reduce((sum, { probability }) => sum + probability, 0) - 1) < 1e-9);
  });

  it('cuts long labels to the terminal, and only there', async () => {
    const args = ['classify', '--top', '200', 'one.png'];
    const narrow = await bitpath(args, { cwd: folder, terminal: { stdout: 60 } });
    const lines = narrow.stdout.trimEnd().split('\n');
    assert.ok(lines.every((line) => line.length <= 60));
    assert.ok(lines.some((line) => line.length > 50 && line.endsWith('…')));
    const piped = await bitpath(args, { cwd: folder });
    assert.ok(piped.stdout.split('\n').some((line) => line.length > 80));
    assert.ok(!piped.stdout.includes('…'));
  });

  it('--timings adds times to the text', async () => {
    const { stdout } = await bitpath(['classify', '--timings', '-t', '1', 'one.png', 'two.jpg'], { cwd: folder });
    assert.equal(stdout.match(/^ {2}decode \S+ ms {2}preprocess \S+ ms {2}run \S+ ms$/gm)?.length, 2);
    assert.match(stdout, /\n\nload \S+ m?s {2}compile \S+ m?s {2}\((scalar|avx2|avx512|neon), threads: 1\)\n$/);
  });
});
