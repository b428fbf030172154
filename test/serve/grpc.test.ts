/** gRPC: the calls of the protocol and Triton's, health and reflection, with the reference client. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { create, type DescMessage, fromBinary, type Message, toBinary } from '@bufbuild/protobuf';
import * as grpc from '@grpc/grpc-js';
import { service as healthService } from 'grpc-health-check';
import {
  fromResponseMessage,
  GRPCInferenceService,
  type ModelInferRequest,
  ModelInferRequestSchema,
  type ModelInferResponse,
  toRequestMessage,
} from '#lib/protocol/grpc/index.js';
import type { InferRequest, InferTensor } from '#lib/protocol/index.js';
import { floats, picture, type Running, SIDE, start, tinyModel, until } from './servers.js';

// biome-ignore lint/suspicious/noExplicitAny: messages of a dozen types, each looked at by a test
type Anything = any;

const identity = (bytes: Buffer) => bytes;

describe('gRPC', () => {
  let running: Running;
  let client: grpc.Client;
  before(async () => {
    running = await start({ grpc_port: 0, model_defaults: { max_batch_size: 4 }, limits: { body_bytes: 100_000 } });
    client = new grpc.Client(running.grpc!, grpc.credentials.createInsecure());
  });
  after(() => client.close());

  /** One call, by bytes. */
  const raw = (
    path: string,
    bytes: Uint8Array,
    options: grpc.CallOptions = {},
    metadata = new grpc.Metadata(),
  ): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      client.makeUnaryRequest(path, identity, identity, Buffer.from(bytes), metadata, options, (error, value) =>
        error === null ? resolve(value!) : reject(error),
      );
    });
  const call = async (name: string, fields: object = {}, options: grpc.CallOptions = {}): Promise<Anything> => {
    const method = GRPCInferenceService.methods.find((each) => each.name === name)!;
    const request = toBinary(
      method.input,
      '$typeName' in fields ? (fields as Message) : create(method.input as DescMessage, fields as never),
    );
    return fromBinary(method.output, await raw(`/inference.GRPCInferenceService/${name}`, request, options));
  };
  const fails = (promise: Promise<unknown>, code: number, message: RegExp, ours?: string) =>
    assert.rejects(promise, (error: grpc.ServiceError) => {
      assert.equal(error.code, code, error.message);
      assert.match(error.details, message);
      if (ours !== undefined) assert.deepEqual(error.metadata.get('bitpath-code'), [ours]);
      return true;
    });
  const input = (fields: object = {}): InferTensor =>
    ({
      name: 'input',
      datatype: 'FP32',
      shape: [1, 3, SIDE, SIDE],
      data: floats(1),
      parameters: {},
      ...fields,
    }) as InferTensor;
  const message = (tensor: InferTensor, fields: Partial<InferRequest> = {}): ModelInferRequest =>
    toRequestMessage('tiny', '', { id: '', parameters: {}, inputs: [tensor], outputs: null, ...fields });

  it('says what the server and its models are', async () => {
    assert.equal((await call('ServerLive')).live, true);
    assert.equal((await call('ServerReady')).ready, true);
    assert.equal((await call('ModelReady', { name: 'tiny', version: '1' })).ready, true);
    assert.equal((await call('ServerMetadata')).name, 'bitpath');
    const metadata = await call('ModelMetadata', { name: 'tiny' });
    assert.deepEqual(metadata.versions, ['1']);
    assert.deepEqual(
      [metadata.inputs[0].name, metadata.inputs[0].datatype, metadata.inputs[0].shape],
      ['input', 'FP32', [-1n, 3n, 8n, 8n]],
    );
    assert.deepEqual(
      metadata.outputs.map(({ name }: { name: string }) => name),
      ['logits', 'map', 'probabilities'],
    );
    const { config } = await call('ModelConfig', { name: 'tiny' });
    assert.deepEqual(
      [config.name, config.maxBatchSize, config.input[0].dims, config.input[0].dataType],
      ['tiny', 4, [3n, 8n, 8n], 11],
    );
    assert.equal(config.dynamicBatching.defaultQueuePolicy.maxQueueSize, 256);
    assert.deepEqual([config.instanceGroup[0].kind, config.instanceGroup[0].count], [2, 1]);
  });

  it('answers with the bits of a bare executor', async () => {
    using executor = await tinyModel().compile();
    const data = floats(3, 4);
    const expected = await executor.run(data);
    const response = fromResponseMessage(
      (await call(
        'ModelInfer',
        message(input({ shape: [3, 3, SIDE, SIDE], data }), { id: 'q' }),
      )) as ModelInferResponse,
    );
    assert.deepEqual([response.id, response.model_name, response.model_version], ['q', 'tiny', '1']);
    assert.deepEqual(response.outputs[0]!.data, expected['logits']!.data);
    assert.deepEqual(response.outputs[1]!.data, expected['map']!.data);

    const contents = create(ModelInferRequestSchema, {
      modelName: 'tiny',
      inputs: [{ name: 'input', datatype: 'FP32', shape: [3n, 3n, 8n, 8n], contents: { fp32Contents: [...data] } }],
      outputs: [{ name: 'logits' }],
    });
    assert.deepEqual(
      fromResponseMessage(await call('ModelInfer', contents)).outputs[0]!.data,
      expected['logits']!.data,
    );
  });

  it('takes pictures, and gives classes with labels', async () => {
    const files = [await picture(1), await picture(2, 'jpeg')];
    const outputs = [{ name: 'logits', parameters: { classification: 1 } }];
    const response = fromResponseMessage(
      await call('ModelInfer', message(input({ datatype: 'BYTES', shape: [2], data: files }), { outputs })),
    );
    assert.deepEqual([response.outputs[0]!.datatype, response.outputs[0]!.shape], ['BYTES', [2, 1]]);
    for (const element of response.outputs[0]!.data as Uint8Array[])
      assert.match(new TextDecoder().decode(element), /^-?\d+\.\d{6}:\d:class: \d$/);
  });

  it('counts, lists, loads and unloads', async () => {
    await call('ModelInfer', message(input()));
    const { modelStats } = await call('ModelStatistics', { name: 'tiny' });
    assert.equal(modelStats[0].name, 'tiny');
    assert.ok(modelStats[0].inferenceCount >= 1n && modelStats[0].inferenceStats.success.ns > 0n);
    const states = async () => (await call('RepositoryIndex')).models.map(({ state }: { state: string }) => state);
    assert.deepEqual(await states(), ['READY']);
    await call('RepositoryModelUnload', { modelName: 'tiny' });
    assert.deepEqual(await states(), ['UNAVAILABLE']);
    assert.equal((await call('ModelReady', { name: 'tiny' })).ready, false);
    await fails(
      call('ModelInfer', message(input())),
      grpc.status.UNAVAILABLE,
      /tiny version 1 is not ready: unloaded/,
      'ERR_BITPATH_UNAVAILABLE',
    );
    await call('RepositoryModelLoad', { modelName: 'tiny' });
    assert.deepEqual(await states(), ['READY']);
  });

  it('answers wrong calls with a status and our code', async () => {
    await fails(call('ModelMetadata', { name: 'huge' }), grpc.status.NOT_FOUND, /"huge"/, 'ERR_BITPATH_UNKNOWN_NAME');
    await fails(
      call('ModelInfer', message(input({ name: 'x' }))),
      grpc.status.INVALID_ARGUMENT,
      /inputs\[0\]\.name/,
      'ERR_BITPATH_ARGUMENT',
    );
    await fails(
      call('ModelInfer', message(input({ datatype: 'BYTES', shape: [1], data: [new Uint8Array(9)] }))),
      grpc.status.INVALID_ARGUMENT,
      /picture/,
      'ERR_BITPATH_IMAGE',
    );
    await fails(
      raw('/inference.GRPCInferenceService/ModelInfer', new Uint8Array([0xff, 0xff])),
      grpc.status.INVALID_ARGUMENT,
      /inference\.ModelInferRequest/,
      'ERR_BITPATH_ARGUMENT',
    );
    await fails(
      raw('/inference.GRPCInferenceService/ModelInfer', new Uint8Array(50_000).fill(0x0b)),
      grpc.status.INVALID_ARGUMENT,
      /inference\.ModelInferRequest/,
    );
    await fails(raw('/inference.GRPCInferenceService/Trace', new Uint8Array(0)), grpc.status.UNIMPLEMENTED, /Trace/);
    await fails(
      raw('/inference.GRPCInferenceService/ModelInfer', new Uint8Array(200_000)),
      grpc.status.RESOURCE_EXHAUSTED,
      /larger/,
    );
  });

  it('reads no message before it knows the key, and none of more parts than a request has', async () => {
    const path = '/inference.GRPCInferenceService/ModelInfer';
    const inputs = Buffer.alloc(90_000, Uint8Array.of(0x2a, 0));
    await fails(raw(path, inputs), grpc.status.RESOURCE_EXHAUSTED, /4096 fields/, 'ERR_BITPATH_TOO_LARGE');
    const { grpc: address } = await start({ grpc_port: 0, api_keys: ['correct-horse-battery'] });
    const other = new grpc.Client(address!, grpc.credentials.createInsecure());
    for (const bytes of [inputs, Buffer.from([0xff, 0xff])]) {
      const call = new Promise((resolve, reject) => {
        other.makeUnaryRequest(path, identity, identity, bytes, (error, value) =>
          error ? reject(error) : resolve(value),
        );
      });
      await fails(call, grpc.status.UNAUTHENTICATED, /API key/, 'ERR_BITPATH_UNAUTHORIZED');
    }
    other.close();
  });

  it('logs each call, with the id that the caller gave or a new one', async () => {
    const lines: Anything[] = [];
    const { grpc: address } = await start(
      { grpc_port: 0 },
      { logger: { level: 'info', stream: { write: (line: string) => void lines.push(JSON.parse(line)) } } },
    );
    const other = new grpc.Client(address!, grpc.credentials.createInsecure());
    const ask = (name: string, metadata = new grpc.Metadata()) =>
      new Promise<void>((resolve) => {
        const path = `/inference.GRPCInferenceService/${name}`;
        other.makeUnaryRequest(path, identity, identity, Buffer.alloc(0), metadata, () => resolve());
      });
    const metadata = new grpc.Metadata();
    metadata.set('x-request-id', 'mine-1');
    await ask('ServerLive', metadata);
    await ask('ModelMetadata');
    const [first, second] = lines.filter(({ msg }) => msg === 'call');
    assert.deepEqual([first.reqId, first.method, first.status], ['mine-1', 'ServerLive', grpc.status.OK]);
    assert.match(second.reqId, /^[\da-f-]{36}$/);
    assert.deepEqual([second.method, second.status], ['ModelMetadata', grpc.status.NOT_FOUND]);
    assert.ok(second.milliseconds >= 0);
    other.close();
  });

  it('says how it fares to the health service', async () => {
    const health = new grpc.Client(running.grpc!, grpc.credentials.createInsecure());
    const { path, requestSerialize, responseDeserialize } = healthService['Check']!;
    const check = (service: string) =>
      new Promise<{ status: string }>((resolve, reject) => {
        health.makeUnaryRequest(path, requestSerialize, responseDeserialize, { service }, (error, value) =>
          error ? reject(error) : resolve(value as { status: string }),
        );
      });
    assert.equal((await check('')).status, 'SERVING');
    assert.equal((await check('inference.GRPCInferenceService')).status, 'SERVING');
    await fails(check('other'), grpc.status.NOT_FOUND, /other/);
    health.close();
  });

  it('describes itself by reflection', async () => {
    // ServerReflectionRequest { list_services = 7 } and { file_containing_symbol = 4 }, by hand.
    const ask = (request: Buffer) =>
      new Promise<Buffer>((resolve, reject) => {
        const stream = client.makeBidiStreamRequest(
          '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
          identity,
          identity,
          new grpc.Metadata(),
        );
        stream.on('data', resolve);
        stream.on('error', reject);
        stream.write(request);
        stream.end();
      });
    const field = (number: number, text: string) =>
      Buffer.concat([Buffer.from([(number << 3) | 2, text.length]), Buffer.from(text)]);
    const services = (await ask(field(7, ''))).toString('latin1');
    for (const name of ['inference.GRPCInferenceService', 'grpc.health.v1.Health'])
      assert.ok(services.includes(name), name);
    const file = (await ask(field(4, 'inference.GRPCInferenceService'))).toString('latin1');
    for (const { name } of GRPCInferenceService.methods) assert.ok(file.includes(name), name);
  });

  it('gives up work whose deadline is over or whose caller is gone, and refuses what it has no room for', async () => {
    // Nothing is computed before a second request comes, so the first one waits.
    const dynamic_batching = { max_queue_delay_microseconds: 3_600_000_000 };
    // One message fits, two do not.
    const limits = { body_bytes: 1500, in_flight_bytes: 1500 };
    const { server, grpc: address } = await start({ grpc_port: 0, limits, model_defaults: { dynamic_batching } });
    const served = server.service.repository.resolve('tiny');
    const other = new grpc.Client(address!, grpc.credentials.createInsecure());
    const request = Buffer.from(toBinary(ModelInferRequestSchema, message(input())));
    const send = (options: grpc.CallOptions, started: (call: grpc.ClientUnaryCall) => void = () => {}) =>
      new Promise((resolve, reject) => {
        const path = '/inference.GRPCInferenceService/ModelInfer';
        const unary = other.makeUnaryRequest(path, identity, identity, request, options, (error, value) =>
          error ? reject(error) : resolve(value),
        );
        started(unary);
      });

    const late = send({ deadline: Date.now() + 300 });
    await fails(late, grpc.status.DEADLINE_EXCEEDED, /./);
    await until(() => served.active === 0);

    let unary: grpc.ClientUnaryCall | undefined;
    const gone = send({}, (call) => {
      unary = call;
    });
    await until(() => served.pending === 1);
    await fails(send({}), grpc.status.UNAVAILABLE, /1500 bytes/, 'ERR_BITPATH_BUSY');
    unary?.cancel();
    await fails(gone, grpc.status.CANCELLED, /./);
    await until(() => served.active === 0);
    assert.equal(served.pending, 0);
    await until(() => server.service.inFlight.bytes === 0);
    other.close();
  });

  it('takes no more connections than it is told to, and lets idle ones go', async () => {
    const limits = { connections: 1, keep_alive_timeout_ms: 300 };
    const { grpc: address } = await start({ grpc_port: 0, limits });
    const open = () =>
      new grpc.Client(address!, grpc.credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 });
    const live = (other: grpc.Client, milliseconds: number) =>
      new Promise((resolve, reject) => {
        const options = { deadline: Date.now() + milliseconds };
        const path = '/inference.GRPCInferenceService/ServerLive';
        other.makeUnaryRequest(path, identity, identity, Buffer.alloc(0), options, (error, value) =>
          error ? reject(error) : resolve(value),
        );
      });
    const [first, second] = [open(), open()];
    await live(first, 10_000);
    await assert.rejects(live(second, 200), ({ code }: grpc.ServiceError) =>
      [grpc.status.UNAVAILABLE, grpc.status.DEADLINE_EXCEEDED].includes(code),
    );
    // The first does nothing any more, so its connection is closed, and there is room.
    const third = open();
    await until(() =>
      live(third, 1000).then(
        () => true,
        () => false,
      ),
    );
    for (const each of [first, second, third]) each.close();
  });

  it('refuses headers that are too many or too large', async () => {
    const [many, large] = [new grpc.Metadata(), new grpc.Metadata()];
    for (let i = 0; i < 130; i++) many.set(`x-${i}`, 'x');
    large.set('x-large', 'x'.repeat(100_000));
    for (const metadata of [many, large])
      await assert.rejects(raw('/inference.GRPCInferenceService/ServerLive', new Uint8Array(), {}, metadata));
    assert.equal((await call('ServerLive')).live, true);
  });
});
