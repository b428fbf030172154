/** What a server can be told: the configuration file and the options of `createServer` have the same keys, with Triton's names. */
import type * as Zod from 'zod';
import { describe, nearest } from '../check.js';
import { BitpathError } from '../errors.js';
import { native } from '../native.js';
import { loadPackage } from './packages.js';

/** Builds the schema; zod comes as an argument, as it is loaded when a server is made. */
function makeSchema({ z }: typeof Zod) {
  const cpus = native().availableThreads();
  const count = (min: number, max: number) => z.number().int().min(min).max(max);
  const microseconds = count(0, 3_600_000_000);

  const queuePolicy = z.strictObject({
    timeout_action: z.enum(['REJECT', 'DELAY']).default('REJECT'),
    default_timeout_microseconds: microseconds.default(0),
    allow_timeout_override: z.boolean().default(true),
    max_queue_size: count(0, 1_000_000).default(256),
  });

  const dynamicBatching = z.strictObject({
    preferred_batch_size: z.array(count(1, 1024)).max(64).default([]),
    max_queue_delay_microseconds: microseconds.default(0),
    preserve_ordering: z.boolean().default(false),
    priority_levels: count(0, 100).default(0),
    default_priority_level: count(0, 100).default(0),
    default_queue_policy: queuePolicy.prefault({}),
    priority_queue_policy: z.record(z.string().regex(/^[1-9]\d{0,2}$/), queuePolicy).default({}),
  });

  const model = z
    .strictObject({
      max_batch_size: count(1, 1024).default(8),
      instance_group: z.strictObject({ count: count(1, 64).default(1) }).prefault({}),
      dynamic_batching: dynamicBatching.prefault({}),
    })
    .superRefine(({ max_batch_size, dynamic_batching }, context) => {
      const refuse = (message: string, ...path: (string | number)[]) =>
        context.addIssue({ code: 'custom', message, path: ['dynamic_batching', ...path] });
      const { preferred_batch_size, priority_levels, default_priority_level, priority_queue_policy } = dynamic_batching;
      for (const [i, size] of preferred_batch_size.entries())
        if (size > max_batch_size) refuse(`at most max_batch_size, ${max_batch_size},`, 'preferred_batch_size', i);
      const levels = `a level of the ${priority_levels} that priority_levels names`;
      if (default_priority_level > priority_levels) refuse(levels, 'default_priority_level');
      for (const level of Object.keys(priority_queue_policy))
        if (Number(level) > priority_levels) refuse(levels, 'priority_queue_policy', level);
    });
  const name = z.string().regex(/^[A-Za-z0-9][\w.-]{0,127}$/, 'a name of letters, digits, "_", "-" and "."');
  const version = z.string().regex(/^[1-9]\d{0,8}$/, 'a number from 1 on, as text');
  const source = z.string().min(1);

  const server = z.strictObject({
    host: z.string().min(1).default('127.0.0.1'),
    port: count(0, 65535).default(8000),
    grpc_port: count(0, 65535).nullable().default(null),
    threads: count(1, 1024).optional(),
    lone_threads: count(1, 1024).optional(),
    models: z
      .array(
        z.union([
          source,
          z.strictObject({
            name: name.optional(),
            source,
            version: version.default('1'),
            config: model.optional(),
          }),
        ]),
      )
      .max(1024)
      .optional(),
    model_defaults: model.prefault({}),
    model_repository: z.string().min(1).nullable().default(null),
    repository_poll_secs: count(0, 86_400).default(0),
    limits: z
      .strictObject({
        body_bytes: count(1024, 2 ** 31 - 1).default(64 * 2 ** 20),
        json_bytes: count(1024, 2 ** 31 - 1).default(8 * 2 ** 20),
        in_flight_bytes: count(1024, 2 ** 40).default(512 * 2 ** 20),
        header_bytes: count(1024, 2 ** 20).default(16 * 2 ** 10),
        connections: count(1, 1_000_000).default(1024),
        headers_timeout_ms: count(1, 3_600_000).default(10_000),
        request_timeout_ms: count(1, 3_600_000).default(60_000),
        keep_alive_timeout_ms: count(1, 3_600_000).default(65_000),
        picture_pixels: count(1, 2 ** 27).default(2 ** 26),
        decoders: count(1, 1024).default(cpus),
        decode_queue: count(0, 1_000_000).default(256),
      })
      .superRefine(({ body_bytes, in_flight_bytes }, context) => {
        // A larger body would be told to come again later, forever.
        if (in_flight_bytes >= body_bytes) return;
        const message = `at least limits.body_bytes, ${body_bytes}`;
        context.addIssue({ code: 'custom', message, path: ['in_flight_bytes'] });
      })
      .prefault({}),
    api_keys: z.array(z.string().min(16)).max(1024).default([]),
    tls: z.strictObject({ cert: source, key: source }).nullable().default(null),
    metrics: z.boolean().default(true),
    drain_secs: count(0, 3600).default(30),
    log_level: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  });
  return server
    .transform(({ threads, lone_threads, ...others }) => ({
      ...others,
      // One CPU is left to the thread that reads requests: on a busy server, a network on all of them waits for it and for itself.
      threads: threads ?? Math.max(1, cpus - 1),
      // While it reads none, that CPU is free.
      lone_threads: lone_threads ?? threads ?? cpus,
    }))
    .superRefine(({ threads, lone_threads }, context) => {
      if (lone_threads >= threads) return;
      context.addIssue({ code: 'custom', message: `at least threads, ${threads}`, path: ['lone_threads'] });
    });
}

