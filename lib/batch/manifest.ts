/** The record of a job: what it is, and whether it is done. It outlives the job, beside its results. */
import { readFile } from 'node:fs/promises';
import { BitpathError, isNodeError } from '../errors.js';
import { replaceFile } from './disk.js';
import type { Identity } from './identity.js';

export const MANIFEST_SCHEMA = 'bitpath.batch-manifest/1';

export interface Manifest {
  readonly schema: typeof MANIFEST_SCHEMA;
  readonly state: 'running' | 'complete';
  /** Another one each time that a job begins anew, so that nothing left of an older one is taken for its own. */
  readonly run: string;
  readonly identity: Identity;
  readonly inputs: { readonly count: number; readonly digest: string };
  /** Once complete. */
  readonly results?: {
    /** Bytes of the output file. */
    readonly bytes: number;
    readonly digest: string;
    readonly answered: number;
    /** Pictures by the code of their error. */
    readonly failed: Readonly<Record<string, number>>;
  };
}

/** The manifest, or null where there is none. Throws `ERR_BITPATH_BATCH_OUTPUT` for a file that is none. */
export async function readManifest(path: string): Promise<Manifest | null> {
  const fail = (reason: string, cause?: unknown) =>
    new BitpathError(
      'ERR_BITPATH_BATCH_OUTPUT',
      { file: path, reason: `${reason}; --restart begins the job anew` },
      { cause },
    );
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if (isNodeError(cause) && cause.code === 'ENOENT') return null;
    throw fail(`it cannot be read (${isNodeError(cause) ? cause.message : String(cause)})`, cause);
  }
  let manifest: Partial<Manifest> | null;
  try {
    manifest = JSON.parse(text) as Partial<Manifest> | null;
  } catch (cause) {
    throw fail('it is no manifest of a batch job', cause);
  }
  const { schema, run, identity, inputs } = manifest ?? {};
  if (schema !== MANIFEST_SCHEMA || typeof run !== 'string' || !identity?.model || !Number.isInteger(inputs?.count)) {
    throw fail('it is no manifest of a batch job, or another version’s');
  }
  return manifest as Manifest;
}

export function writeManifest(path: string, manifest: Manifest): Promise<void> {
  return replaceFile(path, `${path}.tmp`, async (file) => {
    await file.writeFile(`${JSON.stringify(manifest, null, 2)}\n`);
  });
}
