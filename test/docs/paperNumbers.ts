/** The numbers of docs/paper.md, made by the code: for its test, and for whoever edits it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  biReal,
  binaryDense,
  binaryResidual,
  buildArchitecture,
  eBiReal,
  getArchitecture,
  GraphBuilder,
  graphParams,
  igpDense,
  igpResNet,
  Tensor,
} from 'bitpath';
import {
  type Block,
  countCosts,
  countTable1,
  designWidth,
  evaluateClaims,
  figure2Statements,
  gradientPaths,
  representationalCapability,
  type Verdict,
} from 'bitpath/analysis';
import { storedAs } from '#lib/graph/index.js';
import { interpret } from '../reference/interpreter.js';
import { type Pictures, type Run, both, claim, difference, seedsOf, written } from './claimNumbers.js';

/** This file runs as out/test/docs/paper.test.js. */
export const root = fileURLToPath(new URL('../../../', import.meta.url));
export const read = (path: string) => readFileSync(join(root, path), 'utf8');
export const paper = read('docs/paper.md');

const M = (cost: number | undefined) => `${((cost ?? Number.NaN) / 1e6).toFixed(1)} M`;
const two = (value: number) => value.toFixed(2);
const percent = (value: number) => `${value < 0 ? '−' : '+'}${Math.round(100 * Math.abs(value))} %`;
const costsOf = (...args: Parameters<typeof gradientPaths>) => gradientPaths(...args).levels.map(({ cost }) => cost);
const network = (name: string) => costsOf(buildArchitecture(name));
const macs = (name: string) => countCosts(buildArchitecture(name)).binaryMacs;

/** Lines of the table below `<!-- table: name -->`, without its head. */
export function tableOf(name: string): readonly string[] {
  const [, table = ''] = new RegExp(`<!-- table: ${name} -->\\n((?:\\|.*\\n)+)`).exec(paper) ?? [];
  const lines = table.trimEnd().split('\n').slice(2);
  assert.ok(lines.length > 1, `no table ${name}`);
  return lines;
}
const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
export const cellsOf = (text: string) => text.slice(2, -2).split(' | ');

const twoBiReal: Block = (g, x) => biReal(g, biReal(g, x, { name: 'a' }), { name: 'b' });
const twoDense =
  (growth: number): Block =>
  (g, x) =>
    binaryDense(g, binaryDense(g, x, { name: 'a', growth }), { name: 'b', growth });
const igpDenseOf =
  (growth: number): Block =>
  (g, x) =>
    igpDense(g, x, { name: 'b', growth });

/** First block of the first stage; two units of Bi-Real, two layers of BinaryDenseNet, whose levels are lengths. */
function firstBlock(name: string): readonly number[] {
  const isPair = /^bireal|^binary-dense/.test(name);
  const groupBy = name.startsWith('binary-dense') ? 'length' : 'cost';
  return costsOf(buildArchitecture(name), { from: 'body.0', to: isPair ? 'body.1' : 'body.0', groupBy });
}

/** Distinct maps on a row of four pixels of values −3, −1, 1, 3, over all 1×3 weights: the most of u(x), and of x + u(x). */
function valuesWithShortcut(): readonly [without: number, withShortcut: number] {
  const builder = new GraphBuilder('row');
  const x = builder.input({ channels: 1, height: 1, width: 4 });
  const u = builder.binaryConv(builder.sign(x), { name: 'c', outChannels: 1, kernel: [1, 3], padding: [0, 1, 0, 1] });
  builder.output('u', u);
  builder.output('y', builder.add(u, x));
  const graph = builder.build();
  const most = { u: 0, y: 0 };
  for (let bits = 0; bits < 8; bits++) {
    const params = new Map(
      graphParams(graph).map((spec) => [spec.name, new Tensor('uint8', storedAs(spec).shape, Uint8Array.of(bits))]),
    );
    const seen = { u: new Set<string>(), y: new Set<string>() };
    for (let index = 0; index < 4 ** 4; index++) {
      const row = Float32Array.from({ length: 4 }, (_, i) => 2 * ((index >> (2 * i)) & 3) - 3);
      const maps = interpret(graph, params, row);
      for (const key of ['u', 'y'] as const) seen[key].add(String(maps.get(key)));
    }
    for (const key of ['u', 'y'] as const) most[key] = Math.max(most[key], seen[key].size);
  }
  return [most.u, most.y];
}

