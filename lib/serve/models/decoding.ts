/** Pictures as they come from outside → pixels, off the JavaScript thread, a few at a time. */
import { BitpathError } from '../../errors.js';
import { decodeImage, type RgbImage } from '../../images/decode.js';

export interface DecodingLimits {
  /** Pixels of one picture; more are refused before they are decoded. */
  readonly picture_pixels: number;
  /** Pictures decoded at a time. */
  readonly decoders: number;
  /** Pictures that may wait for a decoder. */
  readonly decode_queue: number;
}

/** Decodes pictures, `decoders` at a time; further ones wait, and where too many wait, are refused at once. */
export class Decoder {
  readonly #limits: DecodingLimits;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(limits: DecodingLimits) {
    this.#limits = limits;
  }

  /** Pictures that wait for a decoder. */
  get pending(): number {
    return this.#waiting.length;
  }

  /**
   * Decodes a picture and has `use` make of it what is kept: until then it holds its place, so that there are at most `decoders`
   * pictures in full size.
   *
   * @param name What error messages call the picture.
   * @throws `ERR_BITPATH_IMAGE`, `ERR_BITPATH_QUEUE_FULL`, the signal's reason, or what `use` throws.
   */
  async decode<T>(
    name: string,
    bytes: Uint8Array,
    use: (image: RgbImage) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    refuseMarkup(name, bytes);
    await this.#enter(signal);
    try {
      const image = await decodeImage(bytes, { name, maxPixels: this.#limits.picture_pixels, maxSeconds: 20 });
      signal?.throwIfAborted();
      return await use(image);
    } finally {
      this.#leave();
    }
  }

  #enter(signal: AbortSignal | undefined): Promise<void> | void {
    signal?.throwIfAborted();
    const { decoders, decode_queue } = this.#limits;
    if (this.#running < decoders) {
      this.#running++;
      return;
    }
    if (this.#waiting.length >= decode_queue)
      throw new BitpathError('ERR_BITPATH_QUEUE_FULL', { length: decode_queue });
    return new Promise((resolve, reject) => {
      const enter = () => {
        signal?.removeEventListener('abort', abort);
        resolve();
      };
      const abort = () => {
        this.#waiting.splice(this.#waiting.indexOf(enter), 1);
        reject(signal?.reason);
      };
      this.#waiting.push(enter);
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#running--;
    else next(); // the place passes on
  }
}

/** A drawing is a program: it can take as long as it likes, with few bytes and few pixels. Photographs cannot. */
function refuseMarkup(name: string, bytes: Uint8Array): void {
  const start = new TextDecoder('latin1')
    .decode(bytes.subarray(0, 64))
    .replace(/^(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?[\0\s]*/, '');
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  if (!start.startsWith('<') && !isGzip) return;
  throw new BitpathError('ERR_BITPATH_IMAGE', {
    image: name,
    reason: 'the server takes no SVG; send JPEG, PNG, WebP, AVIF, GIF or TIFF',
  });
}
