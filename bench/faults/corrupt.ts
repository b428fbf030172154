/** Broken model files dropped into the repository of a server that answers: no request is dropped, and the index says what is wrong. */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Child } from '../service/children.js';
import { Mix } from '../service/mix.js';
import { saveSmallModel } from '../service/soakModel.js';
import { type Fault, hold } from './fault.js';

interface IndexEntry {
  readonly name: string;
  readonly version: string;
  readonly state: string;
  readonly reason: string;
}

export const corrupt: Fault = async ({ folder, say }) => {
  const whole = await readFile(await saveSmallModel(folder));
  const repository = join(folder, 'repository');
  const put = async (version: number, bytes: Uint8Array) => {
    const target = join(repository, 'small', String(version));
    await mkdir(target, { recursive: true });
    await writeFile(join(target, 'next'), bytes);
    await rename(join(target, 'next'), join(target, 'model.safetensors'));
  };
  await put(1, whole);
  const options = { port: 0, threads: 1, model_repository: repository, log_level: 'fatal' as const };
  const server = await Child.start('corrupt', folder, { kind: 'server', engine: 'bitpath', options });
  const mix = await Mix.create(server.started, 4);
  const index = async (): Promise<IndexEntry[]> => {
    const response = await fetch(`${server.started}/v2/repository/index`, { method: 'POST' });
    return (await response.json()) as IndexEntry[];
  };
  let over = false;
  let answered = 0;
  let dropped = 0;
  let next = 0;
  const lane = async () => {
    while (!over) {
      const index = next++;
      if (Mix.kindOf(index) !== 'tensor') continue;
      try {
        await mix.send(index);
        answered++;
      } catch {
        dropped++;
      }
    }
  };
  const lanes = Promise.all([lane(), lane(), lane(), lane()]);
  try {
    const held: string[] = [];
    const flipped = Buffer.from(whole);
    for (let i = 8; i < 200; i += 7) flipped[i] = (flipped[i] as number) ^ 0x5a;
    const huge = Buffer.from(whole);
    huge.writeBigUInt64LE(2n ** 60n, 0);
    const broken: readonly (readonly [string, Uint8Array])[] = [
      ['empty', new Uint8Array(0)],
      ['cut off', whole.subarray(0, whole.length >> 1)],
      ['noise', Uint8Array.from({ length: 5000 }, (_, i) => Math.imul(i + 1, 0x9e3779b1) >>> 24)],
      ['a damaged head', flipped],
      ['a head of 2⁶⁰ bytes', huge],
    ];
    for (const [what, bytes] of broken) {
      say(`a new version that is ${what}`);
      await put(2, bytes);
      await server.ask('refresh');
      const two = (await index()).find(({ version }) => version === '2');
      held.push(
        hold(two?.state === 'UNAVAILABLE' && two.reason !== '', `new version, ${what}: UNAVAILABLE with a reason`),
      );
      await rm(join(repository, 'small', '2'), { recursive: true });
      await server.ask('refresh');
      await put(1, bytes);
      await server.ask('refresh');
      const one = (await index()).find(({ version }) => version === '1');
      held.push(
        hold(one?.state === 'READY' && one.reason !== '', `replaced by ${what}: the old one serves, with a reason`),
      );
      await put(1, whole);
      await server.ask('refresh');
      const again = (await index()).find(({ version }) => version === '1');
      held.push(
        hold(again?.state === 'READY' && again.reason === '', `replaced by ${what}, then by a good one: READY`),
      );
    }
    over = true;
    await lanes;
    held.push(hold(dropped === 0 && answered > 0, 'no request was dropped'));
    return { counts: { answered, dropped }, held };
  } finally {
    over = true;
    await lanes;
    mix.close();
    await server.stop();
  }
};
