/** Pixels → a network's input, as the model's preprocessing says. */
import { argumentError, checkOneOf, checkOptions } from '../check.js';
import { fromNative } from '../errors.js';
import { native } from '../native.js';
import { Tensor } from '../tensor.js';
import { checkImage, MAX_SIDE_PIXELS, type RgbImage } from './decode.js';
import { checkPreprocessing, type Preprocessing } from './preprocessing.js';

/** Where a picture is resized to and cropped, in the words of the addon's `resizeBilinear`. */
export interface Geometry {
  readonly resizedHeight: number;
  readonly resizedWidth: number;
  readonly antialias: boolean;
  readonly cropTop: number;
  readonly cropLeft: number;
  readonly cropHeight: number;
  readonly cropWidth: number;
}

/**
 * Resizes, crops and, for `float32`, normalises pictures.
 *
 * `uint8` gives [n, height, width, 3], the grey levels rounded to the nearest, halves to the even one (no drift, and exactly
 * torch.round): the input of the integer stem, which folds the normalisation into its weights. `float32` gives
 * [n, 3, height, width], normalised, from the unrounded levels, as the network was trained. Near ties of a sign the two
 * differ, and such ties are common enough in these networks that single answers do too, while accuracy stays the same.
 *
 * @throws `ERR_BITPATH_ARGUMENT` for what is no picture or preprocessing, `ERR_BITPATH_UNKNOWN_OPTION`, `ERR_BITPATH_ADDON` without the addon.
 */
export async function preprocess<D extends 'uint8' | 'float32' = 'uint8'>(
  images: RgbImage | readonly RgbImage[],
  preprocessing: Preprocessing,
  options: {
    /** Default `uint8`. */
    readonly dtype?: D;
  } = {},
): Promise<Tensor<D>> {
  checkOptions('options', options, ['dtype']);
  const dtype = checkOneOf('options.dtype', options.dtype ?? 'uint8', ['uint8', 'float32']);
  const { resize, crop, mean, std } = checkPreprocessing('preprocessing', preprocessing);
  const list: readonly RgbImage[] = Array.isArray(images) ? images : [images];
  if (list.length === 0) throw argumentError('images', 'at least one picture', images);
  for (const [i, image] of list.entries()) {
    const argument = Array.isArray(images) ? `images[${i}]` : 'images';
    const { height, width } = checkImage(argument, image);
    if (longerSide(height, width, resize.shorterSide) <= MAX_SIDE_PIXELS) continue;
    throw argumentError(
      argument,
      `a picture less drawn out than 1 : ${MAX_SIDE_PIXELS / resize.shorterSide}`,
      `${height} × ${width}`,
    );
  }

  const size = crop.height * crop.width * 3;
  const { height, width } = crop;
  const pixels = new Uint8Array(dtype === 'uint8' ? list.length * size : 0);
  const floats = new Float32Array(dtype === 'float32' ? list.length * size : 0);
  await Promise.all(
    list.map(async (image, n) => {
      const levels = await resizeBilinear(image, cropGeometry(image, { resize, crop, mean, std }));
      if (dtype === 'uint8') roundLevels(levels, pixels.subarray(n * size, (n + 1) * size));
      else normalise(levels, mean, std, floats.subarray(n * size, (n + 1) * size));
    }),
  );
  const tensor: Tensor =
    dtype === 'uint8'
      ? new Tensor('uint8', [list.length, height, width, 3], pixels)
      : new Tensor('float32', [list.length, 3, height, width], floats);
  return tensor as Tensor<D>;
}

/** torchvision's rules: the longer side is truncated, half of an odd margin goes to the even number of pixels. */
export function cropGeometry(
  { height, width }: { height: number; width: number },
  { resize, crop }: Preprocessing,
): Geometry {
  const { shorterSide, antialias } = resize;
  const longer = longerSide(height, width, shorterSide);
  const resizedHeight = height <= width ? shorterSide : longer;
  const resizedWidth = height <= width ? longer : shorterSide;
  return {
    resizedHeight,
    resizedWidth,
    antialias,
    cropTop: roundHalfToEven((resizedHeight - crop.height) / 2),
    cropLeft: roundHalfToEven((resizedWidth - crop.width) / 2),
    cropHeight: crop.height,
    cropWidth: crop.width,
  };
}

function longerSide(height: number, width: number, shorterSide: number): number {
  return Math.trunc((shorterSide * Math.max(height, width)) / Math.min(height, width));
}

/** The addon's resize as a promise: float32 levels in 0 … 255, crop height × width × 3. */
export function resizeBilinear({ pixels, height, width }: RgbImage, geometry: Geometry): Promise<Float32Array> {
  const origin: { stack?: string } = {};
  Error.captureStackTrace(origin, resizeBilinear);
  return new Promise((resolve, reject) => {
    try {
      native().resizeBilinear(pixels, height, width, geometry, (error, result) => {
        if (result === null) reject(fromNative(error, origin));
        else resolve(result);
      });
    } catch (error) {
      reject(fromNative(error, origin));
    }
  });
}

/** Nearest integer; x.5 to the even neighbour. Exact for |x| < 2⁵². */
export function roundHalfToEven(x: number): number {
  const floor = Math.floor(x);
  const above = x - floor;
  if (above !== 0.5) return above < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

function roundLevels(levels: Float32Array, pixels: Uint8Array): void {
  // The weights of the filter sum to 1 up to rounding, so a level may pass 255 by a little; never by half.
  for (let i = 0; i < levels.length; i++) pixels[i] = roundHalfToEven(levels[i] as number);
}

/** Height × width × 3 → 3 × height × width. */
function normalise(levels: Float32Array, mean: readonly number[], std: readonly number[], floats: Float32Array): void {
  const plane = levels.length / 3;
  for (let c = 0; c < 3; c++) {
    const mu = mean[c] as number;
    const sigma = std[c] as number;
    for (let i = 0; i < plane; i++) floats[c * plane + i] = ((levels[3 * i + c] as number) / 255 - mu) / sigma;
  }
}
