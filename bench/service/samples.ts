/** What a network is sent, and what it must answer: both sides get the same pictures. */
import { IMAGENET_NORMALIZATION } from '#lib/images/preprocessing.js';
import sharp from 'sharp';
import { checkEqual, checkFloat, fail } from '#lib/bench/check.js';
import { picture } from '#lib/bench/inputs.js';
import { decodeImage } from '#lib/images/decode.js';
import { preprocess } from '#lib/images/preprocess.js';
import type { Model } from '#lib/model.js';
import type { Wire } from './load.js';
import { jpegRequest, logitsOf, pixelsRequest } from './requests.js';

/** Different ones, so that an answer that went to another request is seen. */
const PICTURES = 8;
/** Height and width of the JPEGs: they are decoded, resized and cropped like photographs. */
const JPEG_SIZE = 480;

export interface Sample {
  readonly tensor: Wire;
  readonly jpeg: Wire;
  /** What the network sees of either. */
  readonly pixels: Uint8Array;
  readonly decoded: Uint8Array;
}

/** @param name What the server calls the model: its file's name. */
export async function makeSamples(name: string, { preprocessing }: Model, size: number): Promise<Sample[]> {
  if (preprocessing === null) return fail(name, 'it takes no pictures');
  return Promise.all(
    Array.from({ length: PICTURES }, async (_, seed) => {
      const { pixels } = picture(seed, size, IMAGENET_NORMALIZATION);
      const large = picture(seed, JPEG_SIZE, IMAGENET_NORMALIZATION).pixels;
      const raw = { width: JPEG_SIZE, height: JPEG_SIZE, channels: 3 } as const;
      const jpeg = await sharp(large, { raw }).jpeg({ quality: 85 }).toBuffer();
      const { data } = await preprocess([await decodeImage(jpeg)], preprocessing);
      return { tensor: pixelsRequest(name, pixels, size), jpeg: jpegRequest(name, jpeg), pixels, decoded: data };
    }),
  );
}

/** Logits by one picture's pixels. */
export type Reference = (pixels: Uint8Array) => Float32Array;

/**
 * Holds a service's answers to `reference`: one request after the other, and all at once, as they are then computed in batches.
 *
 * @param exact Whether bit for bit, or as two float engines agree.
 */
export async function checkService(
  what: string,
  url: string,
  samples: readonly Sample[],
  reference: Reference,
  exact: boolean,
): Promise<void> {
  const check = (input: string, actual: Float32Array, expected: Float32Array) => {
    if (exact) checkEqual(`${what}, ${input}`, actual, expected, 'the executor');
    else checkFloat(`${what}, ${input}`, actual, expected, 1);
  };
  const expected = samples.map(({ pixels, decoded }) => ({ tensor: reference(pixels), jpeg: reference(decoded) }));
  for (const input of ['tensor', 'jpeg'] as const) {
    for (const [i, sample] of samples.slice(0, 2).entries()) {
      check(input, await logitsOf(url, sample[input]), (expected[i] as (typeof expected)[number])[input]);
    }
    const together = await Promise.all(samples.map((sample) => logitsOf(url, sample[input])));
    for (const [i, logits] of together.entries()) {
      check(`${input}, at once`, logits, (expected[i] as (typeof expected)[number])[input]);
    }
  }
}