const block = (convs: number) => designWidth({ rule: 'block', convs, blocksPerStage: [2, 2, 2, 2] });
const side56 = (channels: number) => ({ channels, height: 56, width: 56 });
const M_OF_PAPER = [3, 7, 15];
const rows = countTable1();
const row = (number: number) => rows[number - 1]!;
const agreements = (column: 'storage' | 'computation', agreement: string) =>
  rows.filter(({ counted }) => counted?.[column].agreement === agreement).length;
const computationOf = (igp: number, base: number) => percent(row(igp).gflops / row(base).gflops - 1);

/** Numbers of the summary, row by row. */
export const SUMMARY: Readonly<Record<string, () => string>> = {
  R1: () => {
    const { output, biRealClaim } = representationalCapability(
      buildArchitecture('bireal-resnet18-64'),
      'body.1.u.conv',
    );
    return `${output.base}^${output.exponent}, not ${biRealClaim.base}^${biRealClaim.exponent} (body.1 of Bi-Real ResNet18)`;
  },
  R2: () => {
    const [without, withShortcut] = valuesWithShortcut();
    return `a row of four pixels, given weights: at most ${without} maps without, ${withShortcut} with; ${4 ** 4} = (hwC + 1)^(HWC)`;
  },
  P1: () => {
    const options = { input: side56(64) };
    const plain = costsOf((g, x) => binaryResidual(g, x, { name: 'b' }), options);
    const bireal = costsOf(twoBiReal, options);
    return `64×56×56: 0, ${M(plain[1])} against 0, ${M(bireal[1])}, ${M(bireal[2])}`;
  },
  P2: () => {
    const costs = costsOf((g, x) => eBiReal(g, x, { name: 'b' }), { input: side56(64) });
    assert.deepEqual(costs, costsOf(twoBiReal, { input: side56(64) }));
    return `${costs.map((cost) => (cost === 0 ? '0' : M(cost))).join(', ')} in both`;
  },
  P3: () => {
    const found = M_OF_PAPER.map((convs) => {
      const { width } = block(convs);
      const costs = costsOf((g, x) => igpResNet(g, x, { name: 'b', convs }), { input: side56(width) });
      return M(costs[1]);
    });
    return `M = 3, 7, 15 at widths ${M_OF_PAPER.map((convs) => block(convs).width).join(', ')}: N_2nd ${found.join(', ')} against ${M(costsOf(twoBiReal, { input: side56(64) })[1])}`;
  },
  P4: () => {
    const built = M_OF_PAPER.map((convs) => block(convs).paper!);
    return `${M_OF_PAPER.map((convs) => block(convs).width).join(', ')} by the rule; ${built.map(({ width }) => width).join(', ')} built, ${built.map(({ ratio }) => two(ratio)).join(', ')} × the cost of Bi-Real's block`;
  },
  P5: () => {
    const [base, ...igp] = ['bireal-resnet18-64', 'igp-resnet37-41', 'igp-resnet69-31', 'igp-resnet21-53'].map((name) =>
      M(network(name)[1]),
    );
    return `N_2nd ${base}; 37(41) ${igp[0]}, 69(31) ${igp[1]}, but 21(53) ${igp[2]}, and 41(48) ${M(network('igp-resnet41-48')[1])} against ${M(network('bireal-resnet34-64')[1])}`;
  },
  P6: () => '2Ck + k² = Ck + (C + k)k',
  P7: () => {
    const statement = figure2Statements('igp-densenet51-53').find(
      ({ level, statement: text }) => level === 'block' && text === 'N_3rd < the base’s',
    )!;
    return `N₁ ${two(53 / 32)} ×, N_3rd lower in ${statement.holds} of ${statement.of} blocks; of the network N_2nd ${M(network('igp-densenet51-53')[1])} against ${M(network('binary-densenet51-32')[1])}`;
  },
  T1: () =>
    `storage: ${agreements('storage', 'equal')} equal, ${agreements('storage', 'close')} within 1 %, ${agreements('storage', 'explained')} explained, ${agreements('storage', 'unexplained')} not; computation: ${agreements('computation', 'equal')}, ${agreements('computation', 'close')}, ${agreements('computation', 'explained')}, ${agreements('computation', 'unexplained')}`,
  T2: () => {
    const other = countCosts(buildArchitecture('igp-resnet37-41-c4d8')).storageBits / 1e6;
    return `${two(row(22).counted!.storage.counted)} or ${two(other)} Mbit counted, ${row(22).storageMbit} reported`;
  },
  T3: () => {
    const ratio = (igp: string, base: string) => two(macs(igp) / macs(base));
    return `${computationOf(22, 11)} and ${computationOf(34, 33)} as the paper counts; ${ratio('igp-resnet37-41', 'bireal-resnet18-64')} and ${ratio('igp-densenet51-53', 'binary-densenet51-32')} × the 1-bit operations`;
  },
  E1: () => {
    const lead = (base: number, igp: number) => two(row(base).top1Error - row(igp).top1Error);
    return `${lead(11, 22)} and ${lead(33, 34)} by Table 1`;
  },
  E2: () => {
    const lead = (base: number, igp: number) => two(row(base).top1Error - row(igp).top1Error);
    return `nearest of its size: ${lead(21, 22)}, ${lead(30, 31)}, ${lead(33, 34)}, ${lead(36, 37)} points`;
  },
  E3: () =>
    `37(41): row E4; 21(53) ${both('igp-21-53', 'bireal-18-64')}, 69(31) ${both('igp-69-31', 'bireal-18-64')} points (${seedsOf('igp-21-53', 'bireal-18-64')} each)`,
  E4: () =>
    `${both('igp-37-41', 'bireal-18-64')} points (${seedsOf('igp-37-41', 'bireal-18-64')}); at equal 1-bit operations ${both('igp-37-32', 'bireal-18-64')} (${seedsOf('igp-37-32', 'bireal-18-64')})`,
  E5: () => {
    assert.deepEqual(network('igp-resnet37-41'), network('bireal-chain-41'));
    return `same N_1st, N_2nd, N_3rd as a plain chain, yet ${both('igp-37-41', 'chain-41')} points (${seedsOf('igp-37-41', 'chain-41')})`;
  },
  E6: () =>
    `EBi-Real is ${both('ebireal-18-64', 'bireal-18-64')} points better (${seedsOf('ebireal-18-64', 'bireal-18-64')})`,
  E7: () =>
    `${both('igp-densenet51-53', 'binary-densenet51-32')} points (${seedsOf('igp-densenet51-53', 'binary-densenet51-32')})`,
  E8: () =>
    `with ReActNet’s units ${both('igp-37-41-reactnet', 'bireal-18-64-reactnet')} points (${seedsOf('igp-37-41-reactnet', 'bireal-18-64-reactnet')})`,
};

