/**
 * `bitpath/images`: picture files to predictions.
 * @module
 */
export { decodeImage, MAX_PIXELS, type RgbImage } from './decode.js';
export { type Prediction, topK } from './predictions.js';
export { preprocess } from './preprocess.js';
export { defaultPreprocessing, IMAGENET_NORMALIZATION, type Preprocessing } from './preprocessing.js';
