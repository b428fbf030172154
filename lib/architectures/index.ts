/** Networks by name. */
import { argumentError, checkInteger, checkOptions, checkString } from '../check.js';
import { checkJoin, type Join, type Unit } from '../blocks/unit.js';
import { resolveUnit, type UnitName } from '../blocks/units/index.js';
import { GraphBuilder } from '../graph/builder.js';
import type { Graph } from '../graph/types.js';
import { APPROXIMATIONS } from './approximations.js';
import type { Architecture } from './architecture.js';
import { combinedName, findArchitecture } from './combine.js';
import { DENSENET } from './dense.js';
import { FLOAT } from './float.js';
import { IGP_RESNET } from './igpResNet.js';
import { RESIDUAL } from './residual.js';
import { SPECIAL } from './special.js';
import { TRAINING_ONLY } from './trainingOnly.js';

export type { Architecture, ArchitectureOption, ArchitectureStatus, BodyOptions, Reported } from './architecture.js';
export { type SizeClass, TABLE_1, type Table1Row } from './table1.js';

const ARCHITECTURES: readonly Architecture[] = Object.freeze(
  [...RESIDUAL, ...TRAINING_ONLY, ...APPROXIMATIONS, ...SPECIAL, ...IGP_RESNET, ...DENSENET, ...FLOAT].map(
    (architecture) => {
      Object.freeze(architecture.options);
      Object.freeze(architecture.rows);
      if (architecture.reported !== null) Object.freeze(architecture.reported);
      return Object.freeze(architecture);
    },
  ),
);

/** Every architecture, family by family. */
export function listArchitectures(): readonly Architecture[] {
  return ARCHITECTURES;
}

/**
 * The architecture called `name`, or `<architecture>+<unit>`, such as `igp-resnet37-41+reactnet`: the topology of one with the
 * unit of another method (`listUnits()`). Throws `ERR_BITPATH_UNKNOWN_NAME`, `ERR_BITPATH_ARGUMENT`, and
 * `ERR_BITPATH_UNKNOWN_OPTION` where the unit is part of what the architecture is.
 */
export function getArchitecture(name: string): Architecture {
  return findArchitecture(ARCHITECTURES, checkString('name of an architecture', name));
}

/** Options of {@link buildArchitecture}. */
export interface ArchitectureOptions {
  /** Logits of the network, 1 … 2²⁴. Default 1000. */
  readonly classes?: number;
  /** Height and width of the RGB input in pixels, 1 … 65535: one integer, or `[height, width]`. Default 224. */
  readonly inputSize?: number | readonly [number, number];
  /** How branches meet, in architectures that leave it open. Default `mean`; the graph's name of the other ends in `-sum`. */
  readonly join?: Join;
  /**
   * Another unit in the same topology: its name (`listUnits()`), as `+<unit>` at the end of the architecture's, or one of your
   * own. Default: the 1-bit unit of the family.
   */
  readonly unit?: Unit | UnitName;
}

const LARGEST_INPUT = 65535;

/**
 * The graph of the architecture called `name`, with one input (3 × height × width) and the output `logits`.
 *
 * Throws `ERR_BITPATH_UNKNOWN_NAME`, `ERR_BITPATH_ARGUMENT`, `ERR_BITPATH_UNKNOWN_OPTION` (also for a `join` or `unit` that
 * the architecture has no use for) and `ERR_BITPATH_SHAPE` for an input too small to pass all stages.
 */
export function buildArchitecture(name: string, options: ArchitectureOptions = {}): Graph {
  const { unit, ...rest } = checkedOptions(name, options);
  if (typeof unit === 'string') return buildArchitecture(combinedName(name, unit), rest);
  const architecture = getArchitecture(name);
  const join = checkJoin(options.join ?? 'mean');
  if (unit !== undefined) resolveUnit(unit);
  const classes = checkInteger('classes', options.classes ?? 1000, 1, 2 ** 24);
  const [height, width] = checkInputSize(options.inputSize ?? 224);

  const graph = new GraphBuilder(join === 'sum' ? `${name}-sum` : name);
  const x = graph.input({ channels: 3, height, width });
  graph.output('logits', architecture.body(graph, x, { classes, join, unit }));
  return graph.build();
}

function checkedOptions(name: string, options: ArchitectureOptions): ArchitectureOptions {
  const known = getArchitecture(name).options;
  checkOptions(`architecture ${name}`, options, ['classes', 'inputSize', ...known]);
  return options;
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
