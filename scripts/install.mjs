// npm's install script: the addon that is there is used if it loads and was built from these sources; otherwise node-gyp
// builds one.
//   node scripts/install.mjs                      what `npm install` runs: a build starts from nothing
//   node scripts/install.mjs --rebuild-if-stale   what `npm run build:native` runs: compiles only what changed
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { buildId } from './build-id.mjs';
import { headersPrefix } from './node-headers.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const require = createRequire(import.meta.url);

/** Run in a child process, because a binary for another machine may kill the process that loads it. */
const PROBE = `
  const find = require(process.argv[1]);
  const path = find.resolve(process.argv[2]);
  process.stdout.write(JSON.stringify({ path, buildId: require(path).buildId }));
`;

/** The addon that node-gyp-build would load: its path and build id, or the reason why there is none. */
function probe() {
  let finder;
  try {
    finder = require.resolve('node-gyp-build');
  } catch {
    return { reason: 'node-gyp-build is not installed' };
  }
  const child = spawnSync(process.execPath, ['-e', PROBE, finder, root], { encoding: 'utf8', timeout: 60_000 });
  if (child.status === 0) return JSON.parse(child.stdout);
  const error = /^\w*Error: (.*)$/m.exec(child.stderr ?? '');
  return { reason: error?.[1] ?? `loading it ended with ${child.signal ?? `exit code ${child.status}`}` };
}

/** npm names its own node-gyp in the environment; without npm, ours is a development dependency. */
function nodeGyp() {
  const named = process.env.npm_config_node_gyp;
  if (named && existsSync(named)) return named;
  try {
    return require.resolve('node-gyp/bin/node-gyp.js');
  } catch {
    return undefined;
  }
}

const runs = (command) => spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;

/** What a failed build was probably missing, and the one command that helps. */
function remedy(prefix) {
  const missing = [];
  if (process.platform !== 'win32') {
    const compilers = process.env.CXX ? [process.env.CXX.split(' ')[0]] : ['g++', 'c++', 'clang++'];
    if (!compilers.some(runs)) missing.push(`a C++17 compiler (${compilers.join(', ')})`);
    if (!runs(process.env.MAKE ?? 'make')) missing.push('make');
    if (!runs(process.env.npm_config_python ?? process.env.PYTHON ?? 'python3')) missing.push('Python 3');
  }
  const lines = missing.length > 0 ? [`Missing: ${missing.join(', ')}.`] : ['The output above says why.'];
  if (missing.length > 0 || process.platform === 'win32') {
    if (process.platform === 'linux') {
      lines.push('On Debian and Ubuntu: apt-get install -y g++ make python3   On Alpine: apk add g++ make python3');
    } else if (process.platform === 'darwin') lines.push('Run: xcode-select --install');
    else lines.push('Install Python 3 and the Visual Studio Build Tools with "Desktop development with C++".');
  } else if (prefix === undefined) {
    lines.push(
      `Node ${process.versions.node} came without its headers, so node-gyp downloads them from nodejs.org. If that cannot be`,
      'reached, use a Node installed from the official archive or package, or: npm install --nodedir=<folder of Node’s source>',
    );
  }
  return lines.join('\n');
}

function build(incremental) {
  const gyp = nodeGyp();
  if (gyp === undefined) {
    console.error('bitpath: node-gyp is not installed. Run: npm install --save-dev node-gyp');
    return 1;
  }
  const prefix = headersPrefix();
  const options = ['--jobs', process.env.JOBS ?? '2', '--release', ...(prefix ? [`--nodedir=${prefix}`] : [])];
  const child = spawnSync(
    process.execPath,
    [gyp, ...(incremental ? ['configure', 'build'] : ['rebuild']), ...options],
    {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: 1 << 28,
      // Developers want to see warnings and progress; an install shows the log only if it fails.
      stdio: incremental ? 'inherit' : ['ignore', 'pipe', 'pipe'],
    },
  );
  if (child.status === 0) return 0;
  process.stderr.write(`${child.stdout ?? ''}${child.stderr ?? ''}`);
  console.error(`\nbitpath: the native addon could not be built.\n${remedy(prefix)}`);
  return child.status ?? 1;
}

const wanted = buildId();
const found = probe();
if (found.buildId === wanted) {
  console.log(`bitpath: ${found.path} is up to date`);
} else {
  const incremental = process.argv.includes('--rebuild-if-stale');
  console.log(
    `bitpath: building the native addon (${found.reason ?? 'the one that is there was built from other sources'})`,
  );
  process.exitCode = build(incremental);
  if (!process.exitCode) {
    const built = probe();
    if (built.buildId === buildId()) console.log(`bitpath: built ${built.path}`);
    else {
      console.error(`bitpath: the addon was built but ${built.reason ?? `${built.path} carries another build id`}`);
      process.exitCode = 1;
    }
  }
}
