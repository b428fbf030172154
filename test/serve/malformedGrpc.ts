/** Malformed messages over gRPC: fields that contradict each other, and bytes that were changed. Each seed gives the same ones. */
import { create, toBinary } from '@bufbuild/protobuf';
import * as grpc from '@grpc/grpc-js';
import { GRPCInferenceService, ModelInferRequestSchema } from '#lib/protocol/grpc/index.js';
import { random } from './malformed.js';
import { floats, SIDE, VALUES } from './tinyModel.js';

type Random = () => number;
const pick = <T>(next: Random, list: readonly T[]): T => list[Math.floor(next() * list.length)] as T;

const RAW = new Uint8Array(floats(1).buffer);
const INPUT = { name: 'input', datatype: 'FP32', shape: [1n, 3n, BigInt(SIDE), BigInt(SIDE)] };
const GOOD = { modelName: 'tiny', inputs: [INPUT], rawInputContents: [RAW] };

const write = (fields: object) => toBinary(ModelInferRequestSchema, create(ModelInferRequestSchema, fields as never));

const WRONG: readonly ((next: Random) => Uint8Array)[] = [
  // Raw contents that are too short, too long, too few, too many, or beside typed ones.
  (next) =>
    write({
      ...GOOD,
      rawInputContents: pick(next, [[RAW.subarray(1)], [new Uint8Array(4 * VALUES + 4)], [], [RAW, RAW]]),
    }),
  (next) =>
    write({ ...GOOD, inputs: [{ ...INPUT, contents: { [pick(next, ['fp32Contents', 'intContents'])]: [1] } }] }),
  (next) => {
    const contents = pick(next, [
      { fp32Contents: [1] },
      { fp64Contents: Array(VALUES).fill(0) },
      { bytesContents: [RAW] },
      {},
    ]);
    return write({ modelName: 'tiny', inputs: [{ ...INPUT, contents }] });
  },
  (next) => {
    const shape = pick(next, [
      [],
      [0n, 3n, 8n, 8n],
      [-1n, 3n, 8n, 8n],
      [1n, 3n, 8n],
      [2n ** 62n, 3n, 8n, 8n],
      [2n ** 32n, 2n ** 32n],
    ]);
    return write({ ...GOOD, inputs: [{ ...INPUT, shape }] });
  },
  (next) =>
    write({
      ...GOOD,
      inputs: [{ ...INPUT, datatype: pick(next, ['', 'fp32', 'FP64', 'BYTES', 'constructor', '\0']) }],
    }),
  (next) =>
    write({
      ...GOOD,
      inputs: pick(next, [[], [INPUT, INPUT], [{ ...INPUT, name: '' }], [{ ...INPUT, name: '__proto__' }]]),
    }),
  (next) => write({ ...GOOD, outputs: [{ name: pick(next, ['', 'none', 'toString', '\ufffd']) }] }),
  (next) => write({ ...GOOD, modelName: pick(next, ['', '..', 'tiny\0', '../tiny', 'x'.repeat(9000)]) }),
  (next) => write({ ...GOOD, modelVersion: pick(next, ['0', '2', '1.0', '..', '1\0']) }),
  (next) => {
    const classification = pick(next, [
      { case: 'int64Param', value: pick(next, [0n, -1n, 2n ** 62n]) },
      { case: 'stringParam', value: '1' },
      { case: 'boolParam', value: true },
      { case: 'doubleParam', value: Number.NaN },
    ]);
    return write({
      ...GOOD,
      outputs: [{ name: 'logits', parameters: { classification: { parameterChoice: classification } } }],
    });
  },
  // Cut off in the middle of a field.
  (next) => write(GOOD).subarray(0, 20 + Math.floor(next() * 700)),
];

/** Bytes of a good message with some of them changed: wrong or not. */
function changed(next: Random): Uint8Array {
  const bytes = write(GOOD).slice();
  for (let i = 0; i < 3; i++) bytes[Math.floor(next() * pick(next, [40, bytes.length]))] = Math.floor(next() * 256);
  return bytes;
}

const REFUSED = [
  grpc.status.INVALID_ARGUMENT,
  grpc.status.NOT_FOUND,
  grpc.status.UNIMPLEMENTED,
  grpc.status.RESOURCE_EXHAUSTED,
];

/**
 * Sends `count` malformed messages, after each tenth one that is fine, and returns how often each status came, good ones apart. Throws
 * for a status that says that the server is at fault, or that a wrong message was taken.
 */
export async function bombardGrpc(
  address: string,
  count: number,
  seed: number,
): Promise<{ bad: Map<number, number>; good: Map<number, number> }> {
  const client = new grpc.Client(address, grpc.credentials.createInsecure());
  const same = (bytes: Buffer) => bytes;
  const path = `/${GRPCInferenceService.typeName}/ModelInfer`;
  const statusOf = (bytes: Uint8Array) =>
    new Promise<number>((resolve) => {
      client.makeUnaryRequest(path, same, same, Buffer.from(bytes), (error) => resolve(error?.code ?? grpc.status.OK));
    });
  const bad = new Map<number, number>();
  const good = new Map<number, number>();
  const note = (map: Map<number, number>, status: number) => map.set(status, (map.get(status) ?? 0) + 1);
  try {
    for (let index = 0; index < count; index++) {
      const next = random(Math.imul(seed, 0x9e3779b1) ^ index);
      const make = WRONG[index % (WRONG.length + 1)];
      const bytes = make === undefined ? changed(next) : make(next);
      const status = await statusOf(bytes);
      if (!REFUSED.includes(status) && !(make === undefined && status === grpc.status.OK))
        throw new Error(
          `message ${index} of seed ${seed} was answered with ${grpc.status[status]}: ${Buffer.from(bytes).toString('hex').slice(0, 300)}`,
        );
      note(bad, status);
      if (index % 10 === 0) note(good, await statusOf(write(GOOD)));
    }
  } finally {
    client.close();
  }
  return { bad, good };
}
