/** Results that nobody measured: shapes of real ones, with figures made up for the tests. */
import type { BenchResult, KernelCase, LayerTable, NetworkCase, Timing } from '#lib/bench/result.js';

/** A repeatable number in 0 … 1. */
function noise(seed: number): number {
  const x = Math.sin(seed * 12.9898 + 78.233) * 43758.5453;
  return x - Math.floor(x);
}

export function timing(p50: number, seed = 1, rounds = 9, spread = 0.03): Timing {
  return {
    samples: rounds * 40,
    p50,
    p95: p50 * 1.06,
    p99: p50 * 1.19,
    rounds: Array.from({ length: rounds }, (_, i) => p50 * (1 + (noise(seed * 100 + i) - 0.5) * spread)),
  };
}

const OURS: readonly (readonly [network: string, input: 'uint8' | 'float32', stem: string, ms: number])[] = [
  ['bireal-resnet18-64', 'uint8', 'int16', 3.41],
  ['bireal-resnet18-64', 'uint8', 'int8', 2.97],
  ['bireal-resnet18-64', 'float32', 'float32', 4.52],
  ['igp-resnet37-41', 'uint8', 'int16', 4.88],
  ['binarydensenet51-32', 'uint8', 'int16', 7.13],
  ['igp-densenet51-53', 'uint8', 'int16', 9.61],
];
const PEER_MS = { float32: 33.6, int8: 10.2 } as const;

function networkCase(
  fields: Pick<NetworkCase, 'network' | 'engine' | 'input' | 'stem' | 'threads' | 'batch'>,
  ms: number,
  speedup: NetworkCase['speedup'],
  seed: number,
): NetworkCase {
  const own = fields.engine === 'bitpath';
  return {
    ...fields,
    isa: own ? 'avx512' : null,
    latency: timing(ms, seed),
    imagesPerSecond: (fields.batch * 1000) / ms,
    speedup,
    checked: own ? 'equal to the scalar reference, bit for bit' : 'top-1 of 8 pictures equal to our float graph’s',
  };
}

export function networkCases(threads: readonly number[], batches: readonly number[]): NetworkCase[] {
  return threads.flatMap((t) =>
    batches.flatMap((batch) => {
      const factor = (batch / t ** 0.9) * (1 - 0.02 * Math.log2(batch));
      const ours = OURS.map(([network, input, stem, base], i) => {
        const ms = base * factor;
        const speedup = { float32: (PEER_MS.float32 * factor) / ms, int8: (PEER_MS.int8 * factor) / ms };
        return networkCase(
          { network, engine: 'bitpath', input, stem, threads: t, batch },
          ms,
          speedup,
          i + t * 7 + batch,
        );
      });
      const peers = (['float32', 'int8'] as const).map((kind, i) =>
        networkCase(
          { network: 'resnet18', engine: `onnxruntime ${kind}`, input: 'float32', stem: kind, threads: t, batch },
          PEER_MS[kind] * factor,
          { float32: PEER_MS.float32 / PEER_MS[kind], int8: PEER_MS.int8 / PEER_MS[kind] },
          i + 90 + t + batch,
        ),
      );
      return [...ours, ...peers];
    }),
  );
}

function kernelCases(): KernelCase[] {
  const shapes = [64, 128, 256, 512, 41, 82, 164, 328, 53, 31].map(
    (channels, i) => [channels, [56, 28, 14, 7][i % 4]!] as const,
  );
  return (['avx512', 'avx2'] as const).flatMap((isa) =>
    shapes.map(([channels, size], i) => {
      const limit = isa === 'avx512' ? 1263 : 421;
      const share = channels % 64 === 0 ? 0.86 + 0.03 * noise(i) : 0.6 + 0.15 * noise(i);
      return {
        isa,
        channels,
        size,
        kernel: isa === 'avx512' ? 'bconv_vpopcntq_8x8' : 'bconv_vpshufb_4x32',
        gmacs: limit * share,
        gmacsBare: i === 7 ? null : limit * (share + 0.06),
        limitGmacs: limit,
      };
    }),
  );
}

