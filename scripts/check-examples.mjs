// Proves that the examples work: each copied to a folder of its own, with the packed tarball installed as a user would, its
// answers compared with what they should be. Needs prebuilds (npm run prebuild) or a compiler, and the npm registry.
//   node scripts/check-examples.mjs [--python <python>] [name …]
// --python <python>: one that has PyTorch; custom-network is then trained anew as well.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import sharp from 'sharp';

const root = fileURLToPath(new URL('..', import.meta.url));
const { version } = readJson(join(root, 'package.json'));
const { values, positionals } = parseArgs({ options: { python: { type: 'string' } }, allowPositionals: true });

const LABELS = { goldfish: 'goldfish, Carassius auratus', 'school-bus': 'school bus' };
const CHECKS = {
  'classify-folder': checkClassifyFolder,
  'fastify-service': checkFastifyService,
  'custom-network': checkCustomNetwork,
  'worker-pool': checkWorkerPool,
  'benchmark-your-onnx': checkBenchmark,
};
/** Installing waits for the registry, so two go together. */
const LANES = 2;

const work = mkdtempSync(join(tmpdir(), 'bitpath-examples-'));
try {
  const folders = readdirSync(join(root, 'examples'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  assert.deepEqual(folders.map(({ name }) => name).sort(), Object.keys(CHECKS).sort(), 'an example without a check');
  const tarball = await pack();
  const pictures = await drawPictures();
  const names = positionals.length > 0 ? positionals : Object.keys(CHECKS);
  const queue = names.values();
  await Promise.all(
    Array.from({ length: LANES }, async () => {
      for (const name of queue) {
        assert.ok(CHECKS[name], `no example is called ${name}`);
        const folder = await install(name, tarball);
        console.log(`ok  ${name}: ${await CHECKS[name](folder, pictures)}`);
      }
    }),
  );
  console.log(`${names.length} examples work`);
} finally {
  rmSync(work, { recursive: true, force: true });
}

async function pack() {
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', work];
  const [{ filename }] = JSON.parse((await run('npm', args, root)).stdout);
  return join(work, filename);
}

/** The drawings of examples/ as photographs come. */
function drawPictures() {
  return Promise.all(
    Object.keys(LABELS).map(async (name) => {
      const path = join(work, `${name}.jpg`);
      await sharp(join(root, `examples/${name}.svg`))
        .jpeg({ quality: 95 })
        .toFile(path);
      return path;
    }),
  );
}

/** Copies an example, without what an earlier run left there, and installs it. */
async function install(name, tarball) {
  const folder = join(work, name);
  const isLeft = (path) => /^(node_modules|dist|package-lock\.json|.*\.onnx)$/.test(basename(path));
  cpSync(join(root, 'examples', name), folder, { recursive: true, filter: (path) => !isLeft(path) });
  const { dependencies, engines } = readJson(join(folder, 'package.json'));
  assert.equal(dependencies.bitpath, `^${version}`, `${name} asks for another bitpath`);
  assert.deepEqual(engines, readJson(join(root, 'package.json')).engines);
  await run('npm', ['install', '--no-audit', '--no-fund', '--no-save', '--prefer-offline', tarball], folder);
  const installed = join(folder, 'node_modules/bitpath');
  assert.ok(!lstatSync(installed).isSymbolicLink() && readJson(join(installed, 'package.json')).version === version);
  return folder;
}

/** More than a batch, among them two that are no pictures, and a file that does not look like one. */
async function checkClassifyFolder(folder, pictures) {
  const photos = join(folder, 'photos');
  mkdirSync(photos);
  const expected = new Map();
  for (let i = 0; i < 20; i++) {
    const picture = pictures[i % 2];
    const name = i === 0 ? 'a "quoted", name.jpg' : `${i}.JPG`;
    cpSync(picture, join(photos, name));
    expected.set(name, LABELS[basename(picture, '.jpg')]);
  }
  writeFileSync(join(photos, 'broken.png'), 'no picture');
  writeFileSync(join(photos, 'empty.webp'), '');
  writeFileSync(join(photos, 'notes.txt'), 'nothing to classify');
  const { stderr } = await run('npm', ['start', 'photos', 'photos.csv'], folder);
  assert.match(stderr, /22 pictures, 2 of them unreadable/);

  const [head, ...lines] = readFileSync(join(folder, 'photos.csv'), 'utf8').trimEnd().split('\n');
  assert.equal(head, 'picture,label,probability,error');
  assert.equal(lines.length, 22);
  for (const line of lines) {
    const [name, label, probability, error] = csvFields(line);
    assert.equal(label, expected.get(name) ?? '', line);
    if (expected.has(name)) assert.ok(Number(probability) > 0.5 && error === '', line);
    else assert.ok(['broken.png', 'empty.webp'].includes(name) && probability === '' && error !== '', line);
    expected.delete(name);
  }
  assert.equal(expected.size, 0);
  await fails('npm', ['start', 'nowhere', 'photos.csv'], folder, /error: .*nowhere/);
  await fails('npm', ['start'], folder, /usage/);
  return `${lines.length} lines`;
}

function csvFields(line) {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))/g)].map(([, quoted, plain]) =>
    quoted === undefined ? plain : quoted.replaceAll('""', '"'),
  );
}

