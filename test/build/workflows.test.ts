/** The GitHub workflows, by GitHub's own parser and by what prebuilds/README.md and SECURITY.md promise. Nothing here runs them. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { buildSync } from 'esbuild';
import { parse } from 'yaml';
import { root } from './root.js';

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Record<string, unknown>;
}

interface Job {
  readonly 'runs-on': string;
  readonly 'timeout-minutes'?: number;
  readonly needs?: string;
  readonly if?: string;
  readonly permissions?: Record<string, string>;
  readonly strategy?: { readonly matrix: { readonly include?: readonly Record<string, string>[] } };
  readonly steps: readonly Step[];
}

interface Workflow {
  readonly permissions?: object;
  readonly jobs: Record<string, Job>;
}

const folder = `${root}.github/workflows/`;
const texts = new Map(readdirSync(folder).map((name) => [name, readFileSync(folder + name, 'utf8')]));
const workflows = new Map([...texts].map(([name, text]) => [name, parse(text) as Workflow]));
const jobs = [...workflows].flatMap(([file, { jobs }]) =>
  Object.entries(jobs).map(([name, job]) => ({ at: `${file}: ${name}`, job })),
);
const release = workflows.get('release.yml')!;
const readme = readFileSync(`${root}prebuilds/README.md`, 'utf8');

/** GitHub's parser imports JSON as only later Nodes than 20 allow: a bundle of it does not. */
async function loadParser(): Promise<typeof import('@actions/workflow-parser')> {
  const outfile = `${root}out/workflows/parser.mjs`;
  mkdirSync(`${root}out/workflows`, { recursive: true });
  const entryPoints = [`${root}node_modules/@actions/workflow-parser/dist/index.js`];
  const external = ['yaml', 'cronstrue'];
  buildSync({ entryPoints, outfile, external, bundle: true, platform: 'node', format: 'esm', logLevel: 'error' });
  return import(pathToFileURL(outfile).href);
}

const { parseWorkflow, NoOperationTraceWriter } = await loadParser();
const { TARGETS } = (await import(pathToFileURL(`${root}scripts/prebuild-targets.mjs`).href)) as {
  TARGETS: Record<string, { glibc?: string }>;
};

function problemsOf(name: string, content: string): readonly string[] {
  const { context } = parseWorkflow({ name, content }, new NoOperationTraceWriter());
  return context.errors.getErrors().map(({ message }) => message);
}

describe('workflows', () => {
  it('are what GitHub accepts', () => {
    assert.deepEqual([...texts.keys()].sort(), ['ci.yml', 'release.yml']);
    for (const [name, text] of texts) assert.deepEqual(problemsOf(name, text), []);
    assert.notDeepEqual(problemsOf('wrong.yml', texts.get('ci.yml')!.replace('runs-on', 'run-on')), []);
  });

  it('pin every action by its commit and say the version, the same one everywhere', () => {
    const pins = new Map<string, string>();
    for (const [name, text] of texts) {
      for (const [line, action = '', rest = ''] of text.matchAll(/^ *-? *uses: ([\w/-]+)(.*)$/gm)) {
        assert.match(rest, /^@[0-9a-f]{40} # v\d+\.\d+\.\d+$/, `${name}: ${line}`);
        assert.equal(pins.get(action) ?? rest, rest, `${name}: ${action} has two versions`);
        pins.set(action, rest);
      }
    }
    assert.equal(
      [...texts.values()].join('').match(/\buses:/g)?.length,
      jobs.flatMap(({ job }) => job.steps.filter(({ uses }) => uses)).length,
    );
    assert.ok(pins.size >= 4);
    for (const action of pins.keys()) assert.match(action, /^actions\//, 'only GitHub’s own');
  });

  it('may do nothing by default, and only publishing may identify itself', () => {
    for (const { permissions } of workflows.values()) assert.deepEqual(permissions, {});
    for (const { at, job } of jobs)
      assert.deepEqual(
        job.permissions,
        at === 'release.yml: publish' ? { 'id-token': 'write' } : { contents: 'read' },
        at,
      );
  });

  it('leave no credentials behind, end by themselves, and put nothing of an event into a shell', () => {
    for (const { at, job } of jobs) {
      assert.ok(job['timeout-minutes']! > 0, at);
      for (const step of job.steps) {
        if (step.uses?.startsWith('actions/checkout@')) assert.equal(step.with?.['persist-credentials'], false, at);
        assert.doesNotMatch(step.run ?? '', /\$\{\{/, at);
      }
    }
    for (const text of texts.values()) assert.doesNotMatch(text, /pull_request_target|secrets\./);
  });

  it('runs .ci/run', () => {
    assert.ok(workflows.get('ci.yml')!.jobs['debian']!.steps.some(({ run }) => run === 'bash .ci/run'));
  });

  it('build and try exactly the binaries that prebuilds/README.md lists', () => {
    const listed = [...readme.matchAll(/^\| `([\w-]+)` +\|/gm)].map(([, target]) => target);
    assert.deepEqual(listed, Object.keys(TARGETS));
    for (const name of ['build', 'try']) {
      const rows = release.jobs[name]!.strategy!.matrix.include!;
      assert.deepEqual(
        rows.map(({ target }) => target),
        listed,
        name,
      );
      for (const row of rows) {
        const target = row['target']!;
        assert.match(
          row['runner']!,
          target.startsWith('linux') ? /^ubuntu-/ : target.startsWith('darwin') ? /^macos-/ : /^windows-/,
        );
        assert.equal(row['image'] !== undefined, target.startsWith('linux'), target);
        assert.equal(row['runner']!.endsWith('-arm') || row['runner'] === 'macos-14', target.includes('arm64'), target);
        if (name === 'build')
          assert.equal(row['flags'], TARGETS[target]!.glibc && `--glibc ${TARGETS[target]!.glibc}`, target);
      }
    }
  });

  it('publishes the very file that was tried, with its provenance, and on a tag alone', () => {
    const { build, pack, try: tried, publish } = release.jobs;
    assert.deepEqual([pack?.needs, tried?.needs, publish?.needs], ['build', 'pack', 'try']);
    assert.equal(publish?.if, "github.event_name == 'push'");
    const names = (job: Job | undefined, action: string) =>
      job?.steps
        .filter(({ uses }) => uses?.startsWith(`actions/${action}@`))
        .map((step) => step.with?.['name'] ?? step.with?.['pattern']);
    assert.deepEqual(names(build, 'upload-artifact'), [`prebuild-\${{ matrix.target }}`]);
    assert.deepEqual(names(pack, 'download-artifact'), ['prebuild-*']);
    assert.deepEqual(names(pack, 'upload-artifact'), ['package']);
    for (const job of [tried, publish]) assert.deepEqual(names(job, 'download-artifact'), ['package']);
    assert.deepEqual(
      publish?.steps.at(-1)?.run,
      'npm publish ./bitpath-*.tgz --provenance --access public --ignore-scripts',
    );
    assert.ok(
      !publish?.steps.some(({ uses }) => uses?.startsWith('actions/checkout@')),
      'nothing of the checkout gets in',
    );
    for (const { run = '' } of tried!.steps.filter(({ run }) => run?.includes('check-package')))
      assert.match(
        run,
        /check-package\.mjs --tarball bitpath-\*\.tgz\n[\s\S]*PREBUILDS_ONLY=1 node scripts\/test\.mjs/,
      );
    assert.equal(tried!.steps.filter(({ run }) => run?.includes('check-package')).length, 2);
  });
});
