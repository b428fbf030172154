/** Mutations of model files: of bytes, of the header's text, and of the values in its JSON, at any depth. */
import type { Random } from '#lib/graph/random.js';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const WORDS = [
  '__proto__',
  '__metadata__',
  'constructor',
  'dtype',
  'shape',
  'data_offsets',
  'F32',
  'U8',
  'I32',
  'F16',
  'bitpath.format',
  'bitpath.graph',
  'bitpath.labels',
  'bitpath.preprocessing',
  'bitpath.provenance',
  'bitpath.name',
  'input',
  'sign',
  'conv',
  'binaryConv',
  'name',
  'id',
  '',
  '1',
  '2',
  '\u0000',
  '\u001b[2J',
  '\ud800',
  'ü',
  '🐟',
  'x'.repeat(300),
]; // prettier-ignore
const NUMBERS = [
  0,
  -0,
  1,
  2,
  3,
  4,
  7,
  8,
  9,
  16,
  127,
  128,
  255,
  256,
  65535,
  2 ** 16,
  2 ** 26,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32,
  2 ** 53 - 1,
  2 ** 53,
  1e300,
  -1,
  0.5,
];
const LENGTHS = NUMBERS.filter((n) => Number.isSafeInteger(n) && n >= 0);
const TEXTS = [
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '"',
  '\\',
  '\\u0061',
  '\\ud800',
  ' ',
  '\n',
  '1e5',
  '-',
  '.5',
  '00',
  'null',
  'true',
  '"a":{}',
  '[[[[[[[[',
];

const pick = <T>(random: Random, list: readonly T[]): T => list[random.integer(0, list.length - 1)] as T;

/** A mutated copy of `bytes`, at times crossed with `other`. */
export function mutate(random: Random, bytes: Uint8Array, other: Uint8Array): Uint8Array {
  let result = bytes;
  for (let rounds = random.integer(1, 2); rounds > 0; rounds--) {
    const kind = random.integer(0, 9);
    if (kind < 6) result = mutateHeader(random, result, other);
    else if (kind < 7) result = mutateText(random, result);
    else result = mutateBytes(random, result, other);
  }
  return result;
}

/** Header text and data, by what the file says, if that can be believed. */
function split(bytes: Uint8Array): { text: string; data: Uint8Array } | undefined {
  if (bytes.length < 8) return undefined;
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (length > bytes.length - 8) return undefined;
  return { text: new TextDecoder().decode(bytes.subarray(8, 8 + length)), data: bytes.subarray(8 + length) };
}

function assemble(text: string, data: Uint8Array): Uint8Array {
  const header = new TextEncoder().encode(text);
  const bytes = new Uint8Array(8 + header.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
  bytes.set(header, 8);
  bytes.set(data, 8 + header.length);
  return bytes;
}

function parse(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

function mutateHeader(random: Random, bytes: Uint8Array, other: Uint8Array): Uint8Array {
  const file = split(bytes);
  const header = file === undefined ? undefined : parse(file.text);
  if (file === undefined || header === undefined) return mutateBytes(random, bytes, other);
  const donor = parse(split(other)?.text ?? '') ?? null;
  return assemble(JSON.stringify(mutateValue(random, header, donor)), file.data);
}

/** Changes `value` or something within it; text that is itself JSON (graph, labels, …) is opened. */
function mutateValue(random: Random, value: Json, donor: Json): Json {
  const stop = random.integer(0, 5) === 0;
  if (typeof value === 'string') {
    const inner = value.length > 1 ? parse(value) : undefined;
    if (!stop && inner !== undefined) return JSON.stringify(mutateValue(random, inner, donor));
  } else if (Array.isArray(value)) {
    const copy = [...value];
    const at = random.integer(0, Math.max(0, copy.length - 1));
    if (copy.length > 0 && !stop) copy[at] = mutateValue(random, copy[at] as Json, donor);
    else if (random.integer(0, 1) === 0) copy.splice(at, 1);
    else {
      const item = copy[random.integer(0, Math.max(0, copy.length - 1))] ?? pick(random, NUMBERS);
      copy.splice(at, 0, ...Array<Json>(random.integer(0, 3) === 0 ? random.integer(1, 10) : 1).fill(item));
    }
    return copy;
  } else if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value);
    const at = random.integer(0, Math.max(0, entries.length - 1));
    const [key, item] = entries[at] ?? [pick(random, WORDS), pick(random, NUMBERS)];
    if (!stop) entries[at] = [key, mutateValue(random, item, donor)];
    else if (random.integer(0, 2) === 0) entries.splice(at, 1);
    else if (random.integer(0, 1) === 0) entries[at] = [pick(random, [...WORDS, ...Object.keys(value)]), item];
    else entries.push([pick(random, WORDS), item]);
    return Object.fromEntries(entries);
  } else if (typeof value === 'number' && random.integer(0, 1) === 0) {
    return value + random.integer(-8, 8);
  }
  switch (random.integer(0, 5)) {
    case 0:
      return pick(random, WORDS);
    case 1:
      return pick<Json>(random, [null, true, [], {}, [0], '[]', '{}']);
    case 2:
      return donor;
    default:
      return pick(random, NUMBERS);
  }
}

function mutateText(random: Random, bytes: Uint8Array): Uint8Array {
  const file = split(bytes);
  if (file === undefined) return bytes;
  const at = random.integer(0, file.text.length);
  const skip = random.integer(0, 1) * random.integer(0, 12);
  return assemble(file.text.slice(0, at) + pick(random, TEXTS) + file.text.slice(at + skip), file.data);
}

function mutateBytes(random: Random, bytes: Uint8Array, other: Uint8Array): Uint8Array {
  const at = random.integer(0, bytes.length);
  const end = Math.min(bytes.length, at + random.integer(0, 16));
  switch (random.integer(0, 6)) {
    case 0:
      return bytes.slice(0, at);
    case 1:
      return join(bytes.subarray(0, at), bytes.subarray(end));
    case 2:
      return join(bytes.subarray(0, end), bytes.subarray(at));
    case 3:
      return join(bytes.subarray(0, at), other.subarray(random.integer(0, other.length)));
    case 4: {
      const copy = bytes.slice();
      if (copy.length >= 8) new DataView(copy.buffer).setBigUint64(0, BigInt(pick(random, LENGTHS)), true);
      return copy;
    }
    default: {
      const copy = bytes.slice();
      if (at < copy.length)
        copy[at] =
          random.integer(0, 1) === 0
            ? (copy[at] as number) ^ (1 << random.integer(0, 7))
            : pick(random, [0, 1, 127, 128, 192, 255]);
      return copy;
    }
  }
}

function join(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}
