/** The search for architectures within a budget. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Graph } from 'bitpath';
import {
  binaryOperations,
  buildFamilyMember,
  countCosts,
  DEFAULT_OBJECTIVES,
  designWidth,
  familyFigures,
  familyName,
  isBinaryConv,
  type FoundArchitecture,
  type Objective,
  paretoFront,
  type SearchOptions,
  searchArchitectures,
} from 'bitpath/analysis';
import fc from 'fast-check';

const budget = { storageMbit: 33.2, gflops: 0.16 };
const small: SearchOptions = { budget, blocks: [1, 2], units: [2, 4, 6], maxDepth: 64 };

describe('paretoFront', () => {
  it('is what is left when everything dominated is taken away', () => {
    const items = fc.array(
      fc.array(fc.constantFrom(0, 1, 2, 3, Number.POSITIVE_INFINITY), { minLength: 3, maxLength: 3 }),
    );
    fc.assert(
      fc.property(items, (list) => {
        const worse = (a: number[], b: number[]) => a.every((x, i) => x >= b[i]!) && a.some((x, i) => x > b[i]!);
        const expected = list.filter((item) => !list.some((other) => worse(item, other)));
        assert.deepEqual(
          paretoFront(list, (item) => item),
          expected,
        );
      }),
    );
  });
});

describe('BAD CALLS of the family and of fronts', () => {
  const member = { kind: 'igp', columns: 3, width: 41, blocksPerStage: [2, 2] } as const;
  const hole: number[] = [1, 2];
  hole[3] = 1;
  const members: [member: unknown, message: RegExp][] = [
    [undefined, /a network of the family for member but received undefined/],
    [null, /for member/],
    [{}, /for kind/],
    [{ ...member, kind: 'chain' }, /1, of a chain for columns/],
    [{ ...member, columns: 30 }, /for columns/],
    [{ ...member, width: -1 }, /for width/],
    [{ ...member, blocksPerStage: '22' }, /for blocksPerStage/],
    [{ ...member, blocksPerStage: hole }, /for blocksPerStage\[2\] but received undefined/],
  ];
  for (const [given, message] of members) {
    it(String(JSON.stringify(given)), () => {
      for (const call of [familyFigures, familyName, buildFamilyMember]) {
        assert.throws(() => call(given as never), { code: 'ERR_BITPATH_ARGUMENT', message });
      }
    });
  }
  it('of others', () => {
    const graph = buildFamilyMember({ ...member, width: 8 }, { inputSize: 32 });
    const fails = (call: () => unknown, message: RegExp) =>
      assert.throws(call, { code: 'ERR_BITPATH_ARGUMENT', message });
    fails(() => familyFigures(member, null as never), /for input/);
    fails(() => buildFamilyMember({ ...member, columns: 10, blocksPerStage: [20] }), /at most 16384/);
    fails(() => paretoFront(null as never, () => [1]), /for items/);
    fails(() => paretoFront([1], undefined as never), /for scores/);
    fails(() => paretoFront([1], () => [Number.NaN]), /what scores returned/);
    fails(() => isBinaryConv(null as never, null as never), /for graph/);
    fails(() => isBinaryConv(graph, null as never), /for node/);
    fails(() => binaryOperations({} as never, graph), /for node/);
    fails(() => designWidth(undefined as never), /for designWidth/);
    fails(() => designWidth({ rule: 'storage', convs: 3, blocksPerStage: new Array(4) }), /for blocksPerStage\[0\]/);
    fails(() => searchArchitectures(undefined as never), /for searchArchitectures/);
  });
});

describe('searchArchitectures', () => {
  const result = searchArchitectures(small);

  it('keeps budget and bounds', () => {
    assert.ok(result.front.length > 10 && result.front.length < result.considered);
    for (const found of result.front) {
      assert.ok(found.storageBits <= 33.2e6 && found.storageBits >= 0.9 * 33.2e6, found.name);
      assert.ok(found.flops <= 0.16e9 && found.width >= 24 && found.longest <= 64, found.name);
    }
  });

  it('figures are those of the graphs', () => {
    for (const found of [result.front[0]!, result.front.at(-1)!]) {
      const { storageBits, flops, binaryMacs } = countCosts(buildFamilyMember(found));
      assert.deepEqual([found.storageBits, found.flops, found.binaryMacs], [storageBits, flops, binaryMacs]);
    }
  });

  it('finds the paper’s 37(41), in the reading that its width rule gives, among others with lower path costs', () => {
    const names = result.front.map(({ name }) => name);
    assert.ok(names.includes('igp37(41) c4 1-1-1-1'));
    assert.ok(names.includes('igp69(31) c5 1-1-1-1'));
  });

  it('nothing in the front dominates anything in it', () => {
    const score = (found: FoundArchitecture) =>
      Object.entries(DEFAULT_OBJECTIVES).map(([name, way]) => (way === 'max' ? -1 : 1) * found[name as Objective]);
    assert.equal(paretoFront(result.front, score).length, result.front.length);
  });

  it('looks at nothing twice', () => {
    const { considered } = searchArchitectures({ ...small, columns: [3, 4] });
    const twice = searchArchitectures({ ...small, columns: [3, 4, 3], blocks: [1, 2, 2] });
    assert.equal(twice.considered, considered);
  });

  it('by N_2nd alone the narrowest wins', () => {
    const { front } = searchArchitectures({ ...small, objectives: { secondCost: 'min' } });
    const widths = new Set(front.map(({ width }) => width));
    assert.equal(widths.size, 1);
    assert.ok([...widths][0]! < 33);
  });

  it('asks predictMs for the front alone', () => {
    const asked: Graph[] = [];
    const predicted = searchArchitectures({
      ...small,
      columns: [3],
      blocks: [2],
      predictMs: (graph) => asked.push(graph),
    });
    assert.ok(asked.length > 0 && asked.length <= predicted.considered);
    assert.deepEqual(
      predicted.front.map(({ milliseconds }) => milliseconds).sort(),
      predicted.front.map((_, i) => i + 1),
    );
  });

  const bad: [options: object, message: RegExp][] = [
    [{}, /for budget/],
    [{ budget: { storageMbit: 0, gflops: 1 } }, /a number > 0 for budget.storageMbit but received 0/],
    [{ budget: { storageMbit: 30 } }, /for budget.gflops but received undefined/],
    [{ budget: { ...budget, ms: 3 } }, /Unknown option "ms" for budget/],
    [{ budget: { ...budget, use: 2 } }, /from 0 to 1 for budget.use/],
    [{ budget, columns: [0] }, /for columns\[0\]/],
    [{ budget, columns: [] }, /for columns/],
    [{ budget, columns: new Array(2) }, /for columns\[0\]/],
    [{ budget: { ...budget, use: 0 }, maxWidth: 4096, stages: 5 }, /ways to fill the stages × widths for blocks/],
    [{ budget, minWidth: 30, maxWidth: 20 }, /for maxWidth but received 20/],
    [{ budget, blocks: [1.5] }, /for blocks\[0\]/],
    [{ budget, stages: 8, units: [1, 2, 3, 4, 5, 6, 7, 8] }, /ways to fill the stages/],
    [{ budget, objectives: { width: 'min' } }, /Unknown option "width" for objectives/],
    [{ budget, objectives: { flops: 'low' } }, /"min" or "max" for objectives.flops/],
    [{ budget, costModel: { msPerBinaryGmac: 1 } }, /for costModel.msPerRealGmac/],
    [{ budget, predictMs: 3 }, /for predictMs/],
    [{ ...small, columns: [3], predictMs: () => Number.NaN }, /that predictMs returned but received NaN/],
    [{ budget, widht: 3 }, /Unknown option "widht"/],
  ];
  for (const [options, message] of bad) {
    it(`BAD CALL ${JSON.stringify(options)}`, () => {
      assert.throws(() => searchArchitectures(options as SearchOptions), { name: 'BitpathError', message });
    });
  }
});