/** Tables that are the code's from end to end. */
export const TABLES: Readonly<Record<string, () => readonly string[]>> = {
  networks: () =>
    [
      'binary-resnet18',
      'bireal-resnet18-64',
      'ebireal-resnet18-64',
      'igp-resnet21-53',
      'igp-resnet37-41',
      'igp-resnet69-31',
      'bireal-resnet34-64',
      'igp-resnet41-48',
      'binary-densenet51-32',
      'igp-densenet51-53',
      'binary-densenet69-32',
      'igp-densenet69-48',
    ].map((name) => {
      const [, second, third] = firstBlock(name);
      const [, wholeSecond, wholeThird] = network(name);
      const error = getArchitecture(name).reported?.top1Error;
      return line([
        `\`${name}\``,
        M(second),
        third === undefined ? '–' : M(third),
        M(wholeSecond),
        M(wholeThird),
        two(macs(name) / 1e9),
        error === undefined ? '–' : two(error),
      ]);
    }),
  widths: () =>
    (
      [
        [3, 7, [2, 2, 2, 2], [1, 1, 1, 1], 'bireal-resnet18-64'],
        [7, 15, [2, 2, 2, 2], [1, 1, 1, 1], 'bireal-resnet18-64'],
        [15, 31, [2, 2, 2, 2], [1, 1, 1, 1], 'bireal-resnet18-64'],
        [7, 7, [2, 2, 3, 2], [2, 2, 3, 2], 'bireal-resnet34-64'],
      ] as const
    ).map(([convs, convsOfOne, blocksPerStage, one, baseline]) => {
      const by = (rule: Parameters<typeof designWidth>[0]['rule']) =>
        designWidth({ rule, convs, blocksPerStage, baseline });
      const { paper: built } = by('storage');
      const cost = (rule: Parameters<typeof designWidth>[0]['rule']) =>
        rule === 'block' ? (convs * built!.width ** 2) / (2 * 64 ** 2) : by(rule).paper!.ratio;
      const storage = designWidth({ rule: 'storage', convs: convsOfOne, blocksPerStage: one, baseline });
      return line([
        built!.name,
        String(convs),
        String(by('block').width),
        String(built!.width),
        String(storage.width),
        ...(['block', 'binaryMacs', 'flops'] as const).map((rule) => two(cost(rule))),
      ]);
    }),
  dense: () =>
    [64, 128, 256, 512].map((channels) => {
      const third = (growth: number) =>
        costsOf(igpDenseOf(growth), { input: { channels, height: 1, width: 1 } })[2]! / 9;
      const total = (build: Block) => {
        const graph = new GraphBuilder('g');
        graph.output('y', build(graph, graph.input({ channels, height: 1, width: 1 })));
        return countCosts(graph.build()).binaryMacs / 9;
      };
      const base = total(twoDense(32));
      return line([
        String(channels),
        String(base),
        ...[32, 53, 48].flatMap((growth) => {
          const own = total(igpDenseOf(growth));
          return growth === 32 ? [String(own)] : [`${own} (${two(own / base)})`];
        }),
        ...[32, 53, 48].map((growth) => String(third(growth))),
      ]);
    }),
  storage: () =>
    [11, 22, 30, 31, 33, 34, 36, 37, 38, 39].map((number) => {
      const { label, storageMbit, gflops, counted } = row(number);
      const { storage, computation, fitted } = counted!;
      const verdict = (agreement: string) => (agreement === 'equal' ? '=' : agreement);
      return line([
        String(number),
        label.replace('*', '\\*'),
        storageMbit.toFixed(1),
        two(storage.counted),
        verdict(storage.agreement) + (fitted === null ? '' : ', fitted'),
        two(gflops),
        computation.counted.toFixed(3),
        verdict(computation.agreement),
      ]);
    }),
  claims: () => {
    const word: Record<Verdict, string> = {
      holds: 'holds',
      partly: 'holds with a condition',
      fails: 'does not hold',
      undecided: 'no number in the paper',
    };
    // What each means in words is the document's own; ids, order and verdicts are the code's.
    const own = new Map(tableOf('claims').map((text) => [cellsOf(text)[0], cellsOf(text)]));
    return evaluateClaims().map(({ id, verdict }) => {
      const [, text = '', , numbers = ''] = own.get(`\`${id}\``) ?? [];
      return line([`\`${id}\``, text, word[verdict], numbers]);
    });
  },
  training: () =>
    claim.means
      .filter(({ set }) => set === 'validation')
      .map(({ a, b, seeds }) => {
        const cells = (['validation', 'holdout'] as const).map((set) => {
          const one = difference(a, b, set);
          assert.equal(one.seeds, seeds);
          return written(one) + (Math.abs(one.points) < 2 * one.error ? ', not resolved' : '');
        });
        return line([claim.networks[a]!.title, claim.networks[b]!.title, String(seeds), ...cells]);
      }),
};

