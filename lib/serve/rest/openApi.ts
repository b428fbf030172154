/** The REST routes as an OpenAPI document. A test holds it and the server's routes equal. */
import { packageVersion } from '../../root.js';

export interface Operation {
  readonly tags: readonly string[];
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  /** A body that works; OpenAPI has no place for a command line, hence `x-`. */
  readonly 'x-example'?: string;
  readonly parameters?: readonly object[];
  readonly requestBody?: object;
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: object }>>;
}

export interface OpenApi {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: object;
}

const text = { type: 'string' } as const;
const inPath = (name: string, description: string) => ({ name, in: 'path', required: true, description, schema: text });
const NAME = inPath('name', 'Name of a model');
const VERSION = inPath('version', 'Version of the model, a number from 1 on');
const reference = (name: string) => ({ $ref: `#/components/schemas/${name}` });
const json = (name: string) => ({ 'application/json': { schema: reference(name) } });
const ok = (name: string) => ({ '200': { description: 'Success', content: json(name) } });
const failure = (description: string) => ({ description, content: json('Error') });
const NOT_FOUND = { '404': failure('No such model or version') };
const BAD = { '400': failure('The request is wrong; the error names the field') };
const BUSY = { '503': failure('The queue is full, or the model is not ready; Retry-After says when to ask again') };

const INFER_EXAMPLE = `{ "inputs": [{ "name": "input", "datatype": "BYTES", "shape": [1],
              "parameters": { "content_type": "base64" }, "data": ["/9j/4AAQSkZJRg…"] }],
  "outputs": [{ "name": "logits", "parameters": { "classification": 5 } }] }`;

/** The routes of one model, which a version may be named for as well. */
function modelPaths(base: string, parameters: readonly object[], suffix: string): OpenApi['paths'] {
  const get = (operationId: string, summary: string, schema: string, more: Operation['responses'] = {}) => ({
    get: {
      tags: ['Models'],
      operationId: operationId + suffix,
      summary,
      parameters,
      responses: { ...ok(schema), ...NOT_FOUND, ...more },
    },
  });
  return {
    [base]: get('modelMetadata', 'Inputs and outputs of a model', 'ModelMetadata'),
    [`${base}/ready`]: get('modelReady', 'Whether a model answers', 'Ready', { '503': { description: 'Not ready' } }),
    [`${base}/config`]: get('modelConfig', 'The model’s configuration in Triton’s form', 'Object'),
    [`${base}/stats`]: get('modelStatistics', 'Counts and durations in Triton’s form', 'Object'),
    [`${base}/infer`]: {
      post: {
        tags: ['Inference'],
        operationId: `infer${suffix}`,
        summary: 'Runs a network',
        description:
          'The input is an FP32 tensor [N, C, H, W], UINT8 pixels [N, H, W, 3] or picture files as BYTES [N]. Tensors may be in the JSON, or behind it as binary data.',
        'x-example': INFER_EXAMPLE,
        parameters,
        requestBody: {
          required: true,
          content: {
            'application/json': { schema: reference('InferRequest') },
            'application/octet-stream': { schema: { type: 'string', format: 'binary' } },
          },
        },
        responses: { ...ok('InferResponse'), ...BAD, ...NOT_FOUND, '413': failure('The body is too large'), ...BUSY },
      },
    },
  };
}

function repositoryOperation(operationId: string, summary: string): Record<string, Operation> {
  return {
    post: {
      tags: ['Repository'],
      operationId,
      summary,
      parameters: [NAME],
      responses: { ...ok('Object'), ...BAD, ...NOT_FOUND },
    },
  };
}

