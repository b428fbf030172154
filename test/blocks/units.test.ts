/** Each unit against its formula, written again over plain arrays in double precision. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BitpathError, biReal, getUnit, listUnits, type Unit, type UnitName } from 'bitpath';
import {
  assertClose,
  at,
  Case,
  channelMeans,
  clip,
  convolve,
  each,
  make,
  mean,
  type Plain,
  plus,
  relu,
  sign,
  step,
} from './plain.js';

/** What a unit makes of x: the branch, and what comes after the shortcut's add. */
interface Formula {
  readonly branch: (t: Case, x: Plain, stride: number) => Plain;
  readonly after?: (t: Case, sum: Plain) => Plain;
}
const CONV = 'B.u.conv';
const w3 = (stride: number) => ({ k: 3, stride, padding: 1 });
const plainBranch = (t: Case, x: Plain, stride: number) => t.bn(t.bconv(sign(x), CONV, w3(stride)), 'B.u.bn');
const shifted = (t: Case, x: Plain, stride: number) => {
  const threshold = t.p('B.u.sign.threshold');
  return t.bn(t.bconv(sign(each(x, (value, c) => value - (threshold[c] ?? NaN))), CONV, w3(stride)), 'B.u.bn');
};

const FORMULAS: Record<UnitName, Formula> = {
  bireal: { branch: plainBranch },
  dense: { branch: (t, x, stride) => t.bconv(sign(t.bn(x, 'B.u.bn')), CONV, w3(stride)) },
  bnn: {
    branch: (t, x, stride) => t.bconv(sign(x), CONV, w3(stride)),
    after: (t, sum) => clip(t.bn(sum, 'B.u.bn')),
  },
  xnor: {
    branch(t, x, stride) {
      const h = t.bn(x, 'B.u.bn');
      const magnitude = make(1, h.h, h.w, (_, y, column) =>
        mean(Array.from({ length: h.c }, (_unused, c) => Math.abs(at(h, c, y, column)))),
      );
      const k = convolve(magnitude, 1, () => 1 / 9, w3(stride));
      return relu(each(t.bconv(sign(h), CONV, w3(stride)), (value, _c, y, column) => value * at(k, 0, y, column)));
    },
  },
  'xnor-net-pp': {
    branch(t, x, stride) {
      const [alpha, beta, gamma] = ['alpha', 'beta', 'gamma'].map((role) => t.p(`B.u.gamma.${role}`)) as number[][];
      return relu(
        each(
          t.bconv(sign(t.bn(x, 'B.u.bn')), CONV, w3(stride)),
          (value, c, y, column) => value * (alpha?.[c] ?? NaN) * (beta?.[y] ?? NaN) * (gamma?.[column] ?? NaN),
        ),
      );
    },
  },
  ternary: {
    branch(t, x, stride) {
      const delta = t.p('B.u.ternary.threshold');
      const trits = each(t.bn(x, 'B.u.bn'), (value, c) => {
        const d = delta[c] ?? NaN;
        return value >= d ? 1 : value <= -d ? -1 : 0;
      });
      assert.ok(trits.v.includes(0) && trits.v.includes(1) && trits.v.includes(-1));
      return t.bconv(trits, CONV, w3(stride));
    },
  },
  ci: {
    branch(t, x, stride) {
      const counts = t.bconv(sign(x), CONV, w3(stride));
      return t.bn(interact(counts, t.p('B.u.interaction.pairs')), 'B.u.bn');
    },
  },
  ir: { branch: plainBranch, after: (_, sum) => clip(sum) },
  rbnn: {
    branch: (t, x, stride) => plainBranch(t, { ...x, v: x.v.map((value) => value - mean(x.v)) }, stride),
    after: (_, sum) => clip(sum),
  },
  si: {
    branch: (t, x, stride) => t.bn(t.bconv(step(t.bn(x, 'B.u.norm')), CONV, w3(stride)), 'B.u.bn'),
  },
  ft: {
    branch(t, x, stride) {
      const slope = t.p('B.u.prelu.weight');
      return each(plainBranch(t, x, stride), (value, c) => (value < 0 ? value * (slope[c] ?? NaN) : value));
    },
  },
  dgrl: {
    branch(t, x, stride) {
      const squeezed = relu(t.bn(t.conv(x, 'B.u.si.0', { k: 1, stride }), 'B.u.si.1'));
      return plus(plainBranch(t, x, stride), t.bn(t.conv(squeezed, 'B.u.si.3', { k: 1 }), 'B.u.si.4'));
    },
  },
  ia: { branch: shifted },
  reactnet: { branch: shifted, after: (t, sum) => t.rPRelu(sum, 'B.u.rprelu') },
  'real-to-binary': {
    branch(t, x, stride) {
      const h = t.bn(x, 'B.u.bn');
      const z = t.bconv(sign(h), CONV, w3(stride));
      const dense = (input: readonly number[], name: string) => {
        const weight = t.p(name);
        return Array.from({ length: weight.length / input.length }, (_, o) =>
          input.reduce((sum, value, i) => sum + value * (weight[o * input.length + i] ?? NaN), 0),
        );
      };
      const hidden = dense(channelMeans(h), 'B.u.gate.0.weight').map((value) => Math.max(value, 0));
      const gate = dense(hidden, 'B.u.gate.2.weight').map((value) => 1 / (1 + Math.exp(-value)));
      const slope = t.p('B.u.prelu.weight');
      return each(z, (value, c) => value * (gate[c] ?? NaN) * (value < 0 ? (slope[c] ?? NaN) : 1));
    },
  },
};

