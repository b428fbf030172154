/** Widths by equal cost, and the formulas behind them against graphs. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { buildArchitecture, graphToJson } from 'bitpath';
import {
  buildFamilyMember,
  countCosts,
  type DesignWidthOptions,
  designWidth,
  familyFigures,
  familyName,
  gradientPaths,
  type IgpFamilyMember,
} from 'bitpath/analysis';
import fc from 'fast-check';

describe('designWidth', () => {
  const ONE = [1, 1, 1, 1];
  const cases: [
    rule: 'block' | 'storage',
    convs: number,
    blocks: number[],
    baseline: string,
    width: number,
    paper: number,
  ][] = [
    ['block', 3, ONE, 'bireal-resnet18-64', 52, 53],
    ['block', 7, ONE, 'bireal-resnet18-64', 34, 41],
    ['block', 15, ONE, 'bireal-resnet18-64', 23, 31],
    ['storage', 7, ONE, 'bireal-resnet18-64', 53, 53],
    ['storage', 15, ONE, 'bireal-resnet18-64', 41, 41],
    ['storage', 31, ONE, 'bireal-resnet18-64', 31, 31],
    ['storage', 7, [2, 2, 3, 2], 'bireal-resnet34-64', 48, 48],
  ];
  for (const [rule, convs, blocksPerStage, baseline, width, paper] of cases) {
    it(`${rule}, M = ${convs}, ${blocksPerStage.join('-')} under ${baseline}: ${width}, the paper has ${paper}`, () => {
      const designed = designWidth({ rule, convs, blocksPerStage, baseline });
      assert.equal(designed.width, width);
      assert.equal(designed.paper?.width, paper);
      assert.ok(designed.cost <= designed.baselineCost);
    });
  }

  it('the paper’s widths cost 1.03, 1.44, 1.76 times as much by its own rule, and 1.14, 1.58, 1.94 by 1-bit operations', () => {
    const ratios = (rule: 'block' | 'binaryMacs') =>
      [3, 7, 15].map((convs) => designWidth({ rule, convs, blocksPerStage: [2, 2, 2, 2] }).paper!.ratio.toFixed(2));
    assert.deepEqual(ratios('block'), ['1.03', '1.44', '1.76']);
    assert.deepEqual(ratios('binaryMacs'), ['1.14', '1.58', '1.94']);
  });

  it('finds the last width that fits, by every rule', () => {
    for (const rule of ['binaryMacs', 'flops', 'storage'] as const) {
      const { width, baselineCost } = designWidth({ rule, convs: 7 });
      const key = rule === 'storage' ? 'storageBits' : rule;
      const costAt = (w: number) =>
        countCosts(buildFamilyMember({ kind: 'igp', columns: 3, width: w, blocksPerStage: ONE }))[key];
      assert.ok(costAt(width) <= baselineCost && costAt(width + 1) > baselineCost, rule);
    }
  });

  const bad: [options: object, message: RegExp][] = [
    [{ rule: 'width', convs: 7 }, /"block" or .* for rule but received "width"/],
    [{ rule: 'block', convs: 5 }, /for convs but received 5/],
    [{ rule: 'block' }, /for convs but received undefined/],
    [{ rule: 'storage', convs: 7, blocksPerStage: [] }, /for blocksPerStage/],
    [{ rule: 'storage', convs: 7, blocksPerStage: [1, 0] }, /for blocksPerStage\[1\] but received 0/],
    [{ rule: 'storage', convs: 7, baseline: 7 }, /for baseline/],
    [{ rule: 'block', convs: 7, baseline: 'resnet18' }, /with 1-bit convolutions for baseline/],
    [{ rule: 'storage', convs: 7, baseline: 'bireal' }, /No architecture is called "bireal"/],
    [
      { rule: 'binaryMacs', convs: 1023, blocksPerStage: [1024], baseline: 'bireal-resnet18-64' },
      /some width can match/,
    ],
    [{ rule: 'block', convs: 7, widths: 1 }, /Unknown option "widths"/],
  ];
  for (const [options, message] of bad) {
    it(`BAD CALL ${JSON.stringify(options)}`, () => {
      assert.throws(() => designWidth(options as DesignWidthOptions), { name: 'BitpathError', message });
    });
  }
});

describe('formulas of the family', () => {
  const member = fc.record({
    columns: fc.integer({ min: 1, max: 4 }),
    width: fc.integer({ min: 1, max: 40 }),
    blocksPerStage: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 4 }),
  });
  const input = fc.record({ inputSize: fc.integer({ min: 32, max: 100 }), classes: fc.integer({ min: 1, max: 50 }) });

  it('are what the graphs count', () => {
    fc.assert(
      fc.property(member, input, ({ columns, width, blocksPerStage }, sizes) => {
        const of: IgpFamilyMember = { kind: columns === 1 ? 'chain' : 'igp', columns, width, blocksPerStage };
        const graph = buildFamilyMember(of, sizes);
        const figures = familyFigures(of, sizes);
        const { storageBits, binaryMacs, realMacs, flops } = countCosts(graph);
        const { levels, longest } = gradientPaths(graph);
        const convs = graph.nodes.filter(({ op }) => op === 'binaryConv').length;
        const cost = (level: number) => levels[level]?.cost ?? Number.POSITIVE_INFINITY;
        assert.equal(cost(0), 0);
        assert.deepEqual(figures, {
          storageBits,
          binaryMacs,
          realMacs,
          flops,
          secondCost: cost(1),
          thirdCost: cost(2),
          longest,
          convs,
        });
      }),
      { numRuns: 150 },
    );
  });

  it('are those of the named networks, whose graphs are the same', () => {
    for (const [name, columns, width, blocksPerStage] of [
      ['igp-resnet37-41', 3, 41, [2, 2, 2, 2]],
      ['igp-resnet41-48', 3, 48, [2, 2, 3, 2]],
      ['igp-resnet69-31-c5d16', 5, 31, [1, 1, 1, 1]],
      ['bireal-chain-53', 1, 53, [6, 6, 6, 6]],
    ] as const) {
      const of: IgpFamilyMember = { kind: columns === 1 ? 'chain' : 'igp', columns, width, blocksPerStage };
      const { name: _, ...ours } = graphToJson(buildFamilyMember(of)) as unknown as { name: string };
      const { name: __, ...theirs } = graphToJson(buildArchitecture(name)) as unknown as { name: string };
      assert.deepEqual(ours, theirs, name);
    }
  });

  it('names have the paper’s depth', () => {
    const name = (columns: number, width: number, blocksPerStage: number[]) =>
      familyName({ kind: columns === 1 ? 'chain' : 'igp', columns, width, blocksPerStage });
    assert.equal(name(3, 41, [2, 2, 2, 2]), 'igp37(41) c3 2-2-2-2');
    assert.equal(name(3, 48, [2, 2, 3, 2]), 'igp41(48) c3 2-2-3-2');
    assert.equal(name(4, 31, [2, 2, 2, 2]), 'igp69(31) c4 2-2-2-2');
    assert.equal(name(1, 53, [6, 6, 6, 6]), 'chain29(53) 6-6-6-6');
  });
});
