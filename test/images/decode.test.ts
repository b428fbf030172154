import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import sharp from 'sharp';
import { decodeImage } from '#lib/images/decode.js';

/** 4 × 3 pixels: red, green and blue halves that no rotation keeps. */
const WIDTH = 4;
const HEIGHT = 3;
const pixels = Uint8Array.from({ length: WIDTH * HEIGHT * 3 }, (_, i) => {
  const [y, x, c] = [Math.floor(i / 3 / WIDTH), Math.floor(i / 3) % WIDTH, i % 3];
  return c === 0 ? x * 80 : c === 1 ? y * 120 : (x * 3 + y) * 20;
});
const raw = () => sharp(pixels, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } });
/** Flat colours survive lossy formats. */
const flat = (background: string, alpha?: number) =>
  sharp({
    create: {
      width: 40,
      height: 30,
      channels: alpha === undefined ? 3 : 4,
      background: alpha === undefined ? background : { ...rgb(background), alpha },
    },
  });
const rgb = (hex: string) => ({
  r: parseInt(hex.slice(1, 3), 16),
  g: parseInt(hex.slice(3, 5), 16),
  b: parseInt(hex.slice(5, 7), 16),
});

function near(actual: ArrayLike<number>, expected: readonly number[], tolerance: number): void {
  for (const [i, value] of expected.entries()) {
    const off = Math.abs((actual[i] ?? Number.NaN) - value);
    assert.ok(off <= tolerance, `${[...expected]} became ${Array.from(actual).slice(0, 3)}`);
  }
}

