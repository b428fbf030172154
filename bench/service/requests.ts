/** The requests that are sent: pixels as a binary tensor, or a JPEG; the answer is wanted as a binary tensor of logits. */
import { decodeInferResponse, encodeInferRequest, HEADER_LENGTH, type InferTensor } from '#lib/protocol/index.js';
import { send, type Wire } from './load.js';

export type Input = 'tensor' | 'jpeg';

export function pixelsRequest(model: string, pixels: Uint8Array, size: number): Wire {
  return wire(model, { name: 'input', datatype: 'UINT8', shape: [1, size, size, 3], data: pixels, parameters: {} });
}

export function jpegRequest(model: string, jpeg: Uint8Array): Wire {
  return wire(model, { name: 'input', datatype: 'BYTES', shape: [1], data: [jpeg], parameters: {} });
}

function wire(model: string, input: InferTensor): Wire {
  const { headerLength, bytes } = encodeInferRequest({
    id: '',
    parameters: {},
    inputs: [input],
    outputs: [{ name: 'logits', parameters: { binary_data: true } }],
  });
  return {
    path: `/v2/models/${model}/infer`,
    headers: {
      'content-type': 'application/octet-stream',
      ...(headerLength !== undefined && { [HEADER_LENGTH]: String(headerLength) }),
    },
    body: Buffer.from(bytes),
  };
}

/** The logits of an answer. */
export async function logitsOf(url: string, request: Wire): Promise<Float32Array> {
  const { bytes, headers } = await send(url, request);
  const length = headers[HEADER_LENGTH.toLowerCase()];
  const { outputs } = decodeInferResponse({
    headerLength: length === undefined ? undefined : Number(length),
    bytes: new Uint8Array(bytes),
  });
  return outputs[0]?.data as Float32Array;
}
