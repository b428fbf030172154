import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { native } from '#lib/native.js';
import { cropGeometry, preprocess, roundHalfToEven } from '#lib/images/preprocess.js';
import { checkPreprocessing, defaultPreprocessing, type Preprocessing } from '#lib/images/preprocessing.js';
import { topK } from '#lib/images/predictions.js';

const preprocessing = (shorterSide: number, height: number, width: number): Preprocessing => ({
  resize: { shorterSide, interpolation: 'bilinear', antialias: true },
  crop: { height, width },
  mean: [0.5, 0.25, 0.125],
  std: [0.5, 0.25, 2],
});
const image = (height: number, width: number) => ({
  pixels: Uint8Array.from({ length: height * width * 3 }, (_, i) => (i * 37) % 256),
  height,
  width,
});

describe('preprocess', () => {
  it('leaves a picture of the right size alone', async () => {
    const picture = image(4, 6);
    const tensor = await preprocess(picture, preprocessing(4, 4, 4));
    assert.deepEqual(tensor.shape, [1, 4, 4, 3]);
    const expected = [0, 1, 2, 3].flatMap((y) => [...picture.pixels.subarray((y * 6 + 1) * 3, (y * 6 + 5) * 3)]);
    assert.deepEqual([...tensor.data], expected);
  });

  it('normalises channel by channel into NCHW', async () => {
    const pictures = [image(2, 3), image(5, 2)];
    const tensor = await preprocess(pictures, preprocessing(2, 2, 2), { dtype: 'float32' });
    const grey = await preprocess(pictures, preprocessing(2, 2, 2), { dtype: 'uint8' });
    assert.deepEqual(tensor.shape, [2, 3, 2, 2]);
    const { mean, std } = preprocessing(2, 2, 2);
    for (let n = 0; n < 2; n++) {
      for (let c = 0; c < 3; c++) {
        for (let i = 0; i < 4; i++) {
          const level = grey.data[(n * 4 + i) * 3 + c] as number;
          const expected = (level / 255 - (mean[c] as number)) / (std[c] as number);
          assert.ok(Math.abs((tensor.data[(n * 3 + c) * 4 + i] as number) - expected) < 1e-6);
        }
      }
    }
  });

  it('rounds halves to even', async () => {
    assert.deepEqual([0.5, 1.5, 2.5, 0.4999, 0.5001, 254.5].map(roundHalfToEven), [0, 2, 2, 0, 1, 254]);
    // Enlarged to twice its size, 0 2 becomes 0 ½ 1½ 2, of which the crop keeps the middle.
    const picture = { pixels: Uint8Array.of(0, 0, 0, 2, 2, 2), height: 1, width: 2 };
    const tensor = await preprocess(picture, preprocessing(2, 1, 2));
    assert.deepEqual([...tensor.data], [0, 0, 0, 2, 2, 2]);
    const floats = await preprocess(picture, preprocessing(2, 1, 2), { dtype: 'float32' });
    assert.deepEqual(floats.data.subarray(0, 2), Float32Array.of((0.5 / 255 - 0.5) / 0.5, (1.5 / 255 - 0.5) / 0.5));
  });

  it('copies a large picture in several goes, between which others have their turn, and misses none of it', async () => {
    const picture = image(1200, 1301); // 4.7 MB, which is no whole number of goes
    const running = preprocess(picture, preprocessing(1200, 1200, 1200));
    let turns = 0;
    setImmediate(() => turns++);
    const { data } = await running;
    assert.equal(turns, 1);
    for (const y of [0, 1073, 1074, 1075, 1199]) {
      const from = (y * 1301 + 50) * 3;
      const row = data.subarray(y * 3600, (y + 1) * 3600);
      assert.deepEqual(row, picture.pixels.subarray(from, from + 3600), `row ${y}`);
    }

    const taken = image(1200, 1301);
    const lost = preprocess(taken, preprocessing(1200, 1200, 1200));
    structuredClone(null, { transfer: [taken.pixels.buffer] });
    await assert.rejects(lost, { name: 'BitpathError', code: 'ERR_BITPATH_ARGUMENT' });
  });

  it('resizes in native code nothing but a whole picture, once', async () => {
    const { Resizer } = native();
    const geometry = { ...cropGeometry({ height: 4, width: 4 }, preprocessing(4, 4, 4)) };
    const argument = { code: 'ERR_BITPATH_ARGUMENT' };
    const pixels = image(4, 4).pixels;
    const none = () => assert.fail('it was run');
    const resizer = new Resizer(4, 4, geometry);
    assert.throws(() => resizer.run(none), argument);
    resizer.append(pixels.subarray(0, 20));
    assert.throws(() => resizer.append(pixels), argument, 'more than the picture has');
    assert.throws(() => resizer.append(new Float32Array(7) as never), argument);
    assert.throws(() => resizer.append([...pixels] as never), argument);
    assert.throws(() => resizer.run(none), argument, 'a part of it');
    resizer.append(pixels.subarray(20));
    assert.throws(() => resizer.run(undefined as never), argument);
    const result = await new Promise<Float32Array | null>((resolve) => resizer.run((_, levels) => resolve(levels)));
    assert.deepEqual(result, Float32Array.from(pixels));
    assert.throws(() => resizer.run(none), argument, 'again');
    assert.throws(() => resizer.append(pixels), argument);
    for (const [height, width, options] of [
      [0, 4, geometry],
      [4, 2 ** 20 + 1, geometry],
      [4, 4, { ...geometry, cropTop: 1 }],
      [4, 4, { ...geometry, cropLeft: -1 }],
      [4, 4, {}],
      [2 ** 20, 2 ** 20, { ...geometry, resizedHeight: 9 }],
      [4, 4, null],
    ] as const)
      assert.throws(() => new Resizer(height, width, options as typeof geometry), argument);
  });

  it('takes sides and margins as torchvision does', () => {
    const at = (height: number, width: number) => {
      const { resizedHeight, resizedWidth, cropTop, cropLeft } = cropGeometry(
        { height, width },
        preprocessing(128, 128, 128),
      );
      return [resizedHeight, resizedWidth, cropTop, cropLeft];
    };
    assert.deepEqual(at(64, 64), [128, 128, 0, 0]);
    assert.deepEqual(at(375, 500), [128, 170, 0, 21]); // 170.67 is truncated
    assert.deepEqual(at(500, 333), [192, 128, 32, 0]);
    assert.deepEqual(at(128, 129), [128, 129, 0, 0]); // half a pixel goes to the even 0
    assert.deepEqual(at(131, 128), [131, 128, 2, 0]); // 1.5 to the even 2
  });

  it('refuses pictures whose sides do not fit their pixels', async () => {
    const code = { code: 'ERR_BITPATH_ARGUMENT' };
    const good = preprocessing(4, 4, 4);
    await assert.rejects(preprocess({ ...image(4, 4), width: 5 }, good), code);
    await assert.rejects(preprocess({ ...image(4, 4), height: 0 }, good), code);
    await assert.rejects(preprocess(image(1, 2 ** 19), good), code, 'resized, it has 2 ** 21 columns');
    await assert.rejects(preprocess([], good), code);
    await assert.rejects(preprocess(null as never, good), code);
    await assert.rejects(preprocess(image(4, 4), good, { dtype: 'int32' as never }), code);
    await assert.rejects(preprocess(image(4, 4), good, { dtpye: 'uint8' } as never), {
      code: 'ERR_BITPATH_UNKNOWN_OPTION',
    });
  });
});

