/** `bitpath batch` undisturbed: which pictures, which rows, in which order, in which form. */
import assert from 'node:assert/strict';
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { bitpath, temporaryFolder } from '../cli/run.js';
import { batch, has, makeModel, makePictures, rows } from './job.js';

const COUNT = 21;
const folder = temporaryFolder();
const out = (name: string) => join(folder, name);
const bytes = (name: string) => readFileSync(out(name));

describe('bitpath batch', () => {
  before(async () => {
    await Promise.all([makePictures(folder, COUNT), makeModel(folder), makeModel(folder, 'other', 2)]);
    const { code, stdout, stderr } = await batch(folder, ['pictures', '--out', 'plain.jsonl']);
    assert.equal(code, 3, stderr);
    assert.match(stdout, /^results +plain\.jsonl, 22 pictures$/m);
    assert.match(stdout, /^failed +1 with ERR_BITPATH_IMAGE$/m);
    assert.match(stderr, /^bitpath: pictures\/broken\.jpg: .* \(ERR_BITPATH_IMAGE\)\n$/);
  });

  it('gives each picture a row, in the order of their names', () => {
    const images = rows(out('plain.jsonl')).map(({ image }) => image);
    const files = readdirSync(join(folder, 'pictures'), { recursive: true, encoding: 'utf8' });
    assert.deepEqual(
      images,
      files
        .filter((name) => /\.(jpg|png)$/.test(name))
        .map((name) => `pictures/${name}`)
        .sort(),
    );
    assert.equal(images.length, COUNT + 1);
  });

  it('has what bitpath classify says of them, and errors in the place of the others', async () => {
    const all = rows(out('plain.jsonl'));
    const images = all.map(({ image }) => image);
    const { stdout } = await bitpath(['classify', '-m', 'small.safetensors', '--json', ...images], { cwd: folder });
    const { results, errors } = JSON.parse(stdout);
    assert.deepEqual(
      all.filter(({ error }) => error === undefined),
      results,
    );
    const failed = all.filter(({ error }) => error !== undefined);
    assert.deepEqual(
      failed.map(({ image, error }) => ({ image, ...error })),
      errors,
    );
    assert.equal(failed.length, 1);
  });

  it('leaves a manifest, and nothing else of its work', () => {
    assert.deepEqual(readdirSync(out('plain.jsonl.job')), ['manifest.json']);
    const manifest = JSON.parse(readFileSync(out('plain.jsonl.job/manifest.json'), 'utf8'));
    assert.equal(manifest.state, 'complete');
    assert.equal(manifest.inputs.count, COUNT + 1);
    assert.deepEqual(manifest.results.failed, { ERR_BITPATH_IMAGE: 1 });
    assert.equal(manifest.results.bytes, bytes('plain.jsonl').length);
  });

  it('gives the same bytes with other threads and batches, and in a pattern’s or a list’s order the same rows', async () => {
    const pattern = await batch(folder, ['pictures/**/*.{jpg,png}', '-t', '1', '-b', '5', '--out', 'pattern.jsonl']);
    assert.equal(pattern.code, 3, pattern.stderr);
    assert.deepEqual(bytes('pattern.jsonl'), bytes('plain.jsonl'));
  });

  it('takes lists: paths are relative to the list, ids are kept, a picture that comes twice has two rows', async () => {
    const lines = [
      { image: 'p0.png', id: 'first' },
      { image: 'more/p1.jpg', id: 7, other: true },
      { image: 'p0.png' },
      { image: 'gone.jpg' },
      { image: join(folder, 'pictures/p2.jpg') },
    ];
    writeFileSync(out('pictures/list.jsonl'), `\ufeff${lines.map((line) => JSON.stringify(line)).join('\n\n')}`);
    const { code, stderr } = await batch(folder, ['pictures/list.jsonl', '--out', 'list.jsonl', '--top', '2']);
    assert.equal(code, 3);
    assert.match(stderr, /gone\.jpg: no such file or directory \(ERR_BITPATH_IMAGE\)/);
    const listed = rows(out('list.jsonl'));
    const expected = [['p0.png', 'first'], ['more/p1.jpg', '7'], ['p0.png'], ['gone.jpg'], [lines[4]!.image]];
    assert.deepEqual(
      listed.map(({ image, id }) => (id === undefined ? [image] : [image, id])),
      expected,
    );
    assert.deepEqual(listed[0]?.predictions, listed[2]?.predictions);
    assert.equal(listed[0]?.predictions?.length, 2);
  });

  it('takes a pattern that its own output matches too, and leaves that out', async () => {
    mkdirSync(out('own'));
    copyFileSync(out('pictures/p0.png'), out('own/p0.png'));
    symlinkSync('own', out('alias'));
    for (const [pattern, file] of [
      ['own/**', 'own/r.jsonl'],
      ['own/*', 'own/r.jsonl'],
      [`${folder}/alias/**`, 'own/q.csv'],
    ] as const) {
      for (let run = 0; run < 2; run++) {
        rmSync(out('own/r.jsonl'), { force: true });
        const { code, stdout, stderr } = await batch(folder, [pattern, '--out', file, '--restart']);
        assert.equal(code, 0, stderr);
        assert.match(stdout, /, 1 picture$/m);
      }
      const again = await batch(folder, [pattern, '--out', file]);
      assert.match(again.stdout, /all of them were there already/, again.stderr);
      rmSync(out(file));
      rmSync(out(`${file}.job`), { recursive: true });
    }
  });

  it('writes CSV with a column for each part of a prediction', async () => {
    assert.equal((await batch(folder, ['pictures', '--out', 'table.csv', '--top', '2'])).code, 3);
    const [titles, ...lines] = bytes('table.csv').toString().trimEnd().split('\n');
    const names = 'image,id,error,message,index_1,class_1,name_1,probability_1,index_2,class_2,name_2,probability_2';
    assert.equal(titles, names);
    assert.equal(lines.length, COUNT + 1);
    for (const [i, { image, predictions, error }] of rows(out('plain.jsonl')).entries()) {
      const cells = predictions
        ?.slice(0, 2)
        .flatMap(({ index, id, name, probability }) => [index, id, name, probability]);
      const line = [image, '', error?.code ?? '', error?.message ?? '', ...(cells ?? new Array(8).fill(''))].join(',');
      assert.equal(lines[i], line);
    }
  });

  it('writes Parquet that another library reads, logits as 32-bit floats', async () => {
    assert.equal((await batch(folder, ['pictures', '--out', 'table.parquet', '--logits', '--top', '3'])).code, 3);
    assert.equal((await batch(folder, ['pictures', '--out', 'logits.jsonl', '--logits', '--top', '3'])).code, 3);
    const file = await asyncBufferFromFile(out('table.parquet'));
    const metadata = await parquetMetadataAsync(file);
    const types = new Map(metadata.schema.map(({ name, type }) => [name, type]));
    assert.deepEqual(
      ['image', 'index_1', 'probability_3', 'logit_11'].map((name) => types.get(name)),
      ['BYTE_ARRAY', 'INT32', 'DOUBLE', 'FLOAT'],
    );
    const table = await parquetReadObjects({ file });
    assert.equal(table.length, COUNT + 1);
    for (const [i, { image, predictions, logits, error }] of rows(out('logits.jsonl')).entries()) {
      const row = table[i] as Record<string, unknown>;
      assert.equal(row.image, image);
      assert.equal(row.error ?? undefined, error?.code);
      assert.equal(row.probability_3 ?? undefined, predictions?.[2]?.probability);
      assert.equal(row.name_1 ?? undefined, predictions?.[0]?.name);
      if (logits)
        assert.deepEqual(
          logits.map((_, c) => row[`logit_${c}`]),
          logits,
        );
    }
  });

  it('prints one JSON document, the same each time', async () => {
    const documents = [];
    for (let i = 0; i < 2; i++) {
      const { stdout } = await batch(folder, ['pictures', '--out', 'json.jsonl', '--json']);
      documents.push(JSON.parse(stdout));
    }
    assert.deepEqual(documents[0], documents[1]);
    const { schema, pictures, answered, failed, bytes: length } = documents[0];
    assert.deepEqual(
      [schema, pictures, answered, failed],
      ['bitpath.batch/1', COUNT + 1, COUNT, { ERR_BITPATH_IMAGE: 1 }],
    );
    assert.equal(length, bytes('json.jsonl').length);
  });

  it('has nothing to do where all is done, makes an output again that is gone, leaves alone one that has changed', async () => {
    const again = await batch(folder, ['pictures', '--out', 'plain.jsonl']);
    assert.equal(again.code, 3);
    assert.match(again.stdout, /all of them were there already/);

    renameSync(out('plain.jsonl'), out('kept.jsonl'));
    assert.equal((await batch(folder, ['pictures', '--out', 'plain.jsonl'])).code, 3);
    assert.deepEqual(bytes('plain.jsonl'), bytes('kept.jsonl'));

    writeFileSync(out('plain.jsonl'), bytes('plain.jsonl').fill(32, 0, 1));
    const changed = await batch(folder, ['pictures', '--out', 'plain.jsonl']);
    assert.equal(changed.code, 1);
    assert.match(changed.stderr, /has been changed since .*--restart .*\(ERR_BITPATH_BATCH_OUTPUT\)/);
    assert.equal((await batch(folder, ['pictures', '--out', 'plain.jsonl', '--restart'])).code, 3);
    assert.deepEqual(bytes('plain.jsonl'), bytes('kept.jsonl'));
  });

  it('does not replace a file that it has not made', async () => {
    writeFileSync(out('mine.jsonl'), 'mine');
    const { code, stderr } = await batch(folder, ['pictures', '--out', 'mine.jsonl']);
    assert.equal(code, 1);
    assert.match(stderr, /mine\.jsonl: it exists, .*\(ERR_BITPATH_BATCH_OUTPUT\)/);
    assert.equal(bytes('mine.jsonl').toString(), 'mine');
    assert.ok(!has(folder, 'mine.jsonl.job'));
  });

  const changes: [what: string, args: string[], message: RegExp][] = [
    [
      'another model',
      ['pictures', '--model', 'other.safetensors'],
      /the model differs .*\(sha256:\w+…\) then, .*\(sha256:\w+…\) now/,
    ],
    ['other options', ['pictures', '--top', '3'], /--top differs .*: 5 then, 3 now/],
    ['other columns', ['pictures', '--logits'], /--logits differs .*: off then, on now/],
    ['another list', ['pictures/*.jpg'], /the list of pictures differs .*: 22 .* then, \d+ .* now/],
  ];
  for (const [what, args, message] of changes) {
    it(`EXPECTED FAILURE refuses ${what} and names it`, async () => {
      const { code, stderr, stdout } = await batch(folder, [...args, '--out', 'pattern.jsonl']);
      assert.equal(code, 1);
      assert.equal(stdout, '');
      assert.match(stderr, message);
      assert.match(stderr, /--restart .*\(ERR_BITPATH_BATCH_CHANGED\)\n$/);
    });
  }

  const inputs: [args: string[], message: RegExp][] = [
    [['nothing'], /nothing: there is no such file or folder/],
    [['none/*.jpg'], /none: it cannot be read/],
    [['pictures/*.gif'], /pictures\/\*\.gif: it has no pictures/],
    [['small.safetensors'], /it is no folder, no \.jsonl list and no picture/],
    [['pictures/p[0'], /the pattern has a \[ without its end/],
    [['pictures/[z-a].jpg'], /pictures\/\[z-a\]\.jpg: the pattern has a range that ends before it begins/],
    [['bad.jsonl'], /bad\.jsonl: line 2: expected a path as "image" but received 5/],
    [['json.txt.jsonl'], /line 1 is not JSON/],
  ];
  for (const [args, message] of inputs) {
    it(`BAD CALL bitpath batch ${args}`, async () => {
      writeFileSync(out('bad.jsonl'), '{"image":"a.jpg"}\n{"image":5}\n');
      writeFileSync(out('json.txt.jsonl'), 'a.jpg\n');
      const { code, stderr } = await batch(folder, [...args, '--out', 'refused.jsonl']);
      assert.equal(code, 1);
      assert.match(stderr, message);
      assert.match(stderr, /\(ERR_BITPATH_BATCH_INPUT\)\n$/);
      assert.ok(!has(folder, 'refused.jsonl') && !has(folder, 'refused.jsonl.job'));
    });
  }

  const usage: [args: string[], message: RegExp][] = [
    [['pictures'], /required option '-o, --out <file>' not specified/],
    [['pictures', '--out', 'a.txt'], /Expected a name that ends in \.jsonl, \.csv or \.parquet/],
    [['pictures', '--out', 'pictures/.jsonl'], /Expected a name that ends in \.jsonl, \.csv or \.parquet/],
    [['pictures', '--out', 'a.jsonl', '--chunk', '5'], /option '--chunk' needs '--queue'/],
  ];
  for (const [args, message] of usage) {
    it(`BAD CALL bitpath batch ${args.join(' ')}`, async () => {
      const { code, stderr } = await batch(folder, args);
      assert.equal(code, 2);
      assert.match(stderr, message);
    });
  }

  it('EXPECTED FAILURE says what to install for Parquet and for a queue before it computes anything', async () => {
    const hook =
      'export const resolve = (name, context, next) => { if (/^(hyparquet-writer|bullmq)$/.test(name)) throw new Error("gone"); return next(name, context); }';
    const register = `import { register } from "node:module"; register("data:text/javascript,${encodeURIComponent(hook).replace(/[()]/g, escape)}");`;
    const env = { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(register)}` };
    for (const [name, args] of [
      ['hyparquet-writer', ['--out', 'x.parquet']],
      ['bullmq', ['--out', 'x.jsonl', '--queue', 'redis://127.0.0.1:9']],
    ] as const) {
      const { code, stderr } = await batch(folder, ['pictures', ...args], { env });
      assert.equal(code, 1);
      assert.match(stderr, new RegExp(`npm install (${name}) \\(ERR_BITPATH_MISSING_PACKAGE\\)`));
      rmSync(out('x.jsonl.job'), { recursive: true, force: true });
    }
  });
});
