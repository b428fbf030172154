/** Where the golden tensors and the validation pictures lie; they are not part of the repository. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const repository = join(import.meta.dirname, '../../..');
/** `BITPATH_SHARED`, or `shared` beside the repository. */
export const shared = process.env.BITPATH_SHARED ?? join(repository, '../shared');

/** Why tests that need it cannot run, or false: the `skip` option of node:test. It is said on stderr too. */
export const missing = existsSync(join(shared, 'weights/golden'))
  ? false
  : `${shared} is not there: set BITPATH_SHARED`;
if (missing !== false) console.error(`\nNOT TESTED against PyTorch's golden tensors and pictures: ${missing}\n`);

/** A trained network with its golden file and what its README says of the pictures in val.bin. */
export const NETWORKS = [
  { model: 'igp-resnet21-53-tiny-imagenet', golden: 'igp21_53m', top1: 40.18 },
  { model: 'bireal-resnet18-64-tiny-imagenet', golden: 'bireal18_64', top1: 39.84 },
] as const;

/** Trained networks whose golden tensors lie here, `<model>.npz`. */
export const PARTS = [
  'igp-resnet37-41-reactnet-tiny-imagenet',
  'igp-densenet51-53-tiny-imagenet',
  'bireal-resnet18-64-tiny-imagenet-distilled',
  'igp-resnet37-41-tiny-imagenet',
  'igp-resnet21-53-tiny-imagenet',
  'bireal-resnet18-64-tiny-imagenet',
] as const;
