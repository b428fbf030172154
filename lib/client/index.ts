/**
 * `bitpath/client`: the Open Inference Protocol v2 over REST, for Node and browsers. `bitpath/client/grpc` has the other way.
 * @module
 */
import { checkBoolean, checkOptions, checkString, describe } from '../check.js';
import {
  decodeInferResponse,
  encodeInferRequest,
  HEADER_LENGTH,
  type ModelIndex,
  type ModelMetadata,
  type ModelStatistics,
  modelPath,
  PATHS,
  parseHeaderLength,
  repositoryPath,
  type ServerMetadata,
} from '../protocol/index.js';
import { Exchange, type RestOptions } from './exchange.js';
import { reading, refused } from './failure.js';
import { CALL_OPTIONS, checkTimeout, makeRequest } from './request.js';
import { makeResult } from './result.js';
import type { CallOptions, InferenceClient, InferOptions, VersionOptions } from './types.js';

export { BitpathError, type ErrorCode, type ErrorDetails } from '../errors.js';
export type {
  Classification,
  Datatype,
  DatatypeArrays,
  InferBatchStatistics,
  ModelIndex,
  ModelMetadata,
  ModelState,
  ModelStatistics,
  ParameterValue,
  ServerMetadata,
  StatisticDuration,
  TensorMetadata,
} from '../protocol/index.js';
export type { RestOptions } from './exchange.js';
export type * from './types.js';

/**
 * A client of the server at `url`, such as `http://localhost:8000`. Nothing is sent until it is asked something.
 *
 * @throws `ERR_BITPATH_ARGUMENT`, `ERR_BITPATH_UNKNOWN_OPTION`
 */
export function createClient(url: string | URL, options: RestOptions = {}): InferenceClient {
  checkOptions('options', options, ['headers', 'apiKey', 'timeoutMs', 'gzip', 'binary', 'fetch']);
  const { timeoutMs, gzip, binary = true, apiKey, headers } = options;
  checkTimeout(timeoutMs);
  if (gzip !== undefined) checkBoolean('options.gzip', gzip);
  if (apiKey !== undefined) checkString('options.apiKey', apiKey);
  checkBoolean('options.binary', binary);
  try {
    new Headers({ ...headers, ...(apiKey !== undefined && { authorization: apiKey }) });
  } catch {
    // Its own message quotes the value.
    throw refused('options.headers and options.apiKey', 'names and texts that HTTP can send', 'others');
  }
  const exchange = new Exchange(baseOf(url), options);

  const is = async (path: string, field: 'live' | 'ready', call: CallOptions) => {
    const answer = await exchange.ask(path, call);
    // Servers differ in the body, and in the status of a "no": only a 200 that does not deny it is a yes.
    if (answer.status === 503 || answer.status === 400) return false;
    const body = answer.status === 200 && answer.bytes.length === 0 ? {} : exchange.parse(exchange.success(answer));
    return (body as Record<string, unknown>)[field] !== false;
  };
  const model = (name: string, { version }: VersionOptions) => modelPath(checkString('model', name), version);
  const call = (given: VersionOptions = {}) => {
    checkOptions('options', given, [...CALL_OPTIONS, 'version']);
    return given;
  };

  return {
    serverLive: async (given) => is(PATHS.live, 'live', call(given)),
    serverReady: async (given) => is(PATHS.ready, 'ready', call(given)),
    serverMetadata: async (given) => (await exchange.json(PATHS.server, call(given))) as ServerMetadata,
    modelReady: async (name, given = {}) => is(`${model(name, given)}/ready`, 'ready', call(given)),
    async modelMetadata(name, given = {}) {
      return (await exchange.json(model(name, given), call(given))) as ModelMetadata;
    },
    async infer(name, inputs, given: InferOptions = {}) {
      const { headerLength, bytes } = encodeInferRequest(makeRequest(inputs, given, binary));
      const type = headerLength === undefined ? 'application/json' : 'application/octet-stream';
      const headers = {
        'content-type': type,
        ...(headerLength !== undefined && { [HEADER_LENGTH]: String(headerLength) }),
      };
      const answer = exchange.success(await exchange.ask(`${model(name, given)}/infer`, given, { bytes, headers }));
      return reading(exchange.base, () => {
        const length = parseHeaderLength(answer.headers.get(HEADER_LENGTH) ?? undefined);
        return makeResult(decodeInferResponse({ headerLength: length, bytes: answer.bytes }));
      });
    },
    async statistics(name, given = {}) {
      const path = name === undefined ? PATHS.statistics : `${model(name, given)}/stats`;
      const { model_stats = [] } = (await exchange.json(path, call(given))) as { model_stats?: ModelStatistics[] };
      return model_stats;
    },
    async repositoryIndex({ ready = false, ...given } = {}) {
      const body = { ready: checkBoolean('options.ready', ready) };
      return (await exchange.json(PATHS.repositoryIndex, call(given), body)) as ModelIndex[];
    },
    async loadModel(name, given) {
      await exchange.json(repositoryPath(checkString('model', name), 'load'), call(given), {});
    },
    async unloadModel(name, given) {
      await exchange.json(repositoryPath(checkString('model', name), 'unload'), call(given), {});
    },
    close: () => exchange.close(),
  };
}

/**
 * The URL without a slash at its end. A path in it is kept: servers may stand behind one. Messages name it, so it must hold no
 * secret, and what is refused is not quoted.
 */
function baseOf(url: string | URL): string {
  if (!URL.canParse(String(url)))
    throw refused(
      'url',
      'a URL such as http://localhost:8000',
      typeof url === 'string' ? 'another text' : describe(url),
    );
  const { protocol, username, password, search, hash, href } = new URL(url);
  if (protocol !== 'http:' && protocol !== 'https:')
    throw refused('url', 'a URL such as http://localhost:8000', 'one of another protocol');
  if (username + password !== '')
    throw refused(
      'url',
      'a URL such as http://localhost:8000',
      'one with a user or password; send them with options.headers or apiKey',
    );
  if (search + hash !== '') throw refused('url', 'a URL such as http://localhost:8000', 'one with a query or fragment');
  return href.replace(/\/+$/, '');
}
