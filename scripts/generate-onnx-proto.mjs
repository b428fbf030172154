// Generates lib/onnx/proto/onnx_pb.ts from lib/onnx/proto/onnx.proto (see the README there). Needs protoc on the PATH: Debian's
// package protobuf-compiler has it. The plugin comes from devDependencies.
//   node scripts/generate-onnx-proto.mjs          write the file
//   node scripts/generate-onnx-proto.mjs --check  say whether it is what the schema gives
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(root, 'lib/onnx/proto');
const check = process.argv.includes('--check');
const out = check ? mkdtempSync(join(tmpdir(), 'onnx-proto-')) : folder;

try {
  const run = spawnSync(
    'protoc',
    [
      `--plugin=protoc-gen-es=${join(root, 'node_modules/.bin/protoc-gen-es')}`,
      `--proto_path=${folder}`,
      `--es_out=${out}`,
      '--es_opt=target=ts,import_extension=js,ts_nocheck=true',
      'onnx.proto',
    ],
    { stdio: 'inherit' },
  );
  if (run.error) console.error(`error: cannot run protoc (${run.error.message}); Debian has it in protobuf-compiler`);
  process.exitCode = run.status ?? 1;
  if (check && process.exitCode === 0) {
    const [made, kept] = [out, folder].map((path) => readFileSync(join(path, 'onnx_pb.ts'), 'utf8'));
    if (made !== kept) {
      console.error(
        'error: lib/onnx/proto/onnx_pb.ts is not what onnx.proto gives: node scripts/generate-onnx-proto.mjs',
      );
      process.exitCode = 1;
    }
  }
} finally {
  if (check) rmSync(out, { recursive: true });
}
