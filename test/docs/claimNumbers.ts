/** The numbers of the claim's study, by pairs of networks: made of training/results/claim.json. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** This file runs as out/test/docs/claimNumbers.js. */
const results = fileURLToPath(new URL('../../../training/results/claim.json', import.meta.url));

export type Pictures = 'validation' | 'holdout';
type Scores = { readonly top1: number; readonly images: number };
export interface Run {
  readonly network: string;
  readonly seed: number;
  readonly epochs: number;
  readonly validation: Scores;
  readonly holdout: Scores;
}
/** Of two networks' top-1, over the seeds that both have. */
interface Difference {
  readonly a: string;
  readonly b: string;
  readonly set: Pictures;
  readonly seeds: number;
  readonly points: number;
  readonly error: number;
}
interface Study {
  readonly networks: Readonly<Record<string, { readonly title: string }>>;
  readonly runs: readonly Run[];
  readonly means: readonly Difference[];
}
export const claim: Study = JSON.parse(readFileSync(results, 'utf8'));
export function difference(a: string, b: string, set: Pictures): Difference {
  const found = claim.means.find((one) => one.a === a && one.b === b && one.set === set);
  assert.ok(found, `${a} ${b} ${set}`);
  return found;
}
const two = (value: number) => value.toFixed(2);
const signed = (value: number) => `${value < 0 ? '−' : '+'}${two(Math.abs(value))}`;
export const written = ({ points, error }: Difference) => `${signed(points)} ± ${two(error)}`;
export const both = (a: string, b: string) =>
  (['validation', 'holdout'] as const).map((set) => written(difference(a, b, set))).join(' and ');
export const seedsOf = (a: string, b: string) => {
  const { seeds } = difference(a, b, 'validation');
  return `${seeds} seed${seeds > 1 ? 's' : ''}`;
};
