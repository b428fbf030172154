/** What the documents promise: README's code runs and prints what it says, links lead somewhere, tables are the code's. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { listModels } from 'bitpath';
import { ERRORS } from '#lib/errors.js';

/** This file runs as out/test/readme.test.js. */
const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const readme = read('README.md');

interface Example {
  readonly language: string;
  readonly code: string;
  readonly output: string;
}

/** Code blocks below `<!-- run -->`, each with the block of output that follows. */
const examples: Example[] = [...readme.matchAll(/<!-- run -->\n```(\w+)\n(.*?)```\n```text\n(.*?)```/gs)].map(
  ([, language = '', code = '', output = '']) => ({ language, code, output }),
);

function run(args: readonly string[]): string {
  const { BITPATH_ISA: _isa, BITPATH_THREADS: _threads, ...env } = process.env;
  return execFileSync(process.execPath, args, { cwd: root, env, encoding: 'utf8', timeout: 120_000 });
}

describe('README.md', () => {
  it('has three examples that run, and no others that pretend to', () => {
    assert.deepEqual(
      examples.map(({ language }) => language),
      ['sh', 'js', 'js'],
    );
    assert.equal(readme.match(/<!-- run -->/g)?.length, 3);
    assert.equal(readme.match(/^```js$/gm)?.length, 2);
  });

  for (const [i, { language, code, output }] of examples.entries()) {
    it(`example ${i + 1}: ${code.split('\n').find((line) => !line.startsWith('import'))}`, () => {
      let printed: string;
      if (language === 'sh') {
        const [, command] = /^npm install && npx bitpath (.*)\n$/.exec(code) ?? [];
        assert.ok(command, code);
        printed = run(['dist/cli/main.js', ...command.split(' ')]);
      } else {
        // Inside the package, so that `bitpath` is this one.
        mkdirSync(join(root, 'out/readme'), { recursive: true });
        const file = join(root, `out/readme/${i}.mjs`);
        writeFileSync(file, code);
        printed = run([file]);
      }
      // Another build of the SVG renderer may round a pixel differently, and the network's percentages with it.
      const isSame = process.platform === 'linux' && process.arch === 'x64';
      const essence = (text: string) =>
        isSame
          ? text
          : text
              .replace(/\d+\.\d+|[█▌]+/g, '')
              .split('\n')
              .slice(0, 2)
              .join();
      assert.equal(essence(printed), essence(output));
    });
  }

  it('gives the accuracies of the model files', async () => {
    const models = await listModels();
    assert.ok(models.length >= 2);
    for (const { name, top1, top5, default: isDefault } of models) {
      const row = `| \`${name}\`${isDefault ? ' (default)' : ''} | ${top1?.toFixed(2)} / ${top5?.toFixed(2)} |`;
      assert.ok(readme.includes(row), row);
    }
  });

  it('names the Node that package.json asks for', () => {
    const { engines } = JSON.parse(read('package.json'));
    assert.ok(readme.includes(`Node.js ${engines.node.replace('>=', '≥ ')}`));
  });
});

describe('links', () => {
  const documents = [
    ...[
      'README.md',
      'ARCHITECTURE.md',
      'CHANGELOG.md',
      'CONTRIBUTING.md',
      'SECURITY.md',
      'prebuilds/README.md',
      'models/README.md',
      'examples/README.md',
      'training/README.md',
      'deploy/README.md',
    ],
    ...readdirSync(join(root, 'docs'))
      .filter((name) => name.endsWith('.md'))
      .map((name) => `docs/${name}`),
    ...readdirSync(join(root, 'examples'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => `examples/${name}/README.md`),
  ];
  let links = 0;
  for (const document of documents) {
    it(`of ${document} lead to files of this package`, () => {
      for (const [, target = ''] of read(document).matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^https?:/.test(target)) continue;
        const [path = '', anchor] = target.split('#');
        const file = path === '' ? document : join(dirname(document), path);
        assert.ok(existsSync(join(root, file)), target);
        if (anchor !== undefined) assert.ok(anchorsOf(read(file)).includes(anchor), target);
        links++;
      }
    });
  }
  it('there are some', () => assert.ok(links >= 6, String(links)));
});

/** As the places where people read Markdown make them. */
function anchorsOf(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{Letter}\p{Number} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

describe('docs/errors.md', () => {
  it('has the message of every code, in the table’s order', () => {
    const rows = [...read('docs/errors.md').matchAll(/^\| `(ERR_BITPATH_\w+)` \| `(.*?)` \| (\S.*) \|$/gm)];
    assert.deepEqual(
      rows.map(([, code, message]) => [code, message]),
      Object.entries(ERRORS),
    );
  });
});