describe('checkPreprocessing', () => {
  it('keeps what is good, frozen', () => {
    const checked = checkPreprocessing('p', preprocessing(9, 8, 7));
    assert.deepEqual(checked, preprocessing(9, 8, 7));
    assert.ok(Object.isFrozen(checked) && Object.isFrozen(checked.resize) && Object.isFrozen(checked.mean));
    assert.deepEqual(defaultPreprocessing(96, 128).crop, { height: 96, width: 128 });
  });

  it('names what is wrong', () => {
    const good = preprocessing(8, 8, 8);
    const cases: [unknown, RegExp][] = [
      [null, /for p /],
      [{ ...good, resize: undefined }, /p\.resize/],
      [{ ...good, resize: { ...good.resize, interpolation: 'bicubic' } }, /p\.resize\.interpolation/],
      [{ ...good, resize: { ...good.resize, antialias: 1 } }, /p\.resize\.antialias/],
      [{ ...good, resize: { ...good.resize, shorterSide: 1e9 } }, /p\.resize\.shorterSide/],
      [{ ...good, crop: { height: 9, width: 8 } }, /p\.crop\.height/],
      [{ ...good, crop: { height: 8, width: 0.5 } }, /p\.crop\.width/],
      [{ ...good, mean: [0, 0] }, /p\.mean/],
      [{ ...good, mean: [0, 0, Number.NaN] }, /p\.mean\[2\]/],
      [{ ...good, std: [1, 1, 0] }, /p\.std/],
      [{ ...good, std: [1, 1, '1'] }, /p\.std\[2\]/],
      [{ ...good, std: [1, 1, 1e300] }, /p\.std\[2\]/],
      [{ ...good, scale: 1 }, /"scale"/],
    ];
    for (const [value, message] of cases) assert.throws(() => checkPreprocessing('p', value), { message });
  });
});

describe('topK', () => {
  const labels = ['a', 'b', 'c'].map((id) => ({ id, name: `letter ${id}` }));

  it('orders classes and gives their softmax', () => {
    const top = topK(Float32Array.of(Math.log(1), Math.log(2), Math.log(5)), labels, 2);
    assert.deepEqual(
      top.map(({ index, id, name }) => [index, id, name]),
      [
        [2, 'c', 'letter c'],
        [1, 'b', 'letter b'],
      ],
    );
    assert.ok(
      Math.abs((top[0]?.probability ?? 0) - 5 / 8) < 1e-6 && Math.abs((top[1]?.probability ?? 0) - 2 / 8) < 1e-6,
    );
  });

  it('takes huge logits, ties and no labels', () => {
    const top = topK(Float32Array.of(3e38, 3e38, -3e38), null, 9);
    assert.deepEqual(
      top.map(({ id, probability }) => [id, probability]),
      [
        ['0', 0.5],
        ['1', 0.5],
        ['2', 0],
      ],
    );
  });

  it('refuses what it cannot rank', () => {
    const code = { code: 'ERR_BITPATH_ARGUMENT' };
    assert.throws(() => topK(Float32Array.of(1, Number.NaN, 2), labels), code);
    assert.throws(() => topK(Float32Array.of(1, 2), labels), code);
    assert.throws(() => topK(Float32Array.of(1, 2, 3), labels, 0), code);
    assert.throws(() => topK([1, 2, 3] as never, labels), code);
  });
});
