/** What decides the bytes of a job's results. Two runs that share it may go on with each other's work. */
import { createHash } from 'node:crypto';
import type { Model } from '../model.js';
import { packageVersion } from '../root.js';
import type { OutputFormat } from './formats/names.js';

export interface Identity {
  /** Versions of bitpath, and of what decodes pictures: another one may round a pixel differently. */
  readonly bitpath: string;
  readonly decoder: string;
  readonly model: { readonly name: string; readonly digest: string };
  readonly top: number;
  readonly logits: boolean;
  readonly format: OutputFormat;
}

/** SHA-256 of the model file. */
export function modelDigest(model: Model): string {
  return `sha256:${createHash('sha256').update(model.toBytes()).digest('hex')}`;
}

/** This process's versions. Throws `ERR_BITPATH_MISSING_PACKAGE` without a decoder. */
export async function versions(): Promise<{ bitpath: string; decoder: string }> {
  const { decoderVersion } = await import('../images/decode.js');
  return { bitpath: packageVersion(), decoder: await decoderVersion() };
}

/** What a person calls a part of the identity, and its value on each side, where the two first differ; null where nowhere. */
export function difference(before: Identity, now: Identity): { what: string; before: string; now: string } | null {
  const parts: [string, (identity: Identity) => string][] = [
    ['the model', ({ model }) => `${model.name} (${model.digest.slice(0, 19)}…)`],
    ['--top', ({ top }) => String(top)],
    ['--logits', ({ logits }) => (logits ? 'on' : 'off')],
    ['the format', ({ format }) => format],
    ['bitpath', ({ bitpath }) => bitpath],
    ['the decoder', ({ decoder }) => decoder],
  ];
  for (const [what, of] of parts) {
    if (of(before) !== of(now)) return { what, before: of(before), now: of(now) };
  }
  return before.model.digest === now.model.digest
    ? null
    : { what: 'the model', before: before.model.digest, now: now.model.digest };
}