export function openApi(): OpenApi {
  const get = (tag: string, operationId: string, summary: string, responses: Operation['responses']) => ({
    get: { tags: [tag], operationId, summary, responses },
  });
  const page = { '200': { description: 'Success' } };
  return {
    openapi: '3.1.0',
    info: {
      title: 'bitpath',
      version: packageVersion(),
      description: 'Binary convolutional networks over the Open Inference Protocol v2.',
    },
    paths: {
      '/classify': {
        post: {
          tags: ['Inference'],
          operationId: 'classify',
          summary: 'Says what is on a picture',
          description: 'The body is a picture, or a form (multipart/form-data) with one file or several.',
          'x-example': 'curl --data-binary @photo.jpg "http://localhost:8000/classify?k=3"',
          parameters: [
            {
              name: 'k',
              in: 'query',
              description: 'Classes for each picture (default 5)',
              schema: { type: 'integer', minimum: 1 },
            },
            { name: 'model', in: 'query', description: 'Name of a model; the first one by default', schema: text },
            { name: 'version', in: 'query', description: 'Version of it; the highest by default', schema: text },
          ],
          requestBody: {
            required: true,
            content: {
              'image/*': { schema: { type: 'string', format: 'binary' } },
              'multipart/form-data': { schema: { type: 'object' } },
            },
          },
          responses: { ...ok('Object'), ...BAD, ...NOT_FOUND, '413': failure('The body is too large'), ...BUSY },
        },
      },
      ...modelPaths('/v2/models/{name}', [NAME], ''),
      ...modelPaths('/v2/models/{name}/versions/{version}', [NAME, VERSION], 'Version'),
      '/v2/models/stats': get('Models', 'statistics', 'Counts and durations of all models', ok('Object')),
      '/v2': get('Server', 'serverMetadata', 'Name, version and extensions of the server', ok('ServerMetadata')),
      '/v2/health/live': get('Server', 'live', 'Whether the server runs', ok('Live')),
      '/v2/health/ready': get('Server', 'ready', 'Whether the server answers requests', {
        ...ok('Ready'),
        '503': { description: 'Loading or draining' },
      }),
      '/v2/repository/index': {
        post: {
          tags: ['Repository'],
          operationId: 'index',
          summary: 'All models and their states',
          responses: ok('Index'),
        },
      },
      '/v2/repository/models/{name}/load': repositoryOperation('load', 'Loads a model, or what has changed of it'),
      '/v2/repository/models/{name}/unload': repositoryOperation(
        'unload',
        'Unloads a model once its requests are answered',
      ),
      '/metrics': get('Server', 'metrics', 'Metrics for Prometheus', page),
      '/': get('Server', 'page', 'A page that shows pictures to the networks', page),
      '/docs': get('Server', 'docs', 'This page', page),
      '/docs/openapi.json': get('Server', 'openapi', 'This document', page),
    },
    components: { schemas: SCHEMAS },
  };
}

const object = (properties: object, required: readonly string[] = Object.keys(properties)) => ({
  type: 'object',
  properties,
  required,
});
const arrayOf = (items: object) => ({ type: 'array', items });
const SHAPE = arrayOf({ type: 'integer' });
const TENSOR = { name: text, datatype: text, shape: SHAPE };

const SCHEMAS = {
  Object: { type: 'object' },
  Error: object({ error: text, code: text }),
  Live: object({ live: { type: 'boolean' } }),
  Ready: object({ name: text, ready: { type: 'boolean' } }, ['ready']),
  ServerMetadata: object({ name: text, version: text, extensions: arrayOf(text) }),
  ModelMetadata: object(
    {
      name: text,
      versions: arrayOf(text),
      platform: text,
      inputs: arrayOf(object(TENSOR)),
      outputs: arrayOf(object(TENSOR)),
      properties: { type: 'object' },
    },
    ['name', 'versions', 'platform', 'inputs', 'outputs'],
  ),
  Index: arrayOf(object({ name: text, version: text, state: text, reason: text })),
  InferRequest: object(
    {
      id: text,
      parameters: { type: 'object' },
      inputs: arrayOf(
        object({ ...TENSOR, parameters: { type: 'object' }, data: { type: 'array' } }, ['name', 'datatype', 'shape']),
      ),
      outputs: arrayOf(object({ name: text, parameters: { type: 'object' } }, ['name'])),
    },
    ['inputs'],
  ),
  InferResponse: object(
    {
      model_name: text,
      model_version: text,
      id: text,
      outputs: arrayOf(
        object({ ...TENSOR, parameters: { type: 'object' }, data: { type: 'array' } }, ['name', 'datatype', 'shape']),
      ),
    },
    ['model_name', 'outputs'],
  ),
};
