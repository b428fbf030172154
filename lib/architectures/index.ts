/** Networks by name. */
import { argumentError, checkInteger, checkOptions, unknownName } from '../check.js';
import { checkJoin, checkUnit, type Join, type Unit } from '../blocks/unit.js';
import { GraphBuilder } from '../graph/builder.js';
import type { Graph } from '../graph/types.js';
import type { Architecture } from './architecture.js';
import { DENSENET } from './dense.js';
import { FLOAT } from './float.js';
import { IGP_RESNET } from './igpResNet.js';
import { RESIDUAL } from './residual.js';

export type { Architecture, ArchitectureOption, Reported } from './architecture.js';
export { type SizeClass, TABLE_1, type Table1Row } from './table1.js';

const ARCHITECTURES: readonly Architecture[] = Object.freeze(
  [...RESIDUAL, ...IGP_RESNET, ...DENSENET, ...FLOAT].map((architecture) => {
    Object.freeze(architecture.options);
    if (architecture.reported !== null) Object.freeze(architecture.reported);
    return Object.freeze(architecture);
  }),
);

/** Every architecture, family by family. */
export function listArchitectures(): readonly Architecture[] {
  return ARCHITECTURES;
}

/** The architecture called `name`. Throws `ERR_BITPATH_UNKNOWN_NAME`. */
export function getArchitecture(name: string): Architecture {
  const found = ARCHITECTURES.find((architecture) => architecture.name === name);
  if (found === undefined)
    throw unknownName(
      'architecture',
      name,
      ARCHITECTURES.map((architecture) => architecture.name),
    );
  return found;
}

export interface ArchitectureOptions {
  /** Default 1000. */
  readonly classes?: number;
  /** Height and width of the RGB input in pixels: one integer, or `[height, width]`. Default 224. */
  readonly inputSize?: number | readonly [number, number];
  /** How branches meet, in architectures that leave it open. Default `mean`; the graph's name of the other ends in `-sum`. */
  readonly join?: Join;
  /** Another unit in the same topology. Default: the 1-bit unit of the family. */
  readonly unit?: Unit;
}

const LARGEST_INPUT = 65535;

/**
 * The graph of the architecture called `name`, with one input (3 × height × width) and the output `logits`.
 *
 * Throws `ERR_BITPATH_UNKNOWN_NAME`, `ERR_BITPATH_ARGUMENT`, `ERR_BITPATH_UNKNOWN_OPTION` (also for a `join` or `unit` that
 * the architecture has no use for) and `ERR_BITPATH_SHAPE` for an input too small to pass all stages.
 */
export function buildArchitecture(name: string, options: ArchitectureOptions = {}): Graph {
  const architecture = getArchitecture(name);
  checkOptions(`architecture ${name}`, options, ['classes', 'inputSize', ...architecture.options]);
  const join = checkJoin(options.join ?? 'mean');
  const unit = options.unit === undefined ? undefined : checkUnit(options.unit);
  const classes = checkInteger('classes', options.classes ?? 1000, 1, 2 ** 24);
  const [height, width] = checkInputSize(options.inputSize ?? 224);

  const graph = new GraphBuilder(join === 'sum' ? `${name}-sum` : name);
  const x = graph.input({ channels: 3, height, width });
  graph.output('logits', architecture.body(graph, x, { classes, join, unit }));
  return graph.build();
}

function checkInputSize(size: unknown): readonly [number, number] {
  if (!Array.isArray(size)) {
    const side = checkInteger('inputSize', size, 1, LARGEST_INPUT);
    return [side, side];
  }
  if (size.length !== 2) throw argumentError('inputSize', 'an integer or a pair [height, width]', size);
  return [
    checkInteger('inputSize[0]', size[0], 1, LARGEST_INPUT),
    checkInteger('inputSize[1]', size[1], 1, LARGEST_INPUT),
  ];
}