describe('decodeImage', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bitpath-'));
  });
  after(() => rm(folder, { recursive: true }));

  it('reads lossless formats exactly', async () => {
    for (const format of ['png', 'webp', 'tiff'] as const) {
      const bytes = await raw()
        .toFormat(format, { lossless: true, compression: format === 'tiff' ? 'lzw' : undefined })
        .toBuffer();
      const image = await decodeImage(bytes);
      assert.deepEqual([image.height, image.width], [HEIGHT, WIDTH], format);
      assert.deepEqual([...image.pixels], [...pixels], format);
    }
  });

  it('reads JPEG, WebP and AVIF', async () => {
    for (const format of ['jpeg', 'webp', 'avif'] as const) {
      const image = await decodeImage(await flat('#c86432').toFormat(format, { quality: 95 }).toBuffer());
      assert.deepEqual([image.height, image.width, image.pixels.length], [30, 40, 3600], format);
      near(image.pixels, [0xc8, 0x64, 0x32], 3);
    }
  });

  it('reads SVG', async () => {
    const svg =
      '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="10"><rect width="10" height="10" fill="#ff0000"/></svg>';
    const image = await decodeImage(Buffer.from(svg));
    assert.deepEqual([image.height, image.width], [10, 20]);
    assert.deepEqual([...image.pixels.subarray(0, 3)], [255, 0, 0]);
    assert.deepEqual([...image.pixels.subarray(-3)], [255, 255, 255], 'nothing drawn is white');
  });

  it('applies each EXIF orientation', async () => {
    const plain = await decodeImage(await raw().png().toBuffer());
    const at = (image: typeof plain, y: number, x: number) => [
      ...image.pixels.subarray((y * image.width + x) * 3).subarray(0, 3),
    ];
    const [right, bottom] = [WIDTH - 1, HEIGHT - 1];
    /** Where the top left pixel of the picture as shown lies in the stored one: [y, x]. */
    const corners: Record<number, [number, number]> = {
      1: [0, 0],
      2: [0, right],
      3: [bottom, right],
      4: [bottom, 0],
      5: [0, 0],
      6: [bottom, 0],
      7: [bottom, right],
      8: [0, right],
    };
    for (const [orientation, [y, x]] of Object.entries(corners)) {
      const bytes = await raw()
        .withMetadata({ orientation: Number(orientation) })
        .png()
        .toBuffer();
      const image = await decodeImage(bytes);
      const turned = Number(orientation) > 4;
      assert.deepEqual(
        [image.height, image.width],
        turned ? [WIDTH, HEIGHT] : [HEIGHT, WIDTH],
        `orientation ${orientation}`,
      );
      assert.deepEqual(at(image, 0, 0), at(plain, y, x), `orientation ${orientation}`);
    }
  });

  it('lays transparency on white', async () => {
    near((await decodeImage(await flat('#000000', 0).png().toBuffer())).pixels, [255, 255, 255], 0);
    near((await decodeImage(await flat('#ff0000', 0.5).png().toBuffer())).pixels, [255, 127, 127], 1);
  });

  it('makes RGB of greyscale, of greyscale with alpha, of CMYK and of 16 bits', async () => {
    const grey = await flat('#808080').toColourspace('b-w').png().toBuffer();
    assert.equal((await sharp(grey).metadata()).channels, 1);
    near((await decodeImage(grey)).pixels, [128, 128, 128], 0);

    const greyAlpha = await flat('#808080', 0).toColourspace('b-w').png().toBuffer();
    near((await decodeImage(greyAlpha)).pixels, [255, 255, 255], 0);

    const cmyk = await flat('#ffffff').toColourspace('cmyk').jpeg().toBuffer();
    assert.equal((await sharp(cmyk).metadata()).channels, 4);
    near((await decodeImage(cmyk)).pixels, [255, 255, 255], 3);

    const deep = await flat('#c86432').toColourspace('rgb16').png().toBuffer();
    assert.equal((await sharp(deep).metadata()).depth, 'ushort');
    near((await decodeImage(deep)).pixels, [0xc8, 0x64, 0x32], 1);
  });

  it('takes the first frame of an animation', async () => {
    const frames = Buffer.alloc(8 * 8 * 2 * 3);
    frames.fill(255, 8 * 8 * 3); // the second frame is white
    for (const format of ['gif', 'webp'] as const) {
      const bytes = await sharp(frames, { raw: { width: 8, height: 16, channels: 3, pageHeight: 8 } })
        .toFormat(format)
        .toBuffer();
      assert.equal((await sharp(bytes).metadata()).pages, 2);
      const image = await decodeImage(bytes);
      assert.deepEqual([image.height, image.width], [8, 8], format);
      near(image.pixels, [0, 0, 0], 1);
    }
  });

  it('reads from a path and a file: URL', async () => {
    const path = join(folder, 'sample.png');
    await writeFile(path, await raw().png().toBuffer());
    for (const source of [path, pathToFileURL(path), pathToFileURL(path).href]) {
      assert.deepEqual([...(await decodeImage(source)).pixels], [...pixels]);
    }
  });

  it('names the picture that it cannot decode', async () => {
    const png = await flat('#123456').png().toBuffer();
    const jpeg = await sharp(Buffer.from(Array.from({ length: 30000 }, (_, i) => (i * i) % 251)), {
      raw: { width: 100, height: 100, channels: 3 },
    })
      .jpeg()
      .toBuffer();
    const bomb = '<svg xmlns="http://www.w3.org/2000/svg" width="20000" height="20000"></svg>';
    const cases: [string, Uint8Array][] = [
      ['empty', new Uint8Array(0)],
      ['text', Buffer.from('no picture')],
      ['truncated PNG', png.subarray(0, png.length / 2)],
      ['truncated JPEG', jpeg.subarray(0, jpeg.length / 2)],
      ['too many pixels', Buffer.from(bomb)],
    ];
    for (const [name, bytes] of cases) {
      await assert.rejects(decodeImage(bytes, { name }), (error: Error & { code?: string }) => {
        assert.equal(error.code, 'ERR_BITPATH_IMAGE', name);
        assert.ok(error.message.startsWith(`${name}: `), error.message);
        return true;
      });
    }
    for (const path of [join(folder, 'absent.png'), folder, '/dev/null']) {
      await assert.rejects(decodeImage(path), (error: Error & { code?: string }) => {
        assert.equal(error.code, 'ERR_BITPATH_IMAGE');
        assert.ok(error.message.startsWith(`${path}: `), error.message);
        return true;
      });
    }
  });

  it('refuses arguments of another kind', async () => {
    const code = { code: 'ERR_BITPATH_ARGUMENT' };
    await assert.rejects(decodeImage(5 as unknown as string), code);
    await assert.rejects(decodeImage(''), code);
    await assert.rejects(decodeImage(new URL('https://example.org/a.png')), code);
    await assert.rejects(decodeImage('a.png', { nmae: 'x' } as object), { code: 'ERR_BITPATH_UNKNOWN_OPTION' });
  });

  it('says which package is missing where sharp is', () => {
    const script = `
      import { register } from 'node:module';
      register('data:text/javascript,' + encodeURIComponent(
        'export function resolve(name, context, next) { if (name === "sharp") throw new Error("gone"); return next(name, context); }'));
      const { decodeImage } = await import(${JSON.stringify(import.meta.resolve('#lib/images/decode.js'))});
      await decodeImage('a.png').catch(({ code, message }) => console.log(code + ' ' + message));`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    assert.match(
      stdout,
      /^ERR_BITPATH_MISSING_PACKAGE Decoding pictures needs the package sharp, .*\(gone\): npm install sharp/,
      stderr,
    );
  });
});
