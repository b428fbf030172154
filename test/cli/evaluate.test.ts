import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import sharp from 'sharp';
import { bitpath, drawing, ended, start, temporaryFolder, writePicture } from './run.js';

interface EvaluateDocument {
  schema: string;
  model: string;
  data: string;
  images: number;
  top1: number | null;
  top5: number | null;
  top1Correct: number;
  top5Correct: number;
  ece: number | null;
  errors: { image: string; code: string; message: string }[];
  timings?: Record<string, unknown>;
}
const document = ({ stdout }: { stdout: string }) => JSON.parse(stdout) as EvaluateDocument;

const ESC = '\x1b';

/** `count` records of the given labels, then the pictures. */
function pack(samples: readonly { label: number; bytes: Uint8Array }[]): Buffer {
  const head = Buffer.alloc(4 + 6 * samples.length);
  head.writeUInt32LE(samples.length, 0);
  for (const [i, { label, bytes }] of samples.entries()) {
    head.writeUInt16LE(label, 4 + 6 * i);
    head.writeUInt32LE(bytes.length, 6 + 6 * i);
  }
  return Buffer.concat([head, ...samples.map(({ bytes }) => bytes)]);
}

describe('bitpath evaluate', () => {
  const folder = temporaryFolder();
  const COUNT = 37; // more than two batches, and no multiple of one
  /** What the network says of each picture: five classes, best first. */
  let answers: { index: number; id: string; name: string; probability: number }[][] = [];
  let pictures: Buffer[] = [];
  /** Rank that the label which a picture is given has in its answer. */
  const rank = (i: number) => [0, 3, 0, 1, 199][i % 5]!;
  const labels: number[] = [];

  function calibrationError(): number {
    const bins = Array.from({ length: 15 }, (_, bin) =>
      answers.flatMap(([first], i) =>
        Math.floor(15 * first!.probability) === bin ? [first!.probability - Number(rank(i) === 0)] : [],
      ),
    );
    const off = bins.map((bin) => Math.abs(bin.reduce((sum, gap) => sum + gap, 0)));
    return (100 * off.reduce((sum, gap) => sum + gap, 0)) / COUNT;
  }

  before(async () => {
    const names = Array.from({ length: COUNT }, (_, i) => `${i}.png`);
    for (const [i, name] of names.entries()) await writePicture(join(folder, name), i + 1);
    const { stdout } = await bitpath(['classify', '--json', '--top', '200', ...names], { cwd: folder });
    answers = JSON.parse(stdout).results.map((result: { predictions: unknown }) => result.predictions);
    pictures = await Promise.all(names.map((name) => readFile(join(folder, name))));
    for (let i = 0; i < COUNT; i++) labels.push(answers[i]![rank(i)]!.index);
    await writeFile(join(folder, 'data.bin'), pack(pictures.map((bytes, i) => ({ bytes, label: labels[i]! }))));
    for (const [i, bytes] of pictures.entries()) {
      const { id, name } = answers[i]![rank(i)]!;
      // Folders are called after ids or names.
      const label = i % 2 === 0 ? id : name.replaceAll(' ', '_');
      await mkdir(join(folder, 'classes', label), { recursive: true });
      await writeFile(join(folder, 'classes', label, `${i}.png`), bytes);
    }
  });

  const ranks = Array.from({ length: COUNT }, (_, i) => rank(i));
  const top1Correct = ranks.filter((r) => r === 0).length;
  const top5Correct = ranks.filter((r) => r < 5).length;

  for (const data of ['data.bin', 'classes']) {
    it(`${data}: counts what classify says, for every number of threads`, async () => {
      const [one, four] = await Promise.all(
        ['1', '4'].map((threads) => bitpath(['evaluate', data, '--json', '-t', threads], { cwd: folder })),
      );
      assert.equal(one!.stderr, '');
      assert.equal(one!.code, 0);
      assert.equal(four!.stdout, one!.stdout);
      assert.ok(top1Correct > 0 && top1Correct < top5Correct && top5Correct < COUNT);
      const { ece, ...rest } = document(one!);
      assert.ok(Math.abs((ece ?? 0) - calibrationError()) < 1e-9 && calibrationError() > 0, `ECE ${ece}`);
      assert.deepEqual(rest, {
        schema: 'bitpath.evaluate/1',
        model: 'igp-resnet37-41-reactnet-tiny-imagenet',
        data,
        images: COUNT,
        top1: (100 * top1Correct) / COUNT,
        top5: (100 * top5Correct) / COUNT,
        top1Correct,
        top5Correct,
        errors: [],
      });
    });
  }

  it('tells people accuracy and speed', async () => {
    const { code, stdout, stderr } = await bitpath(['evaluate', 'data.bin'], { cwd: folder });
    assert.equal(code, 0);
    assert.equal(stderr, '');
    const share = ((100 * top1Correct) / COUNT).toFixed(2);
    assert.ok(stdout.includes(`\ntop-1  ${share} %  (${top1Correct} of ${COUNT})\n`), stdout);
    assert.match(stdout, /^speed {2}[1-9]\d* images\/s from file to class$/m);
    assert.match(stdout, /^ {7}[1-9]\d* images\/s the network alone \(\w+, threads: \d+, batch 16\)$/m);
  });

  it('--limit spreads over the data', async () => {
    const limited = document(await bitpath(['evaluate', 'data.bin', '--json', '--limit', '4'], { cwd: folder }));
    // Every ninth or tenth: 0, 10, 19, 28.
    const taken = [0, 10, 19, 28].map(rank);
    assert.equal(limited.images, 4);
    assert.equal(limited.top1Correct, taken.filter((r) => r === 0).length);
    assert.equal(limited.top5Correct, taken.filter((r) => r < 5).length);
    const all = document(await bitpath(['evaluate', 'data.bin', '--json', '--limit', '1000'], { cwd: folder }));
    assert.equal(all.images, COUNT);
  });

  it('reports bad pictures and leaves them out', async () => {
    const samples = pictures.slice(0, 20).map((bytes, i) => ({ bytes, label: labels[i]! }));
    for (const i of [0, 7, 8]) samples[i] = { bytes: Buffer.from('no picture'), label: 1 };
    await writeFile(join(folder, 'bad.bin'), pack(samples));
    const run = await bitpath(['evaluate', 'bad.bin', '--json', '--timings'], { cwd: folder });
    assert.equal(run.code, 1);
    const { images, errors, timings, ...rest } = document(run);
    assert.equal(images, 17);
    assert.deepEqual(
      errors.map(({ image, code }) => [image, code]),
      [0, 7, 8].map((i) => [`bad.bin#${i}`, 'ERR_BITPATH_IMAGE']),
    );
    assert.equal(run.stderr, errors.map(({ message, code }) => `bitpath: ${message} (${code})\n`).join(''));
    assert.deepEqual(Object.keys(timings!), ['isa', 'threads', 'seconds', 'imagesPerSecond', 'networkImagesPerSecond']);
    const kept = ranks.slice(0, 20).filter((_, i) => ![0, 7, 8].includes(i));
    assert.equal(rest.top5Correct, kept.filter((r) => r < 5).length);

    const text = await bitpath(['evaluate', 'bad.bin'], { cwd: folder });
    assert.match(text.stdout, /^failed +3 pictures, left out of the figures$/m);
  });

  it('where no picture can be read there is no accuracy', async () => {
    await writeFile(join(folder, 'none.bin'), pack([{ bytes: Buffer.from('no'), label: 5 }]));
    const run = await bitpath(['evaluate', 'none.bin', '--json'], { cwd: folder });
    assert.equal(run.code, 1);
    assert.deepEqual([document(run).images, document(run).top1, document(run).top5], [0, null, null]);
    assert.match((await bitpath(['evaluate', 'none.bin'], { cwd: folder })).stdout, /^top-1 +–$/m);
  });

  it('draws a bar where stderr is a terminal, and leaves nothing of it', async () => {
    const plain = await bitpath(['evaluate', 'data.bin', '--json'], { cwd: folder });
    const terminal = await bitpath(['evaluate', 'data.bin', '--json'], { cwd: folder, terminal: { stderr: 80 } });
    assert.equal(plain.stderr, '');
    assert.equal(terminal.stdout, plain.stdout);
    assert.match(terminal.stderr, /[█░]{24} \d+\/37/);
    // Cursor to the first column, line cleared: the last thing that happens.
    assert.ok(terminal.stderr.endsWith(`${ESC}[1G${ESC}[2K`), JSON.stringify(terminal.stderr.slice(-40)));
  });

  it('Ctrl-C ends it at once, with 130', async () => {
    const bytes = await sharp(Buffer.from(drawing(3, 64, 64)))
      .webp()
      .toBuffer();
    const many = Array.from({ length: 60_000 }, (_, label) => ({ bytes, label: label % 200 }));
    await writeFile(join(folder, 'long.bin'), pack(many));
    const child = start(['evaluate', 'long.bin'], { cwd: folder, terminal: { stderr: 80 } });
    let interrupted = 0;
    child.stderr?.on('data', (chunk) => {
      // Well on its way: runs are in flight.
      if (interrupted > 0 || !/ [1-9]\d\d+\/60000/.test(String(chunk))) return;
      interrupted = performance.now();
      child.kill('SIGINT');
    });
    const { code, stdout, stderr } = await ended(child);
    const seconds = (performance.now() - interrupted) / 1000;
    assert.ok(interrupted > 0, stderr);
    assert.equal(code, 130);
    assert.equal(stdout, '');
    assert.ok(seconds < 20, `${seconds} s`);
  });
});

describe('the progress bar of classify', () => {
  const folder = temporaryFolder();
  before(async () => {
    for (const i of [1, 2, 3]) await writePicture(join(folder, `${i}.jpg`), i);
  });
  const images = ['1.jpg', '2.jpg', '3.jpg'];

  it('is there for several pictures on a terminal only', async () => {
    const plain = await bitpath(['classify', ...images], { cwd: folder });
    assert.equal(plain.stderr, '');
    const several = await bitpath(['classify', ...images], { cwd: folder, terminal: { stderr: 80 } });
    assert.match(several.stderr, /[█░]{24} \d\/3/);
    assert.equal(several.stdout, plain.stdout);
    const single = await bitpath(['classify', '1.jpg'], { cwd: folder, terminal: { stderr: 80 } });
    assert.equal(single.stderr, '');
  });

  it('is out of the way where an error is written', async () => {
    const { stderr } = await bitpath(['classify', '1.jpg', 'none.jpg', '3.jpg'], {
      cwd: folder,
      terminal: { stderr: 80 },
    });
    assert.ok(stderr.includes(`${ESC}[2Kbitpath: none.jpg: `), JSON.stringify(stderr));
  });
});
