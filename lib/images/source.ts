/** The kinds of things that a picture can come as. */
import { fileURLToPath } from 'node:url';
import { types } from 'node:util';
import { argumentError } from '../check.js';
import { BitpathError } from '../errors.js';
import { checkImage, decodeImage, type RgbImage } from './decode.js';

/**
 * A picture: the path or `file:` URL of a JPEG, PNG, WebP, AVIF, GIF, TIFF or SVG file, the bytes of one, or decoded pixels. Bytes
 * are to be left alone until the promise settles. Nothing is ever fetched: of an `http:` URL, hand over what `fetch` gives.
 */
export type PictureInput = string | URL | Uint8Array | ArrayBuffer | Blob | RgbImage;

/** A picture that can be had, with what messages call it. */
export interface PictureSource {
  readonly name: string;
  /** Throws what {@link decodeImage} throws. */
  readonly decode: () => Promise<RgbImage>;
}

const EXPECTED =
  'a path, a file: URL, the bytes of a picture, a Blob or a decoded picture (a URL of another kind is not fetched)';

/** Reads and decodes nothing yet. Throws `ERR_BITPATH_ARGUMENT` for what is no {@link PictureInput}. */
export function pictureSource(argument: string, input: PictureInput): PictureSource {
  const value: unknown = input;
  if (typeof value === 'string' || value instanceof URL) {
    const path = pathOf(argument, value);
    return { name: path, decode: () => decodeImage(path) };
  }
  const ofBytes = (bytes: () => Uint8Array | Promise<Uint8Array>): PictureSource => ({
    name: argument,
    decode: async () => decodeImage(await bytes(), { name: argument }),
  });
  if (types.isUint8Array(value)) return ofBytes(() => value);
  if (types.isArrayBuffer(value)) {
    const bytes = viewOf(argument, value);
    return ofBytes(() => bytes);
  }
  if (value instanceof Blob) return ofBytes(() => bytesOf(value, argument));
  if (typeof value === 'object' && value !== null && 'pixels' in value) {
    const image = checkImage(argument, value);
    return { name: argument, decode: async () => image };
  }
  throw argumentError(argument, EXPECTED, value);
}

function viewOf(argument: string, buffer: ArrayBuffer): Uint8Array {
  try {
    return new Uint8Array(buffer);
  } catch {
    throw argumentError(argument, 'bytes that are still there', buffer); // it was transferred
  }
}

function pathOf(argument: string, source: string | URL): string {
  const isUrl = source instanceof URL || /^([a-z][\w+.-]*:\/\/|(file|data|blob):)/i.test(source);
  if (!isUrl && source !== '') return source;
  try {
    return fileURLToPath(source);
  } catch {
    throw argumentError(argument, EXPECTED, String(source));
  }
}

async function bytesOf(blob: Blob, image: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await blob.arrayBuffer());
  } catch (cause) {
    // Of a file that has changed since the Blob was made.
    throw new BitpathError('ERR_BITPATH_IMAGE', { image, reason: `the Blob cannot be read (${cause})` }, { cause });
  }
}
