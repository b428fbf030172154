/** Reads a result file. People feed old ones, cut ones and other JSON: whatever does not fit is named with its place. */
import { describe } from '../check.js';
import { BitpathError } from '../errors.js';
import { type BenchResult, RESULT_FORMAT } from './result.js';

/** Throws `reasonAt(path, …)` where `value` is something else. */
type Check = (value: unknown, path: string) => void;

/** One check a field: a field that result.ts gains must be named here, or this does not compile. */
type Fields<T> = { readonly [K in keyof T]-?: Check };

class Misfit extends Error {}

function misfit(path: string, expected: string, received: unknown): Misfit {
  return new Misfit(`${path} must be ${expected}, not ${received === undefined ? 'missing' : describe(received)}`);
}

const text: Check = (value, path) => {
  if (typeof value !== 'string') throw misfit(path, 'a string', value);
};

/** JSON has no NaN: what was one is null in the file, and is no number here either. */
function number(least: number, expected: string): Check {
  return (value, path) => {
    if (typeof value !== 'number' || !Number.isFinite(value) || value < least) throw misfit(path, expected, value);
  };
}
const positive = number(Number.MIN_VALUE, 'a number above 0');
const anyNumber = number(-Number.MAX_VALUE, 'a number');
const notNegative = number(0, 'a number that is not negative');

function nullable(check: Check): Check {
  return (value, path) => {
    if (value !== null) check(value, path);
  };
}

function oneOf(...known: readonly string[]): Check {
  return (value, path) => {
    if (!known.includes(value as string)) throw misfit(path, known.map((name) => `"${name}"`).join(' or '), value);
  };
}

function list(check: Check): Check {
  return (value, path) => {
    if (!Array.isArray(value)) throw misfit(path, 'a list', value);
    for (const [i, item] of value.entries()) check(item, `${path}[${i}]`);
  };
}

const object: Check = (value, path) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw misfit(path, 'an object', value);
};

function record<T>(fields: Fields<T>): Check {
  return (value, path) => {
    object(value, path);
    for (const [name, check] of Object.entries<Check>(fields)) {
      check((value as Record<string, unknown>)[name], path === '' ? name : `${path}.${name}`);
    }
  };
}

type Item<K extends keyof BenchResult> = BenchResult[K] extends readonly (infer T)[] ? T : never;

const isa = oneOf('scalar', 'avx2', 'avx512', 'neon');
const input = oneOf('uint8', 'float32');

const timing = record<Item<'networks'>['latency']>({
  samples: positive,
  p50: positive,
  p95: positive,
  p99: positive,
  rounds: list(positive),
});

const kernel = record<Item<'kernels'>>({
  isa,
  channels: positive,
  size: positive,
  kernel: text,
  gmacs: positive,
  gmacsBare: nullable(positive),
  limitGmacs: positive,
});

const network = record<Item<'networks'>>({
  network: text,
  engine: text,
  isa: nullable(isa),
  input,
  stem: text,
  threads: positive,
  batch: positive,
  latency: timing,
  imagesPerSecond: positive,
  speedup: record<Item<'networks'>['speedup']>({ float32: nullable(positive), int8: nullable(positive) }),
  checked: text,
});

const layers = record<Item<'layers'>>({
  network: text,
  isa,
  input,
  totalMs: positive,
  rows: list(
    record<Item<'layers'>['rows'][number]>({
      nodes: list(text),
      op: text,
      kernel: text,
      macs: notNegative,
      bytes: notNegative,
      microseconds: notNegative,
      cycles: notNegative,
      floorCycles: notNegative,
    }),
  ),
});

const result = record<BenchResult>({
  format: oneOf(RESULT_FORMAT),
  machine: record<BenchResult['machine']>({
    cpu: text,
    cpus: positive,
    isa,
    clockGHz: positive,
    os: text,
    node: text,
    bitpath: text,
    onnxruntime: nullable(text),
    commit: text,
    date: text,
  }),
  options: object,
  kernels: list(kernel),
  networks: list(network),
  layers: list(layers),
  scaling: list(
    record<Item<'scaling'>>({
      network: text,
      engine: text,
      by: oneOf('batch', 'pixels', 'threads'),
      points: list(record<Item<'scaling'>['points'][number]>({ x: positive, ms: positive })),
    }),
  ),
  memory: list(
    record<Item<'memory'>>({
      network: text,
      fileBytes: notNegative,
      weightBytes: notNegative,
      arenaBytes: notNegative,
      // Differences of two measurements: noise may take them below 0.
      peakRssBytes: anyNumber,
      allocatedPerRun: nullable(anyNumber),
    }),
  ),
  startup: list(record<Item<'startup'>>({ network: text, firstAnswerMs: timing, importMs: timing })),
  omitted: list(record<Item<'omitted'>>({ what: text, why: text })),
});

/**
 * The result in `json`. What it has beyond the schema is kept.
 *
 * @param name What error messages call the file.
 * @throws `ERR_BITPATH_BENCH_FILE` for what is no JSON, no result, one of another version, or one that lacks something.
 */
export function parseResult(json: string, name: string): BenchResult {
  const fail = (reason: string, cause?: unknown) =>
    new BitpathError('ERR_BITPATH_BENCH_FILE', { file: name, reason }, cause === undefined ? undefined : { cause });
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw fail(`it is no JSON (${(cause as Error).message})`, cause);
  }
  const format = (value as { format?: unknown } | null)?.format;
  if (typeof format !== 'string') throw fail('it is no result of bitpath’s benchmarks: it names no format');
  if (format !== RESULT_FORMAT) {
    throw fail(`its format is ${describe(format)}, and this version reads ${describe(RESULT_FORMAT)}`);
  }
  try {
    result(value, '');
  } catch (cause) {
    if (cause instanceof Misfit) throw fail(`it is not whole: ${cause.message}`, cause);
    throw cause;
  }
  return value as BenchResult;
}
