/** What a server lives through: good tensors, pictures, requests that are wrong, clients that go away. */
import http from 'node:http';
import sharp from 'sharp';
import type { Wire } from './load.js';
import { jpegRequest, pixelsRequest } from './requests.js';
import { SIDE } from './soakModel.js';

export type Kind = 'tensor' | 'json' | 'picture' | 'classify' | 'wrong' | 'aborted';

/** Of each 20 requests. */
const ORDER: readonly Kind[] = [
  ...(['tensor', 'tensor', 'json', 'tensor', 'picture', 'tensor', 'wrong', 'tensor', 'tensor', 'aborted'] as const),
  ...(['tensor', 'tensor', 'json', 'tensor', 'classify', 'tensor', 'wrong', 'tensor', 'tensor', 'tensor'] as const),
];

type Wires = Readonly<Record<'tensor' | 'json' | 'picture' | 'classify', Wire>> & { readonly wrong: readonly Wire[] };

export class Mix {
  readonly #url: string;
  readonly #agent: http.Agent;
  readonly #wires: Wires;

  private constructor(url: string, agent: http.Agent, wires: Wires) {
    this.#url = url;
    this.#agent = agent;
    this.#wires = wires;
  }

  static async create(url: string, lanes: number): Promise<Mix> {
    const pixels = Uint8Array.from({ length: SIDE * SIDE * 3 }, (_, i) => (i * 31) & 255);
    const raw = { width: SIDE, height: SIDE, channels: 3 } as const;
    const jpeg = await sharp(pixels, { raw }).resize(64, 48).jpeg().toBuffer();
    const tensor = pixelsRequest('small', pixels, SIDE);
    const json = (body: unknown): Wire => ({
      ...tensor,
      headers: { 'content-type': 'application/json' },
      body: Buffer.from(JSON.stringify(body)),
    });
    const input = { name: 'input', datatype: 'UINT8', shape: [1, SIDE, SIDE, 3], data: [...pixels] };
    return new Mix(url, new http.Agent({ keepAlive: true, maxSockets: lanes }), {
      tensor,
      json: json({ inputs: [input] }),
      picture: jpegRequest('small', jpeg),
      classify: { path: '/classify', headers: { 'content-type': 'image/jpeg' }, body: jpeg },
      wrong: [
        json({ inputs: [{ ...input, shape: [1, 1, 1, 3] }] }),
        json({ inputs: [{ ...input, name: 'other' }] }),
        { ...tensor, body: tensor.body.subarray(0, tensor.body.length - 1) },
        { ...tensor, path: '/v2/models/none/infer' },
        { path: '/classify', headers: { 'content-type': 'image/jpeg' }, body: jpeg.subarray(0, 40) },
      ],
    });
  }

  static kindOf(index: number): Kind {
    return ORDER[index % ORDER.length] as Kind;
  }

  /** Sends the request that belongs to `index`; returns its status, or "aborted". Throws where it is not as it should be. */
  async send(index: number): Promise<string> {
    const kind = Mix.kindOf(index);
    if (kind === 'aborted') return this.#abort(index);
    const { wrong } = this.#wires;
    const wire = kind === 'wrong' ? (wrong[Math.floor(index / 10) % wrong.length] as Wire) : this.#wires[kind];
    const status = await this.#statusOf(wire);
    const isFine = kind === 'wrong' ? status >= 400 && status < 500 : status === 200;
    if (!isFine) throw new Error(`request ${index} (${kind}) was answered with ${status}`);
    return String(status);
  }

  close(): void {
    this.#agent.destroy();
  }

  #statusOf({ path, headers, body }: Wire): Promise<number> {
    return new Promise((resolve, reject) => {
      const request = http.request(this.#url + path, { method: 'POST', headers, agent: this.#agent });
      request.on('error', reject);
      request.on('response', (response) => {
        response.on('error', reject);
        response.on('end', () => resolve(response.statusCode ?? 0));
        response.resume();
      });
      request.end(body);
    });
  }

  /** Goes away with the body half sent, or with all of it and no ear for the answer. */
  #abort(index: number): Promise<string> {
    const { path, headers, body } = this.#wires.tensor;
    return new Promise((resolve) => {
      const length = { 'content-length': String(body.length) };
      const request = http.request(this.#url + path, {
        method: 'POST',
        headers: { ...headers, ...length },
        agent: false,
      });
      request.on('error', () => {}); // it was meant
      request.on('close', () => resolve('aborted'));
      const half = Math.floor(index / 20) % 2 === 0;
      const leave = () => void request.destroy();
      if (half) request.write(body.subarray(0, 300), leave);
      else request.end(body, leave);
    });
  }
}
