/**
 * A walk over an encoded message by its schema, without decoding it.
 *
 * The decoder is lenient and trusting: it lets a message reach over the end of the one around it, believes wire types, and two
 * bytes become an object of half a kilobyte, so that a file of 50 MB could fill all memory. This walk refuses such files and
 * says at which byte. It steps over whatever is long (weights), so it costs next to nothing.
 */
import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf';

/** Messages and strings of repeated fields. A network of a thousand layers has some ten thousand. */
export const MAX_MESSAGES = 500_000;
/** Elements of repeated numbers: shapes, attributes, and tensors that are not stored as raw bytes. */
export const MAX_NUMBERS = 1 << 26;
/** Those of 64 bits, each of which becomes a BigInt of its own. */
export const MAX_LONGS = 1 << 22;
/** The decoder's own limit is 100; a graph within a graph takes three levels. */
const MAX_DEPTH = 60;

/** What is wrong with the bytes; the message goes after a file's name. */
export class WireError extends Error {}

/** Checks that `bytes` are a well-formed message of `schema` within the limits above. Throws {@link WireError}. */
export function scanMessage(schema: DescMessage, bytes: Uint8Array): void {
  new Scanner(bytes).message(schema, bytes.length, 0);
}

const VARINT = 0;
const BIT64 = 1;
const LENGTH_DELIMITED = 2;
const BIT32 = 5;
const KNOWN_WIRE_TYPES = [VARINT, BIT64, LENGTH_DELIMITED, BIT32];

class Scanner {
  readonly #bytes: Uint8Array;
  #position = 0;
  #messages = 0;
  #numbers = 0;
  #longs = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** A message that ends at `end`. */
  message(schema: DescMessage, end: number, depth: number): void {
    if (depth > MAX_DEPTH) throw this.#error(`messages lie more than ${MAX_DEPTH} deep in each other`);
    const fields = fieldsOf(schema);
    while (this.#position < end) {
      const start = this.#position;
      const tag = this.#varint(end);
      const number = Math.floor(tag / 8);
      const wireType = tag % 8;
      if (number < 1 || number >= 2 ** 29 || !KNOWN_WIRE_TYPES.includes(wireType)) {
        throw this.#error(`${schema.name} has no field here`, start);
      }
      const field = fields.get(number);
      if (field !== undefined) this.#field(field, wireType, end, start, depth);
      else this.#skip(wireType, end);
    }
  }

  #field(field: DescField, wireType: number, end: number, start: number, depth: number): void {
    const expected = wireTypeOf(field);
    const isPacked = field.fieldKind === 'list' && wireType === LENGTH_DELIMITED && expected !== LENGTH_DELIMITED;
    if (wireType !== expected && !isPacked) throw this.#error(`${nameOf(field)} is encoded as another type`, start);
    if (isPacked) return this.#packed(field, expected, end);
    if (field.message !== undefined) {
      this.#count(start);
      return this.message(field.message, this.#length(end, nameOf(field)), depth + 1);
    }
    if (field.fieldKind === 'list') {
      if (expected === LENGTH_DELIMITED) this.#count(start);
      else this.#countNumbers(field, 1, start);
    }
    this.#skip(wireType, end);
  }

  #packed(field: DescField, wireType: number, end: number): void {
    const start = this.#position;
    const stop = this.#length(end, nameOf(field));
    let count = 0;
    if (wireType === VARINT) {
      for (let i = this.#position; i < stop; i++) if ((this.#bytes[i] as number) < 0x80) count++;
      if (stop > this.#position && (this.#bytes[stop - 1] as number) >= 0x80) {
        throw this.#error(`${nameOf(field)} ends within a number`, stop);
      }
    } else {
      const size = wireType === BIT32 ? 4 : 8;
      count = (stop - this.#position) / size;
      if (!Number.isInteger(count)) throw this.#error(`${nameOf(field)} ends within a number`, stop);
    }
    this.#countNumbers(field, count, start);
    this.#position = stop;
  }

  #count(start: number): void {
    if (++this.#messages > MAX_MESSAGES) throw this.#error(`it has more than ${MAX_MESSAGES} parts`, start);
  }

  #countNumbers(field: DescField, count: number, start: number): void {
    this.#numbers += count;
    if (LONGS.has((field as { scalar?: ScalarType }).scalar)) this.#longs += count;
    if (this.#numbers <= MAX_NUMBERS && this.#longs <= MAX_LONGS) return;
    throw this.#error(`${nameOf(field)} brings more numbers than fit (raw_data holds large tensors)`, start);
  }

  #skip(wireType: number, end: number): void {
    if (wireType === VARINT) this.#varint(end);
    else if (wireType === LENGTH_DELIMITED) this.#position = this.#length(end, 'a field');
    else this.#position += wireType === BIT32 ? 4 : 8;
    if (this.#position > end) throw this.#error('a number reaches over the end of the message around it', end);
  }

  /** Reads a length and returns where that many bytes end. */
  #length(end: number, what: string): number {
    const start = this.#position;
    const length = this.#varint(end);
    if (length <= end - this.#position) return this.#position + length;
    throw this.#error(`${what} should have ${length} bytes, but only ${end - this.#position} are left`, start);
  }

  /** A varint of at most ten bytes. Only values below 2⁵³ are exact, and nothing here needs larger ones. */
  #varint(end: number): number {
    const start = this.#position;
    let value = 0;
    for (let i = 0; i < 10 && this.#position < end; i++) {
      const byte = this.#bytes[this.#position++] as number;
      value += (byte & 0x7f) * 2 ** (7 * i);
      if (byte < 0x80) return value;
    }
    throw this.#error(this.#position < end ? 'a number has more than ten bytes' : 'it ends within a number', start);
  }

  #error(reason: string, position = this.#position): WireError {
    return new WireError(`${reason} (byte ${position})`);
  }
}

const LONGS: ReadonlySet<ScalarType | undefined> = new Set([
  ScalarType.INT64,
  ScalarType.UINT64,
  ScalarType.SINT64,
  ScalarType.FIXED64,
  ScalarType.SFIXED64,
]);

const WIRE_TYPES: Partial<Record<ScalarType, number>> = {
  [ScalarType.DOUBLE]: BIT64,
  [ScalarType.FIXED64]: BIT64,
  [ScalarType.SFIXED64]: BIT64,
  [ScalarType.FLOAT]: BIT32,
  [ScalarType.FIXED32]: BIT32,
  [ScalarType.SFIXED32]: BIT32,
  [ScalarType.STRING]: LENGTH_DELIMITED,
  [ScalarType.BYTES]: LENGTH_DELIMITED,
};

/** Of one element. The schema has neither groups nor maps. */
function wireTypeOf(field: DescField): number {
  if (field.message !== undefined) return LENGTH_DELIMITED;
  return field.scalar === undefined ? VARINT : (WIRE_TYPES[field.scalar] ?? VARINT);
}

function nameOf(field: DescField): string {
  return `${field.parent.name}.${field.name}`;
}

const fieldMaps = new WeakMap<DescMessage, ReadonlyMap<number, DescField>>();

function fieldsOf(schema: DescMessage): ReadonlyMap<number, DescField> {
  let fields = fieldMaps.get(schema);
  if (fields === undefined) {
    fields = new Map(schema.fields.map((field) => [field.number, field]));
    fieldMaps.set(schema, fields);
  }
  return fields;
}
