/**
 * The JSON header of a safetensors file: a parser of exactly the grammar that the format allows, and its writer.
 *
 *     { "__metadata__": { name: string, … }, name: { "dtype": string, "shape": [int, …], "data_offsets": [int, int] }, … }
 *
 * `JSON.parse` would do for good files, but it keeps the last of two equal names without a word, and builds whatever a
 * hostile file asks for before anybody has looked at it. This parser knows three levels, so nesting cannot hurt it, and every
 * name lands in a `Map`, so `__proto__` is a name like any other.
 */

/** Where one tensor lies; `begin` and `end` are byte offsets from the end of the header. */
export interface TensorEntry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}
export interface Header {
  /** In file order. */
  readonly tensors: Map<string, TensorEntry>;
  readonly metadata: Map<string, string>;
}

/** Dimensions of one tensor. The networks here need four; the bound keeps a hostile shape from being a list of millions. */
const MAX_RANK = 8;

/** A name as error messages show it: quoted, escaped, and cut where it is long. */
export function quoteName(name: string): string {
  return JSON.stringify(name.length > 60 ? `${name.slice(0, 60)}…` : name);
}

/** Parses header text. `fail(reason)` must throw. */
export function parseHeader(text: string, fail: (reason: string) => never): Header {
  let at = 0;

  const skipSpace = (): void => {
    while (at < text.length && ' \t\n\r'.includes(text.charAt(at))) at++;
  };
  const unexpected = (expected: string): never => {
    const found = at < text.length ? quoteName(text.charAt(at)) : 'the end of the header';
    return fail(`expected ${expected} at character ${at} of the header but found ${found}`);
  };
  const expectChar = (char: string): void => {
    skipSpace();
    if (text.charAt(at) !== char) unexpected(quoteName(char));
    at++;
  };
  const parseString = (what: string): string => {
    skipSpace();
    if (text.charAt(at) !== '"') unexpected(what);
    const start = at++;
    while (at < text.length && text.charAt(at) !== '"') at += text.charAt(at) === '\\' ? 2 : 1;
    if (at >= text.length) return fail(`the header ends within ${what}`);
    at++;
    let value: unknown;
    try {
      value = JSON.parse(text.slice(start, at));
    } catch {
      return fail(`${what} at character ${start} of the header is not a JSON string`);
    }
    // UTF-8 has no half surrogates, so a name with one could not be written back.
    if (typeof value !== 'string' || /\p{Surrogate}/u.test(value)) {
      return fail(`${what} at character ${start} of the header is not valid Unicode`);
    }
    return value;
  };
  const parseInteger = (what: string): number => {
    skipSpace();
    const digits = /\d{1,16}(?![\d.eE])/y;
    digits.lastIndex = at;
    const match = digits.exec(text)?.[0];
    const value = Number(match);
    if (match === undefined || !Number.isSafeInteger(value) || (match.length > 1 && match.startsWith('0'))) {
      return unexpected(`${what}, a whole number from 0 to ${Number.MAX_SAFE_INTEGER},`);
    }
    at += match.length;
    return value;
  };
  /** Calls `parseItem` for each comma-separated item up to `close`. */
  const parseItems = (open: string, close: string, parseItem: () => void): void => {
    expectChar(open);
    skipSpace();
    if (text.charAt(at) === close) {
      at++;
      return;
    }
    for (;;) {
      parseItem();
      skipSpace();
      const char = text.charAt(at);
      if (char !== ',' && char !== close) unexpected(`"," or ${quoteName(close)}`);
      at++;
      if (char === close) return;
    }
  };
  const parseIntegers = (what: string, limit: number): number[] => {
    const values: number[] = [];
    parseItems('[', ']', () => {
      if (values.length === limit) fail(`${what} has more than ${limit} numbers`);
      values.push(parseInteger(what));
    });
    return values;
  };
  const parseTensor = (name: string): TensorEntry => {
    const of = `of tensor ${quoteName(name)}`;
    let dtype: string | undefined;
    let shape: number[] | undefined;
    let offsets: number[] | undefined;
    parseItems('{', '}', () => {
      const key = parseString(`a key ${of}`);
      expectChar(':');
      if (key === 'dtype' && dtype === undefined) dtype = parseString(`the dtype ${of}`);
      else if (key === 'shape' && shape === undefined) shape = parseIntegers(`the shape ${of}`, MAX_RANK);
      else if (key === 'data_offsets' && offsets === undefined) offsets = parseIntegers(`data_offsets ${of}`, 2);
      else fail(`unknown or repeated key ${quoteName(key)} ${of}`);
    });
    const [begin, end] = offsets ?? [];
    if (dtype === undefined || shape === undefined || begin === undefined || end === undefined) {
      return fail(`dtype, shape or data_offsets ${of} is missing or incomplete`);
    }
    return { dtype, shape, begin, end };
  };

  const tensors = new Map<string, TensorEntry>();
  const metadata = new Map<string, string>();
  let hasMetadata = false;
  if (!text.startsWith('{')) unexpected('"{"');
  parseItems('{', '}', () => {
    const name = parseString('a tensor name');
    expectChar(':');
    if (name === '__metadata__') {
      if (hasMetadata) fail('__metadata__ appears twice');
      hasMetadata = true;
      parseItems('{', '}', () => {
        const key = parseString('a metadata name');
        expectChar(':');
        if (metadata.has(key)) fail(`metadata ${quoteName(key)} appears twice`);
        metadata.set(key, parseString(`the value of metadata ${quoteName(key)}`));
      });
      return;
    }
    if (tensors.has(name)) fail(`tensor ${quoteName(name)} appears twice`);
    tensors.set(name, parseTensor(name));
  });
  skipSpace();
  if (at < text.length) unexpected('the end of the header');
  return { tensors, metadata };
}

/** Header text, the metadata first and sorted by name, the tensors in the order given. */
export function formatHeader(header: Header): string {
  const members: string[] = [];
  if (header.metadata.size > 0) {
    const names = [...header.metadata.keys()].sort();
    const entries = names.map((name) => `${JSON.stringify(name)}:${JSON.stringify(header.metadata.get(name))}`);
    members.push(`"__metadata__":{${entries.join(',')}}`);
  }
  for (const [name, { dtype, shape, begin, end }] of header.tensors) {
    members.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [begin, end] })}`);
  }
  return `{${members.join(',')}}`;
}