/** What may be given; all keys may be left out. docs/serving.md has the table of them. */
export type ServerOptions = Zod.input<ReturnType<typeof makeSchema>>;
/** The same with every default filled in. */
export type ServerConfig = Zod.output<ReturnType<typeof makeSchema>>;
export type ModelSettings = ServerConfig['model_defaults'];

/**
 * `value` with every default filled in.
 *
 * @param file What error messages call the place that it comes from.
 * @throws `ERR_BITPATH_CONFIG` naming the key, what was expected and what came; `ERR_BITPATH_MISSING_PACKAGE`.
 */
export async function parseConfig(file: string, value: unknown): Promise<ServerConfig> {
  const schema = makeSchema(await loadPackage<typeof Zod>('zod'));
  const result = schema.safeParse(value);
  if (!result.success) throw configError(file, value, result.error.issues[0] as Zod.core.$ZodIssue);
  return result.data;
}

function configError(file: string, value: unknown, issue: Zod.core.$ZodIssue): BitpathError {
  const { key, expected } = describeIssue(issue);
  const received = receivedText(value, issue);
  return new BitpathError('ERR_BITPATH_CONFIG', { file, key, expected, received });
}

function receivedText(value: unknown, issue: Zod.core.$ZodIssue): string {
  if (issue.path[0] === 'api_keys' && issue.path.length > 1) return 'a secret'; // errors end up in logs
  // Of the two forms of a model, the one that was meant says which part of it is wrong.
  const inner = issue.code === 'invalid_union' ? innerIssue(issue) : undefined;
  if (inner !== undefined) return receivedText(at(value, issue.path), inner);
  return describe(issue.code === 'unrecognized_keys' ? issue.keys[0] : at(value, issue.path));
}

/** The issue of the object form, where an object came. */
function innerIssue({ errors }: Zod.core.$ZodIssueInvalidUnion): Zod.core.$ZodIssue | undefined {
  return errors.flat().find(({ path, code }) => path.length > 0 || code === 'unrecognized_keys');
}

function describeIssue(issue: Zod.core.$ZodIssue): { key: string; expected: string } {
  const key = issue.path.reduce<string>(
    (path, part) =>
      typeof part === 'number' ? `${path}[${part}]` : path === '' ? String(part) : `${path}.${String(part)}`,
    '',
  );
  const named = key === '' ? 'the configuration' : key;
  switch (issue.code) {
    case 'invalid_type':
      return {
        key: named,
        expected: issue.expected === 'int' ? 'a whole number' : `${article(issue.expected)} ${issue.expected}`,
      };
    case 'too_small':
      return {
        key: named,
        expected: issue.origin === 'string' ? `at least ${issue.minimum} characters` : `at least ${issue.minimum}`,
      };
    case 'too_big':
      return { key: named, expected: `at most ${issue.maximum}` };
    case 'invalid_value':
      return { key: named, expected: issue.values.map((item) => describe(item)).join(' or ') };
    case 'invalid_union': {
      const inner = innerIssue(issue);
      if (inner !== undefined) return describeIssue({ ...inner, path: [...issue.path, ...inner.path] });
      return { key: named, expected: 'a name, a path, or an object with source' };
    }
    case 'unrecognized_keys': {
      const guess = nearest(issue.keys[0] ?? '', KEYS);
      return {
        key: named,
        expected: guess === undefined ? 'only known keys' : `only known keys (did you mean ${describe(guess)}?)`,
      };
    }
    default:
      return { key: named, expected: issue.message };
  }
}

/** For guesses at what a misspelt key meant. */
const KEYS = [
  ...[
    'host',
    'port',
    'grpc_port',
    'threads',
    'lone_threads',
    'models',
    'model_defaults',
    'model_repository',
    'repository_poll_secs',
    'limits',
  ],
  ...[
    'api_keys',
    'tls',
    'metrics',
    'drain_secs',
    'log_level',
    'cert',
    'key',
    'name',
    'source',
    'version',
    'config',
    'count',
  ],
  ...['max_batch_size', 'instance_group', 'dynamic_batching', 'preferred_batch_size', 'max_queue_delay_microseconds'],
  ...[
    'preserve_ordering',
    'priority_levels',
    'default_priority_level',
    'default_queue_policy',
    'priority_queue_policy',
  ],
  ...[
    'timeout_action',
    'default_timeout_microseconds',
    'allow_timeout_override',
    'max_queue_size',
    'body_bytes',
    'json_bytes',
    'in_flight_bytes',
    'header_bytes',
  ],
  ...['connections', 'headers_timeout_ms', 'request_timeout_ms', 'keep_alive_timeout_ms', 'picture_pixels', 'decoders'],
  'decode_queue',
];

function article(word: string): string {
  return /^[aeiou]/.test(word) ? 'an' : 'a';
}

function at(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce((inner, key) => (inner as Record<PropertyKey, unknown> | null | undefined)?.[key], value);
}
