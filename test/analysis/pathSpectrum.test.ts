/** Gains of paths: sum and mean joins have the same costs and differ here. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { biReal, eBiReal, igpResNet, type Join } from 'bitpath';
import { type Block, enumeratePaths, pathSpectrum } from 'bitpath/analysis';

const input = { channels: 4, height: 8, width: 8 };
const igp =
  (convs: number, join: Join): Block =>
  (g, x) =>
    igpResNet(g, x, { name: 'b', convs, join });

describe('path spectrum', () => {
  it('Σ gain² over the units of M = 7 is 7 with sums and 0.625 with means', () => {
    const [sum, mean] = [pathSpectrum(igp(7, 'sum'), { input }), pathSpectrum(igp(7, 'mean'), { input })];
    assert.equal(sum.unitGainSquared, 7);
    assert.equal(mean.unitGainSquared, 0.625);
    assert.equal(mean.units.length, 7);
    assert.deepEqual([sum.identityGain, mean.identityGain], [1, 1]);
  });

  it('costs and lengths are the same, gains are not', () => {
    for (const convs of [3, 7, 15]) {
      const [sum, mean] = [pathSpectrum(igp(convs, 'sum'), { input }), pathSpectrum(igp(convs, 'mean'), { input })];
      const costs = ({ byCost }: typeof sum) => byCost.map(({ cost, length }) => [cost, length]);
      assert.deepEqual(costs(sum), costs(mean));
      assert.deepEqual(
        sum.byLength.map(({ length }) => length),
        mean.byLength.map(({ length }) => length),
      );
      const gain = ({ byLength }: typeof sum) => byLength.slice(1).reduce((total, level) => total + level.gain, 0);
      assert.ok(gain(mean) < gain(sum));
    }
  });

  it('Bi-Real units have gain 1; EBi-Real’s mean halves what its third shortcut adds', () => {
    const two: Block = (g, x) => biReal(g, biReal(g, x, { name: 'a' }), { name: 'b' });
    assert.deepEqual(
      pathSpectrum(two, { input }).units.map(({ gain }) => gain),
      [1, 1],
    );
    const e = (join: Join) => pathSpectrum((g, x) => eBiReal(g, x, { name: 'b', join }), { input });
    assert.deepEqual([e('sum').identityGain, e('mean').identityGain], [2, 1]);
    assert.deepEqual([e('sum').unitGainSquared, e('mean').unitGainSquared], [2, 0.5]);
  });

  it('is what walking all paths adds up to', () => {
    for (const join of ['sum', 'mean'] as const) {
      const { byLength, byCost } = pathSpectrum(igp(7, join), { input });
      const paths = [...enumeratePaths(igp(7, join), { input })];
      for (const [levels, key] of [
        [byLength, 'length'],
        [byCost, 'cost'],
      ] as const) {
        for (const level of levels) {
          const same = paths.filter((path) => path[key] === level[key]);
          assert.equal(level.count, BigInt(same.length));
          assert.equal(
            level.gain,
            same.reduce((sum, { gain }) => sum + gain, 0),
          );
          assert.equal(
            level.gainSquared,
            same.reduce((sum, { gain }) => sum + gain ** 2, 0),
          );
        }
        assert.equal(
          levels.reduce((sum, { count }) => sum + count, 0n),
          BigInt(paths.length),
        );
      }
    }
  });

  it('BAD CALLS', () => {
    assert.throws(() => pathSpectrum(igp(3, 'sum'), { groupBy: 'cost' } as object), {
      code: 'ERR_BITPATH_UNKNOWN_OPTION',
    });
    assert.throws(() => pathSpectrum(igp(3, 'sum'), { scope: 'c' }), { code: 'ERR_BITPATH_ARGUMENT' });
  });
});