/** CI-BCNN's interactions, in order and in place. */
function interact(counts: Plain, pairs: readonly number[]): Plain {
  const v = [...counts.v];
  const pixels = counts.h * counts.w;
  for (let pixel = 0; pixel < pixels; pixel++) {
    for (let i = 0; i < pairs.length; i += 3) {
      const [source = 0, target = 0, influence = 0] = pairs.slice(i, i + 3);
      const z = v[source * pixels + pixel] ?? NaN;
      let change = 0;
      if (influence > 0) change = z >= 200 ? 100 : z <= -200 ? -100 : 0;
      else if (z >= 200 || z <= -200) change = -100;
      v[target * pixels + pixel] = (v[target * pixels + pixel] ?? NaN) + change;
    }
  }
  return { ...counts, v };
}

test('every unit with a name has a formula here', () => {
  assert.deepEqual(
    listUnits().map(({ name }) => name),
    Object.keys(FORMULAS),
  );
});

for (const { name } of listUnits()) {
  test(`${name}: a block of it is its formula`, () => {
    const { branch, after = (_: Case, sum: Plain) => sum } = FORMULAS[name];
    // A shortcut that is x, and one that is downsampled.
    const same = new Case([17, 6, 8], (g, x) => biReal(g, x, { name: 'B', unit: name }));
    assertClose(same.output(), after(same, plus(branch(same, same.input, 1), same.input)).v, name);
    const strided = new Case([5, 6, 8], (g, x) =>
      biReal(g, x, { name: 'B', unit: name, outChannels: 9, stride: 2, downsample: 'strided' }),
    );
    const down = strided.bn(strided.conv(strided.input, 'B.down.0', { k: 1, stride: 2 }), 'B.down.1');
    assertClose(strided.output(), after(strided, plus(branch(strided, strided.input, 2), down)).v, `${name}, strided`);
    assert.ok(new Set(same.output()).size > 50);
  });
}

test('ci: counts beyond the threshold change others, in order', () => {
  const channels = 24;
  const ones = make(channels, 3, 3, () => 1);
  const t = new Case([channels, 3, 3], (g, x) => biReal(g, x, { name: 'B', unit: 'ci' }), 1, ones);
  const bits = t.params.get('B.u.conv.bits')?.data as Uint8Array;
  const rowBytes = bits.length / channels;
  bits.fill(0xff, 0, rowBytes); // filter 0 counts +216 in the middle, filter 1 −216
  bits.fill(0, rowBytes, 2 * rowBytes);
  const pairs = t.params.get('B.u.interaction.pairs')?.data as Int32Array;
  pairs.fill(0);
  pairs.set([0, 2, 1, 1, 3, 1, 0, 4, -1, 1, 5, -1, 0, 1, 1, 1, 6, 1]);
  pairs.set([23, 22, 1], 18); // and 23's count is nowhere near
  for (let i = 7; i < channels; i++) pairs.set([23, 22, 1], 3 * i);
  const middle = (m: Plain, c: number) => at(m, c, 1, 1);
  const counts = t.bconv(ones, CONV, w3(1));
  const after = interact(counts, [...pairs]);
  const change = (c: number) => middle(after, c) - middle(counts, c);
  // The fifth pair lifts channel 1 to −116, so that the sixth finds it within the threshold.
  assert.deepEqual([0, 1, 2, 3, 4, 5, 6, 22].map(change), [0, 100, 100, -100, -100, -100, 0, 0]);
  assertClose(t.output(), plus(t.bn(after, 'B.u.bn'), ones).v, 'ci');
});

test('a unit is found by name, or refused', () => {
  assert.equal(getUnit('reactnet').title, 'ReActNet');
  assert.throws(
    () => getUnit('reactnets'),
    (error) =>
      error instanceof BitpathError &&
      error.code === 'ERR_BITPATH_UNKNOWN_NAME' &&
      /No unit is called "reactnets" \(did you mean "reactnet"\?\); known are bireal, dense, bnn, xnor/.test(
        error.message,
      ),
  );
  const build = (unit: unknown) => () => new Case([2, 4, 4], (g, x) => biReal(g, x, { name: 'B', unit: unit as Unit }));
  assert.throws(build('nothing'), /No unit is called "nothing"/);
  assert.throws(build({ branch: 3 }), /a function \(graph, x, options\) → value, \{ branch, after \}/);
  assert.throws(build(3), /for unit but received 3/);
});
