/** Networks for the executor's tests. */
import {
  type BitpathError,
  compile,
  type CompileOptions,
  type ErrorCode,
  type Executor,
  type Graph,
  GraphBuilder,
  type Params,
  randomParams,
} from 'bitpath';

/** Two inputs would be more than a graph can have; it has two outputs of different shape. Input 3 × 8 × 6. */
export function smallGraph(): Graph {
  const b = new GraphBuilder('small');
  const x = b.conv(b.input({ channels: 3, height: 8, width: 6 }), { outChannels: 10, kernel: 3, padding: 1 });
  const y = b.add(x, b.batchNorm(b.binaryConv(b.sign(x), { outChannels: 10, kernel: 3, padding: 1 })));
  b.output('map', y);
  b.output('logits', b.linear(b.globalAvgPool(y), { outFeatures: 4 }));
  return b.build();
}

/** A network that takes some hundred milliseconds a run. */
export function slowGraph(): Graph {
  const b = new GraphBuilder('slow');
  let x = b.input({ channels: 64, height: 56, width: 56 });
  for (let i = 0; i < 12; i++) x = b.conv(x, { outChannels: 64, kernel: 3, padding: 1, bias: false });
  b.output('y', b.globalAvgPool(x));
  return b.build();
}
export const SLOW_LENGTH = 64 * 56 * 56;

export const NORMALIZATION = { mean: [0.5, 0.4, 0.3], std: [0.2, 0.25, 0.3] };
export const IMAGE = 3 * 8 * 6;

export function paramsOf(graph: Graph): Params {
  return randomParams(graph, 7);
}
export function small(options: CompileOptions = {}): Promise<Executor> {
  const graph = smallGraph();
  return compile(graph, paramsOf(graph), { threads: 2, ...options });
}
export function slow(options: CompileOptions = {}): Promise<Executor> {
  const graph = slowGraph();
  return compile(graph, paramsOf(graph), { threads: 1, ...options });
}

export function ramp(length: number, seed = 1): Float32Array {
  return Float32Array.from({ length }, (_, i) => Math.sin((i + 1) * seed));
}
export function pixels(length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => (i * 89) & 255);
}

/** A check for `assert.throws` and `assert.rejects`: this code, and a message that matches. */
export function failsWith(code: ErrorCode, message = /./) {
  return (error: unknown) => {
    const { code: actual, message: text, name, stack } = error as BitpathError;
    if (actual !== code || !message.test(text) || name !== 'BitpathError') throw error;
    return (stack ?? '').includes(text);
  };
}
