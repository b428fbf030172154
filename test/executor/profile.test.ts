import assert from 'node:assert/strict';
import test from 'node:test';
import { compile, type DescribeOptions } from 'bitpath';
import { native } from '#lib/native.js';
import { NORMALIZATION, paramsOf, smallGraph } from './helpers.js';

const graph = smallGraph();
const params = paramsOf(graph);

test('a profile has a time, cycles and a floor for each instruction that its input runs', async () => {
  using executor = await compile(graph, params, { threads: 1, batch: 2, normalization: NORMALIZATION });
  for (const input of ['float32', 'uint8'] as const) {
    const { profile, instructions } = executor.describe({ profile: { input, runs: 5 } });
    assert.ok(profile);
    assert.deepEqual([profile.input, profile.runs], [input, 5]);
    assert.ok(profile.clockGHz > 0.3 && profile.clockGHz < 10, `${profile.clockGHz} GHz`);
    for (const instruction of instructions) {
      const runs = ['any', input].includes(instruction.input);
      assert.equal(instruction.profile !== undefined, runs, 'what this input does not run has no time');
      if (instruction.profile === undefined) continue;
      const { nanoseconds, cycles, floorCycles } = instruction.profile;
      assert.ok(nanoseconds > 0);
      assert.ok(Math.abs(cycles - nanoseconds * profile.clockGHz) < 1e-6 * (1 + cycles));
      assert.equal(floorCycles > 0, instruction.macs > 0);
    }
  }
  assert.equal(executor.describe({ profile: true }).profile?.input, 'uint8');
  for (const options of [{}, { profile: false }]) {
    const plain = executor.describe(options);
    assert.equal('profile' in plain, false);
    assert.equal(
      plain.instructions.some((instruction) => 'profile' in instruction),
      false,
    );
  }
});

test('options of a profile are checked', async () => {
  using executor = await compile(graph, params, { threads: 1 });
  const cases: [object, string, RegExp][] = [
    [{ profil: true }, 'ERR_BITPATH_UNKNOWN_OPTION', /profile/],
    [{ profile: 1 }, 'ERR_BITPATH_ARGUMENT', /options\.profile/],
    [{ profile: { run: 1 } }, 'ERR_BITPATH_UNKNOWN_OPTION', /runs/],
    [{ profile: { runs: 0 } }, 'ERR_BITPATH_ARGUMENT', /options\.profile\.runs.*0/],
    [{ profile: { input: 'int8' } }, 'ERR_BITPATH_ARGUMENT', /options\.profile\.input.*"int8"/],
    [{ profile: { input: 'uint8' } }, 'ERR_BITPATH_ARGUMENT', /takes no pictures/],
  ];
  for (const [options, code, message] of cases) {
    assert.throws(() => executor.describe(options as DescribeOptions), { code, message }, JSON.stringify(options));
  }
});

test('peaks are those of the ISA asked for', () => {
  for (const { name, supported } of native().isas) {
    if (!supported) {
      assert.throws(() => native().peaks(name), { code: 'ERR_BITPATH_ISA' });
      continue;
    }
    const peaks = native().peaks(name);
    for (const value of Object.values(peaks)) assert.ok(value > 0 && value < 1e5, `${name}: ${value}`);
    assert.ok(peaks.binaryMacsPerCycle > peaks.floatMacsPerCycle, name);
  }
  assert.throws(() => native().peaks('mmx' as never), { code: 'ERR_BITPATH_ISA' });
});
