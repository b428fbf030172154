/** A result of the benchmarks on a terminal. */
import type { BenchResult, KernelCase, LayerTable, MemoryCase, NetworkCase, StartupCase } from '../bench/result.js';
import { bytes, type Column, facts, milliseconds, percent, short, table, terminalWidth } from './format.js';

export function benchLines(result: BenchResult): string[] {
  const { machine, kernels, layers, networks, scaling, memory, startup, omitted } = result;
  const width = terminalWidth();
  const sections: string[][] = [
    facts(
      [
        ['machine', `${machine.cpu}, ${machine.clockGHz.toFixed(2)} GHz, ${machine.isa}, CPUs: ${machine.cpus}`],
        [
          'software',
          `bitpath ${machine.bitpath} (${machine.commit}), onnxruntime ${machine.onnxruntime ?? '–'}, Node ${machine.node}`,
        ],
      ],
      width,
    ),
    section('1-bit convolutions, epilogue included, one thread', KERNELS, kernels.map(kernelRow)),
    section('layers, one thread', LAYERS, layers.map(layerRow)),
    ...(Array.isArray(result.options['only']) && layers.length > 0 && networks.length === 0
      ? layers.map(roofline)
      : []),
    section('networks; × is how many times faster than onnxruntime’s ResNet18', NETWORKS, networks.map(networkRow)),
    section(
      'scaling',
      SCALING,
      scaling.map(({ network, engine, by, points }) => [
        network,
        engine,
        by,
        points.map(({ x, ms }) => `${short(x)}: ${milliseconds(ms)}`).join('  '),
      ]),
    ),
    section('memory', MEMORY, memory.map(memoryRow)),
    section('start-up', STARTUP, startup.map(startupRow)),
    omitted.length === 0 ? [] : ['left out', ...omitted.map(({ what, why }) => `  ${what}: ${why}`)],
  ];
  return sections.filter((lines) => lines.length > 0).flatMap((lines, i) => (i === 0 ? lines : ['', ...lines]));
}

function section(title: string, columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  return rows.length === 0 ? [] : [title, ...table(columns, rows, terminalWidth())];
}

const left = (title: string): Column => ({ title });
const right = (title: string): Column => ({ title, align: 'right' });

const KERNELS = [left('shape'), left('ISA'), left('kernel'), right('GMAC/s'), right('bare'), right('of the limit')];
function kernelRow({ channels, size, isa, kernel, gmacs, gmacsBare, limitGmacs }: KernelCase): string[] {
  const bare = gmacsBare === null ? '–' : gmacsBare.toFixed(0);
  return [`${channels}×${size}×${size}`, isa, kernel, gmacs.toFixed(0), bare, percent(gmacs / limitGmacs, 0)];
}

const LAYERS = [
  left('network'),
  left('input'),
  right('instructions'),
  right('time'),
  right('floor'),
  right('of it reached'),
];
function layerRow({ network, input, rows, totalMs }: LayerTable): string[] {
  const floorCycles = rows.reduce((sum, row) => sum + row.floorCycles, 0);
  const cycles = rows.reduce((sum, row) => sum + row.cycles, 0);
  const floorMs = totalMs * (floorCycles / cycles);
  return [
    network,
    input,
    String(rows.length),
    milliseconds(totalMs),
    milliseconds(floorMs),
    percent(floorMs / totalMs, 0),
  ];
}

const ROOFLINE = [
  right('#'),
  left('kernel'),
  right('MACs'),
  right('bytes'),
  right('µs'),
  right('floor'),
  right('reached'),
  left('nodes'),
];
function roofline({ network, input, rows }: LayerTable): string[] {
  return section(
    `${network} (${input})`,
    ROOFLINE,
    rows.map(({ kernel, macs, bytes: size, microseconds, cycles, floorCycles, nodes }, i) => [
      String(i),
      kernel,
      short(macs),
      bytes(size),
      microseconds.toFixed(1),
      (microseconds * (floorCycles / cycles)).toFixed(1),
      floorCycles === 0 ? '–' : percent(floorCycles / cycles, 0),
      nodes.join(' '),
    ]),
  );
}

const NETWORKS = [
  left('network'),
  left('engine'),
  left('input'),
  left('stem'),
  right('threads'),
  right('batch'),
  right('p50'),
  right('p95'),
  right('p99'),
  right('images/s'),
  right('× float32'),
  right('× int8'),
];
function networkRow({
  network,
  engine,
  isa,
  input,
  stem,
  threads,
  batch,
  latency,
  imagesPerSecond,
  speedup,
}: NetworkCase): string[] {
  const times = (ratio: number | null) => (ratio === null ? '–' : ratio.toFixed(2));
  return [
    network,
    isa === null ? engine : `${engine} ${isa}`,
    input,
    stem,
    String(threads),
    String(batch),
    milliseconds(latency.p50),
    milliseconds(latency.p95),
    milliseconds(latency.p99),
    imagesPerSecond.toFixed(0),
    times(speedup.float32),
    times(speedup.int8),
  ];
}

const SCALING = [left('network'), left('engine'), left('by'), left('time of a run')];

const MEMORY = [
  left('network'),
  right('file'),
  right('weights'),
  right('÷ file'),
  right('feature maps'),
  right('peak above Node'),
  right('growth a run'),
];
function memoryRow({
  network,
  fileBytes,
  weightBytes,
  arenaBytes,
  peakRssBytes,
  allocatedPerRun,
}: MemoryCase): string[] {
  return [
    network,
    bytes(fileBytes),
    bytes(weightBytes),
    (weightBytes / fileBytes).toFixed(2),
    bytes(arenaBytes),
    bytes(peakRssBytes),
    allocatedPerRun === null ? '–' : bytes(Math.round(allocatedPerRun)),
  ];
}

const STARTUP = [left('network'), right('import'), right('loadModel to first answer'), right('worst')];
function startupRow({ network, importMs, firstAnswerMs }: StartupCase): string[] {
  return [network, milliseconds(importMs.p50), milliseconds(firstAnswerMs.p50), milliseconds(firstAnswerMs.p99)];
}
