import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type CostModel, searchArchitectures } from 'bitpath/analysis';
import { textWidth } from '#lib/cli/format.js';
import { bitpath } from './run.js';

const BUDGET = ['--storage', '33.2', '--gflops', '0.16'];
const NARROW = [...BUDGET, '--columns', '3,4', '--min-width', '40', '--max-depth', '40'];
const options = {
  budget: { storageMbit: 33.2, gflops: 0.16, use: 0.9 },
  columns: [3, 4],
  minWidth: 40,
  maxDepth: 40,
};

interface Document {
  schema: string;
  considered: number;
  nondominated: number;
  networks: { name: string; measuredMs?: number }[];
  calibration?: { model: CostModel; networks: number; largestError: number };
}

describe('bitpath search', () => {
  it('shows networks by rising N_2nd, in 80 columns', async () => {
    const { code, stdout, stderr } = await bitpath(['search', ...NARROW, '--limit', '12']);
    assert.deepEqual([code, stderr], [0, '']);
    const lines = stdout.split('\n');
    const { front, considered } = searchArchitectures(options);
    assert.ok(lines[1]!.startsWith(front[0]!.name), lines[1]);
    assert.ok(lines[12]!.startsWith(front.at(-1)!.name), lines[12]);
    assert.match(stdout, new RegExp(`\\nshown +12 of ${front.length} .*, of ${considered}\\n`));
    for (const line of lines.slice(0, 13)) assert.ok(textWidth(line) <= 84, line);
  });

  it('--json has what searchArchitectures finds, all of it', async () => {
    const { code, stdout, stderr } = await bitpath(['search', ...NARROW, '--json', '--limit', '2']);
    assert.deepEqual([code, stderr], [0, '']);
    const document = JSON.parse(stdout) as Document;
    const { front, considered } = searchArchitectures(options);
    assert.equal(document.schema, 'bitpath.search/1');
    assert.deepEqual([document.considered, document.nondominated], [considered, front.length]);
    assert.deepEqual(document.networks, JSON.parse(JSON.stringify(front)));
  });

  it('--measure runs what it shows', async () => {
    const { code, stdout } = await bitpath([
      'search',
      ...NARROW,
      '--json',
      '--limit',
      '2',
      '--measure',
      '--threads',
      '1',
    ]);
    assert.equal(code, 0);
    const { networks } = JSON.parse(stdout) as Document;
    assert.equal(networks.length, 2);
    for (const { measuredMs } of networks) assert.ok(measuredMs! > 0);
  });

  it('--calibrate predicts by what it has run here', async () => {
    const { code, stdout } = await bitpath(['search', ...NARROW, '--json', '--calibrate', '--threads', '1']);
    assert.equal(code, 0);
    const { calibration, networks } = JSON.parse(stdout) as Document;
    const { model, networks: run, largestError } = calibration!;
    assert.equal(run, 7);
    assert.ok(largestError >= 0 && largestError < 10, `${largestError}`);
    const { front } = searchArchitectures({ ...options, costModel: model });
    assert.deepEqual(networks, JSON.parse(JSON.stringify(front)));
    const text = await bitpath(['search', ...NARROW, '--limit', '2', '--calibrate', '--threads', '1']);
    assert.match(text.stdout, /\nms +predicted from 7 networks run here, each met within \d+ %\n/);
  });

  it('takes numbers as they are written, and 0 as a share', async () => {
    const bounds = ['--columns', '4', '--min-width', '40', '--max-width', '42', '--max-depth', '40', '--json'];
    const of = (use: string, gflops: string) =>
      bitpath(['search', '--storage', '3.32e1', '--gflops', gflops, '--use', use, ...bounds]);
    for (const gflops of ['.16', '16e-2', '1.6E-1']) {
      const { code, stdout, stderr } = await of('0', gflops);
      assert.deepEqual([code, stderr], [0, '']);
      const budget = { storageMbit: 33.2, gflops: 0.16, use: 0 };
      const expected = searchArchitectures({ budget, columns: [4], minWidth: 40, maxWidth: 42, maxDepth: 40 });
      assert.equal((JSON.parse(stdout) as Document).considered, expected.considered);
    }
  });

  it('bounds that contradict each other are a wrong command line', async () => {
    const { code, stdout, stderr } = await bitpath(['search', ...BUDGET, '--min-width', '300', '--max-width', '200']);
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, /for maxWidth but received 200.*\(ERR_BITPATH_USAGE\)/);
  });

  it('says so where nothing fits', async () => {
    const { code, stdout } = await bitpath(['search', '--storage', '1', '--gflops', '0.01']);
    assert.deepEqual([code, stdout], [0, 'No network is within this budget and these bounds.\n']);
  });

  const bad: [args: string[], message: RegExp][] = [
    [[], /required option '--storage <mbit>' not specified/],
    [['--storage', '33.2'], /required option '--gflops <n>' not specified/],
    [['--storage', '-1', '--gflops', '1'], /'--storage <mbit>' argument '-1' is invalid\. Expected a number above 0/],
    [[...BUDGET, '--use', '1.1'], /Expected a number from 0 to 1/],
    [['--storage', '0x10', '--gflops', '1'], /Expected a number above 0/],
    [[...BUDGET, '--columns', '3;4'], /Expected integers from 1 to 10 with commas between them/],
    [[...BUDGET, '--min-width', '0'], /Expected an integer from 1 to 4096/],
  ];
  for (const [args, message] of bad) {
    it(`BAD CALL bitpath search ${args.join(' ')}`, async () => {
      const { code, stdout, stderr } = await bitpath(['search', ...args]);
      assert.deepEqual([code, stdout], [2, '']);
      assert.match(stderr, message);
      assert.match(stderr, /\(ERR_BITPATH_USAGE\)\nTry: bitpath search --help\n$/);
    });
  }
});
