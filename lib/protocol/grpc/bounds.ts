/** Messages from outside are counted before they are read: two bytes of a message can become an object of a hundred. */
import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { BitpathError } from '../../errors.js';

/** What all of a message may have, whatever is nested in it. */
const LIMITS = {
  /** Messages, texts, bytes, parameters, and numbers that are not packed: far more than any request has, and mostly objects. */
  fields: 4096,
  /** Of typed contents. More fit into raw contents, which are read without a step for each. */
  numbers: 2 ** 22,
  /** 64-bit integers become objects. Shapes have them. */
  longs: 2 ** 16,
} as const;
const WORDS = { fields: 'fields', numbers: 'numbers in typed contents', longs: '64-bit integers' } as const;

type Counts = Record<keyof typeof LIMITS, number>;

/**
 * Throws `ERR_BITPATH_TOO_LARGE` for the bytes of a message that has more parts than any request needs. What is no message at all is
 * left to the one who reads it.
 */
export function checkMessageSize(schema: DescMessage, bytes: Uint8Array): void {
  try {
    walk(schema, bytes, { fields: 0, numbers: 0, longs: 0 });
  } catch (error) {
    if (error instanceof BitpathError) throw error;
  }
}

function walk(schema: DescMessage, bytes: Uint8Array, counts: Counts): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    const field = schema.fields.find((each) => each.number === number);
    if (wireType !== WireType.LengthDelimited) {
      add(counts, 'fields', 1);
      reader.skip(wireType, number);
      continue;
    }
    const value = reader.bytes();
    if (field?.fieldKind === 'list' && field.listKind === 'scalar' && isPackable(field.scalar)) {
      add(counts, isLong(field) ? 'longs' : 'numbers', packedCount(field.scalar, value));
      continue;
    }
    add(counts, 'fields', 1);
    // Nothing in a map's values repeats.
    if ((field?.fieldKind === 'list' || field?.fieldKind === 'message') && field.message !== undefined)
      walk(field.message, value, counts);
  }
}

function add(counts: Counts, what: keyof Counts, count: number): void {
  counts[what] += count;
  if (counts[what] <= LIMITS[what]) return;
  throw new BitpathError('ERR_BITPATH_TOO_LARGE', { what: 'The message', limit: `${LIMITS[what]} ${WORDS[what]}` });
}

function isLong({ scalar }: DescField): boolean {
  return scalar === ScalarType.INT64 || scalar === ScalarType.UINT64;
}

function isPackable(scalar: ScalarType): boolean {
  return scalar !== ScalarType.STRING && scalar !== ScalarType.BYTES;
}

function packedCount(scalar: ScalarType, bytes: Uint8Array): number {
  if (scalar === ScalarType.DOUBLE) return bytes.length / 8;
  if (scalar === ScalarType.FLOAT) return bytes.length / 4;
  let count = 0;
  for (let i = 0; i < bytes.length; i++) if ((bytes[i] as number) < 0x80) count++;
  return count;
}
