/** Where results go: `bench/results/<what>-<cpu>-<isa>-<date>.<ending>`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Machine } from '#lib/bench/result.js';

/** Of the repository; this file runs as out/bench/service/save.js. */
export const root = fileURLToPath(new URL('../../../', import.meta.url));

/** The name without its ending, from the root. */
export function resultName(what: string, { cpu, isa, date }: Pick<Machine, 'cpu' | 'isa' | 'date'>): string {
  const name = cpu
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
  return `bench/results/${what}-${name}-${isa}-${date.slice(0, 10)}`;
}

/** Writes files next to each other and returns their paths, from the root. */
export function save(name: string, files: Readonly<Record<string, string>>): string[] {
  mkdirSync(join(root, 'bench/results'), { recursive: true });
  return Object.entries(files).map(([ending, text]) => {
    writeFileSync(join(root, `${name}${ending}`), text);
    return `${name}${ending}`;
  });
}

export function toJson(value: unknown): string {
  const rounded = (_: string, item: unknown) =>
    typeof item === 'number' && !Number.isInteger(item) ? Number(item.toPrecision(6)) : item;
  return `${JSON.stringify(value, rounded, 1)}\n`;
}
