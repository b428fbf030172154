/**
 * Pictures that look a little like pictures, with edges of no kind but slopes of many. A seed gives the same one everywhere, save
 * that a sine's last bit may turn a pixel over.
 */
import { Random } from '../graph/random.js';
import type { Normalization } from '../executor.js';

/** One picture in both forms that a network takes. */
export interface Picture {
  /** Height × width × 3. */
  readonly pixels: Uint8Array;
  /** 3 × height × width, normalised. */
  readonly tensor: Float32Array;
}

const WAVES = 6;

/** Waves of several directions and lengths, other ones in each channel, with a little noise. */
export function picture(seed: number, size: number, { mean, std }: Normalization): Picture {
  const random = new Random(seed, 'bench picture');
  const pixels = new Uint8Array(size * size * 3);
  const tensor = new Float32Array(pixels.length);
  for (let c = 0; c < 3; c++) {
    const waves = Array.from({ length: WAVES }, () => ({
      across: random.uniform(-24, 24) / size,
      down: random.uniform(-24, 24) / size,
      phase: random.uniform(0, 7),
      height: random.uniform(5, 45),
    }));
    const base = random.uniform(70, 180);
    for (let y = 0; y < size; y++) {
      for (let x = 0; x < size; x++) {
        let value = base + random.uniform(-8, 8);
        for (const { across, down, phase, height } of waves) value += height * Math.sin(across * x + down * y + phase);
        const pixel = Math.round(Math.min(Math.max(value, 0), 255));
        pixels[(y * size + x) * 3 + c] = pixel;
        tensor[(c * size + y) * size + x] = (pixel / 255 - (mean[c] ?? 0)) / (std[c] ?? 1);
      }
    }
  }
  return { pixels, tensor };
}

/** `count` pictures back to back, seeds from `first`. */
export function pictures(first: number, count: number, size: number, normalization: Normalization): Picture {
  const all = Array.from({ length: count }, (_, i) => picture(first + i, size, normalization));
  const pixels = new Uint8Array(count * size * size * 3);
  const tensor = new Float32Array(pixels.length);
  for (const [i, one] of all.entries()) {
    pixels.set(one.pixels, i * one.pixels.length);
    tensor.set(one.tensor, i * one.tensor.length);
  }
  return { pixels, tensor };
}
