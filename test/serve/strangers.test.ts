/**
 * Clients that share no code with the server: Python's standard library over REST; over gRPC, protobufjs and what reflection says, and
 * grpcio where it is installed. gRPC also over TLS.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import test, { describe, it } from 'node:test';
import * as grpc from '@grpc/grpc-js';
import { packageRoot } from '#lib/root.js';
import { CLASSES, floats, picture, SIDE, start, tinyModel } from './servers.js';

// biome-ignore lint/suspicious/noExplicitAny: documents and messages of several forms
type Anything = any;

const fixtures = join(packageRoot(), 'test/serve/fixtures');
const TLS = { cert: join(fixtures, 'cert.pem'), key: join(fixtures, 'key.pem') };

/** What the executor itself says to two pictures of floats. */
async function expectedLogits(): Promise<number[]> {
  using executor = await tinyModel().compile();
  return Array.from(executor.runSync(floats(2))['logits']?.data as Float32Array);
}

const hasPython = spawnSync('python3', ['--version']).status === 0;
test('a client in Python, over REST', { skip: hasPython ? false : 'no python3' }, async () => {
  const { url } = await start();
  const file = await picture(5);
  const child = spawn('python3', [join(packageRoot(), 'test/serve/oip.py')], { stdio: ['pipe', 'pipe', 'inherit'] });
  const task = { url, model: 'tiny', values: [...floats(2)], shape: [2, 3, SIDE, SIDE], picture: file.toString('hex') };
  child.stdin.end(JSON.stringify(task));
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  assert.equal(code, 0);
  const said: Anything = JSON.parse(output);

  const expected = await expectedLogits();
  for (const way of ['json', 'binary', 'mixed', 'gzip', 'chunked']) assert.deepEqual(said[way], expected, way);
  assert.deepEqual([said.ready, said.id, said.shape], [200, 'a1', [2, CLASSES]]);
  assert.equal(said.server.name, 'bitpath');
  assert.ok(said.server.extensions.includes('binary_tensor_data'));
  assert.deepEqual(said.metadata.inputs, [{ name: 'input', datatype: 'FP32', shape: [-1, 3, SIDE, SIDE] }]);
  assert.deepEqual(said.names, ['logits', 'map', 'probabilities']);
  const sums = [0, 1].map((i) =>
    said.probabilities.slice(i * CLASSES, (i + 1) * CLASSES).reduce((sum: number, value: number) => sum + value),
  );
  for (const sum of sums) assert.ok(Math.abs(sum - 1) < 1e-5);
  // Two classes of each of two pictures, best first, and the picture on its own gives their values.
  const ranked = said.raw.map((value: number, i: number) => ({ value, i }));
  ranked.sort((a: Anything, b: Anything) => b.value - a.value);
  assert.equal(said.classes.length, 4);
  assert.deepEqual(said.classes.slice(0, 2), said.classes.slice(2));
  for (const [rank, { value, i }] of ranked.slice(0, 2).entries()) {
    const [score, index, ...label] = said.classes[rank].split(':');
    assert.deepEqual([Number(index), label.join(':')], [i, `class: ${i}`]);
    assert.ok(Math.abs(Number(score) - value) < 1e-5 * Math.abs(value));
  }
  assert.deepEqual(said.wrong, [400, ['code', 'error']]);
  assert.deepEqual(said.none, [404, ['code', 'error']]);
});

const hasGrpcio = hasPython && spawnSync('python3', ['-c', 'import grpc']).status === 0;
describe('a client in Python, over gRPC', { skip: hasGrpcio ? false : 'no grpcio' }, () => {
  const key = 'a key of sixteen';
  for (const [name, options, more] of [
    ['plain', {}, {}],
    ['with a key, over TLS', { tls: TLS, api_keys: [key] }, { ca: TLS.cert, key }],
  ] as const)
    it(name, async () => {
      const { grpc: address } = await start({ ...options, api_keys: [...(options.api_keys ?? [])], grpc_port: 0 });
      const file = join(packageRoot(), 'test/serve/oipGrpc.py');
      const child = spawn('python3', [file], { stdio: ['pipe', 'pipe', 'inherit'] });
      const task = { address, model: 'tiny', values: [...floats(2)], shape: [2, 3, SIDE, SIDE], ...more };
      child.stdin.end(JSON.stringify(task));
      const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
      assert.equal(code, 0);
      const { id, logits, compressed, ...said }: Anything = JSON.parse(output);
      assert.equal(id, 'c3');
      assert.deepEqual([logits, compressed], Array(2).fill(await expectedLogits()));
      assert.deepEqual(said, {
        live: [[1, 1]],
        ready: [[1, 1]],
        health: [[1, 1]],
        none: ['NOT_FOUND', 'ERR_BITPATH_UNKNOWN_NAME'],
        short: ['INVALID_ARGUMENT', 'ERR_BITPATH_ARGUMENT'],
      });
    });
});

