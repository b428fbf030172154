/** The rule that nothing points back: imports and includes only reach what comes earlier in the tree of ARCHITECTURE.md. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, posix } from 'node:path';
import { describe, it } from 'node:test';
import { filesUnder, root } from './root.js';

/** Story order of lib/: a file may import from its own entry and from those before it. */
const LIB = [
  'root',
  'errors',
  'check',
  'packages',
  'protocol',
  'client',
  'tensor',
  'native',
  'graph',
  'blocks',
  'architectures',
  'analysis',
  'compiler',
  'runInput',
  'description',
  'executor',
  'formats',
  'images',
  'model',
  'predict',
  'pipeline',
  'onnx',
  'datasets',
  'batch',
  'queue',
  'bench',
  'pictures',
  'index',
  'serve',
  'cli',
];

/** Story order of native/. */
const NATIVE = ['base', 'kernels', 'program', 'ops', 'exec', 'images', 'node'];

/** Files that need more than 400 lines, and why. */
const LONG: Record<string, string> = {
  'lib/onnx/proto/onnx_pb.ts': 'generated',
  'lib/protocol/grpc/inference_pb.ts': 'generated',
};

const read = (path: string) => readFileSync(root + path, 'utf8');

/** Checks each edge and returns how many there were. */
function checkEdges(
  files: readonly string[],
  order: readonly string[],
  layerOf: (path: string) => string,
  targetsOf: (path: string) => readonly string[],
): number {
  let edges = 0;
  for (const file of files) {
    const own = order.indexOf(layerOf(file));
    assert.notEqual(own, -1, `${file}: ${layerOf(file)} has no place in the order`);
    for (const target of targetsOf(file)) {
      const other = order.indexOf(layerOf(target));
      assert.ok(other !== -1 && other <= own, `${file} points back to ${target}`);
      edges++;
    }
  }
  return edges;
}

describe('layers', () => {
  const libFiles = filesUnder('lib', /\.ts$/);
  const nativeFiles = filesUnder('native', /\.(cpp|h|inl|def)$/);

  it('of lib/ point one way', () => {
    const edges = checkEdges(
      libFiles,
      LIB,
      (path) => path.split('/')[1]!.replace(/\.ts$/, ''),
      (path) =>
        [...read(path).matchAll(/(?:from|import|import\()\s*'(\.[^']*)'/g)].map(([, to]) =>
          posix.join(dirname(path), to!).replace(/\.js$/, '.ts'),
        ),
    );
    assert.ok(edges > 50, `only ${edges} imports found`);
  });

  it('of lib/ import each other by relative path, packages by name and nothing else', () => {
    for (const path of libFiles) assert.doesNotMatch(read(path), /from '(#lib|bitpath)/, path);
  });

  it('of native/ point one way', () => {
    const edges = checkEdges(
      nativeFiles,
      NATIVE,
      (path) => path.split('/')[1]!,
      (path) => [...read(path).matchAll(/#include "([^"]+)"/g)].map(([, to]) => posix.join(dirname(path), to!)),
    );
    assert.ok(edges > 20, `only ${edges} includes found`);
  });

  it('of native/: only node/ knows JavaScript', () => {
    for (const path of nativeFiles) {
      if (path.startsWith('native/node/')) continue;
      assert.doesNotMatch(read(path), /napi|node_api|v8\.h/i, path);
    }
  });

  it('have no file that nobody reads whole', () => {
    const files = [
      ...libFiles,
      ...nativeFiles,
      ...filesUnder('test', /\.(ts|cpp|h)$/),
      ...filesUnder('scripts', /\.mjs$/),
    ];
    assert.ok(files.length > 60);
    for (const path of files) {
      const lines = read(path).split('\n').length - 1;
      assert.ok(lines <= 400 || path in LONG, `${path} has ${lines} lines`);
    }
    for (const path of Object.keys(LONG)) assert.ok(read(path).split('\n').length - 1 > 400, `${path} is short again`);
  });

  it('keep no-one waiting at the top level', () => {
    for (const path of libFiles) assert.doesNotMatch(read(path), /^(?:export )?(?:const .*= )?await /m, path);
  });
});
