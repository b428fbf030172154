/** Pages of docs/ that readers type along with: their files and commands, in order, in an empty folder, print what the pages say. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { root } from '../build/root.js';
import { temporaryFolder } from '../cli/run.js';
import { threadsTable } from './threadsTable.js';

const read = (path: string) => readFileSync(join(root, path), 'utf8');
const PAGES = ['tutorial', 'builder', 'threads', 'describe', 'gradient-paths'];

interface Block {
  /** `run`, or `file <name>`. */
  readonly what: string;
  readonly code: string;
  /** Left out where the page does not say what is printed. */
  readonly output: string | undefined;
}

function blocksOf(page: string): Block[] {
  const blocks = read(`docs/${page}.md`).matchAll(
    /<!-- (run|file \S+) -->\n```\w+\n(.*?)```\n(?:```text\n(.*?)```)?/gs,
  );
  return [...blocks].map(([, what = '', code = '', output]) => ({ what, code, output }));
}

/** A folder with an `npm` that installs this package and nothing else, and its `npx`. */
function shims(folder: string): string {
  const bin = join(folder, '.bin');
  mkdirSync(bin);
  const programs = {
    npm: `if [ "$1" = install ]; then mkdir -p node_modules && ln -sfn "${root}" node_modules/bitpath; fi`,
    npx: `shift && exec "${process.execPath}" "${root}dist/cli/main.js" "$@"`,
  };
  for (const [name, text] of Object.entries(programs)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  return bin;
}

/** Another build of the picture decoder may round a pixel differently, and a network's percentages with it. */
const isSame = process.platform === 'linux' && process.arch === 'x64';
const essence = (text: string) => (isSame ? text : text.replace(/\d+\.\d+|[█▌]+/g, '').split('\n', 1)[0]);

for (const page of PAGES) {
  describe(`docs/${page}.md`, { skip: spawnSync('bash', ['--version']).error && 'there is no bash' }, () => {
    const folder = temporaryFolder();
    let env: NodeJS.ProcessEnv;
    let server: ChildProcess | undefined;
    let url = '';
    before(() => {
      const { BITPATH_ISA: _isa, BITPATH_THREADS: _threads, ...inherited } = process.env;
      env = { ...inherited, PATH: `${shims(folder)}${delimiter}${process.env['PATH']}` };
      if (page !== 'tutorial') run('npm install bitpath');
    });
    after(() => server?.kill());

    /** In the folder that the page has made, if it has. */
    const cwd = () => (existsSync(join(folder, 'try-bitpath')) ? join(folder, 'try-bitpath') : folder);
    const run = (script: string): string => {
      const { status, stdout, stderr } = spawnSync('bash', ['-ec', script], { cwd: cwd(), env, encoding: 'utf8' });
      assert.equal(status, 0, `${script}\n${stderr}`);
      return stdout;
    };
    const serve = async (script: string): Promise<void> => {
      server = spawn('bash', ['-ec', `exec ${script.trim()} --port 0`], {
        cwd: cwd(),
        env,
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      for await (const chunk of server.stdout!) {
        [url = ''] = /localhost:\d+|127\.0\.0\.1:\d+/.exec(String(chunk)) ?? [];
        if (url !== '') return;
      }
      assert.fail('the server gave no address');
    };

    const blocks = blocksOf(page);
    it('has some', () => assert.ok(blocks.length >= 1));
    for (const { what, code, output } of blocks) {
      it(`${what}: ${code.split('\n', 1)[0]}`, async () => {
        const [, file] = what.split(' ');
        if (file !== undefined) return writeFileSync(join(cwd(), file), code);
        const [install = '', command] = code.split(/(?=^npx bitpath serve$)/m);
        const printed = run(install.replaceAll('localhost:8000', url));
        if (command !== undefined) await serve(command);
        if (output !== undefined) assert.equal(essence(printed), essence(output));
        if (code.startsWith('curl')) assert.match(printed, /goldfish/);
      });
    }
  });
}

describe('docs/threads.md', () => {
  it('has the table of a result file', () => {
    const [, table] = /<!-- made: threads -->\n(.*?)<!-- end -->/s.exec(read('docs/threads.md')) ?? [];
    assert.equal(table, threadsTable());
  });
});

describe('docs/index.md', () => {
  it('leads to every page', () => {
    const index = read('docs/index.md');
    for (const name of readdirSync(join(root, 'docs')).filter((file) => file.endsWith('.md') && file !== 'index.md')) {
      assert.ok(index.includes(`(${name})`), name);
    }
  });
});