describe('a client that knows the server by its reflection alone, over gRPC', () => {
  for (const [name, tls] of [
    ['plain', null],
    ['TLS', TLS],
  ] as const)
    it(`gives and is given the same, ${name}`, async () => {
      const { grpc: address } = await start({ grpc_port: 0, tls });
      const credentials =
        tls === null ? grpc.credentials.createInsecure() : grpc.credentials.createSsl(readFileSync(tls.cert));
      const loader = createRequire(createRequire(import.meta.url).resolve('@grpc/grpc-js'))('@grpc/proto-loader');
      const files = await describedFiles(address as string, credentials, 'inference.GRPCInferenceService');
      // FileDescriptorSet { repeated FileDescriptorProto file = 1 }
      const set = Buffer.concat(files.flatMap((file) => [Buffer.from([0x0a]), varint(file.length), file]));
      const definition = loader.loadFileDescriptorSetFromBuffer(set, { keepCase: true, longs: Number, defaults: true });
      const { inference } = grpc.loadPackageDefinition(definition) as Anything;
      const client = new inference.GRPCInferenceService(address, credentials);
      const call = (name: string, request: object): Promise<Anything> =>
        new Promise((resolve, reject) => {
          client[name](request, (error: Error | null, response: Anything) =>
            error ? reject(error) : resolve(response),
          );
        });

      assert.equal((await call('ServerReady', {})).ready, true);
      const { inputs } = await call('ModelMetadata', { name: 'tiny' });
      assert.deepEqual(inputs, [{ name: 'input', datatype: 'FP32', shape: [-1, 3, SIDE, SIDE] }]);
      const input = { name: 'input', datatype: 'FP32', shape: [2, 3, SIDE, SIDE] };
      const outputs = [{ name: 'logits' }];
      const values = floats(2);
      const expected = await expectedLogits();
      for (const request of [
        { inputs: [input], raw_input_contents: [Buffer.from(values.buffer)] },
        { inputs: [{ ...input, contents: { fp32_contents: [...values] } }] },
      ]) {
        const answer = await call('ModelInfer', { model_name: 'tiny', id: 'b2', outputs, ...request });
        assert.deepEqual([answer.id, answer.outputs[0].shape], ['b2', [2, CLASSES]]);
        const bytes = new Uint8Array(answer.raw_output_contents[0]);
        assert.deepEqual([...new Float32Array(bytes.buffer)], expected);
      }
      await assert.rejects(call('ModelMetadata', { name: 'none' }), { code: grpc.status.NOT_FOUND });
      client.close();
    });
});

/** The descriptions of the files that define `symbol`, as reflection v1 gives them; its own messages are taken apart by hand. */
function describedFiles(address: string, credentials: grpc.ChannelCredentials, symbol: string): Promise<Buffer[]> {
  const client = new grpc.Client(address, credentials);
  const identity = (bytes: Buffer) => bytes;
  const path = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo';
  const stream = client.makeBidiStreamRequest(path, identity, identity);
  return new Promise((resolve, reject) => {
    stream.on('error', reject);
    stream.on('data', (bytes: Buffer) => {
      // ServerReflectionResponse { FileDescriptorResponse file_descriptor_response = 4 { repeated bytes = 1 } }
      const [response] = fieldsOf(bytes, 4);
      resolve(fieldsOf(response as Buffer, 1));
      stream.end();
      client.close();
    });
    // ServerReflectionRequest { string file_containing_symbol = 4 }
    stream.write(Buffer.concat([Buffer.from([0x22, symbol.length]), Buffer.from(symbol)]));
  });
}

/** The contents of each field `number`, of a message whose fields all have a length. */
function fieldsOf(bytes: Buffer, number: number): Buffer[] {
  const found: Buffer[] = [];
  let at = 0;
  const read = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++] as number;
      value |= (byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const field = read() >> 3;
    const length = read();
    if (field === number) found.push(bytes.subarray(at, at + length));
    at += length;
  }
  return found;
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let left = value; ; left >>= 7) {
    if (left < 128) return Buffer.from([...bytes, left]);
    bytes.push((left & 127) | 128);
  }
}
