import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { buildArchitecture, listModels } from 'bitpath';
import { countCosts, countTable1, gradientPaths } from 'bitpath/analysis';
import { PICTURES } from '#lib/cli/analyze.js';
import { textWidth } from '#lib/cli/format.js';
import { DRAWINGS } from '#lib/pictures/index.js';
import { bitpath, root, temporaryFolder } from './run.js';

interface Level {
  level: string;
  cost: number;
  length: number;
  count: string;
}
interface Document {
  schema: string;
  name: string;
  architecture: string | null;
  reported: { top1Error: number } | null;
  costs: { storageBits: number; flops: number };
  groupBy: string;
  parts: { name: string; role: string; convs: number; share: number }[];
  paths: { levels: Level[]; total: string; longest: number };
  block: {
    name: string;
    paths: { levels: Level[] };
    boxes: { id: string; kind: string; cost: number }[];
    edges: { from: string; to: string; levels: number[] }[];
  };
}

/** Makes every import of a package fail, as where it is not installed. */
function without(name: string): Record<string, string> {
  const hooks = `export function resolve(specifier, context, next) { if (specifier.startsWith(${JSON.stringify(name)})) throw new Error('gone'); return next(specifier, context); }`;
  const source = `import { register } from 'node:module'; register('data:text/javascript,' + ${JSON.stringify(encodeURIComponent(hooks))});`;
  return { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(source)}` };
}

describe('bitpath analyze', () => {
  const folder = temporaryFolder();

  it('says what a block and the network are, for people', async () => {
    const { code, stdout, stderr } = await bitpath(['analyze', 'igp-resnet37-41']);
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /^network +IGP-ResNet37\(41\), igp-resnet37-41$/m);
    assert.match(stdout, /^storage +30\.98 Mbit as the paper counts/m);
    assert.match(stdout, /^computation +0\.1254 GFLOPs: /m);
    assert.match(stdout, /^structure +stem, 2 × block of M = 7 \(56 × 56\), transition, /m);
    const [block = '', network = ''] = stdout.split('Gradient paths of ').slice(1);
    assert.match(block, /^body\.0: 7 1-bit convolutions, 41 × 56 × 56 in and out\n/);
    assert.match(block, / 1st +0 +0 +5\n.* 2nd +47\.44\u00a0M +1 +13\n.* 3rd +94\.89\u00a0M +2 +13\n/);
    assert.match(network, /^the whole network\n(.*\n)* +2nd +47\.44\u00a0M +1 +8\u202f125\u202f000\n/);
  });

  it('counts storage as table1 counts the row', async () => {
    const rows = countTable1();
    for (const [name, row] of [
      ['xnor-resnet18', 2],
      ['xnor-net-pp-resnet18', 8],
      ['resnet18', 38],
    ] as const) {
      const { stdout } = await bitpath(['analyze', name]);
      const mbit = rows[row - 1]!.counted!.storage.counted.toFixed(2);
      assert.match(stdout, new RegExp(`^storage +${mbit.replace('.', '\\.')} Mbit as the paper counts \\(`, 'm'));
    }
  });

  it('fits a terminal', async () => {
    const { stdout } = await bitpath(['analyze', 'binary-densenet69-32'], { terminal: { stdout: 80 } });
    for (const line of stdout.split('\n')) assert.ok(textWidth(line) <= 80, line);
  });

  it('--json has the figures of bitpath/analysis', async () => {
    const run = await bitpath(['analyze', 'bireal-resnet18-64', '--json', '--levels', '4']);
    assert.deepEqual([run.code, run.stderr], [0, '']);
    const document = JSON.parse(run.stdout) as Document;
    assert.equal(document.schema, 'bitpath.analyze/1');
    const graph = buildArchitecture('bireal-resnet18-64');
    const counted = gradientPaths(graph, { count: 4 });
    assert.deepEqual(
      document.paths.levels.map(({ cost, length, count }) => ({ cost, length, count: BigInt(count) })),
      counted.levels.map(({ cost, length, count }) => ({ cost, length, count })),
    );
    assert.equal(document.paths.total, String(counted.total));
    const { storageBits, flops } = countCosts(graph);
    assert.deepEqual([document.costs.storageBits, document.costs.flops], [storageBits, flops]);
    assert.equal(document.reported?.top1Error, 40.42);
    // Two blocks of one convolution each, the depth that Figure 2 has.
    assert.equal(document.block.name, 'body.0,body.1');
    const n = 9 * 64 * 64 * 56 * 56;
    assert.deepEqual(
      document.block.paths.levels.map(({ level, cost, count }) => [level, cost, count]),
      [
        ['1st', 0, '1'],
        ['2nd', n, '2'],
        ['3rd', 2 * n, '1'],
      ],
    );
    const ids = document.block.boxes.map(({ id }) => id);
    for (const { from, to } of document.block.edges) assert.ok(ids.includes(from) && ids.includes(to));
    assert.ok(document.block.edges.every(({ levels }) => levels.length > 0));
  });

  it('takes options of the architecture, a block and another grouping', async () => {
    const args = ['--join', 'sum', '--input-size', '64', '--block', 'body.7,body.8', '--group-by', 'length', '--json'];
    const run = await bitpath(['analyze', 'igp-densenet51-53', ...args]);
    assert.equal(run.stderr, '');
    const document = JSON.parse(run.stdout) as Document;
    assert.equal(document.name, 'igp-densenet51-53-sum');
    assert.equal(document.groupBy, 'length');
    assert.equal(document.block.name, 'body.7,body.8');
    assert.deepEqual(
      document.paths.levels.map(({ length }) => length),
      [0, 1, 2],
    );
  });

  it('takes a shipped model and a model file', async () => {
    const [model] = await listModels();
    const { name, architecture } = model!;
    const file = join(root, 'models', `${name}.safetensors`);
    for (const given of existsSync(file) ? [name, file] : [name]) {
      const { code, stdout, stderr } = await bitpath(['analyze', given, '--json']);
      assert.deepEqual([code, stderr], [0, '']);
      const document = JSON.parse(stdout) as Document;
      assert.equal(document.name, architecture);
      assert.equal(document.architecture, null);
    }
  });

  it('writes pictures, the same each time, and says so', async () => {
    const files = ['a.svg', 'b.svg'];
    for (const file of files) {
      const run = await bitpath(['analyze', 'igp-resnet21-53', '--svg', file, '--picture', 'network'], { cwd: folder });
      assert.deepEqual([run.code, run.stderr], [0, '']);
      assert.ok(run.stdout.endsWith(`\nwritten: ${file}\n`));
    }
    const [first, second] = files.map((file) => readFileSync(join(folder, file), 'utf8'));
    assert.equal(first, second);
    assert.match(first!, /^<svg /);
    const page = await bitpath(['analyze', 'resnet18', '--html', 'p.html', '--svg', 's.svg', '--json'], {
      cwd: folder,
    });
    assert.deepEqual([page.code, page.stderr], [0, '']);
    JSON.parse(page.stdout);
    assert.match(readFileSync(join(folder, 'p.html'), 'utf8'), /^<!DOCTYPE html>/);
    assert.match(readFileSync(join(folder, 's.svg'), 'utf8'), /^<svg /);
  });

  it('draws all that lib/pictures draws', () => {
    assert.deepEqual([...PICTURES, 'page'], DRAWINGS);
  });

  it('docs/images has what the command draws', async () => {
    for (const [name, picture, file] of [
      ['igp-resnet37-41', 'block', 'igp-resnet37-41-block.svg'],
      ['igp-resnet37-41', 'network', 'igp-resnet37-41-network.svg'],
    ] as const) {
      await bitpath(['analyze', name, '--picture', picture, '--svg', file], { cwd: folder });
      assert.equal(
        readFileSync(join(root, 'docs/images', file), 'utf8'),
        readFileSync(join(folder, file), 'utf8'),
        file,
      );
    }
  });

  const cases: [args: string[], stderr: RegExp, code: number][] = [
    [
      ['igp-resnet37'],
      /No model or architecture is called "igp-resnet37" \(did you mean "igp-resnet37-41"\?\).*UNKNOWN_NAME/,
      1,
    ],
    [
      ['igp-resnet37-41', '--block', 'body.99'],
      /No block is called "body\.99".*known are stem, body\.0.*UNKNOWN_NAME/,
      1,
    ],
    [['igp-resnet37-41', '--block', 'body.0,body.3'], /Expected blocks that follow one another.*ARGUMENT/, 1],
    [['igp-resnet37-41', '--block', ''], /Expected a string that is not empty for block.*ARGUMENT/, 1],
    [['bireal-resnet18-64', '--join', 'sum'], /Unknown option "join".*UNKNOWN_OPTION/, 1],
    [['igp-resnet37-41', '--input-size', '8'], /ERR_BITPATH_SHAPE/, 1],
    [['igp-resnet37-41', '--levels', '6'], /Expected an integer from 1 to 5.*ERR_BITPATH_USAGE/, 2],
    [['igp-resnet37-41', '--picture', 'all'], /Allowed choices are block, network.*ERR_BITPATH_USAGE/, 2],
    [['igp-resnet37-41-tiny-imagenet', '--join', 'sum'], /a model has its own.*ERR_BITPATH_USAGE/, 2],
    [['resnet18', '--picture', 'network'], /--picture is the picture of --svg.*ERR_BITPATH_USAGE/, 2],
    [['resnet18', '--svg', 'a', '--html', './a'], /would both write a.*ERR_BITPATH_USAGE/, 2],
    [['reactnet-resnet18+ternary'], /a row of Table 1 that its unit defines/, 1],
    [['igp-resnet37-41', '--svg', 'none/a.svg'], /ENOENT/, 1],
  ];
  for (const [args, message, expected] of cases) {
    it(`BAD CALL bitpath analyze ${args.join(' ')}`, async () => {
      const { code, stdout, stderr } = await bitpath(['analyze', ...args], { cwd: folder });
      assert.match(stderr, message);
      assert.equal(code, expected);
      assert.equal(stdout, '');
    });
  }

  for (const [missing, args] of [
    ['elkjs', ['--svg', 'x.svg']],
    ['elkjs', ['--html', 'x.html']],
    ['echarts', ['--svg', 'x.svg', '--picture', 'storage']],
    ['echarts', ['--html', 'x.html']],
  ] as const) {
    it(`says that ${args.join(' ')} needs ${missing}, and writes nothing`, async () => {
      const { code, stdout, stderr } = await bitpath(['analyze', 'resnet18', ...args], {
        cwd: folder,
        env: without(missing),
      });
      assert.match(stderr, new RegExp(`^bitpath: .*npm install ${missing} \\(ERR_BITPATH_MISSING_PACKAGE\\)\\n$`));
      assert.deepEqual([code, stdout], [1, '']);
      assert.ok(!existsSync(join(folder, args[1])));
    });
  }

  it('needs neither for text and JSON', async () => {
    for (const missing of ['elkjs', 'echarts']) {
      const { code } = await bitpath(['analyze', 'resnet18'], { env: without(missing) });
      assert.equal(code, 0);
    }
  });
});
