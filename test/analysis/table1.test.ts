/** Table 1 as counted from graphs, and the paper's sentences as judged by its numbers. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { countTable1, evaluateClaims } from 'bitpath/analysis';

describe('Table 1, counted', () => {
  const rows = countTable1();
  const row = (number: number) => rows[number - 1]!;

  it('agrees with the paper where it is known to', () => {
    const agreement = rows.flatMap(({ row: number, counted }) =>
      counted === null ? [] : [[number, counted.storage.agreement, counted.computation.agreement] as const],
    );
    const expected: Record<number, readonly [string, string]> = {
      6: ['equal', 'equal'],
      11: ['equal', 'equal'],
      22: ['unexplained', 'equal'],
      29: ['equal', 'equal'],
      30: ['equal', 'equal'],
      31: ['equal', 'equal'],
      32: ['close', 'equal'],
      33: ['close', 'equal'],
      34: ['close', 'equal'],
      35: ['close', 'equal'],
      36: ['close', 'equal'],
      37: ['close', 'equal'],
      38: ['equal', 'equal'],
      39: ['close', 'equal'],
    };
    for (const [number, storage, computation] of agreement) {
      if (number in expected) assert.deepEqual([storage, computation], expected[number], `row ${number}`);
    }
    assert.ok(agreement.length >= 14);
  });

  it('has a reason exactly where it deviates and the reason is known', () => {
    for (const { row: number, counted } of rows) {
      if (counted === null) continue;
      for (const comparison of [counted.storage, counted.computation]) {
        assert.equal(comparison.reason !== null, comparison.agreement === 'explained', `row ${number}`);
        if (comparison.agreement === 'close') assert.ok(Math.abs(comparison.deviation) <= 0.01);
        if (/explained/.test(comparison.agreement)) assert.ok(Math.abs(comparison.deviation) > 0.01);
      }
    }
  });

  it('marks what was fitted, and the rows that count more than weights', () => {
    assert.deepEqual(
      rows.filter(({ counted }) => counted?.fitted).map(({ row: number }) => number),
      [34, 37],
    );
    assert.equal(row(38).counted?.storageRule, 'all');
    assert.equal(row(11).counted?.storageRule, 'weights');
    assert.equal(row(11).counted?.ruleReason, null);
    assert.ok(row(38).counted?.ruleReason);
    // What the reason says is what is counted.
    for (const number of [2, 8]) {
      const { storage, ruleReason } = row(number).counted!;
      assert.ok(ruleReason!.endsWith(`(${storage.counted.toFixed(2)})`), `${number} ${ruleReason} ${storage.counted}`);
    }
  });
});

describe('the claims', () => {
  const claims = new Map(evaluateClaims().map((claim) => [claim.id, claim]));
  const expected: Record<string, [verdict: string, within: string | null, across: string | null]> = {
    'increased-shortcuts': ['partly', null, null],
    'igp-resnet': ['holds', null, null],
    'igp-densenet': ['holds', null, null],
    'same-computation': ['fails', null, null],
    'binarization-costs': ['holds', null, null],
    'lower-than-others': ['partly', 'holds', 'partly'],
    'large-margin': ['partly', 'partly', 'partly'],
    exceptions: ['partly', 'holds', 'partly'],
    complementary: ['undecided', null, null],
    'architecture-design': ['partly', 'holds', 'partly'],
    'indeed-decrease': ['partly', null, null],
    'bi-real-shortcuts': ['partly', null, null],
    'ebi-real': ['undecided', null, null],
    'equal-resnet-blocks': ['partly', null, null],
    'consistently-lower': ['partly', null, null],
    'lower-resnet-paths': ['holds', null, null],
    'equal-dense-blocks': ['fails', null, null],
    'lower-dense-paths': ['partly', null, null],
  };
  it('are all there', () => assert.deepEqual([...claims.keys()], Object.keys(expected)));
  for (const [id, verdicts] of Object.entries(expected)) {
    it(`${id}: ${verdicts.filter(Boolean).join(', ')}`, () => {
      const claim = claims.get(id)!;
      assert.deepEqual([claim.verdict, claim.withinClass, claim.acrossClasses], verdicts);
      assert.ok(claim.evidence.length > 0);
    });
  }
  it('rest on the paper’s numbers', () => {
    const text = (id: string) => claims.get(id)!.evidence.join('\n');
    assert.match(text('igp-resnet'), /40\.42 − 37\.13 = 3\.29/);
    assert.match(text('igp-densenet'), /38\.14 − 36\.73 = 1\.41/);
    assert.match(text('same-computation'), /−19 %[\s\S]*\+11 %/);
    assert.match(
      text('large-margin'),
      /within: IGP-ResNet37\(41\) 37\.13 against IA-BNN-ResNet18\* 37\.20: 0\.07 lower/,
    );
    assert.match(
      text('lower-than-others'),
      /across: IGP-ResNet37\(41\) 37\.13 against BinaryDenseNet69\(32\) 36\.26: 0\.87 higher/,
    );
    assert.match(text('same-computation'), /within 10 %[\s\S]*2\.66, .* 1\.68: 1\.58 times\n.*: 1\.59 times/);
    assert.match(text('large-margin'), /^criterion: a large margin is 1 point or more\n/);
    assert.match(text('exceptions'), /^criterion: /);
    assert.match(text('increased-shortcuts'), /CI-Net ResNet18\* 40\.10 .* CI-Net ResNet18#\* 43\.30 .*: 3\.20 lower/);
    assert.match(text('increased-shortcuts'), /XNOR-Net\+\+ ResNet18#\* 42\.90 .*: 0\.70 higher/);
    assert.match(text('lower-resnet-paths'), /37\(41\): .* = 0\.41$/m);
    assert.match(text('lower-dense-paths'), /51\(53\), C = 128: 9216 ≤ 9593\n51\(53\), C = 256: 17408 > 16377/);
    assert.match(text('equal-resnet-blocks'), /= 1\.03\n.*= 1\.44\n.*= 1\.76\n.*= 1\.97/);
  });

  it('Bi-Real against every row of plain topology: the cited error is not below two of them', () => {
    const [cited, own] = claims.get('bi-real-shortcuts')!.evidence;
    const below = 'BNN ResNet18#* 57.80, XNOR ResNet18#* 48.80, Bin ResNet18#* 45.80, TBN-ResNet18#* 44.40';
    const two = 'CI-Net ResNet18#* 43.30, XNOR-Net++ ResNet18#* 42.90';
    assert.equal(cited, `Bi-Real ResNet18* 43.60 (cited): below ${below}; not below ${two}`);
    assert.equal(own, `Bi-Real ResNet18(64) 40.42 (the authors’ training): below ${below}, ${two}; not below none`);
  });

  it('N_2nd of the network is lower in one of the four pairs whose errors are', () => {
    const text = claims.get('indeed-decrease')!.evidence.join('\n');
    assert.match(text, /3\.29 lower; N_2nd of the network 47\.44 M against 57\.80 M/);
    assert.match(text, /1\.12 lower; N_2nd of the network 65\.03 M against 57\.80 M/);
    assert.match(text, /1\.41 lower; N_2nd of the network 5\.82 M against 3\.75 M/);
    assert.match(text, /1\.06 lower; N_2nd of the network 5\.57 M against 3\.40 M/);
    assert.match(text, /in 1 of 4$/);
  });
});
