/** What happens to a picture before a network sees it. It is part of a model, because the network was trained with it. */
import { argumentError, checkBoolean, checkFinite, checkInteger, checkOneOf, checkOptions } from '../check.js';

/**
 * Shorter side to `shorterSide` pixels, centre crop, then (value / 255 − mean) / std for each of red, green and blue.
 * Geometry is torchvision's: the longer side is rounded down, an odd margin of the crop rounds half to even.
 */
export interface Preprocessing {
  /** Before the crop. */
  readonly resize: {
    /** Pixels, 1 … 8192. */
    readonly shorterSide: number;
    /** The only one there is. */
    readonly interpolation: 'bilinear';
    /** Widens the filter where the picture shrinks, as PyTorch's `antialias=True` does; enlarging is the same either way. */
    readonly antialias: boolean;
  };
  /** Out of the middle. */
  readonly crop: {
    /** Pixels, at most `shorterSide`. */
    readonly height: number;
    /** Pixels, at most `shorterSide`. */
    readonly width: number;
  };
  /** Of red, green and blue, of the 0 … 1 range. */
  readonly mean: readonly [number, number, number];
  /** Of red, green and blue, of the 0 … 1 range, at least 10⁻⁶. */
  readonly std: readonly [number, number, number];
}

/** Bounds what a model file can ask for; photographs are shrunk to a few hundred pixels. */
export const MAX_SIDE = 8192;

/** Mean and standard deviation of ImageNet's training pictures, which most published networks use. */
export const IMAGENET_NORMALIZATION = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const;

/**
 * Resize and crop to `height` × `width` pixels, ImageNet's normalisation.
 *
 * @throws `ERR_BITPATH_ARGUMENT` for a side that is not 1 … 8192.
 */
export function defaultPreprocessing(height: number, width: number): Preprocessing {
  return checkPreprocessing('preprocessing', {
    resize: { shorterSide: Math.max(height, width), interpolation: 'bilinear', antialias: true },
    crop: { height, width },
    ...IMAGENET_NORMALIZATION,
  });
}

/** A frozen copy of `value` if it is a complete {@link Preprocessing}; throws `ERR_BITPATH_ARGUMENT` or `ERR_BITPATH_UNKNOWN_OPTION`. */
export function checkPreprocessing(argument: string, value: unknown): Preprocessing {
  const { resize, crop, mean, std } = checkObject(argument, value, ['resize', 'crop', 'mean', 'std']);
  const { shorterSide, interpolation, antialias } = checkObject(`${argument}.resize`, resize, [
    'shorterSide',
    'interpolation',
    'antialias',
  ]);
  const { height, width } = checkObject(`${argument}.crop`, crop, ['height', 'width']);
  const side = checkInteger(`${argument}.resize.shorterSide`, shorterSide, 1, MAX_SIDE);
  const means = checkTriple(`${argument}.mean`, mean);
  const stds = checkTriple(`${argument}.std`, std);
  // A denormal would pass "above 0" and overflow float32 in the division.
  if (stds.some((deviation) => deviation < 1e-6))
    throw argumentError(`${argument}.std`, 'numbers of at least 1e-6', std);
  return Object.freeze({
    resize: Object.freeze({
      shorterSide: side,
      interpolation: checkOneOf(`${argument}.resize.interpolation`, interpolation, ['bilinear']),
      antialias: checkBoolean(`${argument}.resize.antialias`, antialias),
    }),
    crop: Object.freeze({
      height: checkInteger(`${argument}.crop.height`, height, 1, side),
      width: checkInteger(`${argument}.crop.width`, width, 1, side),
    }),
    mean: means,
    std: stds,
  });
}

function checkObject(argument: string, value: unknown, keys: readonly string[]): Record<string, unknown> {
  if (typeof value !== 'object' || value === null)
    throw argumentError(argument, `an object with ${keys.join(', ')}`, value);
  checkOptions(argument, value, keys);
  return value as Record<string, unknown>;
}

function checkTriple(argument: string, value: unknown): readonly [number, number, number] {
  if (!Array.isArray(value) || value.length !== 3) throw argumentError(argument, 'three numbers', value);
  const [red, green, blue] = value.map((item, i) => {
    const number = checkFinite(`${argument}[${i}]`, item);
    if (Math.abs(number) > 1e6) throw argumentError(`${argument}[${i}]`, 'a number of at most 1e6 in size', item);
    return number;
  }) as [number, number, number];
  return Object.freeze([red, green, blue] as const);
}
