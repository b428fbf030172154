/**
 * The guards that public functions share. Each throws a `BitpathError` that names the argument, says what was expected and
 * describes what came. None of them changes what it is given.
 */
import { BitpathError } from './errors.js';

/** `ERR_BITPATH_ARGUMENT` with a description of `received`. */
export function argumentError(argument: string, expected: string, received: unknown): BitpathError {
  return new BitpathError('ERR_BITPATH_ARGUMENT', { argument, expected, received: describe(received) });
}

/**
 * Checks that `options` is a plain bag of options (or left out) and holds no key but the `known` ones: a misspelt option is
 * an error that offers the nearest name. Throws `ERR_BITPATH_ARGUMENT` or `ERR_BITPATH_UNKNOWN_OPTION`.
 */
export function checkOptions(argument: string, options: object | undefined, known: readonly string[]): void {
  if (options === undefined) return;
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw argumentError(argument, 'an object of options', options);
  }
  for (const option of Object.keys(options)) {
    if (known.includes(option)) continue;
    throw new BitpathError('ERR_BITPATH_UNKNOWN_OPTION', {
      argument,
      option: describe(option),
      hint: hint(option, known),
      known: known.join(', ') || '(none)',
    });
  }
}

/** `value` if it is an integer in [min, max]; throws `ERR_BITPATH_ARGUMENT`. */
export function checkInteger(argument: string, value: unknown, min: number, max: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    throw argumentError(argument, `an integer from ${min} to ${max}`, value);
  }
  return value === 0 ? 0 : value; // −0 is an integer too: it would survive as "-0" in messages
}

/** `value` if it is a finite number; throws `ERR_BITPATH_ARGUMENT`. */
export function checkFinite(argument: string, value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw argumentError(argument, 'a finite number', value);
  return value;
}

/** `value` if it is a string of at least one character; throws `ERR_BITPATH_ARGUMENT`. */
export function checkString(argument: string, value: unknown): string {
  if (typeof value !== 'string' || value === '') throw argumentError(argument, 'a string that is not empty', value);
  return value;
}

/** `value` if it is true or false; throws `ERR_BITPATH_ARGUMENT`. */
export function checkBoolean(argument: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw argumentError(argument, 'true or false', value);
  return value;
}

/** `value` if it is a member of `list`; throws `ERR_BITPATH_ARGUMENT`. */
export function checkOneOf<T extends string | number>(argument: string, value: unknown, list: readonly T[]): T {
  const found = list.find((item) => item === value);
  if (found === undefined) throw argumentError(argument, list.map((item) => describe(item)).join(' or '), value);
  return found;
}

/** `ERR_BITPATH_UNKNOWN_NAME`: no `kind` (such as `architecture`) has this name. */
export function unknownName(kind: string, name: string, known: readonly string[]): BitpathError {
  return new BitpathError('ERR_BITPATH_UNKNOWN_NAME', {
    kind,
    name: describe(name),
    hint: hint(name, known),
    known: known.join(', ') || '(none)',
  });
}

function hint(name: string, known: readonly string[]): string {
  const guess = nearest(name, known);
  return guess === undefined ? '' : ` (did you mean ${describe(guess)}?)`;
}

/** The known name that a misspelt `name` most likely meant: fewest edits, at most a third of its length; else undefined. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  if (name.length > 100) return undefined; // a hostile key must not cost a quadratic comparison
  let best: string | undefined;
  let bestDistance = Infinity;
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance && distance <= Math.max(1, Math.floor(Math.max(name.length, candidate.length) / 3))) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Levenshtein distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitute = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitute, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

const LONGEST_TEXT = 60;

/** A short text of any value for "received …". Never throws, whatever the value's getters do. */
export function describe(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value.length <= LONGEST_TEXT
        ? JSON.stringify(value)
        : `${JSON.stringify(value.slice(0, LONGEST_TEXT))}… (${value.length} characters)`;
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value);
    case 'bigint':
      return `${value}n`.slice(0, LONGEST_TEXT);
    case 'function':
      return 'a function';
    case 'object':
      if (value === null) return 'null';
      try {
        return describeObject(value);
      } catch {
        return 'an object';
      }
    default:
      return String(value); // undefined, boolean, symbol
  }
}

function describeObject(value: object): string {
  if (ArrayBuffer.isView(value)) {
    const { length } = value as unknown as { length?: number };
    return length === undefined ? value.constructor.name : `${value.constructor.name} of length ${length}`;
  }
  if (Array.isArray(value)) {
    const parts = value.slice(0, 6).map((item) => (typeof item === 'object' && item !== null ? '…' : describe(item)));
    return `[${parts.join(', ')}${value.length > 6 ? `, … ${value.length} elements` : ''}]`;
  }
  const maker: unknown = Object.getPrototypeOf(value)?.constructor;
  const name = typeof maker === 'function' ? maker.name : '';
  return name === '' || name === 'Object' ? 'an object' : `an object of class ${name}`.slice(0, LONGEST_TEXT);
}
