/**
 * What a model file holds besides tensors: strings under `bitpath.*` in the safetensors metadata.
 *
 *     bitpath.format         "1"; a reader refuses another major version
 *     bitpath.name           the model's name; may be missing: then it is the graph's
 *
 * and as JSON
 *
 *     bitpath.graph          what lib/graph/json.ts writes
 *     bitpath.labels         [{ "id": …, "name": … }, …], one a class; may be missing
 *     bitpath.preprocessing  lib/images' Preprocessing; may be missing
 *     bitpath.provenance     { name: string or number, … }; may be missing
 *
 * Other metadata are left alone, so files can pass through other tools.
 */
import { argumentError, checkFinite, checkOptions, describe } from '../check.js';
import { BitpathError } from '../errors.js';
import { checkName, checkTitle } from '../graph/names.js';

export const FORMAT_VERSION = '1';
export type JsonKey = 'graph' | 'labels' | 'preprocessing' | 'provenance';

/** One class: a short unique id, such as a WordNet id, and a name for people. */
export interface Label {
  /** Short and unique, such as `n01443537`. */
  readonly id: string;
  /** For people, such as `goldfish, Carassius auratus`. */
  readonly name: string;
}

/**
 * Where a network comes from, as flat facts. Those that bitpath shows: `title`, `architecture`, `dataset`, `top1` and `top5`
 * (percent, over `images` pictures).
 */
export type Provenance = Readonly<Record<string, string | number>>;

/** JSON nested deeper than this is refused before it is parsed: no part of a model file needs more than five levels. */
const MAX_DEPTH = 32;
const MAX_CLASSES = 1 << 20;

/** Throws unless `metadata` declares format version 1. */
export function checkFormat(metadata: Readonly<Record<string, string>>, file: string): void {
  const version = metadata['bitpath.format'];
  if (version === undefined)
    throw modelFileError(file, 'it has no bitpath.format in its metadata, so it is no bitpath model');
  if (!/^1(\.\d+)?$/.test(version)) {
    throw modelFileError(
      file,
      `it has format version ${describe(version)}; this release reads version ${FORMAT_VERSION}`,
    );
  }
}

/** The parsed JSON of `bitpath.<key>`, or undefined where the file has none. */
export function parseMetadata(metadata: Readonly<Record<string, string>>, key: JsonKey, file: string): unknown {
  const text = metadata[`bitpath.${key}`];
  if (text === undefined) return undefined;
  if (nesting(text) > MAX_DEPTH) throw modelFileError(file, `bitpath.${key} is nested deeper than ${MAX_DEPTH} levels`);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw modelFileError(file, `bitpath.${key} is not valid JSON (${(cause as Error).message})`, cause);
  }
}

/** A frozen copy of `labels` if they are `{id, name}`, `count` of them, with distinct ids, and printable on a terminal. */
export function checkLabels(argument: string, labels: unknown, count: number): readonly Label[] {
  if (!Array.isArray(labels) || labels.length !== count || count > MAX_CLASSES) {
    throw argumentError(argument, `an array of ${count} labels, one for each class`, labels);
  }
  const ids = new Set<string>();
  const copies = labels.map((label: unknown, i): Label => {
    if (typeof label !== 'object' || label === null)
      throw argumentError(`${argument}[${i}]`, 'an object with id and name', label);
    checkOptions(`${argument}[${i}]`, label, ['id', 'name']);
    const { id, name } = label as Partial<Record<string, unknown>>;
    const copy = { id: checkTitle(`${argument}[${i}].id`, id), name: checkTitle(`${argument}[${i}].name`, name) };
    if (ids.has(copy.id)) throw argumentError(`${argument}[${i}].id`, 'an id of its own', copy.id);
    ids.add(copy.id);
    return Object.freeze(copy);
  });
  return Object.freeze(copies);
}

/** A frozen copy of `provenance` if it maps names to lines of text and finite numbers. */
export function checkProvenance(argument: string, provenance: unknown): Provenance {
  if (typeof provenance !== 'object' || provenance === null || Array.isArray(provenance)) {
    throw argumentError(argument, 'an object of strings and numbers', provenance);
  }
  const copy: Record<string, string | number> = Object.create(null);
  for (const [name, value] of Object.entries(provenance)) {
    checkName(`a name in ${argument}`, name);
    copy[name] =
      typeof value === 'string' ? checkTitle(`${argument}.${name}`, value) : checkFinite(`${argument}.${name}`, value);
  }
  return Object.freeze(copy);
}

/** `ERR_BITPATH_MODEL_FILE`. */
export function modelFileError(file: string, reason: string, cause?: unknown): BitpathError {
  return new BitpathError('ERR_BITPATH_MODEL_FILE', { file, reason }, { cause });
}

/** How deep brackets nest in JSON text, those within strings left out. */
function nesting(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    if (char === '"') inString = !inString;
    else if (inString && char === '\\') at++;
    else if (!inString && (char === '[' || char === '{')) deepest = Math.max(deepest, ++depth);
    else if (!inString && (char === ']' || char === '}')) depth--;
  }
  return deepest;
}
