/** `igp-resnet37-41+reactnet`: the topology of one architecture with the unit of another method. */
import { checkOptions, unknownName } from '../check.js';
import { getUnit } from '../blocks/units/index.js';
import type { Architecture } from './architecture.js';

const PLUS = '+';

/** The name of `architecture` with the unit `unit`. */
export function combinedName(architecture: string, unit: string): string {
  return `${architecture}${PLUS}${unit}`;
}

/** The architecture called `name`, or what `<architecture>+<unit>` names, of those in `list`. */
export function findArchitecture(list: readonly Architecture[], name: string): Architecture {
  const at = name.indexOf(PLUS);
  const base = at < 0 ? name : name.slice(0, at);
  const found = list.find((architecture) => architecture.name === base);
  if (found === undefined) {
    const known = list.map((architecture) => architecture.name);
    throw unknownName('architecture', base, known);
  }
  return at < 0 ? found : combine(found, name.slice(at + PLUS.length));
}

function combine(base: Architecture, unitName: string): Architecture {
  const { name, title, unit, formula } = getUnit(unitName);
  const { options } = base;
  // Where the unit is part of what the architecture is, `unit` is an unknown option, as it is for buildArchitecture.
  const why = options.includes('unit') || base.rows.length === 0 ? '' : ', a row of Table 1 that its unit defines,';
  checkOptions(`architecture ${base.name}${why}`, { unit: name }, ['classes', 'inputSize', ...options]);
  return Object.freeze({
    ...base,
    name: combinedName(base.name, name),
    title: `${base.title} with ${title}’s unit`,
    source: `not in the paper: ${base.title}’s topology (${base.source}) with the unit ${formula}`,
    status: 'declared',
    beyond: [base.beyond, `unit ${formula}`].filter(Boolean).join('; '),
    sameGraphAs: null,
    rows: [],
    reported: null,
    options: Object.freeze(options.filter((option) => option !== 'unit')),
    body: (graph, x, given) => base.body(graph, x, { ...given, unit }),
  } satisfies Architecture);
}