/** Numbers that stand in sentences. */
export const SENTENCES: Readonly<Record<string, () => string>> = {
  'doubled transitions': () => {
    const [of37, of41] = ['igp-resnet37-41', 'igp-resnet41-48'].map((name) => {
      const graph = buildArchitecture(name);
      const transitions = graph.nodes.filter(({ op, name: node }) => op === 'conv' && node.startsWith('body.'));
      assert.equal(transitions.length, 3);
      const { layers, storageBits } = countCosts(graph);
      const names = new Set(transitions.map(({ name: node }) => node));
      const own = layers.filter((layer) => names.has(layer.name)).reduce((sum, layer) => sum + layer.storageBits, 0);
      return (storageBits + own) / 1e6;
    });
    return `would give ${two(of37!)} Mbit, but then 41(48) ${two(of41!)}`;
  },
  'channels from which N_3rd is smaller': () => {
    const [for53, for48] = [53, 48].map((growth) => {
      let channels = 1;
      while (growth * channels + growth ** 2 >= 2 * 32 * channels + 32 ** 2) channels++;
      const input = { channels, height: 1, width: 1 };
      const third = costsOf(igpDenseOf(growth), { input })[2]!;
      assert.ok(third < 9 * (2 * 32 * channels + 32 ** 2));
      return channels;
    });
    return `from ${for53} channels on (from ${for48} where k is 48)`;
  },
  'pairs whose N_2nd rises': () => {
    const pairs = [
      ['bireal-resnet18-64', 'igp-resnet37-41'],
      ['bireal-resnet34-64', 'igp-resnet41-48'],
      ['binary-densenet51-32', 'igp-densenet51-53'],
      ['binary-densenet69-32', 'igp-densenet69-48'],
    ] as const;
    const rises = (costs: (name: string) => readonly number[]) =>
      pairs.filter(([base, igp]) => costs(igp)[1]! > costs(base)[1]!).length;
    return `in ${rises(network)} of them the N_2nd of the network is higher, in ${rises(firstBlock)} that of the first block`;
  },
  paths: () => {
    const paths = (name: string) => gradientPaths(buildArchitecture(name)).total;
    const [mantissa, exponent] = Number(paths('igp-resnet37-41')).toExponential(1).split('e+');
    return `${paths('bireal-resnet18-64')} paths, IGP-ResNet37(41) ${mantissa} · 10^${exponent}`;
  },
  training: () => {
    const [{ epochs, validation, holdout }] = claim.runs as [Run];
    for (const run of claim.runs) {
      assert.deepEqual(
        [run.epochs, run.validation.images, run.holdout.images],
        [epochs, validation.images, holdout.images],
      );
    }
    return `${epochs} epochs, ${validation.images.toLocaleString('en')} validation and ${holdout.images.toLocaleString('en')} held-out pictures`;
  },
  'top-1': () =>
    ['igp-37-41', 'bireal-18-64', 'ebireal-18-64', 'binary-resnet18', 'chain-41', 'chain-41-scaled']
      .map((name) => {
        const runs = claim.runs.filter((run) => run.network === name);
        const mean = (set: Pictures) => two(runs.reduce((sum, run) => sum + run[set].top1, 0) / runs.length);
        return `${claim.networks[name]!.title} ${mean('validation')} and ${mean('holdout')}`;
      })
      .join(', '),
};