/** A small load, each answer the right one; what is no picture; an end that waits for nobody. */
async function checkFastifyService(folder, pictures) {
  await run('npm', ['run', 'build'], folder);
  const server = spawn(process.execPath, ['dist/server.js'], {
    cwd: folder,
    env: { ...process.env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const url = await listening(server);
    const classify = (body) => fetch(`${url}/classify`, { method: 'POST', body });
    const bodies = pictures.map((path) => ({ body: readFileSync(path), label: LABELS[basename(path, '.jpg')] }));
    const requests = Array.from({ length: 100 }, (_, i) => bodies[i % bodies.length]).values();
    let answers = 0;
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        for (const { body, label } of requests) {
          const response = await classify(body);
          assert.equal(response.status, 200);
          const { predictions } = await response.json();
          assert.equal(predictions.length, 3);
          assert.equal(predictions[0].name, label);
          answers++;
        }
      }),
    );
    const [{ body }] = bodies;
    for (const [bad, status] of [
      [readFileSync(join(root, 'examples/goldfish.svg')), 415],
      ['{}', 415],
      [undefined, 415],
      [body.subarray(0, body.length >> 1), 400],
    ]) {
      const response = await classify(bad);
      assert.equal(response.status, status);
      assert.equal(typeof (await response.json()).message, 'string');
    }
    assert.equal(await statusOfAnnounced(url, 9 * 2 ** 20), 413);
    server.kill('SIGTERM');
    const [code] = await once(server, 'exit');
    assert.equal(code, 0);
    return `${answers} requests`;
  } finally {
    server.kill('SIGKILL');
  }
}

/** The answer to a body's length alone: sending a body that is refused races with the end of the connection. */
async function statusOfAnnounced(url, bytes) {
  const sent = request(`${url}/classify`, { method: 'POST', headers: { 'content-length': bytes } });
  sent.flushHeaders();
  const [{ statusCode }] = await once(sent, 'response');
  sent.destroy();
  return statusCode;
}

/** The address in the log, which goes on being read: a full pipe would hold the server up. */
function listening(server) {
  return new Promise((resolve, reject) => {
    server.once('exit', (code) => reject(new Error(`the server ended with ${code}`)));
    createInterface(server.stdout).on('line', (line) => {
      const [, url] = /Server listening at (http:\/\/127\.0\.0\.1:\d+)/.exec(line) ?? [];
      if (url) resolve(url);
    });
  });
}

async function checkCustomNetwork(folder) {
  const file = join(folder, 'shapes.safetensors');
  const { stdout: graph } = await run('node', ['network.js'], folder);
  assert.equal(safetensorsMetadata(file)['bitpath.graph'], graph, 'shapes.safetensors is of another network');
  await compares();
  if (values.python) {
    await run(values.python, ['train.py'], folder, { ...process.env, OMP_NUM_THREADS: '1' });
    await compares();
  }

  const recorded = readJson(join(folder, 'recorded.json'));
  recorded.logits[3][2] += 0.01;
  writeFileSync(join(folder, 'recorded.json'), JSON.stringify(recorded));
  await fails('npm', ['start'], folder, /error: that is more than/);
  return `logits as in PyTorch${values.python ? ', also after training' : ''}`;

  async function compares() {
    const { stdout } = await run('npm', ['start'], folder);
    assert.equal(stdout.match(/^picture \d: (disc|ring|square|cross) +\d+\.\d %$/gm)?.length, 8, stdout);
    assert.match(stdout, /logits differ from PyTorch's by at most \d\.\de-\d+ of the largest/);
  }
}

function safetensorsMetadata(file) {
  const bytes = readFileSync(file);
  return JSON.parse(bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE(0))).toString('utf8')).__metadata__;
}

/** It compares the answers of all ways itself. */
async function checkWorkerPool(folder, pictures) {
  const { stdout } = await run('npm', ['start', ...pictures], folder);
  const rates = [...stdout.matchAll(/^ {2}(one thread|\d+ Workers).* (\d+) pictures\/s$/gm)];
  assert.equal(rates.length, 6, stdout);
  for (const [line, , rate] of rates) assert.ok(Number(rate) > 0, line);
  await fails('npm', ['start', 'nowhere.jpg'], folder, /error: nowhere\.jpg: /);
  return `${rates.length} rates`;
}

async function checkBenchmark(folder) {
  await run('npm', ['run', 'sample'], folder);
  const { stdout } = await run('npm', ['start', 'sample.onnx', '2'], folder);
  assert.match(stdout, /16 of 21 convolutions and linear layers are 1-bit/);
  const [, equal, layers] = /^(\d+) of (\d+) layers are equal, 0 too/m.exec(stdout) ?? [];
  assert.ok(Number(layers) >= 50 && equal === layers, stdout);
  const times = stdout.match(/^(bitpath runSync|bitpath run|onnxruntime run)\(\) +\d+\.\d\d +\(half/gm);
  assert.equal(times?.length, 3, stdout);
  writeFileSync(join(folder, 'broken.onnx'), 'no network');
  await fails('npm', ['start', 'broken.onnx'], folder, /error: broken\.onnx: /);
  return `${layers} layers equal, then timed`;
}

async function run(command, args, cwd, env = process.env) {
  const { code, stdout, stderr } = await exited(command, args, cwd, env);
  assert.equal(code, 0, `${command} ${args.join(' ')}:\n${stdout}${stderr}`);
  return { stdout, stderr };
}

async function fails(command, args, cwd, message) {
  const { code, stderr } = await exited(command, args, cwd);
  assert.notEqual(code, 0, `${command} ${args.join(' ')} did not fail`);
  assert.match(stderr, message);
}

function exited(command, args, cwd, env = process.env) {
  return new Promise((resolve) => {
    execFile(command, args, { cwd, env, maxBuffer: 2 ** 26, timeout: 300_000 }, (error, stdout, stderr) => {
      resolve({ code: error ? (error.code ?? error.signal) : 0, stdout, stderr });
    });
  });
}

function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}