export function layerTable(network: string, units: number): LayerTable {
  const row = (nodes: string[], op: string, kernel: string, macs: number, bytes: number, us: number, floor: number) => {
    return { nodes, op, kernel, macs, bytes, microseconds: us, cycles: us * 3700, floorCycles: us * 3700 * floor };
  };
  const rows = [
    row(['stem.0', 'stem.1', 'stem.pool'], 'pixelConv', 'gemm_7x32_int16_max_pooled', 118e6, 980e3, 712, 0.71),
    ...Array.from({ length: units }, (_, i) =>
      row(
        [
          `layer${(i >> 2) + 1}.${i % 4}.sign`,
          `layer${(i >> 2) + 1}.${i % 4}.conv`,
          `layer${(i >> 2) + 1}.${i % 4}.add`,
        ],
        'bconv',
        'bconv_vpopcntq_8x8',
        115.6e6,
        (860e3 >> (i >> 2)) + 4.6e3 * 4 ** (i >> 2),
        118 + 18 * noise(i),
        0.78 + 0.1 * noise(i + 3),
      ),
    ),
    row(['layer2.0.down.pool'], 'avgPool', 'avg_pool', 0, 1.2e6, 31, 0),
    row(['layer2.0.down.conv'], 'conv', 'gemm_7x32', 6.4e6, 610e3, 88, 0.62),
    row(['layer3.0.down.conv'], 'conv', 'gemm_7x32', 6.4e6, 390e3, 80, 0.68),
    row(['pool'], 'globalAvgPool', 'global_avg_pool', 0, 102e3, 4.1, 0),
    row(['fc'], 'linear', 'gemm_7x32', 0.512e6, 2.05e6, 61, 0.23),
  ];
  const totalMs = rows.reduce((sum, { microseconds }) => sum + microseconds, 0) / 1000;
  return { network, isa: 'avx512', input: 'uint8', totalMs: totalMs * 1.01, rows };
}

export function full(): BenchResult {
  const engines = [
    ['bireal-resnet18-64', 'bitpath', 3.41],
    ['igp-resnet37-41', 'bitpath', 4.88],
    ['resnet18', 'onnxruntime float32', 33.6],
    ['resnet18', 'onnxruntime int8', 10.2],
  ] as const;
  return {
    format: 'bitpath.bench/1',
    machine: {
      cpu: 'AMD EPYC 9R14 96-Core Processor',
      cpus: 2,
      isa: 'avx512',
      clockGHz: 3.702,
      os: 'Linux 6.8.0 x64',
      node: 'v20.20.2',
      bitpath: '0.1.0',
      onnxruntime: '1.30.0',
      commit: '0123456789',
      date: '2026-01-02T03:04:05.000Z',
    },
    options: { quick: false, threads: [1, 2], rounds: 9 },
    kernels: kernelCases(),
    networks: networkCases([1, 2], [1, 8]),
    layers: [layerTable('bireal-resnet18-64', 16), layerTable('igp-resnet37-41', 5)],
    scaling: engines.flatMap(([network, engine, ms], i) => [
      {
        network,
        engine,
        by: 'batch' as const,
        points: [1, 2, 4, 8, 16, 32].map((x) => ({ x, ms: ms * x * (1 - 0.015 * Math.log2(x)) })),
      },
      {
        network,
        engine,
        by: 'pixels' as const,
        points: [96, 128, 160, 224, 320, 448].map((side) => ({
          x: side * side,
          ms: (ms * (side * side + 3000)) / (224 * 224 + 3000),
        })),
      },
      { network, engine, by: 'threads' as const, points: [1, 2].map((x) => ({ x, ms: ms / x ** (0.97 - 0.04 * i) })) },
    ]),
    memory: OURS.slice(2).map(([network], i) => ({
      network,
      fileBytes: 4_050_000 + i * 1e6,
      weightBytes: 4_240_000 + i * 1e6,
      arenaBytes: 1_650_000,
      peakRssBytes: 31_400_000,
      allocatedPerRun: i === 1 ? null : 0,
    })),
    startup: [{ network: 'bireal-resnet18-64', firstAnswerMs: timing(91.2, 5), importMs: timing(18.4, 6) }],
    omitted: [{ what: 'neon', why: 'this machine is no arm64' }],
  };
}

/** One network on another machine, no peer, nothing else measured. */
export function lone(): BenchResult {
  const result = full();
  const [first] = result.networks;
  return {
    ...empty(),
    networks: [{ ...first!, isa: 'neon', speedup: { float32: null, int8: null }, latency: timing(12.5, 3, 2) }],
    scaling: [{ network: first!.network, engine: 'bitpath', by: 'batch', points: [{ x: 1, ms: 12.5 }] }],
    omitted: [{ what: 'onnxruntime', why: 'it is not installed: npm install onnxruntime-node' }],
  };
}

export function empty(): BenchResult {
  const { machine, format } = full();
  return {
    format,
    machine: { ...machine, cpu: 'Neoverse-V2', cpus: 4, isa: 'neon', clockGHz: 2.8, onnxruntime: null },
    options: {},
    kernels: [],
    networks: [],
    layers: [],
    scaling: [],
    memory: [],
    startup: [],
    omitted: [],
  };
}

export const EVIL = `<img src=x onerror="alert(1)">&{a|b}'\u202e\u0007`;

/** Words that decide what is drawn: without them nothing of the rest would be. */
const KEPT = ['format', 'engine', 'isa', 'input', 'by'];

/** `value` with EVIL put in front of every string. */
export function poisoned<T>(value: T): T {
  if (typeof value === 'string') return `${EVIL}${value}` as T;
  if (Array.isArray(value)) return value.map(poisoned) as T;
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, item]) => [key, KEPT.includes(key) ? item : poisoned(item)]);
  return Object.fromEntries(entries) as T;
}
