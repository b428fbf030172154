/** Picture files → pixels, through sharp (libvips), which is loaded on first use. */
import { readFile, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { types } from 'node:util';
import { argumentError, checkInteger, checkOptions, checkString } from '../check.js';
import { BitpathError, isNodeError } from '../errors.js';
import { loadOptional } from '../packages.js';

/** A decoded picture: sRGB, 8 bits, row by row from the top left. */
export interface RgbImage {
  /** `height` × `width` × 3. */
  readonly pixels: Uint8Array;
  /** Rows, 1 … 2²⁰. */
  readonly height: number;
  /** Columns, 1 … 2²⁰. */
  readonly width: number;
}

/** Larger pictures are refused before they are decoded: decompression bombs, and 400 MB of pixels. */
export const MAX_PIXELS = 2 ** 27;
const MAX_FILE_BYTES = 2 ** 28;
/** The bound of native/images/resize.h. */
export const MAX_SIDE_PIXELS = 2 ** 20;

/**
 * Decodes a picture: JPEG, PNG, WebP, AVIF, GIF, TIFF or SVG, by content and not by name.
 *
 * What comes is what a person sees who opens the file: EXIF orientation is applied, colours are converted to sRGB (from CMYK,
 * greyscale, 16 bits, or an embedded profile), animations give their first frame, and transparency is laid on white. (PIL's
 * `convert('RGB')`, with which most networks were trained, drops the alpha channel instead and shows whatever colour lies
 * under it, mostly black; photographs have none, and on drawings white is what pages show.)
 *
 * @param source A path, a `file:` URL, or the bytes of a file.
 * @throws `ERR_BITPATH_IMAGE` naming the picture where it cannot be read or decoded, has too many pixels or
 *   takes too long;
 *   `ERR_BITPATH_MISSING_PACKAGE` without sharp; `ERR_BITPATH_ARGUMENT`, `ERR_BITPATH_UNKNOWN_OPTION`.
 */
export async function decodeImage(
  source: string | URL | Uint8Array,
  options: {
    /** What error messages call the picture; its path by default. */
    readonly name?: string;
    /** Most pixels, 1 … 2²⁷ (the default). */
    readonly maxPixels?: number;
    /** Longest time that decoding may take once it has begun, 0 … 3600; 0 (the default) for any. */
    readonly maxSeconds?: number;
  } = {},
): Promise<RgbImage> {
  checkOptions('options', options, ['name', 'maxPixels', 'maxSeconds']);
  const maxPixels = checkInteger('options.maxPixels', options.maxPixels ?? MAX_PIXELS, 1, MAX_PIXELS);
  const seconds = checkInteger('options.maxSeconds', options.maxSeconds ?? 0, 0, 3600);
  const isBytes = types.isUint8Array(source);
  const path = isBytes ? undefined : imagePath(source);
  const name = options.name === undefined ? (path ?? 'picture') : checkString('options.name', options.name);

  const sharp = await loadSharp();
  try {
    const bytes = path === undefined ? (source as Uint8Array) : await readPicture(path);
    // Without `failOn: 'error'` a scratch that every viewer ignores is an error; a truncated file still is one.
    const { data, info } = await sharp(bytes, { failOn: 'error', limitInputPixels: maxPixels, autoOrient: true })
      .flatten({ background: '#ffffff' })
      .toColourspace('srgb')
      .timeout({ seconds })
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    if (info.channels !== 3) throw new Error(`decoded to ${info.channels} channels`);
    return {
      pixels: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
      height: info.height,
      width: info.width,
    };
  } catch (cause) {
    throw new BitpathError('ERR_BITPATH_IMAGE', { image: name, reason: reasonOf(cause) }, { cause });
  }
}

/** The decoder and the libraries that it stands on, as `sharp 0.35.5, vips 8.17.3`. */
export async function decoderVersion(): Promise<string> {
  const { versions } = await loadSharp();
  return `sharp ${versions.sharp}, vips ${versions.vips}`;
}

/** `value` if its sides and pixels fit each other; throws `ERR_BITPATH_ARGUMENT`. */
export function checkImage(argument: string, value: unknown): RgbImage {
  const { pixels, height, width } = (value ?? {}) as Partial<RgbImage>;
  checkInteger(`${argument}.height`, height, 1, MAX_SIDE_PIXELS);
  checkInteger(`${argument}.width`, width, 1, MAX_SIDE_PIXELS);
  const length = (height as number) * (width as number) * 3;
  if (!types.isUint8Array(pixels) || pixels.length !== length) {
    throw argumentError(`${argument}.pixels`, `a Uint8Array of ${height} × ${width} × 3 = ${length} bytes`, pixels);
  }
  return value as RgbImage;
}

async function loadSharp(): Promise<typeof import('sharp').default> {
  return (await loadOptional('Decoding pictures', 'sharp', () => import('sharp'))).default;
}

function imagePath(source: unknown): string {
  if (typeof source === 'string' && source !== '' && !source.startsWith('file:')) return source;
  if (source instanceof URL || typeof source === 'string') {
    try {
      return fileURLToPath(source);
    } catch {
      // falls through to the same message
    }
  }
  throw argumentError('source', 'a path, a file: URL or a Uint8Array', source instanceof URL ? source.href : source);
}

/** Read here, not by sharp: an SVG that has only bytes cannot pull in the files beside it. */
async function readPicture(path: string): Promise<Uint8Array> {
  const info = await stat(path);
  if (!info.isFile()) throw new Error('it is not a regular file');
  if (info.size === 0) throw new Error('the file is empty');
  if (info.size > MAX_FILE_BYTES)
    throw new Error(`the file's ${info.size} bytes are over the limit of ${MAX_FILE_BYTES}`);
  return readFile(path);
}

function reasonOf(error: unknown): string {
  const message = isNodeError(error) ? error.message.trim() : String(error);
  // Of "ENOENT: no such file or directory, stat 'a.jpg'" only the middle is news.
  return message.replace(/^E[A-Z0-9]+: ([^,]+), \w+( '.*')?$/, '$1');
}
