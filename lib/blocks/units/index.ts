/** Units by name: the value approximations of the paper's Table 1, to be put into any topology. */
import { argumentError, checkString, unknownName } from '../../check.js';
import { type AfterAdd, type Branch, binaryUnit, denseUnit, type Unit } from '../unit.js';
import { bnnUnit, ciUnit } from './bnn.js';
import { irUnit, rbnnUnit } from './clipped.js';
import { dgrlUnit } from './dgrl.js';
import { ftUnit, reactNetUnit, shiftedSignUnit } from './reactnet.js';
import { realToBinaryUnit } from './realToBinary.js';
import { siUnit } from './si.js';
import { ternaryUnit } from './ternary.js';
import { xnorNetPlusPlusUnit, xnorUnit } from './xnor.js';

/** What a unit says of itself. */
export interface UnitEntry {
  /** What `unit` options and `<architecture>+<unit>` take. */
  readonly name: UnitName;
  /** The method, as its paper calls it. */
  readonly title: string;
  /** x is the unit's input, s its shortcut; s(·), t(·), h(·) make ±1, {−1, 0, +1}, {0, 1}; ⊛ is the 1-bit conv. */
  readonly formula: string;
  /** The unit itself. */
  readonly unit: Unit;
}
/** Names of units, see {@link listUnits}. */
export type UnitName =
  | 'bireal'
  | 'dense'
  | 'bnn'
  | 'xnor'
  | 'xnor-net-pp'
  | 'ternary'
  | 'ci'
  | 'ir'
  | 'rbnn'
  | 'si'
  | 'ft'
  | 'dgrl'
  | 'ia'
  | 'reactnet'
  | 'real-to-binary';

function entry(name: UnitName, title: string, formula: string, unit: Unit): UnitEntry {
  return Object.freeze({ name, title, formula, unit });
}
const UNITS: readonly UnitEntry[] = Object.freeze([
  entry('bireal', 'Bi-Real', 'BN(s(x) ⊛ W) + s', binaryUnit),
  entry('dense', 'BinaryDenseNet', 's(BN(x)) ⊛ W + s', denseUnit),
  entry('bnn', 'BNN', 'hardtanh(BN(s(x) ⊛ W + s))', bnnUnit),
  entry('xnor', 'XNOR', 'ReLU((s(BN(x)) ⊛ W)·K(x)) + s', xnorUnit),
  entry('xnor-net-pp', 'XNOR-Net++', 'ReLU((s(BN(x)) ⊛ W)·(α ⊗ β ⊗ γ)) + s', xnorNetPlusPlusUnit),
  entry('ternary', 'TBN', 't(BN(x)) ⊛ W + s', ternaryUnit),
  entry('ci', 'CI-Net', 'BN(interaction(s(x) ⊛ W)) + s', ciUnit),
  entry('ir', 'IR-Net', 'hardtanh(BN(s(x) ⊛ W) + s)', irUnit),
  entry('rbnn', 'RBNN', 'hardtanh(BN(s(x − mean x) ⊛ W) + s)', rbnnUnit),
  entry('si', 'Si-BNN', 'BN(h(BN(x)) ⊛ W) + s', siUnit),
  entry('ft', 'FTBNN', 'PReLU(BN(s(x) ⊛ W)) + s', ftUnit),
  entry('dgrl', 'DGRL', 'BN(s(x) ⊛ W) + BN(conv(ReLU(BN(conv(x))))) + s', dgrlUnit),
  entry('ia', 'IA-BNN', 'BN(s(x − t) ⊛ W) + s', shiftedSignUnit),
  entry('reactnet', 'ReActNet', 'RPReLU(BN(s(x − t) ⊛ W) + s)', reactNetUnit),
  entry(
    'real-to-binary',
    'Real-to-binary',
    'PReLU((s(h) ⊛ W)·σ(FC(ReLU(FC(mean h))))) + s, h = BN(x)',
    realToBinaryUnit,
  ),
]);

/** Every unit that has a name. */
export function listUnits(): readonly UnitEntry[] {
  return UNITS;
}

/** The unit called `name`. Throws `ERR_BITPATH_UNKNOWN_NAME`, `ERR_BITPATH_ARGUMENT`. */
export function getUnit(name: string): UnitEntry {
  checkString('name of a unit', name);
  const found = UNITS.find((unit) => unit.name === name);
  if (found === undefined)
    throw unknownName(
      'unit',
      name,
      UNITS.map((unit) => unit.name),
    );
  return found;
}

/** A unit with its `after` step, the identity where it has none. */
export interface ResolvedUnit {
  readonly branch: Branch;
  readonly after: AfterAdd;
}

/** The option `unit`: a function, branch and `after`, or a name. Throws `ERR_BITPATH_ARGUMENT`, `ERR_BITPATH_UNKNOWN_NAME`. */
export function resolveUnit(option: Unit | UnitName): ResolvedUnit {
  const unit: unknown = typeof option === 'string' ? getUnit(option).unit : option;
  if (typeof unit === 'function') return { branch: unit as Branch, after: (_graph, y) => y };
  const { branch, after } = Object(unit) as Partial<ResolvedUnit>;
  if (typeof branch !== 'function' || typeof after !== 'function') {
    const expected =
      'a function (graph, x, options) → value, { branch, after } of such functions or the name of a unit';
    throw argumentError('unit', expected, option);
  }
  return { branch, after };
}
