/** Types of `bitpath/images`: compiled, never run. */
import type { Tensor } from 'bitpath';
import {
  decodeImage,
  defaultPreprocessing,
  type Prediction,
  type Preprocessing,
  preprocess,
  type RgbImage,
  topK,
} from 'bitpath/images';
import { expectTypeOf } from 'expect-type';

export async function images(image: RgbImage, preprocessing: Preprocessing): Promise<void> {
  expectTypeOf(await decodeImage('a.jpg', { maxPixels: 10 })).toEqualTypeOf<RgbImage>();
  expectTypeOf(await preprocess(image, preprocessing)).toEqualTypeOf<Tensor<'uint8'>>();
  expectTypeOf(await preprocess([image, image], preprocessing, { dtype: 'float32' })).toEqualTypeOf<
    Tensor<'float32'>
  >();
  expectTypeOf(topK(new Float32Array(5), null)).toEqualTypeOf<Prediction[]>();
  expectTypeOf(defaultPreprocessing(128, 128)).toEqualTypeOf<Preprocessing>();
  // @ts-expect-error: dtypes of pictures are uint8 and float32
  await preprocess(image, preprocessing, { dtype: 'int32' });
  // @ts-expect-error: labels may be null, and not left out
  topK(new Float32Array(5));
  // @ts-expect-error: three channels
  expectTypeOf<{ mean: [0, 0] }>().toExtend<Pick<Preprocessing, 'mean'>>();
}
